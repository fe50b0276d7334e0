"""The back office: who may enter, what a person may do with an order, and that money only moves through the engine."""

import os
import signal
from datetime import timedelta
from io import StringIO
from threading import Event
from unittest.mock import Mock, patch

from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.test import override_settings
from django.urls import reverse
from django.utils import timezone

from backoffice.words import ORDER_EVENTS
from orders.models import Order
from payments import engine
from payments.models import Refund

from .shopping import ShoppingTestCase, a_cart, an_order


def staff():
    users = get_user_model()
    out = StringIO()
    call_command("demo_login", password="a long enough word", stdout=out)
    return users.objects.get(**{users.USERNAME_FIELD: "staff@example.com"})


class BackOfficeTestCase(ShoppingTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.client.force_login(staff())

    def order(self, method: str = "card") -> Order:
        order = an_order(method=method)
        attempt = engine.start(order, method).attempt
        if attempt and attempt.provider:
            self.provider.charge(attempt)
            engine.apply(self.provider.fact(attempt, f"evt-{attempt.key}"))
        order.refresh_from_db()
        return order

    def do(self, order: Order, deed: str, **data: str) -> str:
        answer = self.client.post(reverse("admin:orders_order_do", args=[order.pk, deed]), data, follow=True)
        self.assertEqual(answer.status_code, 200)
        return answer.content.decode()


class BackOfficeTest(BackOfficeTestCase):
    def test_every_list_and_page_opens(self) -> None:
        order = self.order()
        engine.refund(order, 10, "late", "seller")
        self.assertContains(self.client.get("/back-office/"), 'class="dashboard"')
        for model in ("orders/order", "payments/paymentattempt", "payments/paymentevent", "payments/refund"):
            self.assertContains(self.client.get(f"/back-office/{model}/"), order.number, msg_prefix=model)
        for model in ("catalogue/product", "catalogue/variant", "mails/outboxmail"):
            self.assertEqual(self.client.get(f"/back-office/{model}/").status_code, 200)
        page = self.client.get(reverse("admin:orders_order_change", args=[order.pk]))
        for words in (order.number, order.email, "Ada Byron", ORDER_EVENTS["payment_captured"]):
            self.assertContains(page, words)

    def test_strangers_and_customers_stay_outside(self) -> None:
        order = self.order()
        url = reverse("admin:orders_order_do", args=[order.pk, "cancel"])
        self.client.logout()
        users = get_user_model()
        name = {users.USERNAME_FIELD: "buyer@example.com"}
        customer = users.objects.create_user(**name, password="a long enough word")
        for login in (False, True):
            if login:
                self.client.force_login(customer)
            for address in (url, "/back-office/", reverse("admin:orders_order_changelist")):
                self.assertEqual(self.client.post(address).status_code, 302)
        self.assertState(order, "confirmed")

    def test_staff_without_the_right_cannot_act(self) -> None:
        order = self.order()
        user = staff()
        user.is_superuser = False
        user.save()
        self.client.force_login(user)
        answer = self.client.post(reverse("admin:orders_order_do", args=[order.pk, "cancel"]), {"note": ""})
        self.assertEqual(answer.status_code, 403)
        self.assertState(order, "confirmed")

    def test_money_received(self) -> None:
        order = self.order("transfer")
        self.do(order, "paid")
        self.assertState(order, "confirmed")
        self.assertEqual(engine.payment_status(order), "paid")
        self.do(order, "paid")
        self.assertEqual(engine.paid_amount(order), order.total_amount)

    def test_staff_with_long_names(self) -> None:
        """Who did it is written down in full, on every database."""
        users = get_user_model()
        name = f"{'accounts-receivable-' * 3}@{'of-a-company-' * 4}.example.com"
        users.objects.filter(is_staff=True).update(**{users.USERNAME_FIELD: name})
        order = self.order("transfer")
        self.do(order, "paid")
        self.assertEqual(order.events.get(kind="payment_captured").actor, name)
        self.do(order, "refund", amount="1.00", reason="", key="d" * 32)
        refund = reverse("admin:payments_refund_changelist")
        self.client.post(refund, {"action": "sent", "_selected_action": [order.refunds.get().pk]})
        self.assertEqual(order.refunds.get().state, "done")
        self.assertEqual(order.events.get(kind="refunded").actor, name)

    def test_ship(self) -> None:
        order = self.order()
        self.do(order, "ship", tracking_number="LP0001", carrier="Post")
        self.assertState(order, "fulfilled")
        self.assertEqual(order.fulfilments.get().tracking_number, "LP0001")

    def test_partial_refund_typed_as_an_amount(self) -> None:
        order = self.order()
        key = "b" * 32
        self.do(order, "refund", amount="1.50", reason="scratch", key=key)
        self.do(order, "refund", amount="1.50", reason="scratch", key=key)
        self.assertEqual([row.amount for row in Refund.objects.all()], [150])

    def test_refund_of_more_than_was_paid_is_refused_in_the_form(self) -> None:
        order = self.order()
        for amount in ("1000000", "0", "-1", "0.001", "abc", "NaN", "1e2000"):
            page = self.do(order, "refund", amount=amount, reason="", key="c" * 32)
            self.assertIn("errorlist", page, amount)
        self.assertFalse(Refund.objects.exists())

    def test_cancel_gives_the_money_back(self) -> None:
        order = self.order()
        self.do(order, "cancel", note="Sorry")
        self.assertState(order, "cancelled")
        self.assertEqual(engine.payment_status(order), "refunded")
        self.do(order, "ship")
        self.assertState(order, "cancelled")

    def test_let_an_order_under_review_stand(self) -> None:
        order = an_order()
        attempt = engine.start(order, "card").attempt
        self.provider.charge(attempt, 1)
        engine.apply(self.provider.fact(attempt, "evt"))
        self.assertState(order, "review")
        self.do(order, "accept")
        self.assertState(order, "confirmed")
        self.assertEqual(order.mails.filter(kind="order-confirmation").count(), 1)

    def test_actions_on_several_orders(self) -> None:
        orders = [self.order("transfer"), self.order("transfer")]
        url = reverse("admin:orders_order_changelist")
        self.client.post(url, {"action": "mark_paid", "_selected_action": [order.pk for order in orders]})
        for order in orders:
            self.assertState(order, "confirmed")

    def test_orders_cannot_be_edited_or_deleted_by_hand(self) -> None:
        order = self.order()
        change = reverse("admin:orders_order_change", args=[order.pk])
        self.assertEqual(self.client.post(change, {"total_amount": "1", "state": "fulfilled"}).status_code, 403)
        self.assertEqual(self.client.post(reverse("admin:orders_order_delete", args=[order.pk])).status_code, 403)
        self.assertState(order, "confirmed")

    def test_strict_content_security_policy(self) -> None:
        policy = self.client.get("/back-office/").headers["Content-Security-Policy"]
        self.assertNotIn("unsafe-inline", policy)
        self.assertNotIn("unsafe-eval", policy)


class DemoLoginTest(ShoppingTestCase):
    def test_password_is_random_unless_given(self) -> None:
        passwords = set()
        for _ in range(2):
            out = StringIO()
            call_command("demo_login", stdout=out)
            passwords.add(out.getvalue().split()[-1])
        self.assertEqual(len(passwords), 2)
        user = get_user_model().objects.get()
        self.assertTrue(any(user.check_password(password) for password in passwords))

    def test_not_in_production(self) -> None:
        with override_settings(DEVELOPMENT=False), self.assertRaises(CommandError):
            call_command("demo_login", stdout=StringIO())
        self.assertFalse(get_user_model().objects.exists())


class WorkerTest(ShoppingTestCase):
    def test_once_does_what_is_due_and_stops(self) -> None:
        order = an_order()
        attempt = engine.start(order, "card").attempt
        self.provider.charge(attempt)
        type(attempt).objects.update(next_check_at=attempt.created_at)
        call_command("worker", once=True)
        self.assertState(order, "confirmed")
        self.assertFalse(order.mails.filter(sent_at=None, due_at__isnull=False).exists())

    def test_old_carts_are_forgotten(self) -> None:
        old, new = a_cart(), a_cart()
        type(old).objects.filter(pk=old.pk).update(updated_at=timezone.now() - timedelta(days=91))
        call_command("worker", once=True)
        self.assertEqual([cart.pk for cart in type(old).objects.all()], [new.pk])

    def test_one_broken_duty_does_not_stop_the_others(self) -> None:
        order = an_order()
        engine.start(order, "transfer")
        engine.received(order, actor="seller")
        broken = Mock(side_effect=RuntimeError("broken"), __name__="reconcile_due")
        with patch("common.management.commands.worker.reconcile_due", broken), self.assertLogs(level="ERROR"):
            call_command("worker", once=True)
        self.assertFalse(order.mails.filter(sent_at=None, due_at__isnull=False).exists())

    def test_a_duty_that_waits_keeps_no_other_from_being_done(self) -> None:
        """A provider that takes ten seconds to answer must not hold up the mails."""
        self.addCleanup(signal.signal, signal.SIGTERM, signal.getsignal(signal.SIGTERM))
        self.addCleanup(signal.signal, signal.SIGINT, signal.getsignal(signal.SIGINT))
        sent, in_time = Event(), []

        def ask_a_slow_provider() -> int:
            in_time.append(sent.wait(10))
            os.kill(os.getpid(), signal.SIGTERM)
            return 0

        def send_mails() -> int:
            sent.set()
            return 0

        with patch("common.management.commands.worker.duties", lambda: [ask_a_slow_provider, send_mails]):
            call_command("worker", pause=0.01)
        self.assertTrue(all(in_time))
