"""The payment engine against everything that goes wrong with money, each fault by its name."""

from dataclasses import replace
from datetime import timedelta
from unittest.mock import patch

from django.db import IntegrityError, transaction
from django.test import SimpleTestCase
from django.utils import timezone
from stdnum import iso11649

from config.shop import SHOP
from orders import lifecycle, placing
from orders.models import Order
from orders.states import LIVE_ATTEMPT, AttemptState
from payments import engine, failures, methods
from payments.adapters import UnknownProvider
from payments.facts import Fact
from payments.models import PaymentAttempt, PaymentEvent, Refund

from .shopping import METHODS, ConcurrentShoppingTestCase, ShoppingTestCase, a_cart, a_variant, an_order
from .threads import at_once

SOON = timedelta(hours=1)
LATE = timedelta(days=40)


class PaymentTestCase(ShoppingTestCase):
    def begin(self, order: Order, method: str = "card") -> PaymentAttempt:
        attempt = engine.start(order, method).attempt
        assert attempt is not None
        return attempt

    def paid_order(self, **values) -> tuple[Order, PaymentAttempt]:
        order = an_order(**values)
        attempt = self.begin(order)
        self.provider.charge(attempt)
        self.assertEqual(engine.apply(self.provider.fact(attempt, f"evt-{attempt.key}")), "applied")
        attempt.refresh_from_db()
        self.assertState(order, "confirmed")
        return order, attempt

    def mails(self, order: Order, kind: str) -> int:
        return order.mails.filter(kind=kind).count()


class PayingTest(PaymentTestCase):
    def test_paid_once(self) -> None:
        order, attempt = self.paid_order()
        self.assertEqual(engine.paid_amount(order), order.total_amount)
        self.assertEqual(engine.payment_status(order), "paid")
        self.assertEqual(self.mails(order, "order-confirmation"), 1)
        self.assertIsNone(order.expires_at)
        self.assertEqual(attempt.state, "captured")

    def test_double_click_opens_one_payment(self) -> None:
        order = an_order()
        first, second = engine.start(order, "card"), engine.start(order, "card")
        self.assertEqual(first.redirect, second.redirect)
        self.assertEqual(order.attempts.count(), 1)

    def test_duplicate_webhook_counts_once(self) -> None:
        order, attempt = self.paid_order()
        for _ in range(3):
            self.assertEqual(engine.apply(self.provider.fact(attempt, f"evt-{attempt.key}")), "duplicate")
        self.assertEqual(engine.paid_amount(order), order.total_amount)
        self.assertEqual(self.mails(order, "order-confirmation"), 1)

    def test_webhook_and_return_page_tell_the_same_payment(self) -> None:
        order, attempt = self.paid_order()
        self.assertEqual(engine.learn(attempt, "return"), "stale")
        self.assertEqual(engine.apply(self.provider.fact(attempt, "another-id")), "stale")
        self.assertEqual(engine.paid_amount(order), order.total_amount)

    def test_webhook_before_redirect(self) -> None:
        """The provider is quicker than our own note of where it sent the buyer."""
        order = an_order()
        attempt, _ = engine._open_attempt(order.pk, METHODS[0])
        self.provider.opened[attempt.key] = "ref-early"
        self.provider.charge(attempt)
        self.assertEqual(engine.apply(self.provider.fact(attempt, "evt-early")), "applied")
        engine._ask_provider(attempt, "https://shop.example", self.provider.create)
        self.assertState(order, "confirmed")
        self.assertEqual(order.attempts.get().state, "captured")

    def test_webhook_before_commit_is_repaired_by_asking(self) -> None:
        """An event that comes before we know the payment is kept and answered; the reconciler finds out."""
        order = an_order()
        unknown = Fact("scripted", "evt-too-early", "captured", provider_ref="ref-1", amount=1, currency="EUR")
        self.assertEqual(engine.apply(unknown), "unknown")
        self.assertEqual(engine.apply(unknown), "duplicate")
        attempt = self.begin(order)
        self.provider.charge(attempt)
        engine.reconcile_due(timezone.now() + SOON)
        self.assertState(order, "confirmed")

    def test_webhook_after_shipped_changes_nothing(self) -> None:
        order, attempt = self.paid_order()
        lifecycle.ship(order)
        for kind in ("captured", "pending", "failed", "cancelled", "expired"):
            self.assertEqual(engine.apply(self.provider.fact(attempt, f"late-{kind}", kind)), "stale")
        self.assertState(order, "fulfilled")

    def test_reordered_events(self) -> None:
        order = an_order()
        attempt = self.begin(order)
        self.provider.charge(attempt)
        self.assertEqual(engine.apply(self.provider.fact(attempt, "2", "captured")), "applied")
        self.assertEqual(engine.apply(self.provider.fact(attempt, "1", "pending")), "stale")
        self.assertState(order, "confirmed")

    def test_unknown_kind_of_event_is_kept(self) -> None:
        order, attempt = self.paid_order()
        self.assertEqual(engine.apply(self.provider.fact(attempt, "strange", "unknown")), "unknown")
        self.assertTrue(PaymentEvent.objects.filter(event_id="strange", outcome="unknown").exists())
        self.assertState(order, "confirmed")

    def test_free_order_needs_no_payment(self) -> None:
        order = an_order()
        Order.objects.filter(pk=order.pk).update(total_amount=0)
        self.assertEqual(engine.start(order, "card"), engine.Start(None, None))
        self.assertState(order, "confirmed")

    def test_unknown_method_is_refused(self) -> None:
        with self.assertRaises(engine.NotStarted) as refused:
            engine.start(an_order(), "bitcoin")
        self.assertEqual(refused.exception.code, "method_unavailable")


