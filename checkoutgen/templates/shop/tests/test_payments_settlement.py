"""Money reserved at the order and collected when the goods leave, whatever the provider answers and whoever dies."""

from datetime import timedelta
from unittest.mock import patch

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import override
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase as PropertyTestCase

from cart.models import CartLine
from catalogue.prices import price
from config.shop import HOME, SHOP
from orders import lifecycle, links
from orders.models import Order
from orders.placing import place
from orders.states import IllegalMove
from payments import captures, engine, settlement
from payments.models import Capture, PaymentAttempt, PaymentEvent

from .shopping import METHODS, ShoppingTestCase, a_cart, a_variant, an_order

SOON = timedelta(minutes=5)


class ReservedTestCase(ShoppingTestCase):
    def reserved(self, method: str = "reserved", quantity: int = 1) -> tuple[Order, PaymentAttempt]:
        order = an_order(method=method, quantity=quantity)
        attempt = engine.start(order, method).attempt
        self.provider.reserve(attempt)
        engine.apply(self.provider.fact(attempt, f"evt-{attempt.key}", until=timezone.now() + timedelta(days=7)))
        order.refresh_from_db()
        attempt.refresh_from_db()
        return order, attempt


class CaptureTest(ReservedTestCase):
    def test_order_is_confirmed_on_reservation_and_nothing_is_taken(self) -> None:
        order, attempt = self.reserved()
        self.assertState(order, "confirmed")
        self.assertEqual(engine.payment_status(order), "authorized")
        self.assertEqual((engine.paid_amount(order), engine.refundable_amount(order)), (0, 0))
        self.assertIsNotNone(attempt.authorized_until)
        self.assertEqual(order.mails.filter(kind="order-confirmation").count(), 1)

    def test_money_is_collected_when_the_parcel_leaves(self) -> None:
        order, attempt = self.reserved()
        lifecycle.ship(order)
        row = order.captures.get()
        self.assertEqual((row.amount, row.state, row.final), (order.total_amount, "requested", True))
        settlement.collect_due()
        attempt.refresh_from_db()
        self.assertEqual(attempt.state, "captured")
        self.assertEqual(engine.payment_status(order), "paid")
        self.assertEqual(engine.paid_amount(order), order.total_amount)
        self.assertEqual(engine.refundable_amount(order), order.total_amount)
        self.assertEqual(list(self.provider.captures.values()), [order.total_amount])

    def test_parcels_are_collected_for_in_parts_that_add_up(self) -> None:
        order, attempt = self.reserved(quantity=3)
        sku = order.lines.get().sku
        for _ in range(3):
            lifecycle.ship(order, quantities={sku: 1})
            settlement.collect_due()
        self.assertState(order, "fulfilled")
        self.assertEqual(len(self.provider.captures), 3)
        self.assertEqual(sum(self.provider.captures.values()), order.total_amount)
        attempt.refresh_from_db()
        self.assertEqual(attempt.state, "captured")
        self.assertEqual([row.final for row in order.captures.all()], [False, False, True])

    def test_whole_amount_with_the_first_parcel_where_parts_are_not_possible(self) -> None:
        order, _ = self.reserved("reserved-whole", quantity=2)
        lifecycle.ship(order, quantities={order.lines.get().sku: 1})
        lifecycle.ship(order)
        settlement.collect_due()
        self.assertEqual(list(self.provider.captures.values()), [order.total_amount])

    def test_a_part_that_was_collected_can_be_given_back_before_the_rest_leaves(self) -> None:
        order, _ = self.reserved(quantity=2)
        lifecycle.ship(order, quantities={order.lines.get().sku: 1})
        settlement.collect_due()
        taken = engine.paid_amount(order)
        self.assertTrue(0 < taken < order.total_amount)
        self.assertEqual(engine.refundable_amount(order), taken)
        with self.assertRaises(engine.OverRefund):
            engine.refund(order, taken + 1, "", "seller")
        engine.refund(order, taken, "broken", "seller")
        self.assertEqual(engine.refundable_amount(order), 0)

    def test_provider_silent_after_collecting_is_asked_again_with_the_same_key(self) -> None:
        order, _ = self.reserved()
        lifecycle.ship(order)
        self.provider.script = ["down-after"]
        settlement.collect_due()
        self.assertEqual(order.captures.get().state, "requested")
        Capture.objects.update(next_check_at=timezone.now())
        settlement.collect_due()
        self.assertEqual(len(self.provider.captures), 1)
        self.assertEqual(engine.paid_amount(order), order.total_amount)

    def test_webhook_before_the_answer_and_twice_counts_once(self) -> None:
        order, attempt = self.reserved()
        lifecycle.ship(order)
        row = order.captures.get()
        fact = self.provider.fact(attempt, "ca-1", "capture_done", amount=row.amount, capture_key=row.key)
        self.assertEqual([engine.apply(fact), engine.apply(fact)], ["applied", "duplicate"])
        settlement.collect(row)
        self.assertEqual(engine.paid_amount(order), order.total_amount)

    def test_collected_on_the_provider_s_own_pages(self) -> None:
        order, attempt = self.reserved()
        lifecycle.ship(order)
        self.provider.charge(attempt)
        engine.apply(self.provider.fact(attempt, "captured-there"))
        self.assertEqual(order.captures.get().state, "done")
        settlement.collect_due()
        self.assertEqual(self.provider.calls["capture"], 0)
        self.assertEqual(engine.paid_amount(order), order.total_amount)

    def test_refused_collection_brings_the_order_to_review_and_tells_the_seller(self) -> None:
        order, _ = self.reserved()
        lifecycle.ship(order)
        self.provider.script = ["declined"]
        settlement.collect_due()
        self.assertState(order, "review")
        self.assertEqual(order.mails.get(kind="order-review").context["reason"], "capture_failed")
        self.assertTrue(settlement.collectable(order))
        self.assertTrue(settlement.collect_now(order, actor="seller"))
        self.assertEqual(engine.paid_amount(order), order.total_amount)
        self.assertTrue(lifecycle.accept(order))
        self.assertState(order, "fulfilled")

    def test_collection_that_fails_after_it_succeeded(self) -> None:
        order, attempt = self.reserved()
        lifecycle.ship(order)
        settlement.collect_due()
        row = order.captures.get()
        engine.apply(self.provider.fact(attempt, "undone", "capture_failed", amount=row.amount, capture_key=row.key))
        self.assertState(order, "review")
        self.assertEqual(engine.payment_status(order), "reversed")
        self.assertEqual(engine.refundable_amount(order), 0)

    def test_another_amount_than_asked_for_is_looked_at_by_a_person(self) -> None:
        order, attempt = self.reserved()
        lifecycle.ship(order)
        row = order.captures.get()
        engine.apply(self.provider.fact(attempt, "less", "capture_done", amount=row.amount - 1, capture_key=row.key))
        self.assertState(order, "review")

    def test_nothing_more_than_the_order_is_ever_asked_for(self) -> None:
        order, _ = self.reserved(quantity=2)
        lifecycle.ship(order, quantities={order.lines.get().sku: 1})
        settlement.collect_now(order, actor="seller")
        lifecycle.ship(order)
        settlement.collect_due()
        self.assertEqual(sum(self.provider.captures.values()), order.total_amount)

    def test_unknown_collection_is_kept_and_changes_nothing(self) -> None:
        order, attempt = self.reserved()
        fact = self.provider.fact(attempt, "strange", "capture_done", capture_key="nobody")
        self.assertEqual(engine.apply(fact), "unknown")
        self.assertTrue(PaymentEvent.objects.filter(event_id="strange").exists())
        self.assertEqual(engine.paid_amount(order), 0)

    def test_paid_at_once_is_not_collected_again(self) -> None:
        order = an_order()
        attempt = engine.start(order, "card").attempt
        self.provider.charge(attempt)
        engine.apply(self.provider.fact(attempt, "evt"))
        lifecycle.ship(order)
        self.assertFalse(order.captures.exists())

    def test_part_of_a_reservation_that_ended_goes_back_when_the_order_is_cancelled(self) -> None:
        order, attempt = self.reserved(quantity=2)
        lifecycle.ship(order, quantities={order.lines.get().sku: 1})
        settlement.collect_due()
        taken = engine.paid_amount(order)
        engine.apply(self.provider.fact(attempt, "evt-end", "expired"))
        self.assertState(order, "review")
        self.assertTrue(engine.cancel(order, actor="seller"))
        self.assertEqual(list(self.provider.refunds.values()), [taken])

    def test_old_news_of_a_reservation_that_was_let_go_is_found_out(self) -> None:
        order = an_order(method="reserved")
        attempt = engine.start(order, "reserved").attempt
        self.provider.reserve(attempt)
        late = self.provider.fact(attempt, "evt-late")
        self.provider.state[attempt.key] = "cancelled"
        engine.learn(attempt, "reconciler")
        engine.apply(late)
        self.assertState(order, "confirmed")
        engine.reconcile_due(timezone.now() + SOON)
        self.assertState(order, "review")

    def two_tabs(self, first: str, second: str, quantity: int = 1) -> tuple[Order, list[PaymentAttempt]]:
        """An order with both pages open at the provider: the first was let go, but the provider never heard of it."""
        order = an_order(method=first, quantity=quantity)
        begun = [engine.start(order, first).attempt]
        self.provider.script = ["", "down-before"]  # fetched, but the void does not arrive
        begun.append(engine.start(order, second).attempt)
        return order, begun

    def hear(self, attempt: PaymentAttempt) -> None:
        engine.apply(self.provider.fact(attempt, f"evt-{attempt.key}"))

    def test_reservation_beside_a_payment_is_let_go_and_never_collected(self) -> None:
        for reserved_first in (True, False):
            with self.subTest(reserved_first=reserved_first):
                order, (reserved, wallet) = self.two_tabs("reserved", "wallet")
                self.provider.reserve(reserved)
                self.provider.charge(wallet)
                for attempt in (reserved, wallet) if reserved_first else (wallet, reserved):
                    self.hear(attempt)
                self.assertState(order, "confirmed")
                engine.reconcile_due(timezone.now() + SOON)
                self.assertEqual(self.provider.state[reserved.key], "cancelled")
                lifecycle.ship(order)
                settlement.collect_due()
                self.assertEqual(self.provider.captures, {})
                self.assertEqual(engine.paid_amount(order), order.total_amount)

    def test_second_reservation_is_let_go_and_the_first_collected(self) -> None:
        order, (one, other) = self.two_tabs("reserved", "reserved-whole")
        for attempt in (one, other):
            self.provider.reserve(attempt)
            self.hear(attempt)
        engine.reconcile_due(timezone.now() + SOON)
        self.assertEqual([self.provider.state[each.key] for each in (one, other)], ["authorized", "cancelled"])
        lifecycle.ship(order)
        settlement.collect_due()
        self.assertEqual(list(self.provider.captures.values()), [order.total_amount])
        self.assertEqual(engine.paid_amount(order), order.total_amount)

    def test_payment_beside_a_reservation_that_was_collected_in_part_is_given_back(self) -> None:
        order, (wallet, reserved) = self.two_tabs("wallet", "reserved", quantity=2)
        self.provider.reserve(reserved)
        self.hear(reserved)
        lifecycle.ship(order, quantities={order.lines.get().sku: 1})
        settlement.collect_due()
        self.provider.charge(wallet)
        self.hear(wallet)
        lifecycle.ship(order)
        settlement.collect_due()
        engine.reconcile_due(timezone.now() + SOON)
        self.assertEqual(sum(self.provider.captures.values()), order.total_amount)
        self.assertEqual(list(self.provider.refunds.values()), [order.total_amount])
        self.assertEqual(engine.paid_amount(order) - engine.refunded_amount(order), order.total_amount)


