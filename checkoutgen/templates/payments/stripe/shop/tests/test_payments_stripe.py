"""The Stripe adapter, with the official SDK, against prepared answers on this machine."""

import hashlib
import hmac
import json
import os
import time
from unittest.mock import patch

from django.test import override_settings

from config.shop import SHOP
from orders import lifecycle
from payments import engine, settlement
from payments.facts import Declined, ProviderDown
from payments.models import PaymentAttempt, PaymentEvent
from payments.providers.stripe import adapter

from .answers import Answers
from .shopping import CURRENCY, ShoppingTestCase, an_order

SECRET = "whsec_test"
SETTINGS = {"secret_key": "env:S_KEY", "webhook_secret": "env:S_SECRET"}
METHODS = [
    {"id": "card", "kind": "card", "provider": "stripe", "name": {}},
    {"id": "debit", "kind": "sepa-debit", "provider": "stripe", "name": {}},
    {"id": "reserved", "kind": "card", "provider": "stripe", "capture": "at-shipping", "name": {}},
]
SESSIONS = "/v1/checkout/sessions"


class StripeTestCase(ShoppingTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.answers = Answers()
        self.addCleanup(self.answers.close)
        for patcher in (
            patch.dict(SHOP["payment"], methods=METHODS, providers={"stripe": SETTINGS}),
            patch.dict(os.environ, {"STRIPE_API_BASE": self.answers.url, "S_KEY": "sk_test_x", "S_SECRET": SECRET}),
            override_settings(DEVELOPMENT=True),
            patch("payments.engine.adapter", lambda name: adapter),
            patch("payments.views.adapter", lambda name: adapter),
            patch("payments.captures.adapter", lambda name: adapter),
            patch("payments.settlement.adapter", lambda name: adapter),
        ):
            patcher.__enter__()
            self.addCleanup(patcher.__exit__, None, None, None)

    def session(self, attempt: PaymentAttempt | None = None, **values: object) -> dict:
        amount = adapter.rescale(attempt.amount, attempt.currency, adapter.digits(attempt.currency)) if attempt else 0
        return {
            "id": "cs_test_1",
            "object": "checkout.session",
            "url": "https://checkout.stripe.com/c/pay/cs_test_1",
            "status": "open",
            "payment_status": "unpaid",
            "client_reference_id": attempt.key if attempt else "",
            "amount_total": amount,
            "currency": (attempt.currency if attempt else CURRENCY).lower(),
            "payment_intent": "pi_1",
        } | values

    def begin(self, method: str = "card") -> PaymentAttempt:
        self.answers["POST", SESSIONS] = 200, self.session()
        attempt = engine.start(an_order(method=method), method).attempt
        assert attempt is not None
        return attempt

    def paid(self) -> PaymentAttempt:
        attempt = self.begin()
        paid = self.session(attempt, status="complete", payment_status="paid")
        self.assertEqual(self.hook("checkout.session.completed", paid), 200)
        attempt.refresh_from_db()
        self.assertEqual(attempt.state, "captured")
        return attempt

    def hook(self, kind: str, thing: dict, *, event_id: str = "evt_1", age: int = 0, secret: str = SECRET) -> int:
        body = json.dumps({"id": event_id, "type": kind, "data": {"object": thing}})
        return self.send(body, age=age, secret=secret)

    def send(self, body: str, *, age: int = 0, secret: str = SECRET) -> int:
        stamp = int(time.time()) - age
        mac = hmac.new(secret.encode(), f"{stamp}.{body}".encode(), hashlib.sha256).hexdigest()
        header = {"Stripe-Signature": f"t={stamp},v1={mac}"}
        return self.client.post("/webhooks/stripe/", body, content_type="application/json", headers=header).status_code


class OpeningTest(StripeTestCase):
    def test_hosted_page_with_frozen_amount_and_the_attempt_as_key(self) -> None:
        attempt = self.begin()
        asked = self.answers.asked[-1]
        self.assertEqual(asked.headers["idempotency-key"], attempt.key)
        self.assertEqual(asked.form["client_reference_id"], attempt.key)
        self.assertEqual(asked.form["payment_method_types[0]"], "card")
        self.assertEqual(
            int(asked.form["line_items[0][price_data][unit_amount]"]),
            self.session(attempt)["amount_total"],
        )
        self.assertIn(f"/checkout/return/{attempt.key}/", asked.form["success_url"])
        self.assertEqual(attempt.provider_ref, "cs_test_1")
        self.assertTrue(attempt.redirect_url.startswith("https://checkout.stripe.com/"))

    def test_same_key_comes_with_same_parameters(self) -> None:
        order = an_order()
        self.answers["POST", SESSIONS] = [(500, {}), (500, {}), (200, self.session())]
        with self.assertRaises(engine.NotStarted):
            engine.start(order, "card")
        engine.start(order, "card")
        first, *others = self.answers.asked
        for other in others:
            self.assertEqual(other.headers["idempotency-key"], first.headers["idempotency-key"])
            self.assertEqual(other.body, first.body)

    def test_direct_debit(self) -> None:
        self.begin("debit")
        self.assertEqual(self.answers.asked[-1].form["payment_method_types[0]"], "sepa_debit")

    def test_currencies_count_as_stripe_counts_them(self) -> None:
        for currency, digits in (("EUR", 2), ("JPY", 0), ("KWD", 3), ("ISK", 2), ("UGX", 2)):
            self.assertEqual(adapter.digits(currency), digits)
        self.assertEqual(adapter.rescale(1200, "ISK", 2), 120000)
        self.assertEqual(adapter.unscale(120000, "ISK", 2), 1200)
        self.assertIsNone(adapter.unscale(120050, "ISK", 2))


class ErrorTest(StripeTestCase):
    def test_no_answer_means_nobody_knows(self) -> None:
        attempt = self.begin()
        for status in (500, 502, 429, 409):
            self.answers["GET", f"{SESSIONS}/cs_test_1"] = status, {"error": {"type": "api_error", "message": "x"}}
            with self.assertRaises(ProviderDown, msg=str(status)):
                adapter.fetch(attempt)
        self.answers.close()
        with self.assertRaises(ProviderDown):
            adapter.fetch(attempt)

    def test_wrong_request_or_key_is_a_definite_no(self) -> None:
        attempt = self.begin()
        for status in (400, 401, 403, 404):
            error = {"type": "invalid_request_error", "message": "No such session", "code": "resource_missing"}
            self.answers["GET", f"{SESSIONS}/cs_test_1"] = status, {"error": error}
            with self.assertRaises(Declined, msg=str(status)), self.assertLogs(adapter.logger, "ERROR"):
                adapter.fetch(attempt)

    def test_declines_in_the_words_of_the_shop(self) -> None:
        for error, code in (
            ({"code": "card_declined", "decline_code": "insufficient_funds"}, "insufficient_funds"),
            ({"code": "card_declined", "decline_code": "stolen_card"}, "declined"),
            ({"code": "expired_card"}, "expired_card"),
            ({"code": "authentication_required"}, "authentication_failed"),
        ):
            self.answers["POST", SESSIONS] = 402, {"error": {"type": "card_error", "message": "x"} | error}
            with self.assertRaises(engine.NotStarted) as refused:
                engine.start(an_order(), "card")
            self.assertEqual(refused.exception.code, code)

    def test_key_used_with_other_parameters_ends_the_attempt(self) -> None:
        order = an_order()
        self.answers["POST", SESSIONS] = 400, {"error": {"type": "idempotency_error", "message": "x"}}
        with self.assertRaises(engine.NotStarted), self.assertLogs(adapter.logger, "ERROR"):
            engine.start(order, "card")
        self.answers["POST", SESSIONS] = 200, self.session()
        self.assertTrue(engine.start(order, "card").redirect)
        first, second = (each.headers["idempotency-key"] for each in self.answers.asked)
        self.assertNotEqual(first, second)

    def test_another_address_than_stripes_is_for_development_only(self) -> None:
        for development, expected in ((True, {"api": self.answers.url}), (False, {})):
            with override_settings(DEVELOPMENT=development), patch("stripe.StripeClient") as client:
                adapter.client()
            self.assertEqual(client.call_args.kwargs["base_addresses"], expected)


class FetchTest(StripeTestCase):
    def fetch(self, attempt: PaymentAttempt, **values: object):
        self.answers["GET", f"{SESSIONS}/cs_test_1"] = 200, self.session(attempt, **values)
        return adapter.fetch(attempt)

    def test_states(self) -> None:
        attempt = self.begin()
        failed = {"status": "requires_payment_method", "last_payment_error": {"decline_code": "insufficient_funds"}}
        for kind, failure, values in (
            ("action_required", "", {}),
            ("captured", "", {"status": "complete", "payment_status": "paid"}),
            ("pending", "", {"status": "complete", "payment_intent": {"status": "processing"}}),
            ("failed", "insufficient_funds", {"status": "complete", "payment_intent": failed}),
            ("expired", "expired", {"status": "expired"}),
        ):
            fact = self.fetch(attempt, **values)
            self.assertEqual((fact.kind, fact.failure), (kind, failure))
            self.assertEqual((fact.amount, fact.currency), (attempt.amount, attempt.currency))

    def test_return_page_confirms(self) -> None:
        attempt = self.begin()
        self.fetch(attempt, status="complete", payment_status="paid")
        self.client.get(f"/checkout/return/{attempt.key}/")
        self.assertState(attempt.order, "confirmed")


class WebhookTest(StripeTestCase):
    def test_paid_and_told_twice(self) -> None:
        attempt = self.paid()
        paid = self.session(attempt, status="complete", payment_status="paid")
        self.assertEqual(self.hook("checkout.session.completed", paid), 200)
        self.assertState(attempt.order, "confirmed")
        self.assertEqual(engine.paid_amount(attempt.order), attempt.amount)
        self.assertEqual(PaymentEvent.objects.count(), 1)

    def test_nothing_about_the_buyer_is_kept(self) -> None:
        attempt = self.begin()
        self.hook("checkout.session.completed", self.session(attempt, customer_details={"email": "secret@example.com"}))
        self.assertNotIn("secret@", json.dumps(PaymentEvent.objects.get().payload))

    def test_debit_that_succeeds_later(self) -> None:
        attempt = self.begin("debit")
        self.hook("checkout.session.completed", self.session(attempt, status="complete"))
        self.assertEqual(engine.payment_status(attempt.order), "pending")
        paid = self.session(attempt, status="complete", payment_status="paid")
        self.hook("checkout.session.async_payment_succeeded", paid, event_id="evt_2")
        self.assertState(attempt.order, "confirmed")

    def test_debit_that_fails_later(self) -> None:
        attempt = self.begin("debit")
        self.hook("checkout.session.completed", self.session(attempt, status="complete"))
        self.hook("checkout.session.async_payment_failed", self.session(attempt, status="complete"), event_id="evt_2")
        attempt.refresh_from_db()
        self.assertEqual((attempt.state, attempt.failure), ("failed", "declined"))
        self.assertState(attempt.order, "pending_payment")
        self.assertEqual(attempt.order.mails.filter(kind="payment-failed").count(), 1)

    def test_left_open_until_it_expires(self) -> None:
        attempt = self.begin()
        self.hook("checkout.session.expired", self.session(attempt, status="expired"))
        attempt.refresh_from_db()
        self.assertEqual(attempt.state, "expired")

    def test_wrong_amount(self) -> None:
        attempt = self.begin()
        paid = self.session(attempt, status="complete", payment_status="paid", amount_total=1)
        self.hook("checkout.session.completed", paid)
        self.assertState(attempt.order, "review")

    def test_wrong_secret_old_and_broken(self) -> None:
        attempt = self.begin()
        paid = self.session(attempt, status="complete", payment_status="paid")
        self.assertEqual(self.hook("checkout.session.completed", paid, secret="whsec_other"), 400)
        self.assertEqual(self.hook("checkout.session.completed", paid, age=301), 400)
        self.assertEqual(self.client.post("/webhooks/stripe/", "{}", content_type="application/json").status_code, 400)
        self.assertFalse(PaymentEvent.objects.exists())

    def test_empty_secret_signs_nothing(self) -> None:
        attempt = self.begin()
        paid = self.session(attempt, status="complete", payment_status="paid")
        with patch.dict(os.environ, {"S_SECRET": ""}):
            self.assertEqual(self.hook("checkout.session.completed", paid, secret=""), 400)
        self.assertState(attempt.order, "pending_payment")

    def test_signed_nonsense(self) -> None:
        for body in ("[]", "null", "3", "{", "{}", '{"id": "evt", "type": "x"}', '{"id": 1, "type": 2, "data": []}'):
            self.assertEqual(self.send(body), 400, body)
        self.assertFalse(PaymentEvent.objects.exists())

    def test_unknown_event_is_kept(self) -> None:
        self.assertEqual(self.hook("customer.created", {"id": "cus_1"}), 200)
        self.assertEqual(PaymentEvent.objects.get().outcome, "unknown")

    def test_dispute_goes_to_review(self) -> None:
        attempt = self.paid()
        self.answers["GET", "/v1/payment_intents/pi_1"] = 200, {"id": "pi_1", "metadata": {"attempt": attempt.key}}
        self.hook("charge.dispute.created", {"id": "dp_1", "payment_intent": "pi_1"}, event_id="evt_2")
        self.assertState(attempt.order, "review")

    def test_inquiry_takes_no_money(self) -> None:
        attempt = self.paid()
        self.answers["GET", "/v1/payment_intents/pi_1"] = 200, {"id": "pi_1", "metadata": {"attempt": attempt.key}}
        asked = {"id": "dp_1", "payment_intent": "pi_1", "status": "warning_needs_response"}
        self.hook("charge.dispute.created", asked, event_id="evt_2")
        self.assertState(attempt.order, "confirmed")

    def test_dispute_that_is_won_brings_the_money_back_once(self) -> None:
        attempt = self.paid()
        self.answers["GET", "/v1/payment_intents/pi_1"] = 200, {"id": "pi_1", "metadata": {"attempt": attempt.key}}
        dispute = {"id": "dp_1", "payment_intent": "pi_1", "status": "needs_response"}
        self.hook("charge.dispute.created", dispute, event_id="evt_2")
        self.hook("charge.dispute.closed", dispute | {"status": "won"}, event_id="evt_3")
        attempt.refresh_from_db()
        self.assertEqual(attempt.state, "captured")
        self.assertEqual(engine.paid_amount(attempt.order), attempt.amount)

    def test_while_stripe_does_not_answer_the_webhook_comes_again(self) -> None:
        self.answers["GET", "/v1/payment_intents/pi_1"] = 500, {}
        self.assertEqual(self.hook("charge.dispute.created", {"id": "dp_1", "payment_intent": "pi_1"}), 503)


class RefundTest(StripeTestCase):
    def refund(self, status: str):
        attempt = self.paid()
        self.answers["GET", f"{SESSIONS}/cs_test_1"] = 200, self.session(attempt)
        self.answers["GET", "/v1/refunds"] = 200, {"object": "list", "data": []}
        self.answers["POST", "/v1/refunds"] = 200, {"id": "re_1", "object": "refund", "status": status}
        return engine.refund(attempt.order, 100, "damaged", "seller")

    def test_partial_refund_with_its_own_key(self) -> None:
        row = self.refund("succeeded")
        asked = self.answers.asked[-1]
        self.assertEqual(asked.headers["idempotency-key"], row.key)
        self.assertEqual(asked.form["payment_intent"], "pi_1")
        self.assertEqual((row.state, row.provider_ref), ("done", "re_1"))

    def test_refund_that_ends_later(self) -> None:
        row = self.refund("pending")
        self.assertEqual(row.state, "pending")
        thing = {"id": "re_1", "status": "succeeded", "amount": 100, "currency": "eur", "payment_intent": "pi_1"}
        thing["metadata"] = {"refund": row.key, "attempt": row.attempt.key}
        self.hook("refund.updated", thing, event_id="evt_2")
        row.refresh_from_db()
        self.assertEqual(row.state, "done")

    def test_refund_asked_for_again_after_days_is_found(self) -> None:
        row = self.refund("pending")
        made = {"id": "re_1", "status": "succeeded", "metadata": {"refund": row.key}}
        self.answers["GET", "/v1/refunds"] = 200, {"object": "list", "data": [made]}
        asked = len([each for each in self.answers.asked if each.method == "POST" and each.path == "/v1/refunds"])
        engine.carry_out(row)
        row.refresh_from_db()
        self.assertEqual(row.state, "done")
        posts = [each for each in self.answers.asked if each.method == "POST" and each.path == "/v1/refunds"]
        self.assertEqual(len(posts), asked)

    def test_refused_refund(self) -> None:
        self.assertEqual(self.refund("failed").state, "failed")

    def test_refund_that_comes_back_after_it_was_done(self) -> None:
        row = self.refund("succeeded")
        thing = {"id": "re_1", "status": "failed", "amount": 100, "currency": "eur", "payment_intent": "pi_1"}
        thing["metadata"] = {"refund": row.key, "attempt": row.attempt.key}
        self.hook("refund.failed", thing, event_id="evt_2")
        row.refresh_from_db()
        self.assertEqual(row.state, "failed")
        self.assertTrue(row.order.mails.filter(kind="order-review").exists())

    def test_refund_made_in_the_dashboard(self) -> None:
        attempt = self.paid()
        self.answers["GET", "/v1/payment_intents/pi_1"] = 200, {"id": "pi_1", "metadata": {"attempt": attempt.key}}
        thing = {"id": "re_9", "status": "succeeded", "amount": 100, "currency": attempt.currency.lower()}
        self.hook("refund.created", thing | {"payment_intent": "pi_1"}, event_id="evt_2")
        self.assertEqual(attempt.order.refunds.get().provider_ref, "re_9")


class ReservingTest(StripeTestCase):
    """Manual capture: https://docs.stripe.com/payments/place-a-hold-on-a-payment-method"""

    def intent(self, attempt: PaymentAttempt, status: str = "requires_capture", **values: object) -> dict:
        amount = adapter.rescale(attempt.amount, attempt.currency, adapter.digits(attempt.currency))
        charge = {"payment_method_details": {"card": {"capture_before": 1796000000}}}
        received = amount if status == "succeeded" else 0
        found = {"id": "pi_1", "object": "payment_intent", "status": status, "amount_received": received}
        return found | {"latest_charge": charge} | values

    def reserved(self) -> PaymentAttempt:
        attempt = self.begin("reserved")
        session = self.session(attempt, status="complete", payment_intent=self.intent(attempt))
        self.answers["GET", f"{SESSIONS}/cs_test_1"] = 200, session
        self.assertEqual(self.hook("checkout.session.completed", session | {"payment_intent": "pi_1"}), 200)
        attempt.refresh_from_db()
        self.assertEqual(attempt.state, "authorized")
        # What the adapter asks for next is the session without its payment.
        self.answers["GET", f"{SESSIONS}/cs_test_1"] = 200, session | {"payment_intent": "pi_1"}
        return attempt

    def test_order_stands_and_nothing_is_taken(self) -> None:
        attempt = self.reserved()
        self.assertIn("payment_intent_data[capture_method]", self.answers.asked[0].form)
        self.assertState(attempt.order, "confirmed")
        self.assertEqual(int(attempt.authorized_until.timestamp()), 1796000000)
        self.assertEqual(engine.paid_amount(attempt.order), 0)

    def test_collected_once_when_the_parcel_leaves(self) -> None:
        attempt = self.reserved()
        self.answers["GET", "/v1/payment_intents/pi_1"] = 200, self.intent(attempt)
        self.answers["POST", "/v1/payment_intents/pi_1/capture"] = 200, self.intent(attempt, "succeeded")
        lifecycle.ship(attempt.order)
        settlement.collect_due()
        asked = self.answers.asked[-1]
        self.assertEqual(asked.headers["idempotency-key"], attempt.captures.get().key)
        self.assertEqual(engine.paid_amount(attempt.order), attempt.amount)

    def test_collected_already_is_not_asked_for_again(self) -> None:
        attempt = self.reserved()
        self.answers["GET", "/v1/payment_intents/pi_1"] = 200, self.intent(attempt, "succeeded")
        lifecycle.ship(attempt.order)
        settlement.collect_due()
        self.assertEqual([each for each in self.answers.asked if each.path.endswith("/capture")], [])
        self.assertEqual(engine.paid_amount(attempt.order), attempt.amount)

    def test_gone_when_it_was_to_be_collected(self) -> None:
        attempt = self.reserved()
        self.answers["GET", "/v1/payment_intents/pi_1"] = 200, self.intent(attempt, "canceled")
        lifecycle.ship(attempt.order)
        settlement.collect_due()
        self.assertState(attempt.order, "review")

    def test_let_go_when_the_order_is_cancelled(self) -> None:
        attempt = self.reserved()
        self.answers["POST", "/v1/payment_intents/pi_1/cancel"] = 200, self.intent(attempt, "canceled")
        engine.cancel(attempt.order, actor="seller")
        self.assertTrue(self.answers.asked[-1].path.endswith("/cancel"))

    def test_collected_in_part_in_the_dashboard(self) -> None:
        attempt = self.reserved()
        intent = self.intent(attempt, "succeeded", amount_received=1)
        session = self.session(attempt, status="complete", payment_status="paid", payment_intent=intent)
        self.answers["GET", f"{SESSIONS}/cs_test_1"] = 200, session
        engine.learn(attempt, "reconciler")
        self.assertState(attempt.order, "review")