class CrashTest(PaymentTestCase):
    def test_killed_between_charge_and_order_is_repaired(self) -> None:
        """The buyer was charged and our process died before writing anything down."""
        order = an_order()
        attempt = self.begin(order)
        self.provider.charge(attempt)
        with patch.object(PaymentEvent.objects, "create", side_effect=SystemExit), self.assertRaises(SystemExit):
            engine.apply(self.provider.fact(attempt, "evt"))
        self.assertState(order, "pending_payment")
        self.assertEqual(self.mails(order, "order-confirmation"), 0)
        engine.reconcile_due(timezone.now() + SOON)
        engine.reconcile_due(timezone.now() + SOON)
        self.assertState(order, "confirmed")
        self.assertEqual(self.mails(order, "order-confirmation"), 1)

    def test_provider_timeout_before_the_charge_is_asked_again_with_the_same_key(self) -> None:
        order = an_order()
        self.provider.script = ["down-before"]
        started = engine.start(order, "card")
        self.assertTrue(started.redirect)
        self.assertEqual(len(self.provider.opened), 1)

    def test_provider_timeout_after_it_took_effect_opens_no_second_payment(self) -> None:
        order = an_order()
        self.provider.script = ["down-after", "down-after"]
        with self.assertRaises(engine.NotStarted) as failed:
            engine.start(order, "card")
        self.assertEqual(failed.exception.code, "provider_down")
        self.assertTrue(engine.start(order, "card").redirect)
        self.assertEqual(len(self.provider.opened), 1)
        self.assertEqual(order.attempts.count(), 1)

    def test_5xx_then_retry_uses_the_same_key(self) -> None:
        order = an_order()
        self.provider.script = ["down-before", "down-before"]
        with self.assertRaises(engine.NotStarted):
            engine.start(order, "card")
        key = order.attempts.get().key
        engine.start(order, "card")
        self.assertEqual(list(self.provider.opened), [key])

    def test_reconciler_survives_a_provider_that_is_down(self) -> None:
        order = an_order()
        attempt = self.begin(order)
        self.provider.script = ["down-before"]
        later = timezone.now() + SOON
        self.assertEqual(engine.reconcile_due(later), 1)
        attempt.refresh_from_db()
        self.assertGreater(attempt.next_check_at, later)


    def test_one_payment_that_breaks_the_adapter_does_not_hold_up_the_others(self) -> None:
        attempts = [self.begin(an_order()) for _ in range(3)]
        for attempt in attempts:
            self.provider.charge(attempt)
        fetch = self.provider.fetch

        def breaking(attempt: PaymentAttempt) -> Fact:
            return fetch(attempt) if attempt != attempts[0] else 1 / 0

        with patch.object(self.provider, "fetch", breaking), self.assertLogs("payments.engine", "ERROR"):
            engine.reconcile_due(timezone.now() + SOON)
        self.assertEqual([attempt.order.state for attempt in PaymentAttempt.objects.order_by("pk")],
                         ["pending_payment", "confirmed", "confirmed"])  # fmt: skip


    def test_order_of_a_provider_that_is_gone_from_the_specification_still_expires(self) -> None:
        variant = a_variant(stock=5)
        order = an_order(variant)
        self.begin(order)
        with (
            patch("payments.engine.adapter", side_effect=UnknownProvider("scripted")),
            self.assertLogs("payments.engine", "ERROR"),
        ):
            self.assertEqual(engine.expire_due(timezone.now() + LATE), 1)
        self.assertStock(variant, 5)