class CancelTest(ReservedTestCase):
    def test_reservation_is_let_go_when_the_order_is_cancelled(self) -> None:
        order, attempt = self.reserved()
        self.assertTrue(engine.cancel(order, actor="seller"))
        self.assertIn(attempt.key, self.provider.voided)
        self.assertFalse(order.refunds.exists())
        self.assertFalse(settlement.collect_now(order, actor="seller"))

    def test_reservation_that_could_not_be_let_go_is_tried_again(self) -> None:
        order, attempt = self.reserved()
        self.provider.script = ["down-before"]
        engine.cancel(order, actor="seller")
        self.assertEqual(self.provider.voided, set())
        PaymentAttempt.objects.update(next_check_at=timezone.now())
        engine.reconcile_due()
        self.assertIn(attempt.key, self.provider.voided)
        self.assertState(order, "cancelled")

    def test_too_late_to_cancel_once_a_part_has_left(self) -> None:
        order, _ = self.reserved(quantity=2)
        lifecycle.ship(order, quantities={order.lines.get().sku: 1})
        self.assertFalse(engine.cancel(order, actor="seller"))
        self.assertState(order, "confirmed")

    def test_buyer_is_not_offered_to_cancel_once_a_part_has_left(self) -> None:
        order, _ = self.reserved(quantity=2)
        with override(order.language):
            page = reverse("orders:show", args=[links.token(order)])
        self.assertTrue(self.client.get(page).context["cancellable"])
        lifecycle.ship(order, quantities={order.lines.get().sku: 1})
        self.assertFalse(self.client.get(page).context["cancellable"])

    def test_collected_in_the_moment_of_cancelling_is_given_back(self) -> None:
        order, attempt = self.reserved()
        row = Capture.objects.create(order=order, attempt=attempt, amount=attempt.amount)
        engine.cancel(order, actor="seller")
        engine.apply(self.provider.fact(attempt, "late", "capture_done", amount=row.amount, capture_key=row.key))
        self.assertEqual([refund.amount for refund in order.refunds.all()], [order.total_amount])
        self.assertState(order, "cancelled")

    def test_refused_in_the_moment_of_cancelling_is_nothing_to_look_at(self) -> None:
        order, attempt = self.reserved()
        row = Capture.objects.create(order=order, attempt=attempt, amount=attempt.amount)
        engine.cancel(order, actor="seller")
        engine.apply(self.provider.fact(attempt, "late", "capture_failed", capture_key=row.key))
        self.assertState(order, "cancelled")

    def test_what_was_collected_goes_back_when_an_order_under_review_is_refused(self) -> None:
        order, _ = self.reserved(quantity=2)
        sku = order.lines.get().sku
        lifecycle.ship(order, quantities={sku: 1})
        settlement.collect_due()
        self.provider.script = ["declined"]
        lifecycle.ship(order)
        settlement.collect_due()
        self.assertState(order, "review")
        taken = engine.paid_amount(order)
        engine.cancel(order, actor="seller")
        self.assertEqual(sum(self.provider.refunds.values()), taken)


