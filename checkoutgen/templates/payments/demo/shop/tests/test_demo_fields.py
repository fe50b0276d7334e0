"""Fields of the demo provider in a page of the shop: what the page loads, what reaches the shop, and every ending."""

import json
import re
import time
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

from django.core import signing
from django.core.management import CommandError, call_command
from django.test import override_settings
from django.urls import reverse
from django.utils.translation import override

from config.shop import SHOP
from orders import links
from payments import engine, fields
from payments.models import PaymentAttempt
from payments.providers.demo import bank
from payments.providers.demo.cards import CARDS, IBANS
from payments.providers.demo.fields import LIFE, SALT, tokenise
from payments.providers.demo.models import DemoPayment

from .payfields import PayFields, policy
from .shopping import an_order
from .test_payments_demo import DemoTestCase
from .threads import at_once

METHODS = [
    {"id": "card", "kind": "card", "provider": "demo", "mode": "fields", "name": {}},
    {"id": "debit", "kind": "sepa-debit", "provider": "demo", "mode": "fields", "name": {}},
    {"id": "hosted", "kind": "card", "provider": "demo", "mode": "hosted", "name": {}},
]


def card(scenario: str) -> str:
    """A token of a test card, made when it is needed: it lives for a quarter of an hour, tests may run for longer."""
    return tokenise({each.scenario: each for each in CARDS}[scenario])


class FieldsTestCase(PayFields, DemoTestCase):
    def setUp(self) -> None:
        super().setUp()
        patcher = patch.dict(SHOP["payment"], methods=METHODS)
        patcher.start()
        self.addCleanup(patcher.stop)

    def go(self, answer: Any) -> Any:
        """Where the script leads the buyer."""
        self.assertEqual(answer.status_code, 200, answer.content)
        return self.client.get(answer.json()["go"].removeprefix(self.live_server_url))