class DeclineTest(PaymentTestCase):
    def test_declined_card_leaves_the_order_open_for_another_try(self) -> None:
        variant = a_variant(stock=5)
        order = an_order(variant)
        attempt = self.begin(order)
        self.provider.state[attempt.key] = "failed"
        engine.apply(self.provider.fact(attempt, "evt", failure="insufficient_funds"))
        attempt.refresh_from_db()
        self.assertEqual((attempt.state, attempt.failure), ("failed", "insufficient_funds"))
        self.assertState(order, "pending_payment")
        self.assertStock(variant, 4)
        again = self.begin(order)
        self.assertNotEqual(again.key, attempt.key)
        self.provider.charge(again)
        engine.apply(self.provider.fact(again, "evt-2"))
        self.assertState(order, "confirmed")

    def test_refused_at_once(self) -> None:
        order = an_order()
        self.provider.script = ["declined"]
        with self.assertRaises(engine.NotStarted) as refused:
            engine.start(order, "card")
        self.assertEqual(refused.exception.code, "declined")
        self.assertEqual(order.attempts.get().state, "failed")

    def test_3ds_abandoned_frees_the_stock_in_time(self) -> None:
        variant = a_variant(stock=5)
        order = an_order(variant)
        attempt = self.begin(order)
        self.assertEqual(engine.learn(attempt, "return"), "stale")  # still waiting for the buyer
        self.assertEqual(engine.expire_due(timezone.now() + LATE), 1)
        self.assertState(order, "expired")
        self.assertStock(variant, 5)
        self.assertIn(attempt.key, self.provider.voided)

    def test_expired_session_at_the_provider(self) -> None:
        order = an_order()
        attempt = self.begin(order)
        self.provider.state[attempt.key] = "expired"
        engine.learn(attempt, "return")
        self.assertEqual(attempt.state, "expired")
        self.assertNotEqual(self.begin(order).key, attempt.key)

    def test_every_failure_has_words(self) -> None:
        for code in ("declined", "insufficient_funds", "expired_card", "authentication_failed", "never heard of"):
            self.assertGreater(len(failures.text(code)), 10)


