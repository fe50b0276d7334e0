"""Stripe's Payment Element and wallets, with the official SDK, against prepared answers on this machine."""

import json
import os
from typing import Any
from unittest.mock import patch

from django.utils import timezone

from cart.models import Cart
from config.shop import HOME, SHOP, market
from payments import engine, wallets
from payments.facts import Declined
from payments.models import PaymentAttempt
from payments.providers.stripe import adapter, express

from .payfields import PayFields
from .shopping import a_cart, an_order
from .test_payments_stripe import SETTINGS, StripeTestCase

METHODS = [
    {"id": "card", "kind": "card", "provider": "stripe", "mode": "fields", "name": {}},
    {"id": "reserved", "kind": "card", "provider": "stripe", "mode": "fields", "capture": "at-shipping", "name": {}},
    {"id": "wallet", "kind": "wallet", "provider": "stripe", "express": True, "name": {}},
]
INTENTS = "/v1/payment_intents"
TOKEN = "ctoken_1NnQUf2eZvKYlo2C"


class FieldsTestCase(PayFields, StripeTestCase):
    def setUp(self) -> None:
        super().setUp()
        options = SETTINGS | {"publishable_key": "env:S_PUBLIC"}
        for patcher in (
            patch.dict(SHOP["payment"], methods=METHODS, providers={"stripe": options}),
            patch.dict(os.environ, {"S_PUBLIC": "pk_test_x"}),
        ):
            patcher.start()
            self.addCleanup(patcher.stop)

    def intent(self, order: Any, status: str = "succeeded", **values: object) -> dict:
        amount = adapter.rescale(order.total_amount, order.currency, adapter.digits(order.currency))
        return {
            "id": "pi_1",
            "object": "payment_intent",
            "status": status,
            "amount": amount,
            "amount_received": amount if status == "succeeded" else 0,
            "currency": order.currency.lower(),
            "client_secret": "pi_1_secret_x",
            "next_action": None,
            "last_payment_error": None,
            "metadata": {},
        } | values

    def back(self, answer: Any) -> Any:
        return self.client.get(answer.json()["go"].removeprefix("http://testserver"))


class FieldsTest(FieldsTestCase):
    def test_page(self) -> None:
        page = self.check_page(an_order(), "stripe", "stripe.com")
        self.assertContains(page, "pk_test_x")
        self.assertNotContains(page, "sk_test_x")
        self.assertEqual(self.answers.asked, [])

    def test_pays_with_the_token_once(self) -> None:
        order = an_order()
        self.answers["POST", INTENTS] = 200, self.intent(order)
        self.answers["GET", f"{INTENTS}/pi_1"] = 200, self.intent(order)
        answer = self.give(order, TOKEN)
        asked = self.answers.asked[0]
        attempt = order.attempts.get()
        self.assertEqual(asked.headers["idempotency-key"], attempt.key)
        self.assertEqual((asked.form["confirmation_token"], asked.form["confirm"]), (TOKEN, "true"))
        self.assertEqual(asked.form["metadata[attempt]"], attempt.key)
        self.assertIn(f"/checkout/return/{attempt.key}/", asked.form["return_url"])
        self.assertEqual(answer.json()["browser"], {})
        self.assertIn("/thanks/", self.back(answer)["Location"])
        self.assertState(order, "confirmed")
        self.give(order, TOKEN)
        self.assertEqual(len([each for each in self.answers.asked if each.method == "POST"]), 1)

    def test_bank_asks_in_the_page_or_on_its_own(self) -> None:
        for action, browser in (
            ({"type": "use_stripe_sdk"}, {"secret": "pi_1_secret_x"}),
            ({"type": "redirect_to_url", "redirect_to_url": {"url": "https://hooks.stripe.com/3ds"}}, {}),
        ):
            order = an_order()
            self.answers["POST", INTENTS] = 200, self.intent(order, "requires_action", next_action=action)
            answer = self.give(order, TOKEN).json()
            self.assertEqual(answer["browser"], browser)
            self.assertEqual("hooks.stripe.com" in answer["go"], not browser)
            self.assertState(order, "pending_payment")

    def test_bank_could_not_tell_that_it_was_the_buyer(self) -> None:
        order = an_order()
        error = {"code": "payment_intent_authentication_failure"}
        failed = self.intent(order, "requires_payment_method", last_payment_error=error)
        self.answers["POST", INTENTS] = (
            200,
            self.intent(order, "requires_action", next_action={"type": "use_stripe_sdk"}),
        )
        self.answers["GET", f"{INTENTS}/pi_1"] = 200, failed
        again = self.back(self.give(order, TOKEN))
        self.assertEqual(again["Location"], self.url(order))
        attempt = order.attempts.get()
        self.assertEqual((attempt.state, attempt.failure), ("failed", "authentication_failed"))

    def test_declined(self) -> None:
        order = an_order()
        error = {"type": "card_error", "code": "card_declined", "decline_code": "insufficient_funds", "message": "x"}
        self.answers["POST", INTENTS] = 402, {"error": error}
        self.assertEqual(self.give(order, TOKEN).status_code, 422)
        self.assertEqual(order.attempts.get().failure, "insufficient_funds")

    def test_answer_lost_and_found_again_by_the_reconciler(self) -> None:
        order = an_order()
        self.answers["POST", INTENTS] = 500, {"error": {"type": "api_error", "message": "x"}}
        self.assertTrue(self.give(order, TOKEN).json()["again"])
        attempt = order.attempts.get()
        self.assertEqual(attempt.provider_ref, "")
        self.answers["GET", f"{INTENTS}/search"] = 200, {"object": "search_result", "data": [self.intent(order)]}
        engine.learn(attempt, "reconciler")
        self.assertState(order, "confirmed")
        self.assertEqual(attempt.provider_ref, "pi_1")

    def test_another_token_while_nobody_knows_is_not_a_no(self) -> None:
        order = an_order()
        error = {"type": "idempotency_error", "message": "other parameters"}
        self.answers["POST", INTENTS] = 400, {"error": error}
        self.assertTrue(self.give(order, TOKEN).json()["again"])
        self.assertEqual(order.attempts.get().state, "requested")

    def test_webhook_before_the_answer(self) -> None:
        order = an_order()
        self.answers["POST", INTENTS] = 500, {"error": {"type": "api_error", "message": "x"}}
        self.give(order, TOKEN)
        event = self.intent(order, metadata={"attempt": order.attempts.get().key})
        self.assertEqual(self.hook("payment_intent.succeeded", event), 200)
        self.assertState(order, "confirmed")

    def test_reserved_for_later(self) -> None:
        order = an_order(method="reserved")
        self.answers["POST", INTENTS] = 200, self.intent(order, "requires_capture")
        self.give(order, TOKEN, method="reserved")
        self.assertEqual(self.answers.asked[0].form["capture_method"], "manual")

    def test_what_is_no_token_never_reaches_stripe(self) -> None:
        for typed in ("", "4242424242424242", "pm_card_visa", "ctoken_x&amount=1", "ctoken_" + "x" * 200):
            self.assertEqual(self.give(an_order(), typed).status_code, 422)
        self.assertEqual(self.answers.asked, [])

    def test_without_script_the_hosted_page(self) -> None:
        self.answers["POST", "/v1/checkout/sessions"] = 200, self.session()
        order = an_order()
        self.assertEqual(self.client.post(self.url(order), {"after": ""}).status_code, 303)
        self.assertTrue(order.attempts.get().redirect_url.startswith("https://checkout.stripe.com/"))


