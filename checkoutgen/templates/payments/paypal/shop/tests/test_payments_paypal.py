"""The PayPal adapter, with the official SDK, against prepared answers on this machine."""

import os
from unittest.mock import patch

from paypalserversdk.configuration import Configuration, Environment, Server

from config.shop import SHOP
from orders import lifecycle
from payments import engine, settlement
from payments.facts import Declined, ProviderDown
from payments.models import PaymentAttempt, PaymentEvent
from payments.providers.paypal import adapter
from payments.units import decimal_text

from .answers import Answers
from .shopping import ShoppingTestCase, an_order

METHODS = [
    {"id": "paypal", "kind": "paypal", "provider": "paypal", "name": {}},
    {"id": "reserved", "kind": "paypal", "provider": "paypal", "capture": "at-shipping", "name": {}},
]
OPTIONS = {"client_id": "env:PAYPAL_TEST", "client_secret": "env:PAYPAL_TEST", "environment": "sandbox"}
ORDERS = "/v2/checkout/orders"


class PaypalTestCase(ShoppingTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.answers = Answers()
        self.addCleanup(self.answers.close)
        token = {"access_token": "token", "token_type": "Bearer", "expires_in": 30000}
        self.answers["POST", "/v1/oauth2/token"] = 200, token
        for patcher in (
            patch.dict(SHOP["payment"], methods=METHODS, providers={"paypal": OPTIONS}),
            patch.dict(os.environ, {"PAYPAL_TEST": "secret"}),
            patch.dict(Configuration.environments, {Environment.SANDBOX: {Server.DEFAULT: self.answers.url}}),
            patch("payments.engine.adapter", lambda name: adapter),
            patch("payments.views.adapter", lambda name: adapter),
            patch("payments.captures.adapter", lambda name: adapter),
            patch("payments.settlement.adapter", lambda name: adapter),
        ):
            patcher.__enter__()
            self.addCleanup(patcher.__exit__, None, None, None)
        adapter._client.cache_clear()
        self.addCleanup(adapter._client.cache_clear)

    def order(self, status: str = "PAYER_ACTION_REQUIRED", capture: dict | None = None) -> dict:
        link = {"rel": "payer-action", "href": "https://www.sandbox.paypal.com/checkoutnow?token=5O1", "method": "GET"}
        unit = {"reference_id": "default", "payments": {"captures": [capture] if capture else []}}
        return {"id": "5O190127TN364715T", "status": status, "links": [link], "purchase_units": [unit]}

    def capture(self, attempt: PaymentAttempt, status: str = "COMPLETED", amount: int | None = None) -> dict:
        value = decimal_text(attempt.amount if amount is None else amount, attempt.currency)
        money = {"currency_code": attempt.currency, "value": value}
        return {"id": "3C679366HH908993F", "status": status, "amount": money}

    def begin(self) -> PaymentAttempt:
        self.answers["POST", ORDERS] = 200, self.order()
        attempt = engine.start(an_order(method="paypal"), "paypal").attempt
        assert attempt is not None
        return attempt

    def stands(self, *answers: dict) -> None:
        self.answers["GET", f"{ORDERS}/5O190127TN364715T"] = [(200, each) for each in answers]

    def approve(self, attempt: PaymentAttempt, capture: dict) -> None:
        self.stands(self.order("APPROVED"), *[self.order("COMPLETED", capture)] * 4)
        self.answers["POST", f"{ORDERS}/5O190127TN364715T/capture"] = 201, self.order("COMPLETED", capture)

    def posts(self, end: str) -> list:
        return [each for each in self.answers.asked if each.method == "POST" and each.path.endswith(end)]

    def paid(self) -> PaymentAttempt:
        attempt = self.begin()
        self.approve(attempt, self.capture(attempt))
        self.client.get(f"/checkout/return/{attempt.key}/")
        attempt.refresh_from_db()
        self.assertEqual(attempt.state, "captured")
        return attempt

    def test_page_with_frozen_amount_and_the_attempt_as_key(self) -> None:
        attempt = self.begin()
        asked = self.posts(ORDERS)[0]
        self.assertEqual(asked.headers["paypal-request-id"], attempt.key)
        unit = asked.json["purchase_units"][0]
        self.assertEqual(unit["custom_id"], attempt.key)
        self.assertEqual(unit["amount"]["value"], decimal_text(attempt.amount, attempt.currency))
        self.assertTrue(attempt.redirect_url.startswith("https://www.sandbox.paypal.com/"))

    def test_approved_is_collected_once(self) -> None:
        attempt = self.paid()
        self.assertState(attempt.order, "confirmed")
        self.client.get(f"/checkout/return/{attempt.key}/")
        self.assertEqual(len(self.posts("/capture")), 1)
        self.assertEqual(self.posts("/capture")[0].headers["paypal-request-id"], f"{attempt.key}-capture")

    def test_buyer_who_closed_the_window_is_collected_from_by_webhook(self) -> None:
        attempt = self.begin()
        self.approve(attempt, self.capture(attempt))
        body = {"event_type": "CHECKOUT.ORDER.APPROVED", "resource": {"id": "5O190127TN364715T"}}
        self.assertEqual(self.client.post("/webhooks/paypal/", body, content_type="application/json").status_code, 200)
        self.assertState(attempt.order, "confirmed")

    def test_nothing_is_collected_for_an_order_that_was_let_go(self) -> None:
        attempt = self.begin()
        engine.cancel(attempt.order, actor="buyer", reason="buyer")
        self.stands(self.order("APPROVED"))
        attempt.refresh_from_db()
        engine.learn(attempt, "reconciler")
        self.assertEqual(self.posts("/capture"), [])
        self.assertState(attempt.order, "cancelled")

    def test_declined_by_the_bank(self) -> None:
        attempt = self.begin()
        self.stands(self.order("APPROVED"))
        problem = {"name": "UNPROCESSABLE_ENTITY", "details": [{"issue": "INSTRUMENT_DECLINED"}]}
        self.answers["POST", f"{ORDERS}/5O190127TN364715T/capture"] = 422, problem
        self.client.get(f"/checkout/return/{attempt.key}/")
        attempt.refresh_from_db()
        self.assertEqual((attempt.state, attempt.failure), ("failed", "declined"))

    def test_pending(self) -> None:
        attempt = self.begin()
        self.approve(attempt, self.capture(attempt, "PENDING"))
        self.client.get(f"/checkout/return/{attempt.key}/")
        self.assertEqual(engine.payment_status(attempt.order), "pending")

    def test_wrong_amount(self) -> None:
        attempt = self.begin()
        self.approve(attempt, self.capture(attempt, amount=1))
        self.client.get(f"/checkout/return/{attempt.key}/")
        self.assertState(attempt.order, "review")

    def test_webhook_of_somebody_else(self) -> None:
        def hook(body: object) -> int:
            return self.client.post("/webhooks/paypal/", body, content_type="application/json").status_code

        self.assertEqual(hook({"resource": {"id": "OTHER123456"}}), 200)
        for nonsense in ([], {}, {"resource": []}, {"resource": {"id": "../x"}}):
            self.assertEqual(hook(nonsense), 400)
        self.assertEqual(self.answers.asked, [])
        self.assertFalse(PaymentEvent.objects.exists())

    def test_refund_that_ends_later(self) -> None:
        attempt = self.paid()
        made = {"id": "1JU08902781691411", "status": "PENDING"}
        self.answers["POST", "/v2/payments/captures/3C679366HH908993F/refund"] = 201, made
        row = engine.refund(attempt.order, 100, "damaged", "seller")
        self.assertEqual(self.posts("/refund")[0].headers["paypal-request-id"], row.key)
        self.assertEqual(row.state, "pending")
        self.answers["GET", "/v2/payments/refunds/1JU08902781691411"] = 200, made | {"status": "COMPLETED"}
        engine.carry_out(row)
        row.refresh_from_db()
        self.assertEqual(row.state, "done")
        self.assertEqual(len(self.posts("/refund")), 1)

    def test_errors(self) -> None:
        attempt = self.begin()
        path = f"{ORDERS}/5O190127TN364715T"
        for status, error in ((500, ProviderDown), (503, ProviderDown), (404, Declined), (401, Declined)):
            self.answers["GET", path] = status, {"name": "X", "message": "x"}
            with self.assertRaises(error, msg=str(status)):
                adapter.fetch(attempt)
        self.answers.close()
        with self.assertRaises(ProviderDown):
            adapter.fetch(attempt)


class ReservingTest(PaypalTestCase):
    def authorized(self, attempt: PaymentAttempt, status: str = "CREATED", *parts: dict) -> dict:
        order = self.order("COMPLETED")
        money = {"currency_code": attempt.currency, "value": decimal_text(attempt.amount, attempt.currency)}
        made = {"id": "AUTH1", "status": status, "amount": money, "expiration_time": "2026-12-21T10:00:00Z"}
        order["purchase_units"][0]["payments"] = {"authorizations": [made], "captures": list(parts)}
        return order

    def reserved(self, quantity: int = 1) -> PaymentAttempt:
        self.answers["POST", ORDERS] = 200, self.order()
        attempt = engine.start(an_order(method="reserved", quantity=quantity), "reserved").attempt
        self.answers["POST", f"{ORDERS}/5O190127TN364715T/authorize"] = 201, self.authorized(attempt)
        self.stands(self.order("APPROVED"), *[self.authorized(attempt)] * 9)
        self.client.get(f"/checkout/return/{attempt.key}/")
        attempt.refresh_from_db()
        self.assertEqual(attempt.state, "authorized")
        return attempt

    def test_authorised_once_and_nothing_taken(self) -> None:
        attempt = self.reserved()
        self.assertEqual(self.posts(ORDERS)[0].json["intent"], "AUTHORIZE")
        self.client.get(f"/checkout/return/{attempt.key}/")
        self.assertEqual(len(self.posts("/authorize")), 1)
        self.assertState(attempt.order, "confirmed")
        self.assertEqual(engine.paid_amount(attempt.order), 0)
        self.assertEqual(attempt.authorized_until.date().isoformat(), "2026-12-21")

    def test_collected_parcel_by_parcel(self) -> None:
        attempt = self.reserved(quantity=2)
        path = "/v2/payments/authorizations/AUTH1/capture"
        self.answers["POST", path] = [(201, {"id": f"CAP{i}", "status": "COMPLETED"}) for i in (1, 2)]
        lifecycle.ship(attempt.order, quantities={attempt.order.lines.get().sku: 1})
        lifecycle.ship(attempt.order)
        settlement.collect_due()
        asked = self.posts("/AUTH1/capture")
        self.assertEqual([each.json["final_capture"] for each in asked], [False, True])
        keys = [row.key for row in attempt.captures.all()]
        self.assertEqual([each.headers["paypal-request-id"] for each in asked], keys)
        self.assertEqual(engine.paid_amount(attempt.order), attempt.amount)

    def test_pending_collection_is_asked_for_until_it_ended(self) -> None:
        attempt = self.reserved()
        self.answers["POST", "/v2/payments/authorizations/AUTH1/capture"] = 201, {"id": "CAP1", "status": "PENDING"}
        lifecycle.ship(attempt.order)
        row = attempt.captures.get()
        settlement.collect(row)
        row.refresh_from_db()
        self.assertEqual((row.state, row.provider_ref), ("pending", "CAP1"))
        self.answers["GET", "/v2/payments/captures/CAP1"] = 200, {"id": "CAP1", "status": "DECLINED"}
        settlement.collect(row)
        self.assertState(attempt.order, "review")

    def test_let_go_when_the_order_is_cancelled(self) -> None:
        attempt = self.reserved()
        self.answers["POST", "/v2/payments/authorizations/AUTH1/void"] = 200, {"id": "AUTH1", "status": "VOIDED"}
        engine.cancel(attempt.order, actor="seller")
        self.assertEqual(len(self.posts("/AUTH1/void")), 1)


class DisputeTest(PaypalTestCase):
    def told(self, attempt: PaymentAttempt, status: str, stage: str = "CHARGEBACK", outcome: str = "") -> int:
        about = [{"seller_transaction_id": "3C679366HH908993F"}]
        dispute = {"dispute_id": "PP-D-27803", "status": status, "disputed_transactions": about}
        dispute |= {"dispute_life_cycle_stage": stage, "dispute_outcome": {"outcome_code": outcome}}
        self.answers["GET", "/v1/customer/disputes/PP-D-27803"] = 200, dispute
        capture = self.capture(attempt) | {"custom_id": attempt.key}
        self.answers["GET", "/v2/payments/captures/3C679366HH908993F"] = 200, capture
        # What the message says is not believed: only which dispute it names.
        body = {"event_type": "CUSTOMER.DISPUTE.UPDATED", "resource": {"dispute_id": "PP-D-27803", "status": "LIES"}}
        return self.client.post("/webhooks/paypal/", body, content_type="application/json").status_code

    def test_claim_brings_the_order_to_review_and_a_won_one_the_money_back(self) -> None:
        attempt = self.paid()
        self.assertEqual(self.told(attempt, "UNDER_REVIEW"), 200)
        self.assertState(attempt.order, "review")
        self.assertEqual(engine.payment_status(attempt.order), "reversed")
        self.told(attempt, "UNDER_REVIEW")
        self.assertEqual(attempt.order.mails.filter(kind="order-review").count(), 1)
        self.told(attempt, "RESOLVED", outcome="RESOLVED_SELLER_FAVOUR")
        self.assertEqual(engine.paid_amount(attempt.order), attempt.amount)

    def test_lost(self) -> None:
        attempt = self.paid()
        self.told(attempt, "RESOLVED", outcome="RESOLVED_BUYER_FAVOUR")
        self.assertEqual(engine.paid_amount(attempt.order), 0)

    def test_question_of_the_buyer_moves_no_money(self) -> None:
        attempt = self.paid()
        self.told(attempt, "OPEN", stage="INQUIRY")
        self.assertState(attempt.order, "confirmed")

    def test_forged_and_unreadable(self) -> None:
        attempt = self.paid()

        def hook(name: object) -> int:
            body = {"event_type": "CUSTOMER.DISPUTE.CREATED", "resource": {"dispute_id": name}}
            return self.client.post("/webhooks/paypal/", body, content_type="application/json").status_code

        self.answers["GET", "/v1/customer/disputes/PP-D-FORGED"] = 404, {}
        self.assertEqual([hook("PP-D-FORGED"), hook("../../x"), hook(None)], [200, 400, 400])
        self.answers["GET", "/v1/customer/disputes/PP-D-DOWN"] = 500, {}
        self.assertEqual(hook("PP-D-DOWN"), 503)
        self.assertState(attempt.order, "confirmed")
