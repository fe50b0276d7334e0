"""A purchase at the demo provider, with real webhooks over HTTP where it matters."""

import itertools
import json
import os
import signal
import time
import urllib.error
import urllib.request
from datetime import timedelta
from unittest import skipIf
from unittest.mock import patch

from django.db import connection
from django.test import Client, LiveServerTestCase, override_settings
from django.urls import reverse
from django.utils import timezone

from cart.models import Cart
from catalogue.models import Variant
from config.shop import SHOP
from mails import sending
from mails.messages import Message
from mails.models import OutboxMail
from orders.models import Order
from orders.placing import place
from payments import engine
from payments.models import PaymentAttempt, PaymentEvent
from payments.providers.demo import adapter, bank
from payments.providers.demo.cards import CARDS, find
from payments.providers.demo.models import DemoEvent, DemoPayment

from .shopping import a_cart, a_variant, an_order
from .threads import at_once

METHODS = [
    {"id": "card", "kind": "card", "provider": "demo", "name": {}},
    {"id": "debit", "kind": "sepa-debit", "provider": "demo", "name": {}},
    {"id": "wallet", "kind": "wallet", "provider": "demo", "name": {}},
]
CARD = {card.scenario: card.number for card in CARDS}
LATER = timedelta(minutes=2)


class DemoTestCase(LiveServerTestCase):
    def setUp(self) -> None:
        for patcher in (
            patch.dict(SHOP["payment"], methods=METHODS),
            override_settings(PUBLIC_URL=self.live_server_url),
            patch("payments.engine.adapter", lambda name: adapter),
            patch("payments.views.adapter", lambda name: adapter),
        ):
            patcher.__enter__()
            self.addCleanup(patcher.__exit__, None, None, None)

    def begin(self, order: Order | None = None, method: str = "card") -> tuple[Order, PaymentAttempt, str]:
        order = order or an_order(method=method)
        started = engine.start(order, method)
        assert started.redirect and started.attempt
        return order, started.attempt, started.redirect.removeprefix(self.live_server_url)

    def pay(self, page: str, number: str, follow_back: bool = True):
        answer = self.client.post(page, {"number": number})
        if follow_back and answer.status_code == 303 and "/checkout/return/" in answer["Location"]:
            return self.client.get(answer["Location"].removeprefix(self.live_server_url))
        return answer

    def deliver(self, after: timedelta = timedelta(0)) -> list[str]:
        """Send the webhooks due by then, over HTTP. Returns what the shop answered."""
        while bank.deliver_due(timezone.now() + after):
            pass
        return list(DemoEvent.objects.exclude(answer="").order_by("pk").values_list("answer", flat=True))

    def assertState(self, order: Order, state: str) -> None:  # noqa: N802
        order.refresh_from_db()
        self.assertEqual(order.state, state)

    def send(
        self, event: dict, *, stamp: int | None = None, key: bytes | None = None, body: bytes | None = None
    ) -> int:
        signed = json.dumps(event).encode()
        stamp = int(time.time()) if stamp is None else stamp
        header = {"Demo-Signature": f"t={stamp},v1={bank.sign(key or bank.secret(), stamp, signed)}"}
        request = urllib.request.Request(self.live_server_url + "/webhooks/demo/", body or signed, header)  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310
                return response.status
        except urllib.error.HTTPError as refused:
            return refused.code