class WalletTest(FieldsTestCase):
    def token(self, country: str = HOME) -> dict:
        address = {"line1": "1 Main Street", "city": "Lille", "postal_code": "59000", "country": country}
        return {
            "id": TOKEN,
            "object": "confirmation_token",
            "payment_method_preview": {"billing_details": {"email": "ada@example.com", "name": "Ada Byron"}},
            "shipping": {"name": "Ada Byron", "phone": "", "address": address},
        }

    def wallet(self, cart: Cart, **brought: str) -> Any:
        return express.wallet(cart, "", {"typed": json.dumps({"token": TOKEN} | brought)})

    def test_stripe_says_who_and_the_shop_says_how_much(self) -> None:
        self.answers["GET", f"/v1/confirmation_tokens/{TOKEN}"] = 200, self.token()
        cart = a_cart()
        found = wallets.quote(cart, HOME, "", timezone.now())
        wallet = self.wallet(cart)
        assert found is not None and wallet is not None
        self.assertEqual((wallet.email, wallet.address["street"]), ("ada@example.com", "1 Main Street"))
        self.assertEqual((wallet.amount, wallet.currency), (found.totals.total, cart.currency))

    def test_country_without_delivery_allows_nothing(self) -> None:
        self.answers["GET", f"/v1/confirmation_tokens/{TOKEN}"] = 200, self.token("AQ")
        wallet = self.wallet(a_cart())
        assert wallet is not None
        self.assertEqual(wallet.amount, 0)

    def test_nonsense_asks_stripe_nothing(self) -> None:
        for typed in ("", "{}", "[]", '{"token": "pi_1"}', '{"token": 4}'):
            self.assertIsNone(express.wallet(a_cart(), "", {"typed": typed}))
        self.assertEqual(self.answers.asked, [])

    def test_quote_in_the_units_of_stripe(self) -> None:
        cart = a_cart()
        found = wallets.quote(cart, HOME, "", timezone.now())
        assert found is not None
        status, body = express.quoted({"country": HOME}, cart, found)
        digits = adapter.digits(market(HOME)["currency"])
        self.assertEqual(status, 200)
        self.assertEqual(body["amount"], adapter.rescale(found.totals.total, cart.currency, digits))
        self.assertEqual(body["shippingRates"][0]["id"], found.chosen.id)
        self.assertEqual(express.quoted({}, cart, None)[0], 422)

    def test_collected_when_the_buyer_orders(self) -> None:
        cart = a_cart(method="wallet")
        cart.data["wallet"] = {"method": "wallet", "token": TOKEN, "amount": 10**9, "currency": cart.currency}
        cart.save()
        from orders.placing import place

        order = place(cart, now=timezone.now())
        self.assertEqual(self.answers.asked, [])
        self.answers["POST", INTENTS] = 200, self.intent(order)
        create = wallets.charge(order, "wallet")
        assert create is not None
        started = engine.start(order, "wallet", create=create)
        self.assertEqual(self.answers.asked[0].form["confirmation_token"], TOKEN)
        assert isinstance(started.attempt, PaymentAttempt)
        self.assertEqual(started.attempt.provider_ref, "pi_1")
        self.assertIsNone(wallets.charge(order, "card"))

    def test_wrong_token_is_a_definite_no(self) -> None:
        with self.assertRaises(Declined):
            express.create("x", PaymentAttempt(), "https://shop.example", "https://shop.example")