class TabsTest(PaymentTestCase):
    def test_two_tabs_two_methods_one_live_attempt(self) -> None:
        order = an_order()
        card, wallet = self.begin(order, "card"), self.begin(order, "wallet")
        self.assertEqual(order.attempts.filter(state__in=LIVE_ATTEMPT).get(), wallet)
        self.assertIn(card.key, self.provider.voided)

    def test_paid_in_the_other_tab_while_changing_the_method(self) -> None:
        order = an_order()
        card = self.begin(order, "card")
        self.provider.charge(card)
        self.assertEqual(engine.start(order, "wallet"), engine.Start(None, None))
        self.assertState(order, "confirmed")
        self.assertEqual(order.attempts.count(), 1)

    def test_both_tabs_paid_keeps_one_and_gives_one_back(self) -> None:
        order = an_order()
        card = self.begin(order, "card")
        self.provider.script = ["", "down-before"]  # fetched, but the void does not arrive
        wallet = self.begin(order, "wallet")
        for attempt in (card, wallet):
            self.provider.charge(attempt)
            engine.apply(self.provider.fact(attempt, f"evt-{attempt.method}"))
        self.assertState(order, "confirmed")
        engine.reconcile_due(timezone.now() + SOON)
        self.assertEqual(engine.paid_amount(order) - engine.refunded_amount(order), order.total_amount)
        self.assertEqual(list(self.provider.refunds.values()), [order.total_amount])
        self.assertEqual(self.mails(order, "order-confirmation"), 1)

    def test_money_on_an_abandoned_attempt_closes_the_newer_one(self) -> None:
        order = an_order()
        card = self.begin(order, "card")
        self.provider.script = ["", "down-before"]
        wallet = self.begin(order, "wallet")
        self.provider.charge(card)
        self.assertEqual(engine.apply(self.provider.fact(card, "evt")), "applied")
        self.assertState(order, "confirmed")
        wallet.refresh_from_db()
        self.assertEqual(wallet.state, "cancelled")
        engine.reconcile_due(timezone.now() + SOON)
        self.assertIn(wallet.key, self.provider.voided)

    def test_back_after_paying_pays_nothing_more(self) -> None:
        order, _ = self.paid_order()
        self.assertEqual(engine.start(order, "card"), engine.Start(None, None))
        self.assertEqual(order.attempts.count(), 1)

    def test_cart_edited_after_the_payment_page_was_opened(self) -> None:
        cart = a_cart(quantity=1)
        order = placing.place(cart, now=timezone.now())
        attempt = self.begin(order)
        cart.lines.update(quantity=7)
        self.assertEqual(placing.place(cart, now=timezone.now()), order)
        self.provider.charge(attempt)
        engine.apply(self.provider.fact(attempt, "evt"))
        self.assertState(order, "confirmed")
        self.assertEqual(order.lines.get().quantity, 1)

    def test_second_live_attempt_is_refused_by_the_database(self) -> None:
        order = an_order()
        self.begin(order)
        with self.assertRaises(IntegrityError), transaction.atomic():
            PaymentAttempt.objects.create(order=order, method="x", amount=1, currency="EUR", state="pending")


class MismatchTest(PaymentTestCase):
    def wrong(self, **values) -> Order:
        order = an_order()
        attempt = self.begin(order)
        self.provider.charge(attempt)
        fact = replace(self.provider.fact(attempt, "evt"), **values)
        self.assertEqual(engine.apply(fact), "review")
        self.assertState(order, "review")
        self.assertEqual(self.mails(order, "order-review"), 1)
        self.assertEqual(self.mails(order, "order-confirmation"), 0)
        self.assertEqual(engine.start(order, "card"), engine.Start(None, None))
        return order

    def test_wrong_amount_goes_to_review(self) -> None:
        order = self.wrong(amount=1)
        self.assertEqual(engine.paid_amount(order), 1)

    def test_wrong_currency_goes_to_review(self) -> None:
        order = self.wrong(currency="JPY")
        self.assertEqual(engine.paid_amount(order), 0)

    def test_no_amount_goes_to_review(self) -> None:
        self.wrong(amount=None)

    def test_currencies_without_and_with_three_decimals(self) -> None:
        for currency, amount in (("JPY", 4200), ("KWD", 42005)):
            order = an_order()
            order.currency, order.total_amount = currency, amount
            order.save()
            attempt = self.begin(order)
            self.provider.charge(attempt)
            self.assertEqual(engine.apply(self.provider.fact(attempt, f"evt-{currency}")), "applied")
            self.assertEqual(engine.paid_amount(order), amount)

    def test_seller_gives_a_wrong_amount_back(self) -> None:
        order = self.wrong(amount=700)
        self.assertTrue(engine.cancel(order, actor="seller"))
        self.assertState(order, "cancelled")
        self.assertEqual(list(self.provider.refunds.values()), [700])