class PageTest(DemoTestCase):
    def test_page_speaks_the_language_of_the_order_and_lists_the_numbers(self) -> None:
        order, _, page = self.begin()
        shown = self.client.get(page)
        self.assertContains(shown, f'lang="{order.language}"')
        self.assertContains(shown, "4242 4242 4242 4242")
        self.assertContains(shown, order.number)

    def test_paid_and_back(self) -> None:
        order, attempt, page = self.begin()
        back = self.pay(page, "4242 4242 4242 4242")
        self.assertEqual(back.status_code, 303)
        self.assertIn("/thanks/", back["Location"])
        self.assertState(order, "confirmed")
        self.assertEqual(self.deliver(), ["200 stale"])
        self.assertEqual(order.mails.filter(kind="order-confirmation").count(), 1)

    def test_only_listed_numbers_are_taken(self) -> None:
        order, _, page = self.begin()
        for number in ("4111111111111111", "", "4242", "x" * 5000):
            self.assertEqual(self.client.post(page, {"number": number}).status_code, 422)
        self.assertState(order, "pending_payment")

    def test_3d_secure(self) -> None:
        order, _, page = self.begin()
        self.assertRedirects(self.pay(page, CARD["challenge"]), page + "challenge/", status_code=303)
        self.assertContains(self.client.get(page + "challenge/"), "3-D Secure")
        back = self.client.post(page + "challenge/", {"answer": "approve"})
        self.client.get(back["Location"].removeprefix(self.live_server_url))
        self.assertState(order, "confirmed")

    def test_3d_secure_refused_then_paid_with_another_card(self) -> None:
        order, attempt, page = self.begin()
        self.pay(page, CARD["challenge"])
        back = self.client.post(page + "challenge/", {"answer": "refuse"})
        again = self.client.get(back["Location"].removeprefix(self.live_server_url))
        self.assertIn("/pay/", again["Location"])
        attempt.refresh_from_db()
        self.assertEqual((attempt.state, attempt.failure), ("failed", "authentication_failed"))
        _, _, page = self.begin(order)
        self.pay(page, CARD["paid"])
        self.assertState(order, "confirmed")

    def test_declined_cards_say_why(self) -> None:
        for scenario in ("declined", "insufficient_funds", "expired_card"):
            order, attempt, page = self.begin()
            self.assertIn("/pay/", self.pay(page, CARD[scenario])["Location"])
            attempt.refresh_from_db()
            self.assertEqual((attempt.state, attempt.failure), ("failed", scenario))
            self.assertState(order, "pending_payment")

    def test_left_without_paying(self) -> None:
        order, attempt, page = self.begin()
        back = self.client.post(page + "leave/")
        self.assertIn("/pay/", self.client.get(back["Location"].removeprefix(self.live_server_url))["Location"])
        attempt.refresh_from_db()
        self.assertEqual(attempt.state, "cancelled")

    def test_wallet_has_buttons_only(self) -> None:
        order, _, page = self.begin(an_order(method="wallet"), "wallet")
        self.assertNotContains(self.client.get(page), 'name="number"')
        answer = self.client.post(page, {"use": "agree"})
        self.client.get(answer["Location"].removeprefix(self.live_server_url))
        self.assertState(order, "confirmed")

    def test_double_click_on_the_payment_page_charges_once(self) -> None:
        _, _, page = self.begin()
        self.pay(page, CARD["paid"])
        self.assertEqual(self.client.post(page, {"number": CARD["paid"]}).status_code, 200)
        self.assertEqual(DemoEvent.objects.filter(kind="payment.captured").count(), 1)

    def test_csrf(self) -> None:
        _, _, page = self.begin()
        self.assertEqual(Client(enforce_csrf_checks=True).post(page, {"number": CARD["paid"]}).status_code, 403)

    def test_not_there_in_production(self) -> None:
        _, _, page = self.begin()
        with override_settings(DEVELOPMENT=False), patch.dict(os.environ, {"ALLOW_DEMO_PROVIDER": ""}):
            self.assertEqual(self.client.get(page).status_code, 404)
            with self.assertRaises(engine.NotStarted):
                engine.start(an_order(), "card")


