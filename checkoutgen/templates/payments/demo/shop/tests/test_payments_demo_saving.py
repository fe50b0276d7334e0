"""Cards kept by the demo provider, from its page to its webhooks over HTTP."""

from datetime import timedelta
from unittest.mock import patch

from django.utils import timezone

from accounts.models import User
from config.shop import SHOP
from orders.models import Order
from payments import engine, saved, vault
from payments.models import PaymentAttempt, SavedMethod
from payments.providers.demo import bank, saving
from payments.providers.demo.models import DemoEvent, DemoPayment, DemoToken
from payments.saved import Wish

from .shopping import an_order
from .test_payments_demo import CARD, LATER, DemoTestCase

METHODS = [{"id": "card", "kind": "card", "provider": "demo", "name": {}, "save": True}]
SAVE = Wish(consent="Keep it")


class SavingTestCase(DemoTestCase):
    def setUp(self) -> None:
        super().setUp()
        for patcher in (
            patch.dict(SHOP["payment"], methods=METHODS),
            *(patch(f"payments.{name}.saving", lambda name: saving) for name in ("engine", "vault")),
        ):
            patcher.start()
            self.addCleanup(patcher.stop)
        self.user = User.objects.create(email="ana@example.com", password="!")

    def order(self) -> Order:
        order = an_order()
        Order.objects.filter(pk=order.pk).update(user=self.user)
        order.refresh_from_db()
        return order

    def saved(self, scenario: str, expiry: str = "12/30") -> SavedMethod:
        """A first purchase with a card that is kept."""
        order = self.order()
        started = engine.start(order, "card", wish=SAVE)
        page = started.redirect.removeprefix(self.live_server_url)
        self.client.get(page)
        answer = self.client.post(page, {"number": CARD[scenario], "expiry": expiry})
        if "challenge" in answer["Location"]:
            answer = self.client.post(answer["Location"].removeprefix(self.live_server_url), {"answer": "approve"})
        self.client.get(answer["Location"].removeprefix(self.live_server_url))
        self.assertState(order, "confirmed")
        return SavedMethod.objects.get(attempt__order=order)

    def pay(self, row: SavedMethod) -> tuple[Order, PaymentAttempt | None, str]:
        """The next purchase: order, attempt, and the page or the reason of a refusal."""
        order = self.order()
        try:
            started = engine.start(order, "card", wish=Wish(card=row))
        except engine.NotStarted as refused:
            return order, order.attempts.last(), refused.code
        return order, started.attempt, started.redirect or ""

    def charges(self) -> int:
        return DemoPayment.objects.filter(state="paid").count()