class LateTest(PaymentTestCase):
    def expired(self, stock: int, quantity: int) -> tuple[Order, PaymentAttempt]:
        self.variant = a_variant(stock=stock)
        order = an_order(self.variant, quantity=quantity)
        attempt = self.begin(order)
        self.assertEqual(engine.expire_due(timezone.now() + LATE), 1)
        self.assertStock(self.variant, stock)
        return order, attempt

    def test_expired_order_paid_late_takes_its_stock_again(self) -> None:
        order, attempt = self.expired(5, 2)
        self.provider.charge(attempt)
        self.assertEqual(engine.apply(self.provider.fact(attempt, "evt")), "applied")
        self.assertState(order, "confirmed")
        self.assertStock(self.variant, 3)
        self.assertEqual(self.mails(order, "order-confirmation"), 1)

    def test_expired_order_paid_late_and_sold_out_is_paid_back(self) -> None:
        order, attempt = self.expired(2, 2)
        an_order(self.variant, quantity=1)
        self.provider.charge(attempt)
        engine.apply(self.provider.fact(attempt, "evt"))
        self.assertState(order, "cancelled")
        self.assertStock(self.variant, 1)
        engine.reconcile_due(timezone.now() + SOON)
        self.assertEqual(engine.payment_status(order), "refunded")
        self.assertEqual(self.mails(order, "order-confirmation"), 0)

    def test_cancelled_order_paid_late_is_paid_back(self) -> None:
        order = an_order()
        attempt = self.begin(order)
        engine.cancel(order, actor="buyer", reason="buyer")
        self.provider.charge(attempt)
        engine.apply(self.provider.fact(attempt, "evt"))
        engine.reconcile_due(timezone.now() + SOON)
        self.assertState(order, "cancelled")
        self.assertEqual(list(self.provider.refunds.values()), [order.total_amount])

    def test_last_question_before_expiry_finds_the_money(self) -> None:
        variant = a_variant(stock=5)
        order = an_order(variant)
        attempt = self.begin(order)
        self.provider.charge(attempt)
        self.assertEqual(engine.expire_due(timezone.now() + LATE), 0)
        self.assertState(order, "confirmed")
        self.assertStock(variant, 4)

    def test_money_on_its_way_keeps_the_order(self) -> None:
        order = an_order()
        attempt = self.begin(order)
        self.provider.state[attempt.key] = "pending"
        engine.apply(self.provider.fact(attempt, "evt", "pending"))
        self.assertEqual(engine.expire_due(timezone.now() + LATE), 0)
        self.assertState(order, "pending_payment")
        self.assertEqual(engine.payment_status(order), "pending")