class WebhookTest(DemoTestCase):
    def test_way_back_lost_and_the_webhook_confirms(self) -> None:
        order, _, page = self.begin()
        self.assertEqual(self.pay(page, CARD["lost"]).status_code, 504)
        self.assertState(order, "pending_payment")
        self.assertEqual(self.deliver(), ["200 applied"])
        self.assertState(order, "confirmed")

    def test_late_webhook(self) -> None:
        order, _, page = self.begin()
        self.assertIn("/thanks/", self.pay(page, CARD["late"])["Location"])
        self.assertEqual(engine.payment_status(order), "pending")
        self.deliver(LATER)
        self.assertState(order, "confirmed")

    def test_duplicates_reordering_a_forger_and_an_old_message(self) -> None:
        order, _, page = self.begin()
        self.pay(page, CARD["noisy"])
        answers = self.deliver(LATER)
        self.assertEqual(len([each for each in answers if "400" in each]), 2, answers)
        self.assertState(order, "confirmed")
        self.assertEqual(engine.paid_amount(order), order.total_amount)
        self.assertEqual(order.mails.filter(kind="order-confirmation").count(), 1)

    def test_wrong_amount(self) -> None:
        order, _, page = self.begin()
        self.pay(page, CARD["short"])
        self.assertState(order, "review")

    def test_chargeback(self) -> None:
        order, _, page = self.begin()
        self.pay(page, CARD["chargeback"])
        self.assertState(order, "confirmed")
        self.deliver(LATER)
        self.assertState(order, "review")

    def test_sepa_failure_after_success(self) -> None:
        order, _, page = self.begin(an_order(method="debit"), "debit")
        self.pay(page, "FR14 2004 1010 0505 0001 3M02 606")
        self.assertState(order, "confirmed")
        self.deliver(LATER)
        self.assertState(order, "review")
        self.assertEqual(engine.payment_status(order), "reversed")

    def test_bad_signature_is_refused_and_nothing_stored(self) -> None:
        order, attempt, _ = self.begin()
        event = {
            "id": "evt",
            "type": "payment.captured",
            "data": {"key": attempt.key, "amount": attempt.amount, "currency": attempt.currency},
        }
        now = int(time.time())
        self.assertEqual(self.send(event, key=b"another account"), 400)
        self.assertEqual(self.send(event, stamp=now - 301), 400)
        self.assertEqual(self.send(event, stamp=now + 400), 400)
        self.assertEqual(self.send(event, body=json.dumps(event).encode() + b" "), 400)
        self.assertFalse(PaymentEvent.objects.exists())
        self.assertState(order, "pending_payment")
        self.assertEqual(self.send(event, stamp=now - 290), 200)
        self.assertState(order, "confirmed")

    def test_signed_nonsense(self) -> None:
        for event in ([], {}, {"id": 1}, {"id": 1, "type": "x", "data": 3}, None, "text"):
            self.assertEqual(self.send(event), 400, event)  # type: ignore[arg-type]
        self.assertEqual(self.send({"id": "far", "type": "moon.full", "data": {}}), 200)
        self.assertEqual(PaymentEvent.objects.get().outcome, "unknown")

    def test_too_large_and_too_deep(self) -> None:
        self.assertEqual(self.send({"id": "x" * 300_000}), 413)
        self.assertEqual(self.send({"id": "nul", "type": "x", "data": {"ref": "\0"}}), 400)
        deep = b"[" * 100_000
        self.assertEqual(self.send({}, body=deep), 400)

    def test_refund_and_partial_refund(self) -> None:
        order, _, page = self.begin()
        self.pay(page, CARD["paid"])
        engine.refund(order, 10, "late delivery", "seller")
        self.assertEqual(engine.payment_status(order), "partly_refunded")
        engine.refund(order, order.total_amount - 10, "all", "seller")
        self.deliver()
        self.assertEqual(engine.payment_status(order), "refunded")
        self.assertEqual(bank.refunded(DemoPayment.objects.get()), order.total_amount)

    def test_ten_copies_at_once(self) -> None:
        order, attempt, page = self.begin()
        self.pay(page, CARD["lost"])
        event = DemoEvent.objects.get()
        body = bank._payload(event)
        answers = at_once([lambda: self.send(body)] * 10)
        self.assertEqual(set(answers), {200})
        self.assertEqual(PaymentEvent.objects.filter(event_id=event.event_id).count(), 1)
        self.assertState(order, "confirmed")