class EndingTest(ReservedTestCase):
    def test_seller_is_told_once_before_it_ends(self) -> None:
        order, attempt = self.reserved()
        self.assertEqual(settlement.warn_due(), 0)
        soon = attempt.authorized_until - timedelta(days=1)
        self.assertEqual([settlement.warn_due(soon), settlement.warn_due(soon)], [1, 0])
        self.assertEqual(order.mails.filter(kind="order-review").count(), 1)
        self.assertState(order, "confirmed")

    def test_order_to_review_when_it_ended(self) -> None:
        order, attempt = self.reserved()
        engine.apply(self.provider.fact(attempt, "gone", "expired"))
        self.assertState(order, "review")
        self.assertEqual(order.mails.get(kind="order-review").context["reason"], "authorization_lost")
        self.assertEqual(settlement.ending(timezone.now() + timedelta(days=30)), [])

    def test_collected_ones_are_not_warned_of(self) -> None:
        order, attempt = self.reserved()
        soon = attempt.authorized_until - timedelta(days=1)
        lifecycle.ship(order)
        settlement.collect_due()
        self.assertEqual(settlement.warn_due(soon), 0)


class ParcelTest(ReservedTestCase):
    def test_only_what_is_left_can_leave(self) -> None:
        order, _ = self.reserved(quantity=2)
        sku = order.lines.get().sku
        for wrong in ({sku: 3}, {"NOT-THERE": 1}, {}, {sku: 0}, {sku: -1}):
            with self.assertRaises(IllegalMove):
                lifecycle.ship(order, quantities=wrong)
        lifecycle.ship(order, quantities={sku: 1})
        self.assertEqual(lifecycle.unsent(order), {sku: 1})
        with self.assertRaises(IllegalMove):
            lifecycle.ship(order, quantities={sku: 2})

    def test_buyer_is_told_of_each_parcel(self) -> None:
        order, _ = self.reserved(quantity=2)
        lifecycle.ship(order, quantities={order.lines.get().sku: 1})
        self.assertState(order, "confirmed")
        lifecycle.ship(order)
        kinds = list(order.mails.values_list("kind", flat=True))
        self.assertEqual(kinds.count("shipped") + kinds.count("delivered"), 2)


