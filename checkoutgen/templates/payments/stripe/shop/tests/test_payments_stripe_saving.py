"""Cards kept by Stripe: saved on its page, charged without it, confirmed at the bank, forgotten."""

from typing import Any
from unittest.mock import patch

from accounts.models import User
from config.shop import SHOP
from orders.models import Order
from payments import engine, saved, vault
from payments.facts import ProviderDown
from payments.models import PaymentAttempt, PaymentEvent, SavedMethod
from payments.providers.stripe import saving
from payments.saved import Wish

from .shopping import an_order
from .test_payments_stripe import METHODS, SESSIONS, StripeTestCase

INTENTS = "/v1/payment_intents"
CARD = {"brand": "visa", "last4": "4242", "exp_month": 12, "exp_year": 2030, "fingerprint": "x"}
KEPT = {"id": "pm_1", "object": "payment_method", "customer": "cus_1", "card": CARD}


class SavingTestCase(StripeTestCase):
    def setUp(self) -> None:
        super().setUp()
        for patcher in (
            patch.dict(SHOP["payment"], methods=[{**METHODS[0], "save": True}]),
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

    def first(self) -> PaymentAttempt:
        """A purchase on Stripe's page with consent."""
        self.answers["POST", SESSIONS] = 200, self.session()
        attempt = engine.start(self.order(), "card", wish=Wish(consent="Keep it")).attempt
        assert attempt is not None
        return attempt

    def saved(self, kept: dict[str, Any] | None = None) -> SavedMethod:
        attempt = self.first()
        intent = {"id": "pi_1", "payment_method": KEPT if kept is None else kept, "amount_received": attempt.amount}
        paid = self.session(attempt, status="complete", payment_status="paid", payment_intent=intent)
        self.answers["GET", f"{SESSIONS}/cs_test_1"] = 200, paid
        self.client.get(f"/checkout/return/{attempt.key}/")
        return SavedMethod.objects.get()

    def intent(self, attempt: PaymentAttempt | None = None, **values: Any) -> dict[str, Any]:
        amount = self.money()
        return {
            "id": "pi_9",
            "object": "payment_intent",
            "status": "succeeded",
            "amount": amount,
            "amount_received": amount,
            "currency": self.order_again.currency.lower(),
            "metadata": {},
        } | values

    def money(self) -> int:
        from payments.providers.stripe.adapter import digits, rescale

        return rescale(self.order_again.total_amount, self.order_again.currency, digits(self.order_again.currency))

    def pay(self, row: SavedMethod, confirmed: Any = None, **values: Any) -> engine.Start:
        self.order_again = self.order()
        self.answers["POST", INTENTS] = 200, self.intent(status="requires_confirmation")
        self.answers["POST", f"{INTENTS}/pi_9/confirm"] = confirmed or (200, self.intent(**values))
        return engine.start(self.order_again, "card", wish=Wish(card=row))

    def posts(self, path: str) -> list[Any]:
        return [each for each in self.answers.asked if (each.method, each.path) == ("POST", path)]


class SavingTest(SavingTestCase):
    def test_page_is_asked_to_keep_the_card_for_an_owner_who_is_there(self) -> None:
        self.first()
        (asked,) = self.posts(SESSIONS)
        self.assertEqual(asked.form["customer_creation"], "always")
        self.assertEqual(asked.form["payment_intent_data[setup_future_usage]"], "on_session")

    def test_page_is_asked_for_nothing_without_consent(self) -> None:
        self.begin()
        (asked,) = self.posts(SESSIONS)
        self.assertNotIn("customer_creation", asked.form)
        self.assertNotIn("payment_intent_data[setup_future_usage]", asked.form)

    def test_what_is_kept(self) -> None:
        row = self.saved()
        self.assertEqual((row.token, row.customer), ("pm_1", "cus_1"))
        self.assertEqual((row.brand, row.last4, row.exp_year, row.exp_month), ("Visa", "4242", 2030, 12))

    def test_card_that_stripe_did_not_keep(self) -> None:
        self.assertEqual(self.saved({**KEPT, "customer": None}).state, "asked")

    def test_charged_at_once_as_the_owner_is_there(self) -> None:
        started = self.pay(self.saved())
        self.assertState(self.order_again, "confirmed")
        (made,) = self.posts(INTENTS)
        (confirmed,) = self.posts(f"{INTENTS}/pi_9/confirm")
        self.assertEqual(int(made.form["amount"]), self.money())
        self.assertEqual((made.form["customer"], made.form["payment_method"]), ("cus_1", "pm_1"))
        self.assertEqual(made.headers["idempotency-key"], started.attempt.key)
        self.assertEqual(confirmed.headers["idempotency-key"], f"{started.attempt.key}-confirm")
        self.assertIn(f"/checkout/return/{started.attempt.key}/", confirmed.form["return_url"])
        self.assertNotIn("off_session", made.form | confirmed.form)

    def test_bank_asks_and_the_buyer_comes_back(self) -> None:
        action = {"type": "redirect_to_url", "redirect_to_url": {"url": "https://hooks.stripe.com/3ds"}}
        started = self.pay(self.saved(), status="requires_action", next_action=action)
        self.assertEqual(started.redirect, "https://hooks.stripe.com/3ds")
        self.assertState(self.order_again, "pending_payment")
        self.answers["GET", f"{INTENTS}/pi_9"] = 200, self.intent()
        self.client.get(f"/checkout/return/{started.attempt.key}/")
        self.assertState(self.order_again, "confirmed")

    def test_bank_asks_and_the_buyer_fails(self) -> None:
        action = {"type": "redirect_to_url", "redirect_to_url": {"url": "https://hooks.stripe.com/3ds"}}
        started = self.pay(self.saved(), status="requires_action", next_action=action)
        error = {"code": "payment_intent_authentication_failure"}
        failed = self.intent(status="requires_payment_method", last_payment_error=error)
        self.answers["GET", f"{INTENTS}/pi_9"] = 200, failed
        self.client.get(f"/checkout/return/{started.attempt.key}/")
        started.attempt.refresh_from_db()
        self.assertEqual((started.attempt.state, started.attempt.failure), ("failed", "authentication_failed"))
        self.assertState(self.order_again, "pending_payment")

    def test_declined(self) -> None:
        row = self.saved()
        error = {"type": "card_error", "code": "card_declined", "decline_code": "insufficient_funds", "message": "x"}
        with self.assertRaises(engine.NotStarted) as told:
            self.pay(row, confirmed=(402, {"error": error}))
        self.assertEqual(told.exception.code, "insufficient_funds")
        row.refresh_from_db()
        self.assertTrue(row.usable)

    def test_card_that_stripe_does_not_know_any_more(self) -> None:
        row = self.saved()
        error = {"type": "invalid_request_error", "param": "payment_method", "code": "resource_missing", "message": "x"}
        with self.assertRaises(engine.NotStarted) as told:
            self.pay(row, confirmed=(404, {"error": error}))
        self.assertEqual(told.exception.code, "token_gone")
        row.refresh_from_db()
        self.assertEqual(row.state, "gone")

    def test_lost_answer_about_the_money_is_found_by_asking(self) -> None:
        row = self.saved()
        with self.assertRaises(engine.NotStarted):
            self.pay(row, confirmed=(500, {"error": {"type": "api_error", "message": "x"}}))
        attempt = self.order_again.attempts.get()
        self.assertEqual(attempt.provider_ref, "pi_9")
        self.answers["GET", f"{INTENTS}/pi_9"] = 200, self.intent()
        engine.learn(attempt, "reconciler")
        self.assertState(self.order_again, "confirmed")

    def test_lost_answer_and_clicked_again_with_the_same_keys(self) -> None:
        row = self.saved()
        with self.assertRaises(engine.NotStarted):
            self.pay(row, confirmed=(500, {"error": {"type": "api_error", "message": "x"}}))
        self.answers["POST", f"{INTENTS}/pi_9/confirm"] = 200, self.intent()
        engine.start(self.order_again, "card", wish=Wish(card=row))
        self.assertState(self.order_again, "confirmed")
        for path in (INTENTS, f"{INTENTS}/pi_9/confirm"):
            self.assertEqual(len({each.headers["idempotency-key"] for each in self.posts(path)}), 1)

    def test_webhooks_of_the_charge(self) -> None:
        row = self.saved()
        started = self.pay(row, status="processing", amount_received=0)
        self.assertEqual(engine.payment_status(self.order_again), "pending")
        other = self.intent(id="pi_of_a_page", status="requires_payment_method", last_payment_error={"code": "x"})
        self.hook("payment_intent.payment_failed", other, event_id="evt_page")
        self.hook("payment_intent.succeeded", self.intent(), event_id="evt_9")
        self.assertState(self.order_again, "confirmed")
        started.attempt.refresh_from_db()
        self.assertEqual(started.attempt.state, "captured")

    def test_refund_and_void_name_the_payment_itself(self) -> None:
        self.pay(self.saved())
        self.answers["GET", "/v1/refunds"] = 200, {"object": "list", "data": []}
        self.answers["POST", "/v1/refunds"] = 200, {"id": "re_1", "object": "refund", "status": "succeeded"}
        engine.refund(self.order_again, 100, "damaged", "seller")
        self.assertEqual(self.posts("/v1/refunds")[-1].form["payment_intent"], "pi_9")
        self.answers["POST", f"{INTENTS}/pi_9/cancel"] = 200, self.intent(status="canceled")
        engine.void(self.order_again.attempts.get())
        self.assertEqual(len(self.posts(f"{INTENTS}/pi_9/cancel")), 1)

    def test_reserved_with_a_kept_card(self) -> None:
        row = self.saved()
        with patch.dict(SHOP["payment"], methods=[{**METHODS[0], "save": True, "capture": "at-shipping"}]):
            started = self.pay(row, status="requires_capture", amount_received=0)
        self.assertEqual(self.posts(INTENTS)[-1].form["capture_method"], "manual")
        self.assertEqual(started.attempt.state, "authorized")
        self.assertState(self.order_again, "confirmed")


class EndTest(SavingTestCase):
    def test_stripe_says_that_the_card_is_detached(self) -> None:
        row = self.saved()
        self.assertEqual(self.hook("payment_method.detached", {"id": "pm_1"}, event_id="evt_9"), 200)
        row.refresh_from_db()
        self.assertEqual(row.state, "gone")

    def test_renewed_card_shows_its_new_number_and_expiry(self) -> None:
        row = self.saved()
        SavedMethod.objects.update(exp_year=2020)
        row.refresh_from_db()
        self.assertFalse(row.usable)
        card = CARD | {"last4": "1881", "exp_year": 2034, "exp_month": 2, "brand": "mastercard"}
        self.answers["GET", "/v1/payment_methods/pm_1"] = 200, KEPT | {"card": card}
        # What the event itself says may be old: Stripe promises no order.
        for number, type_ in enumerate(("payment_method.automatically_updated", "payment_method.updated")):
            self.assertEqual(self.hook(type_, KEPT, event_id=f"evt_{number}"), 200)
            row.refresh_from_db()
            self.assertEqual((row.brand, row.last4, row.exp_year, row.exp_month), ("Mastercard", "1881", 2034, 2))
        self.assertTrue(row.usable)
        self.assertEqual(PaymentEvent.objects.filter(kind="token_updated", outcome="applied").count(), 2)

    def test_renewed_card_of_somebody_else_is_not_asked_for(self) -> None:
        row = self.saved()
        self.hook("payment_method.automatically_updated", KEPT | {"id": "pm_other"}, event_id="evt_9")
        self.assertNotIn("/v1/payment_methods/pm_other", [each.path for each in self.answers.asked])
        row.refresh_from_db()
        self.assertEqual((row.last4, row.state), ("4242", "saved"))

    def test_updated_card_that_is_not_kept_any_more(self) -> None:
        missing = {"error": {"type": "invalid_request_error", "code": "resource_missing", "message": "x"}}
        for number, answer in enumerate(((404, missing), (200, KEPT | {"customer": None}))):
            SavedMethod.objects.all().delete()
            row = self.saved()
            self.answers["GET", "/v1/payment_methods/pm_1"] = answer
            self.hook("payment_method.updated", KEPT, event_id=f"evt_{number}")
            row.refresh_from_db()
            self.assertEqual(row.state, "gone")

    def test_no_answer_about_a_renewed_card_is_told_again(self) -> None:
        row = self.saved()
        self.answers["GET", "/v1/payment_methods/pm_1"] = [
            (500, {}),
            (401, {}),
            (200, KEPT | {"card": CARD | {"exp_year": 2035}}),
        ]
        told = [self.hook("payment_method.updated", KEPT, event_id="evt_9") for _ in range(3)]
        self.assertEqual(told, [503, 503, 200])
        row.refresh_from_db()
        self.assertEqual(row.exp_year, 2035)

    def test_stripe_says_that_the_customer_is_deleted(self) -> None:
        row = self.saved()
        self.hook("customer.deleted", {"id": "cus_of_somebody_else"}, event_id="evt_8")
        row.refresh_from_db()
        self.assertEqual(row.state, "saved")
        self.hook("customer.deleted", {"id": "cus_1"}, event_id="evt_9")
        row.refresh_from_db()
        self.assertEqual(row.state, "gone")

    def test_removal_deletes_the_customer_made_for_the_card(self) -> None:
        row = self.saved()
        self.answers["DELETE", "/v1/customers/cus_1"] = [(500, {}), (200, {"id": "cus_1", "deleted": True})]
        saved.remove(SavedMethod.objects.all())
        self.assertFalse(vault.forget(row))
        self.assertTrue(vault.forget(row))
        self.assertFalse(SavedMethod.objects.exists())

    def test_removal_of_what_is_gone_already(self) -> None:
        row = self.saved()
        error = {"type": "invalid_request_error", "code": "resource_missing", "message": "x"}
        self.answers["DELETE", "/v1/customers/cus_1"] = 404, {"error": error}
        self.assertTrue(vault.forget(row))

    def test_no_answer_is_not_forgotten(self) -> None:
        row = self.saved()
        self.answers["DELETE", "/v1/customers/cus_1"] = 500, {"error": {"type": "api_error", "message": "x"}}
        with self.assertRaises(ProviderDown):
            saving.forget(row)