class SavingTest(SavingTestCase):
    def test_kept_on_the_page_that_says_so(self) -> None:
        page = engine.start(self.order(), "card", wish=SAVE).redirect.removeprefix(self.live_server_url)
        self.assertTrue(self.client.get(page).context["payment"].keep)
        row = self.saved("paid")
        self.assertEqual((row.brand, row.last4, row.exp_year, row.exp_month), ("Visa", "4242", 2030, 12))
        self.assertEqual(row.token, DemoToken.objects.get().ref)

    def test_not_kept_without_consent(self) -> None:
        page = engine.start(self.order(), "card").redirect.removeprefix(self.live_server_url)
        self.client.post(page, {"number": CARD["paid"]})
        self.assertFalse(DemoToken.objects.exists())

    def test_expiry_as_typed(self) -> None:
        self.assertTrue(self.saved("paid", "03/26").expired)

    def test_expiry_that_makes_no_sense(self) -> None:
        self.assertFalse(self.saved("paid", "13/ab").expired)

    def test_next_purchase_is_paid_at_once(self) -> None:
        order, attempt, page = self.pay(self.saved("challenge"))
        self.assertState(order, "confirmed")
        self.assertEqual((page, attempt.state), ("", "captured"))
        self.assertEqual(engine.paid_amount(order), order.total_amount)
        self.deliver()
        self.assertEqual(engine.paid_amount(order), order.total_amount)

    def test_asked_again_it_charges_once(self) -> None:
        row = self.saved("paid")
        order = self.order()
        with patch.object(bank, "faults", lambda: {"timeout_after": 1}), self.assertRaises(engine.NotStarted):
            engine.start(order, "card", wish=Wish(card=row))
        before = self.charges()
        engine.start(order, "card", wish=Wish(card=row))
        self.assertEqual(self.charges(), before)
        self.assertState(order, "confirmed")

    def test_authentication_later_brings_the_buyer_back(self) -> None:
        order, attempt, page = self.pay(self.saved("always-challenge"))
        page = page.removeprefix(self.live_server_url)
        self.assertIn("/challenge/", page)
        self.assertState(order, "pending_payment")
        answer = self.client.post(page, {"answer": "approve"})
        self.client.get(answer["Location"].removeprefix(self.live_server_url))
        self.assertState(order, "confirmed")

    def test_authentication_refused_or_left_keeps_the_order(self) -> None:
        row = self.saved("always-challenge")
        order, _, page = self.pay(row)
        answer = self.client.post(page.removeprefix(self.live_server_url), {"answer": "refuse"})
        self.client.get(answer["Location"].removeprefix(self.live_server_url))
        self.assertState(order, "pending_payment")
        self.assertEqual(order.attempts.last().failure, "authentication_failed")
        order, first, _ = self.pay(row)  # and another that is simply left
        self.assertNotEqual(engine.start(order, "card").attempt, first)
        first.refresh_from_db()
        self.assertEqual(first.state, "cancelled")

    def test_declined_later(self) -> None:
        row = self.saved("declined-later")
        order, attempt, reason = self.pay(row)
        self.assertEqual((attempt.state, reason), ("failed", "declined"))
        self.assertState(order, "pending_payment")
        row.refresh_from_db()
        self.assertTrue(row.usable)

    def test_revoked_by_its_bank_as_a_webhook_tells(self) -> None:
        row = self.saved("revoked")
        self.deliver()
        row.refresh_from_db()
        self.assertTrue(row.usable)
        self.assertIn("200 applied", self.deliver(LATER))
        row.refresh_from_db()
        self.assertEqual(row.state, "gone")
        self.assertEqual(saved.of(self.user), [row])  # shown as such, until it is removed

    def test_revoked_before_anybody_told(self) -> None:
        row = self.saved("revoked")
        _, attempt, reason = self.pay(row)
        self.assertEqual((attempt.state, reason), ("failed", "token_gone"))
        row.refresh_from_db()
        self.assertEqual(row.state, "gone")

    def test_forgotten_when_it_is_removed(self) -> None:
        row = self.saved("paid")
        saved.remove(SavedMethod.objects.filter(pk=row.pk))
        with patch.object(bank, "faults", lambda: {"timeout_before": 1}):
            vault.work_due(timezone.now() + timedelta(minutes=1))
        self.assertTrue(DemoToken.objects.exists())
        vault.work_due(timezone.now() + timedelta(days=1))
        self.assertFalse(DemoToken.objects.exists())
        self.assertFalse(SavedMethod.objects.exists())

    def test_forged_news_of_a_revocation_changes_nothing(self) -> None:
        row = self.saved("paid")
        event = {"id": "evt", "type": "token.gone", "data": {"token": row.token}}
        self.assertEqual(self.send(event, key=b"not the secret"), 400)
        row.refresh_from_db()
        self.assertTrue(row.usable)

    def test_money_reserved_with_a_kept_card_is_collected_later(self) -> None:
        row = self.saved("paid")
        with patch.dict(SHOP["payment"], methods=[{**METHODS[0], "capture": "at-shipping"}]):
            order, attempt, _ = self.pay(row)
        self.assertState(order, "confirmed")
        self.assertEqual(attempt.state, "authorized")
        self.assertFalse(DemoEvent.objects.filter(payment__key=attempt.key, kind="payment.captured").exists())