class FaultTest(DemoTestCase):
    def test_time_outs_around_opening_a_payment(self) -> None:
        for fault in ("timeout_before", "timeout_after"):
            order = an_order()
            with patch.object(bank, "faults", lambda fault=fault: {fault: 1.0}), self.assertRaises(engine.NotStarted):
                engine.start(order, "card")
            self.assertTrue(engine.start(order, "card").redirect)
            self.assertEqual(DemoPayment.objects.filter(reference=order.number).count(), 1)

    @skipIf(not hasattr(os, "fork"), "needs fork")
    def test_kill_9_between_charge_and_order(self) -> None:
        """A real process, killed by the system after the provider charged and before the shop wrote it down."""
        variant = a_variant(stock=3)
        order, attempt, page = self.begin(an_order(variant))
        connection.close()
        child = os.fork()
        if child == 0:
            try:
                Client().post(page, {"number": CARD["paid"]})
            finally:
                os.kill(os.getpid(), signal.SIGKILL)
        os.waitpid(child, 0)
        self.assertEqual(DemoPayment.objects.get(key=attempt.key).state, "paid")
        self.assertState(order, "pending_payment")
        engine.reconcile_due(timezone.now() + LATER * 5)
        self.assertState(order, "confirmed")
        variant.refresh_from_db()
        self.assertEqual(variant.stock, 2)
        self.assertEqual(order.mails.filter(kind="order-confirmation").count(), 1)

    @skipIf(not hasattr(os, "fork"), "needs fork")
    def test_killed_at_every_statement(self) -> None:
        """A purchase in a process that is killed before its n-th statement, for every n: afterwards the books agree.

        Every second buyer comes back and tries again.
        """
        for n in itertools.count(1):
            variant = a_variant(stock=3)
            cart = a_cart(variant, email=f"n{n}@example.com")
            connection.close()
            child = os.fork()
            if child == 0:
                self._purchase_until_killed(cart, n)
            code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            self.assertIn(code, (0, -signal.SIGKILL), f"statement {n}")
            if n % 2:
                self._purchase(cart)
            self._settle()
            self._check(cart, variant, f"killed before statement {n}")
            if code == 0:
                break
        self.assertGreater(n, 30)

    def _purchase(self, cart: Cart) -> None:
        order = place(cart, now=timezone.now())
        started = engine.start(order, "card")
        if started.attempt and started.redirect:
            bank.pay(started.attempt.provider_ref, find("card", CARD["paid"]))
            engine.learn(started.attempt, "return")

    def _purchase_until_killed(self, cart: Cart, n: int) -> None:
        """Never returns: exits with 0 when the purchase ended before the n-th statement."""
        seen = 0

        def wrapper(execute, sql, params, many, context):
            nonlocal seen
            seen += 1
            if seen == n:
                os.kill(os.getpid(), signal.SIGKILL)
            return execute(sql, params, many, context)

        try:
            with connection.execute_wrapper(wrapper):
                self._purchase(cart)
                sending.send_due()
        except BaseException:
            os._exit(1)
        os._exit(0)

    def _settle(self) -> None:
        far = timezone.now() + timedelta(days=3)
        bank.deliver_due(far)
        engine.reconcile_due(far)
        engine.expire_due(far)
        with patch("mails.sending.build", lambda *args: Message("Subject", "Text", "")):
            sending.send_due(far, limit=1000)

    def _check(self, cart: Cart, variant: Variant, where: str) -> None:
        orders = list(Order.objects.filter(cart=cart))
        self.assertLessEqual(len(orders), 1, where)
        taken = DemoPayment.objects.filter(reference__in=[order.number for order in orders], state="paid")
        state = orders[0].state if orders else "never placed"
        self.assertIn(state, ("confirmed", "expired", "never placed"), where)
        self.assertEqual(taken.count(), int(state == "confirmed"), where)
        variant.refresh_from_db()
        self.assertEqual(variant.stock, 2 if state == "confirmed" else 3, where)
        mails = OutboxMail.objects.filter(order__in=orders, kind="order-confirmation")
        self.assertEqual(mails.count(), int(state == "confirmed"), where)
        self.assertFalse(mails.filter(sent_at=None).exists(), where)

    def test_return_address_proves_nothing(self) -> None:
        order, attempt, _ = self.begin()
        self.client.get(reverse("payments:return", args=[attempt.key]))
        self.assertState(order, "pending_payment")
        self.assertEqual(self.client.get(reverse("payments:return", args=["0" * 32])).status_code, 404)

    def test_webhooks_are_posts(self) -> None:
        self.assertEqual(self.client.get("/webhooks/demo/").status_code, 405)