class PageTest(FieldsTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.order = an_order()
        self.page = self.check_page(self.order, "demo")

    def test_policy_of_this_page_only(self) -> None:
        here = policy(self.page)
        self.assertEqual((here["frame-src"], here["connect-src"]), (["'self'"], ["'self'"]))
        self.assertEqual(len(here["script-src"]), 2)
        for name in ("orders:pay", "orders:show"):
            with override(self.order.language):
                other = self.client.get(reverse(name, args=[links.token(self.order)]))
            self.assertNotIn("frame-src", policy(other), name)
            self.assertNotIn("connect-src", policy(other), name)

    def test_nonce_is_new_every_time_and_the_order_stays_out_of_the_referrer(self) -> None:
        again = self.client.get(self.url(self.order))
        self.assertNotEqual(policy(self.page)["script-src"], policy(again)["script-src"])
        self.assertEqual(self.page.headers["Referrer-Policy"], "strict-origin")
        self.assertIn("no-store", self.page.headers["Cache-Control"])

    def test_showing_it_asks_the_provider_nothing(self) -> None:
        self.assertFalse(DemoPayment.objects.exists())
        self.assertFalse(PaymentAttempt.objects.exists())


class InventoryTest(FieldsTestCase):
    def test_printed_with_hashes_and_compared(self) -> None:
        printed = StringIO()
        call_command("script_inventory", stdout=printed)
        found = json.loads(printed.getvalue())
        sources = [entry["src"] for entry in found if entry["page"] == "card (fields)"]
        self.assertEqual(sources, ["shop.js", "payments/fields.js", "payments/demo-fields.js"])
        for entry in found:
            self.assertRegex(entry["integrity"], r"^sha384-[A-Za-z0-9+/]{64}$")
        with TemporaryDirectory() as folder:
            kept = Path(folder, "scripts.json")
            kept.write_text(printed.getvalue(), encoding="utf-8")
            call_command("script_inventory", check=str(kept), stdout=StringIO())
            kept.write_text(printed.getvalue().replace("sha384-", "sha384-x", 1), encoding="utf-8")
            with self.assertRaisesMessage(CommandError, "card (fields): shop.js"):
                call_command("script_inventory", check=str(kept))


class PayingTest(FieldsTestCase):
    def test_order_button_leads_to_the_page_and_the_token_pays(self) -> None:
        order = an_order()
        answer = self.give(order, card("paid"))
        self.assertIn("/thanks/", self.go(answer)["Location"])
        self.assertState(order, "confirmed")
        self.assertEqual(engine.paid_amount(order), order.total_amount)

    def test_long_after_the_tests_were_read(self) -> None:
        """A busy machine takes longer than a token lives to get here."""
        order, now = an_order(), time.time
        with patch("django.core.signing.time.time", lambda: now() + 2 * LIFE):
            self.go(self.give(order, card("paid")))
        self.assertState(order, "confirmed")

    def test_direct_debit(self) -> None:
        order = an_order(method="debit")
        self.go(self.give(order, tokenise(IBANS[0]), method="debit"))
        self.assertEqual(engine.payment_status(order), "pending")

    def test_declined_cards_say_why_beside_the_fields_and_another_card_pays(self) -> None:
        for scenario in ("declined", "insufficient_funds", "expired_card"):
            order = an_order()
            refused = self.give(order, card(scenario))
            self.assertEqual(refused.status_code, 422)
            self.assertEqual(refused.json(), {"error": str(fields.failures.text(scenario)), "again": False})
            self.assertState(order, "pending_payment")
            self.go(self.give(order, card("paid")))
            self.assertState(order, "confirmed")

    def test_3d_secure_and_back(self) -> None:
        order = an_order()
        challenge = self.give(order, card("challenge")).json()["go"].removeprefix(self.live_server_url)
        self.assertIn("/challenge/", challenge)
        back = self.client.post(challenge, {"answer": "approve"})
        self.client.get(back["Location"].removeprefix(self.live_server_url))
        self.assertState(order, "confirmed")

    def test_3d_secure_refused_is_said_on_the_same_page(self) -> None:
        order = an_order()
        challenge = self.give(order, card("challenge")).json()["go"].removeprefix(self.live_server_url)
        back = self.client.post(challenge, {"answer": "refuse"})
        again = self.client.get(back["Location"].removeprefix(self.live_server_url))
        self.assertEqual(again["Location"], self.url(order))
        with override(order.language):
            reason = fields.failures.text("authentication_failed")
        self.assertContains(self.client.get(again["Location"]), reason)

    def test_3d_secure_left_behind_gives_way_to_another_card(self) -> None:
        order = an_order()
        self.give(order, card("challenge"))
        first = order.attempts.get()
        page = self.client.get(self.url(order))
        after = re.search(r'name="after" value="([0-9a-f]{32})"', page.content.decode())
        assert after is not None
        self.assertEqual(after[1], first.key)
        self.go(self.give(order, card("paid"), after[1]))
        self.assertState(order, "confirmed")
        first.refresh_from_db()
        self.assertEqual((first.state, order.attempts.count()), ("cancelled", 2))

    def test_double_click_is_one_payment(self) -> None:
        order = an_order()
        answers = at_once([lambda: self.give(order, card("paid")).status_code] * 5)
        self.assertEqual(set(answers), {200})
        self.assertEqual((order.attempts.count(), DemoPayment.objects.count()), (1, 1))

    def test_answer_lost_after_charging_the_same_token_again_charges_nothing_more(self) -> None:
        order = an_order()
        lost = self.give(order, card("lost"))
        self.assertEqual((lost.status_code, lost.json()["again"]), (422, True))
        self.assertEqual(DemoPayment.objects.get().state, "paid")
        self.assertEqual(self.give(order, card("lost")).status_code, 422)  # its answers are always lost
        self.assertEqual((order.attempts.count(), DemoPayment.objects.count()), (1, 1))
        self.deliver()
        self.assertState(order, "confirmed")

    def test_provider_silent_before_charging(self) -> None:
        order = an_order()
        with patch.object(bank, "faults", lambda: {"timeout_before": 1.0}):
            self.assertTrue(self.give(order, card("paid")).json()["again"])
        self.go(self.give(order, card("paid")))
        self.assertState(order, "confirmed")
        self.assertEqual(order.attempts.count(), 1)

    def test_wrong_amount_goes_to_review(self) -> None:
        order = an_order()
        self.go(self.give(order, card("short")))
        self.assertState(order, "review")

    def test_tokens_that_are_none(self) -> None:
        with patch("time.time", lambda: 1_000_000):
            expired = tokenise(CARDS[0])
        for typed in ("", "x", "4242424242424242", card("paid")[:-1] + "~", expired, tokenise(IBANS[0]), "é" * 30_000):
            order = an_order()
            self.assertEqual(self.give(order, typed).status_code, 422, typed[:40])
            self.assertState(order, "pending_payment")

    def test_many_cards_on_one_order_are_stopped(self) -> None:
        order = an_order()
        with patch.object(fields, "MOST_TRIES", 2):
            self.give(order, card("declined"))
            self.give(order, card("declined"))
            self.assertEqual(self.give(order, card("paid")).status_code, 429)
        self.assertState(order, "pending_payment")

    def test_without_script_the_form_leads_to_the_provider(self) -> None:
        order = an_order()
        answer = self.client.post(self.url(order), {"after": ""})
        self.assertEqual(answer.status_code, 303)
        page = DemoPayment.objects.get().ref
        self.assertIn(page, order.attempts.get().redirect_url)
        self.assertIn("/leave/", answer["Location"])

    def test_paid_already_or_in_another_way(self) -> None:
        order = an_order()
        self.go(self.give(order, card("paid")))
        self.assertEqual(self.give(order, card("paid")).json()["go"], self.client.get(self.url(order))["Location"])
        other = an_order()
        self.assertEqual(self.client.get(self.url(other, "hosted")).status_code, 303)
        self.assertEqual(self.client.get(self.url(other, "nothing")).status_code, 303)
        self.assertEqual(DemoPayment.objects.count(), 1)

    def test_other_methods_are_refused(self) -> None:
        for verb in ("put", "delete", "trace"):
            self.assertEqual(getattr(self.client, verb)(self.url(an_order())).status_code, 405, verb)


class FrameTest(FieldsTestCase):
    def frame(self, kind: str = "card", language: str = "") -> str:
        return f"{reverse('demo:frame')}?kind={kind}&language={language or SHOP['shop']['languages'][0]}"

    def tokens(self, **typed: str) -> Any:
        url = self.frame().replace(reverse("demo:frame"), reverse("demo:token"))
        return self.client.post(url, {"number": "4242 4242 4242 4242", "expiry": "12/30", "code": "123"} | typed).json()

    def test_only_the_shop_may_frame_it(self) -> None:
        page = self.client.get(self.frame())
        self.assertEqual(page.headers["X-Frame-Options"], "SAMEORIGIN")
        policy = page.headers["Content-Security-Policy"]
        self.assertIn("frame-ancestors 'self'", policy)
        self.assertIn("form-action 'none'", policy)

    def test_unknown_kinds_and_languages(self) -> None:
        for url in (self.frame("wallet"), self.frame(language="xx"), reverse("demo:frame")):
            self.assertEqual(self.client.get(url).status_code, 404)

    def test_a_token_for_a_test_number(self) -> None:
        self.assertEqual(signing.loads(self.tokens()["token"], salt=SALT), "4242424242424242")

    def test_what_is_wrong_by_field(self) -> None:
        self.assertEqual(set(self.tokens(number="", expiry="", code="")["errors"]), {"number", "expiry", "code"})
        self.assertEqual(set(self.tokens(number="4111 1111 1111 1111")["errors"]), {"number"})
        for expiry in ("13/30", "00/30", "01/20", "1", "é/30", "12/30/31"):
            self.assertEqual(set(self.tokens(expiry=expiry)["errors"]), {"expiry"}, expiry)
        for expiry in ("1/31", "0131", "01/2031", " 12 / 30 "):
            self.assertIn("token", self.tokens(expiry=expiry), expiry)

    def test_not_there_in_production(self) -> None:
        with override_settings(DEVELOPMENT=False):
            self.assertEqual(self.client.get(self.frame()).status_code, 404)