class RefundTest(PaymentTestCase):
    def test_partial_refunds_until_nothing_is_left(self) -> None:
        order, _ = self.paid_order()
        part = order.total_amount // 3
        self.assertEqual(engine.refund(order, part, "damaged", "seller").state, "done")
        self.assertEqual(engine.payment_status(order), "partly_refunded")
        engine.refund(order, order.total_amount - part, "the rest", "seller")
        self.assertEqual(engine.payment_status(order), "refunded")
        self.assertEqual(sum(self.provider.refunds.values()), order.total_amount)
        with self.assertRaises(engine.OverRefund):
            engine.refund(order, 1, "too much", "seller")

    def test_over_refund_is_refused_before_the_provider_hears_of_it(self) -> None:
        order, _ = self.paid_order()
        for amount in (order.total_amount + 1, 0, -1):
            with self.assertRaises(engine.OverRefund):
                engine.refund(order, amount, "", "seller")
        self.assertEqual(self.provider.calls["refund"], 0)

    def test_refund_of_a_pending_payment_is_refused(self) -> None:
        order = an_order()
        attempt = self.begin(order)
        engine.apply(self.provider.fact(attempt, "evt", "pending"))
        with self.assertRaises(engine.OverRefund):
            engine.refund(order, 1, "", "seller")

    def test_refund_clicked_twice_is_made_once(self) -> None:
        order, _ = self.paid_order()
        first = engine.refund(order, 10, "", "seller", key="a" * 32)
        second = engine.refund(order, 10, "", "seller", key="a" * 32)
        self.assertEqual(first.pk, second.pk)
        self.assertEqual(list(self.provider.refunds.values()), [10])

    def test_refund_whose_answer_was_lost_is_made_once(self) -> None:
        order, _ = self.paid_order()
        self.provider.script = ["down-after"]
        self.assertEqual(engine.refund(order, 10, "", "seller").state, "requested")
        engine.reconcile_due(timezone.now() + SOON)
        self.assertEqual(Refund.objects.get().state, "done")
        self.assertEqual(list(self.provider.refunds.values()), [10])

    def test_refund_that_the_provider_refuses_is_told_to_the_seller(self) -> None:
        order, _ = self.paid_order()
        self.provider.script = ["no_balance"]
        self.assertEqual(engine.refund(order, 10, "", "seller").state, "failed")
        self.assertEqual(self.mails(order, "order-review"), 1)
        self.assertEqual(engine.refunded_amount(order), 0)

    def test_refund_made_at_the_provider_is_taken_in_once(self) -> None:
        order, attempt = self.paid_order()
        fact = self.provider.fact(attempt, "evt-re", "refunded", amount=15, refund_ref="re-outside")
        self.assertEqual(engine.apply(fact), "applied")
        self.assertEqual(engine.apply(replace(fact, event_id="again")), "stale")
        self.assertEqual(engine.refunded_amount(order), 15)

    def test_cancelling_a_paid_order_gives_everything_back(self) -> None:
        variant = a_variant(stock=5)
        order, _ = self.paid_order(variant=variant)
        self.assertTrue(engine.cancel(order, actor="seller"))
        self.assertState(order, "cancelled")
        self.assertStock(variant, 5)
        self.assertEqual(list(self.provider.refunds.values()), [order.total_amount])


class ReversalTest(PaymentTestCase):
    def test_sepa_failure_after_success_goes_to_review(self) -> None:
        order, attempt = self.paid_order()
        self.assertEqual(engine.apply(self.provider.fact(attempt, "evt-back", "reversed")), "review")
        self.assertState(order, "review")
        self.assertEqual(engine.paid_amount(order), 0)
        self.assertEqual(engine.payment_status(order), "reversed")

    def test_returned_debit_is_told_to_buyer_and_seller(self) -> None:
        order = an_order(method="debit")
        attempt = engine.start(order, "debit").attempt
        self.provider.charge(attempt)
        engine.apply(self.provider.fact(attempt, "evt-in"))
        with patch.dict(SHOP["mails"], send=[*SHOP["mails"]["send"], "payment-returned"]):
            engine.apply(self.provider.fact(attempt, "evt-back", "reversed"))
            engine.apply(self.provider.fact(attempt, "evt-back", "reversed"))
        self.assertState(order, "review")
        self.assertEqual((self.mails(order, "payment-returned"), self.mails(order, "order-review")), (1, 1))

    def test_card_payment_that_was_disputed_is_no_news_to_the_buyer(self) -> None:
        order, attempt = self.paid_order()
        with patch.dict(SHOP["mails"], send=[*SHOP["mails"]["send"], "payment-returned"]):
            engine.apply(self.provider.fact(attempt, "evt-back", "reversed"))
        self.assertEqual(self.mails(order, "payment-returned"), 0)

    def test_chargeback_after_shipping_goes_to_review(self) -> None:
        order, attempt = self.paid_order()
        lifecycle.ship(order)
        self.assertEqual(engine.apply(self.provider.fact(attempt, "evt-back", "reversed")), "review")
        self.assertState(order, "review")
        self.assertEqual(self.mails(order, "order-review"), 1)
        with self.assertRaises(engine.OverRefund):
            engine.refund(order, 1, "", "seller")

    def test_failed_after_pending_lets_the_buyer_try_again(self) -> None:
        order = an_order()
        attempt = self.begin(order)
        engine.apply(self.provider.fact(attempt, "1", "pending"))
        engine.apply(self.provider.fact(attempt, "2", "failed", failure="declined"))
        self.assertState(order, "pending_payment")
        self.assertGreater(order.expires_at, timezone.now() + timedelta(hours=23))
        self.assertNotEqual(self.begin(order).key, attempt.key)


