"""Reserving and collecting at the demo provider, and a debit that comes back, with real webhooks over HTTP."""

from datetime import timedelta
from unittest.mock import patch

from config.shop import SHOP
from orders import lifecycle
from orders.models import Order
from payments import engine, settlement
from payments.facts import Declined
from payments.models import Capture, PaymentAttempt
from payments.providers.demo import adapter, bank
from payments.providers.demo.models import DemoCapture, DemoPayment

from .shopping import an_order
from .test_payments_demo import METHODS, DemoTestCase

RESERVED = {"id": "reserved", "kind": "card", "provider": "demo", "capture": "at-shipping", "name": {}}
LATER = timedelta(minutes=2)


class ReservingTest(DemoTestCase):
    def setUp(self) -> None:
        super().setUp()
        for patcher in (
            patch.dict(SHOP["payment"], methods=[*METHODS, RESERVED]),
            patch.dict(SHOP["mails"], send=[*SHOP["mails"]["send"], "payment-returned"]),
            patch("payments.captures.adapter", lambda name: adapter),
            patch("payments.settlement.adapter", lambda name: adapter),
        ):
            patcher.start()
            self.addCleanup(patcher.stop)

    def reserved(self, number: str = "4242424242424242", quantity: int = 1) -> tuple[Order, PaymentAttempt]:
        order = an_order(method="reserved", quantity=quantity)
        _, attempt, page = self.begin(order, "reserved")
        self.pay(page, number, follow_back=False)
        self.deliver()
        attempt.refresh_from_db()
        self.assertEqual(attempt.state, "authorized")
        self.assertState(order, "confirmed")
        return order, attempt

    def test_collected_parcel_by_parcel(self) -> None:
        order, attempt = self.reserved(quantity=2)
        self.assertIsNotNone(attempt.authorized_until)
        self.assertEqual(DemoPayment.objects.get().taken, 0)
        lifecycle.ship(order, quantities={order.lines.get().sku: 1})
        settlement.collect_due()
        self.assertTrue(0 < DemoPayment.objects.get().taken < order.total_amount)
        lifecycle.ship(order)
        settlement.collect_due()
        self.assertEqual(DemoPayment.objects.get().taken, order.total_amount)
        self.assertIn("200 stale", self.deliver())  # the webhooks say what the answers said
        self.assertEqual(engine.paid_amount(order), order.total_amount)
        self.assertEqual(adapter.fetch(attempt).kind, "captured")

    def test_same_key_collects_once_and_nothing_collects_too_much(self) -> None:
        _, attempt = self.reserved()
        made = bank.capture("key", attempt.key, 100)
        self.assertEqual(bank.capture("key", attempt.key, 100), made)
        with self.assertRaises(Declined):
            bank.capture("other", attempt.key, attempt.amount)
        self.assertEqual(DemoCapture.objects.count(), 1)

    def test_answer_lost_after_collecting(self) -> None:
        order, _ = self.reserved()
        lifecycle.ship(order)
        with patch.object(bank, "faults", lambda: {"timeout_after": 1}):
            settlement.collect_due()
        self.assertEqual(order.captures.get().state, "requested")
        self.assertIn("200 applied", self.deliver())
        self.assertEqual(engine.paid_amount(order), order.total_amount)

    def test_let_go(self) -> None:
        order, attempt = self.reserved()
        engine.cancel(order, actor="seller")
        self.assertEqual(DemoPayment.objects.get().state, "cancelled")
        with self.assertRaises(Declined):
            bank.capture("late", attempt.key, 1)

    def test_reserved_but_not_collectable(self) -> None:
        order, _ = self.reserved("4000000000000101")
        lifecycle.ship(order)
        settlement.collect_due()
        self.assertEqual(Capture.objects.get().state, "failed")
        self.assertState(order, "review")

    def test_reservation_that_ends(self) -> None:
        order, attempt = self.reserved("4000000000000119")
        self.assertEqual(settlement.warn_due(), 1)
        self.deliver(LATER)
        self.assertState(order, "review")
        self.assertEqual(adapter.fetch(attempt).kind, "expired")

    def test_reservation_that_was_collected_does_not_end(self) -> None:
        order, _ = self.reserved("4000000000000119")
        lifecycle.ship(order)
        settlement.collect_due()
        self.assertIn("overtaken", self.deliver(LATER))
        self.assertState(order, "fulfilled")

    def test_debit_that_succeeds_and_comes_back(self) -> None:
        order = an_order(method="debit")
        _, _, page = self.begin(order, "debit")
        self.pay(page, "NL91 ABNA 0417 1643 00")
        self.assertEqual(engine.payment_status(order), "pending")
        self.deliver(LATER)
        self.assertState(order, "review")
        self.assertEqual(engine.payment_status(order), "reversed")
        for kind in ("order-confirmation", "payment-returned", "order-review"):
            self.assertEqual(order.mails.filter(kind=kind).count(), 1, kind)
