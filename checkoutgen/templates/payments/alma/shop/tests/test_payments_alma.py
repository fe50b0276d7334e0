"""The Alma adapter, with the client library, against prepared answers on this machine."""

import os
from unittest.mock import patch

from alma_client import Client

from config.shop import SHOP
from orders.models import Order
from payments import engine
from payments.facts import Declined, ProviderDown
from payments.models import PaymentAttempt, PaymentEvent
from payments.providers.alma import adapter

from .answers import Answers
from .shopping import ShoppingTestCase, an_order

METHODS = [
    {"id": "three", "kind": "instalments", "provider": "alma", "name": {}},
    {"id": "later", "kind": "pay-later", "provider": "alma", "name": {}},
]
PATH = "/v1/payments/payment_1"


class AlmaTestCase(ShoppingTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.answers = Answers()
        self.addCleanup(self.answers.close)
        choices = {"api_key": "env:ALMA_TEST", "instalments": 4, "deferred_days": 15}
        for patcher in (
            patch.dict(SHOP["payment"], methods=METHODS, providers={"alma": choices}),
            patch.dict(os.environ, {"ALMA_TEST": "sk_test_x"}),
            patch("payments.engine.adapter", lambda name: adapter),
            patch("payments.views.adapter", lambda name: adapter),
            patch.object(adapter, "_client", lambda: Client.with_api_key("sk_test_x", api_root=self.answers.url)),
        ):
            patcher.__enter__()
            self.addCleanup(patcher.__exit__, None, None, None)

    def payment(self, amount: int = 100, state: str = "not_started", **values: object) -> dict:
        page = {"id": "payment_1", "url": "https://checkout.almapay.com/payment_1", "purchase_amount": amount}
        return page | {"state": state, "payment_plan": [], "orders": [], "refunds": []} | values

    def begin(self, method: str = "three") -> PaymentAttempt:
        self.answers["POST", "/v1/payments"] = 200, self.payment()
        order = an_order(method=method)
        Order.objects.filter(pk=order.pk).update(currency="EUR")
        attempt = engine.start(order, method).attempt
        assert attempt is not None
        return attempt

    def becomes(self, attempt: PaymentAttempt, state: str, **values: object) -> None:
        self.answers["GET", PATH] = 200, self.payment(**{"amount": attempt.amount, "state": state, **values})

    def hook(self, ref: str = "payment_1") -> int:
        return self.client.get("/webhooks/alma/", {"pid": ref}).status_code

    def paid(self) -> PaymentAttempt:
        attempt = self.begin()
        self.becomes(attempt, "in_progress")
        self.assertEqual(self.hook(), 200)
        attempt.refresh_from_db()
        self.assertEqual(attempt.state, "captured")
        return attempt

    def test_page_with_frozen_amount_and_plan(self) -> None:
        attempt = self.begin()
        asked = self.answers.asked[-1].json
        self.assertEqual(asked["payment"]["purchase_amount"], attempt.amount)
        self.assertEqual(asked["payment"]["installments_count"], 4)
        self.assertEqual(asked["payment"]["custom_data"], {"attempt": attempt.key})
        self.assertEqual(attempt.redirect_url, "https://checkout.almapay.com/payment_1")
        self.begin("later")
        self.assertEqual(self.answers.asked[-1].json["payment"]["deferred_days"], 15)

    def test_euro_only(self) -> None:
        order = an_order(method="three")
        Order.objects.filter(pk=order.pk).update(currency="SEK")
        with self.assertRaises(engine.NotStarted):
            engine.start(order, "three")

    def test_states(self) -> None:
        attempt = self.begin()
        for state, kind in (
            ("not_started", "action_required"),
            ("scored_yes", "action_required"),
            ("scored_no", "failed"),
            ("in_progress", "captured"),
            ("paid", "captured"),
            ("default", "captured"),
            ("a new word", "action_required"),
        ):
            self.becomes(attempt, state)
            self.assertEqual(adapter.fetch(attempt).kind, kind, state)
        self.becomes(attempt, "not_started", expired_at=1700000000)
        self.assertEqual(adapter.fetch(attempt).kind, "expired")

    def test_accepted_and_told_twice(self) -> None:
        attempt = self.paid()
        self.assertEqual(self.hook(), 200)
        self.assertState(attempt.order, "confirmed")
        self.assertEqual(engine.paid_amount(attempt.order), attempt.amount)

    def test_refused(self) -> None:
        attempt = self.begin()
        self.becomes(attempt, "scored_no")
        self.client.get(f"/checkout/return/{attempt.key}/")
        attempt.refresh_from_db()
        self.assertEqual((attempt.state, attempt.failure), ("failed", "declined"))

    def test_wrong_amount(self) -> None:
        attempt = self.begin()
        self.becomes(attempt, "in_progress", amount=1)
        self.hook()
        self.assertState(attempt.order, "review")

    def test_notification_of_somebody_else(self) -> None:
        self.assertEqual(self.hook("payment_other"), 200)
        self.assertEqual(self.hook("../x"), 400)
        self.assertEqual(self.answers.asked, [])
        self.assertFalse(PaymentEvent.objects.exists())

    def test_refund_is_made_once(self) -> None:
        attempt = self.paid()
        self.answers["POST", f"{PATH}/refund"] = 500, {}
        row = engine.refund(attempt.order, 100, "damaged", "seller")
        self.assertEqual(row.state, "requested")
        self.becomes(attempt, "in_progress", refunds=[{"id": "refund_1", "merchant_reference": row.key}])
        engine.carry_out(row)
        row.refresh_from_db()
        self.assertEqual((row.state, row.provider_ref), ("done", "refund_1"))
        posts = [each for each in self.answers.asked if each.path.endswith("/refund")]
        self.assertEqual([each.json["merchant_reference"] for each in posts], [row.key])

    def test_errors(self) -> None:
        attempt = self.begin()
        for status, error in ((500, ProviderDown), (502, ProviderDown), (404, Declined), (401, Declined)):
            self.answers["GET", PATH] = status, {}
            with self.assertRaises(error, msg=str(status)):
                adapter.fetch(attempt)
        self.answers.close()
        with self.assertRaises(ProviderDown):
            adapter.fetch(attempt)
