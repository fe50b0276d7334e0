"""The Payplug adapter, with the official SDK, against prepared answers on this machine."""

import os
from unittest.mock import patch

from config.shop import SHOP
from orders import lifecycle
from orders.models import Order
from payments import engine, settlement
from payments.facts import Declined, ProviderDown
from payments.models import PaymentAttempt, PaymentEvent
from payments.providers.payplug import adapter

from .answers import Answers
from .shopping import ShoppingTestCase, an_order

METHODS = [
    {"id": "card", "kind": "card", "provider": "payplug", "name": {}},
    {"id": "oney", "kind": "instalments", "provider": "payplug", "name": {}},
    {"id": "reserved", "kind": "card", "provider": "payplug", "capture": "at-shipping", "name": {}},
]


class PayplugTestCase(ShoppingTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.answers = Answers()
        self.addCleanup(self.answers.close)
        for patcher in (
            patch.dict(SHOP["payment"], methods=METHODS, providers={"payplug": {"secret_key": "env:PAYPLUG_TEST"}}),
            patch.dict(os.environ, {"PAYPLUG_TEST": "sk_test_x"}),
            patch("payments.engine.adapter", lambda name: adapter),
            patch("payments.views.adapter", lambda name: adapter),
            patch("payments.captures.adapter", lambda name: adapter),
            patch("payments.settlement.adapter", lambda name: adapter),
            patch.object(adapter, "BASE_URL", self.answers.url),
        ):
            patcher.__enter__()
            self.addCleanup(patcher.__exit__, None, None, None)

    def payment(self, amount: int = 100, **values: object) -> dict:
        page = {"payment_url": "https://secure.payplug.com/pay/pay_1"}
        empty = {"id": "pay_1", "object": "payment", "amount": amount, "currency": "EUR", "is_paid": False}
        return empty | {"failure": None, "hosted_payment": page} | values

    def begin(self, method: str = "card") -> PaymentAttempt:
        self.answers["POST", "/v1/payments"] = 201, self.payment()
        order = an_order(method=method)
        Order.objects.filter(pk=order.pk).update(currency="EUR")
        attempt = engine.start(order, method).attempt
        assert attempt is not None
        return attempt

    def becomes(self, attempt: PaymentAttempt, **values: object) -> None:
        self.answers["GET", "/v1/payments/pay_1"] = 200, self.payment(**{"amount": attempt.amount, **values})

    def hook(self, body: object) -> int:
        return self.client.post("/webhooks/payplug/", body, content_type="application/json").status_code

    def paid(self) -> PaymentAttempt:
        attempt = self.begin()
        self.becomes(attempt, is_paid=True)
        self.assertEqual(self.hook({"id": "pay_1", "object": "payment"}), 200)
        attempt.refresh_from_db()
        self.assertEqual(attempt.state, "captured")
        return attempt

    def test_hosted_page_with_frozen_amount(self) -> None:
        attempt = self.begin()
        asked = self.answers.asked[-1]
        self.assertEqual(asked.headers["authorization"], "Bearer sk_test_x")
        self.assertEqual(asked.json["amount"], attempt.amount)
        self.assertEqual(asked.json["metadata"]["attempt"], attempt.key)
        self.assertEqual(asked.json["billing"]["first_name"], "Ada")
        self.assertIn(f"/checkout/return/{attempt.key}/", asked.json["hosted_payment"]["return_url"])
        self.assertEqual(attempt.redirect_url, "https://secure.payplug.com/pay/pay_1")

    def test_oney(self) -> None:
        self.begin("oney")
        self.assertEqual(self.answers.asked[-1].json["payment_method"], "oney_x3_with_fees")

    def test_euro_only(self) -> None:
        order = an_order()
        Order.objects.filter(pk=order.pk).update(currency="SEK")
        with self.assertRaises(engine.NotStarted):
            engine.start(order, "card")

    def test_states(self) -> None:
        attempt = self.begin()
        for kind, failure, values in (
            ("action_required", "", {}),
            ("captured", "", {"is_paid": True}),
            ("failed", "insufficient_funds", {"failure": {"code": "insufficient_funds"}}),
            ("failed", "declined", {"failure": {"code": "card_declined"}}),
            ("cancelled", "cancelled", {"failure": {"code": "aborted"}}),
            ("expired", "expired", {"failure": {"code": "timeout"}}),
            ("pending", "", {"payment_method": {"is_pending": True}}),
        ):
            self.becomes(attempt, **values)
            fact = adapter.fetch(attempt)
            self.assertEqual((fact.kind, fact.failure), (kind, failure))

    def test_paid_and_told_twice(self) -> None:
        attempt = self.paid()
        self.assertEqual(self.hook({"id": "pay_1", "object": "payment"}), 200)
        self.assertState(attempt.order, "confirmed")
        self.assertEqual(engine.paid_amount(attempt.order), attempt.amount)

    def test_notification_proves_nothing(self) -> None:
        attempt = self.begin()
        self.becomes(attempt)
        self.assertEqual(self.hook({"id": "pay_1", "object": "payment", "is_paid": True}), 200)
        self.assertState(attempt.order, "pending_payment")

    def test_notification_of_somebody_else(self) -> None:
        self.assertEqual(self.hook({"id": "pay_other"}), 200)
        for nonsense in ([], {}, {"id": "../x"}, "text"):
            self.assertEqual(self.hook(nonsense), 400)
        self.assertEqual(self.answers.asked, [])
        self.assertFalse(PaymentEvent.objects.exists())

    def test_wrong_amount(self) -> None:
        attempt = self.begin()
        self.becomes(attempt, is_paid=True, amount=1)
        self.hook({"id": "pay_1"})
        self.assertState(attempt.order, "review")

    def test_refund_is_made_once(self) -> None:
        attempt = self.paid()
        self.answers["GET", "/v1/payments/pay_1/refunds"] = 200, {"data": []}
        self.answers["POST", "/v1/payments/pay_1/refunds"] = [(500, {}), (201, {"id": "re_1"})]
        row = engine.refund(attempt.order, 100, "damaged", "seller")
        self.assertEqual(row.state, "requested")
        made = {"id": "re_1", "amount": 100, "metadata": {"refund": row.key}}
        self.answers["GET", "/v1/payments/pay_1/refunds"] = 200, {"data": [made]}
        engine.carry_out(row)
        row.refresh_from_db()
        self.assertEqual((row.state, row.provider_ref), ("done", "re_1"))
        posts = [each for each in self.answers.asked if each.method == "POST" and each.path.endswith("/refunds")]
        self.assertEqual(len(posts), 1)

    def test_errors(self) -> None:
        attempt = self.begin()
        for status, error in (
            (500, ProviderDown),
            (502, ProviderDown),
            (404, Declined),
            (400, Declined),
            (401, Declined),
        ):
            self.answers["GET", "/v1/payments/pay_1"] = status, {}
            with self.assertRaises(error, msg=str(status)):
                adapter.fetch(attempt)
        self.answers.close()
        with self.assertRaises(ProviderDown):
            adapter.fetch(attempt)


class ReservingTest(PayplugTestCase):
    def reserved(self) -> PaymentAttempt:
        attempt = self.begin("reserved")
        held = {"authorized_at": 1795000000, "expires_at": 1795600000, "authorized_amount": attempt.amount}
        self.becomes(attempt, amount=0, authorization=held)
        self.hook({"id": "pay_1", "object": "payment"})
        attempt.refresh_from_db()
        self.assertEqual(attempt.state, "authorized")
        return attempt

    def test_order_stands_and_nothing_is_taken(self) -> None:
        attempt = self.reserved()
        asked = self.answers.asked[0].json
        self.assertEqual((asked["authorized_amount"], "amount" in asked), (attempt.amount, False))
        self.assertState(attempt.order, "confirmed")
        self.assertEqual(int(attempt.authorized_until.timestamp()), 1795600000)

    def test_collected_when_the_parcel_leaves_and_never_again(self) -> None:
        attempt = self.reserved()
        lifecycle.ship(attempt.order)
        self.answers["PATCH", "/v1/payments/pay_1"] = 200, self.payment(amount=attempt.amount, is_paid=True)
        settlement.collect_due()
        self.assertEqual(self.answers.asked[-1].json, {"captured": True})
        self.assertEqual(engine.paid_amount(attempt.order), attempt.amount)
        self.becomes(attempt, is_paid=True)
        adapter.capture(attempt.captures.get())
        self.assertEqual(len([each for each in self.answers.asked if each.method == "PATCH"]), 1)

    def test_let_go_when_the_order_is_cancelled(self) -> None:
        attempt = self.reserved()
        self.answers["PATCH", "/v1/payments/pay_1"] = 200, self.payment(failure={"code": "aborted"})
        engine.cancel(attempt.order, actor="seller")
        self.assertEqual(self.answers.asked[-1].json, {"abort": True})