class WithoutProviderTest(PaymentTestCase):
    def test_transfer_waits_for_the_money(self) -> None:
        order = an_order(method="transfer")
        self.assertIsNone(engine.start(order, "transfer").redirect)
        self.assertState(order, "pending_payment")
        self.assertEqual(engine.received(order, actor="seller"), "applied")
        self.assertState(order, "confirmed")
        self.assertEqual(self.mails(order, "order-confirmation"), 1)
        self.assertEqual(engine.received(order, actor="seller"), "unknown")

    def test_transfer_that_comes_after_expiry(self) -> None:
        variant = a_variant(stock=5)
        order = an_order(variant, method="transfer")
        engine.start(order, "transfer")
        engine.expire_due(timezone.now() + LATE)
        self.assertState(order, "expired")
        engine.received(order, actor="seller")
        self.assertState(order, "confirmed")
        self.assertStock(variant, 4)

    def test_paid_later_by_agreement_confirms_at_once(self) -> None:
        for method in ("invoice", "po", "cod", "pickup"):
            order = an_order(method=method)
            engine.start(order, method)
            self.assertState(order, "confirmed")
            self.assertIsNone(order.expires_at)
            self.assertEqual(engine.payment_status(order), "pending")
            lifecycle.ship(order)
            self.assertEqual(engine.received(order, actor="seller"), "applied")
            self.assertEqual(engine.payment_status(order), "paid")
            self.assertState(order, "fulfilled")

    def test_refund_of_a_transfer_waits_for_the_seller(self) -> None:
        order = an_order(method="transfer")
        engine.start(order, "transfer")
        engine.received(order, actor="seller")
        row = engine.refund(order, 10, "", "seller")
        self.assertEqual(row.state, "pending")
        self.assertEqual(engine.refund_sent(row, actor="seller"), "applied")
        row.refresh_from_db()
        self.assertEqual(row.state, "done")

    def test_card_instead_of_the_transfer(self) -> None:
        order = an_order(method="transfer")
        engine.start(order, "transfer")
        attempt = self.begin(order, "card")
        self.provider.charge(attempt)
        engine.apply(self.provider.fact(attempt, "evt"))
        self.assertState(order, "confirmed")
        self.assertEqual(order.attempts.filter(state=AttemptState.CANCELLED).count(), 1)

    def test_transfer_details(self) -> None:
        order = an_order(method="transfer")
        told = methods.instructions(order)
        self.assertTrue(iso11649.is_valid(told["reference"]))
        self.assertIn("".join(c for c in order.number if c.isalnum()), told["reference"])
        self.assertEqual(told["amount"], order.total_amount)
        order.currency = "EUR"
        self.assertTrue(methods.epc_qr(order, METHODS[2]).startswith("<svg "))
        text = methods.epc_text(order, {"iban": "DE02 1203 0000 0000 2020 51", "holder": "Märta\nLinne AB"}).split("\n")
        amount = f"EUR{order.total_amount // 100}.{order.total_amount % 100:02d}"
        account = ["", "Märta Linne AB", "DE02120300000000202051"]
        self.assertEqual(text, ["BCD", "002", "1", "SCT", *account, amount, "", told["reference"]])
        order.currency = "SEK"
        self.assertEqual(methods.epc_qr(order, METHODS[2]), "")

    def test_cards_have_no_transfer_details(self) -> None:
        self.assertIsNone(methods.instructions(an_order(method="card")))