class SharesTest(PropertyTestCase):
    @settings(deadline=None, max_examples=40)
    @given(st.lists(st.tuples(st.integers(1, 99_999), st.integers(1, 4)), min_size=1, max_size=3), st.data())
    def test_parts_are_never_negative_and_add_up_to_the_total(
        self, things: list[tuple[int, int]], data: st.DataObject
    ) -> None:
        """Whatever leaves in whatever order: no share exceeds what is left, and the last parcel takes the rest."""
        with patch.dict(SHOP["payment"], methods=METHODS), patch.dict(SHOP["checkout"], minimum_order=None):
            cart = a_cart(a_variant(amount=things[0][0], stock=None), quantity=things[0][1], method="reserved")
            for amount, quantity in things[1:]:
                variant = a_variant(amount=amount, stock=None)
                values = {"sku": variant.sku, "title": {}, "unit_amount": price(variant, HOME).amount}
                CartLine.objects.create(cart=cart, variant=variant, quantity=quantity, **values)
            order = place(cart, now=timezone.now())
        rest, left = lifecycle.unsent(order), order.total_amount
        while rest:
            sent = {sku: data.draw(st.integers(0, quantity)) for sku, quantity in rest.items()}
            sent = {sku: quantity for sku, quantity in sent.items() if quantity} or dict(rest)
            lines = [{"sku": sku, "quantity": quantity} for sku, quantity in sent.items()]
            parcel = order.fulfilments.create(lines=lines)
            rest = lifecycle.unsent(order)
            due = captures.share(order, parcel)
            self.assertGreaterEqual(due, 0)
            self.assertLessEqual(due, left)
            left -= due if rest else left
        self.assertEqual(left, 0)