class AvailableTest(SimpleTestCase):
    def test_limits_and_markets(self) -> None:
        limited = [
            {"id": "a", "kind": "card", "markets": ["FR"]},
            {"id": "b", "kind": "card", "minimum": {"EUR": 1000}},
            {"id": "c", "kind": "card", "maximum": {"EUR": 1000}},
            {"id": "d", "kind": "cash-at-pickup"},
            {"id": "e", "kind": "cash-on-delivery"},
        ]
        with patch("payments.methods.methods", lambda: limited):

            def ids(*args: object) -> str:
                return "".join(each["id"] for each in methods.available(*args))

            self.assertEqual(ids("FR", 1000, "EUR", "home"), "abce")
            self.assertEqual(ids("DE", 999, "EUR", "click-and-collect"), "cd")
            self.assertEqual(ids("DE", 1001, "EUR", "digital"), "b")


class ConcurrencyTest(ConcurrentShoppingTestCase):
    def test_twelve_clicks_are_one_charge(self) -> None:
        order = an_order()
        results = at_once([lambda: engine.start(order, "card")] * 12)
        self.assertEqual(len({started.redirect for started in results}), 1, results)
        self.assertEqual(len(self.provider.opened), 1)
        self.assertEqual(order.attempts.count(), 1)

    def test_concurrent_webhooks_and_return_pages_confirm_once(self) -> None:
        order = an_order()
        attempt = engine.start(order, "card").attempt
        self.provider.charge(attempt)
        facts = [self.provider.fact(attempt, "same-event")] * 5 + [
            self.provider.fact(attempt, f"evt-{n}") for n in range(5)
        ]
        results = at_once([lambda fact=fact: engine.apply(fact) for fact in facts])
        self.assertEqual(results.count("applied"), 1, results)
        self.assertLessEqual(set(results), {"applied", "duplicate", "stale"})
        self.assertEqual(engine.paid_amount(order), order.total_amount)
        self.assertEqual(order.mails.filter(kind="order-confirmation").count(), 1)

    def test_unknown_event_by_many_at_once_is_kept_once(self) -> None:
        fact = Fact("scripted", "evt-unknown", "captured", "no-such-key")
        results = at_once([lambda: engine.apply(fact)] * 6)
        self.assertEqual(sorted(results), ["duplicate"] * 5 + ["unknown"])

    def test_workers_at_once_ask_about_each_payment_once(self) -> None:
        for _ in range(3):
            engine.start(an_order(), "card")
        soon = timezone.now() + SOON
        results = at_once([lambda: engine.reconcile_due(soon)] * 4)
        self.assertEqual(sum(results), 3, results)
        self.assertEqual(self.provider.calls["fetch"], 3)

    def test_refunds_at_once_never_give_back_too_much(self) -> None:
        order = an_order()
        attempt = engine.start(order, "card").attempt
        self.provider.charge(attempt)
        engine.apply(self.provider.fact(attempt, "evt"))
        half = order.total_amount // 2 + 1
        results = at_once([lambda: engine.refund(order, half, "", "seller")] * 5)
        self.assertEqual(sum(isinstance(each, Refund) for each in results), 1, results)
        self.assertEqual(sum(isinstance(each, engine.OverRefund) for each in results), 4, results)

    def test_expiry_and_payment_at_the_same_moment(self) -> None:
        for _ in range(5):
            variant = a_variant(stock=3)
            order = an_order(variant)
            attempt = engine.start(order, "card").attempt
            self.provider.charge(attempt)
            fact = self.provider.fact(attempt, f"evt-{order.pk}")
            late = timezone.now() + LATE
            at_once([lambda fact=fact: engine.apply(fact), lambda order=order, late=late: engine.expire(order, late)])
            self.assertState(order, "confirmed")
            self.assertStock(variant, 2)

    def test_two_tabs_change_the_method_at_the_same_moment(self) -> None:
        order = an_order()
        at_once([lambda: engine.start(order, "card"), lambda: engine.start(order, "wallet")] * 3)
        self.assertLessEqual(order.attempts.filter(state__in=LIVE_ATTEMPT).count(), 1)
