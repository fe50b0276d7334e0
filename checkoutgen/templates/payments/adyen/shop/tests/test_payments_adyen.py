"""The Adyen adapter, with the official SDK, against prepared answers on this machine."""

import os
from unittest.mock import patch

import Adyen
from Adyen.util import generate_notification_sig

from config.shop import SHOP
from orders import lifecycle
from payments import engine, settlement
from payments.facts import Declined, ProviderDown
from payments.models import PaymentAttempt, PaymentEvent
from payments.providers.adyen import adapter

from .answers import Answers
from .shopping import ShoppingTestCase, an_order

METHODS = [
    {"id": "card", "kind": "card", "provider": "adyen", "name": {}},
    {"id": "reserved", "kind": "card", "provider": "adyen", "capture": "at-shipping", "name": {}},
]
KEY = "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056"
OPTIONS = {"api_key": "env:ADYEN_TEST", "merchant_account": "env:ADYEN_TEST", "hmac_key": "env:ADYEN_TEST_HMAC"}


class AdyenTestCase(ShoppingTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.answers = Answers()
        self.addCleanup(self.answers.close)
        client = adapter._client
        for patcher in (
            patch.dict(SHOP["payment"], methods=METHODS, providers={"adyen": OPTIONS}),
            patch.dict(os.environ, {"ADYEN_TEST": "test", "ADYEN_TEST_HMAC": KEY}),
            patch("payments.engine.adapter", lambda name: adapter),
            patch("payments.views.adapter", lambda name: adapter),
            patch("payments.captures.adapter", lambda name: adapter),
            patch("payments.settlement.adapter", lambda name: adapter),
            patch.object(adapter, "_client", lambda: self.redirected(client())),
        ):
            patcher.__enter__()
            self.addCleanup(patcher.__exit__, None, None, None)

    def redirected(self, client: Adyen.Adyen) -> Adyen.Adyen:
        client.checkout.payment_links_api.baseUrl = self.answers.url
        client.checkout.modifications_api.baseUrl = self.answers.url
        return client

    def link(self, attempt: PaymentAttempt | None = None, status: str = "active", **amount: object) -> dict:
        money = adapter.amount_of(attempt.amount, attempt.currency) if attempt else {"currency": "EUR", "value": 100}
        return {"id": "PL1", "url": "https://test.adyen.link/PL1", "status": status, "amount": money | amount}

    def begin(self) -> PaymentAttempt:
        self.answers["POST", "/paymentLinks"] = 201, self.link()
        attempt = engine.start(an_order(), "card").attempt
        assert attempt is not None
        return attempt

    def hook(self, attempt: PaymentAttempt, code: str, *, key: str = KEY, **values: object) -> int:
        item = {
            "eventCode": code,
            "success": "true",
            "pspReference": "psp-1",
            "originalReference": "",
            "merchantAccountCode": "test",
            "merchantReference": attempt.key,
            "amount": adapter.amount_of(attempt.amount, attempt.currency),
        } | values
        signature = generate_notification_sig(item, key).decode()
        item["additionalData"] = {"hmacSignature": signature}
        body = {"live": "false", "notificationItems": [{"NotificationRequestItem": item}]}
        return self.client.post("/webhooks/adyen/", body, content_type="application/json").status_code

    def paid(self) -> PaymentAttempt:
        attempt = self.begin()
        self.assertEqual(self.hook(attempt, "AUTHORISATION"), 200)
        attempt.refresh_from_db()
        self.assertEqual(attempt.state, "captured")
        return attempt

    def test_hosted_page_with_frozen_amount_and_the_attempt_as_key(self) -> None:
        attempt = self.begin()
        asked = self.answers.asked[-1]
        self.assertEqual(asked.headers["idempotency-key"], attempt.key)
        self.assertEqual(asked.json["reference"], attempt.key)
        self.assertEqual(asked.json["amount"], adapter.amount_of(attempt.amount, attempt.currency))
        self.assertEqual(asked.json["allowedPaymentMethods"], ["scheme"])
        self.assertEqual(attempt.redirect_url, "https://test.adyen.link/PL1")

    def test_states(self) -> None:
        attempt = self.begin()
        for status, kind in adapter.LINKS.items():
            self.answers["GET", "/paymentLinks/PL1"] = 200, self.link(attempt, status)
            fact = adapter.fetch(attempt)
            self.assertEqual((fact.kind, fact.amount, fact.currency), (kind, attempt.amount, attempt.currency))

    def test_paid_and_told_twice(self) -> None:
        attempt = self.paid()
        self.assertEqual(self.hook(attempt, "AUTHORISATION"), 200)
        self.assertState(attempt.order, "confirmed")
        self.assertEqual(PaymentEvent.objects.count(), 1)

    def test_return_page_and_webhook_tell_the_same_payment(self) -> None:
        attempt = self.begin()
        self.answers["GET", "/paymentLinks/PL1"] = 200, self.link(attempt, "completed")
        self.client.get(f"/checkout/return/{attempt.key}/")
        self.assertState(attempt.order, "confirmed")
        self.hook(attempt, "AUTHORISATION")
        self.assertEqual(engine.paid_amount(attempt.order), attempt.amount)

    def test_refused_try_leaves_the_page_open(self) -> None:
        attempt = self.begin()
        self.hook(attempt, "AUTHORISATION", success="false")
        attempt.refresh_from_db()
        self.assertEqual(attempt.state, "action_required")

    def test_wrong_amount(self) -> None:
        attempt = self.begin()
        self.hook(attempt, "AUTHORISATION", amount={"currency": attempt.currency, "value": 1})
        self.assertState(attempt.order, "review")

    def test_wrong_signature_and_nonsense(self) -> None:
        attempt = self.begin()
        self.assertEqual(self.hook(attempt, "AUTHORISATION", key=KEY[::-1]), 400)
        for nonsense in ([], {}, {"notificationItems": []}, {"notificationItems": [{"NotificationRequestItem": {}}]}):
            answer = self.client.post("/webhooks/adyen/", nonsense, content_type="application/json")
            self.assertEqual(answer.status_code, 400, nonsense)
        self.assertFalse(PaymentEvent.objects.exists())

    def test_chargeback(self) -> None:
        attempt = self.paid()
        self.hook(attempt, "CHARGEBACK", pspReference="psp-9", originalReference="psp-1", merchantReference="x")
        self.assertState(attempt.order, "review")

    def test_refund_that_ends_by_webhook(self) -> None:
        attempt = self.paid()
        self.answers["POST", "/payments/psp-1/refunds"] = 201, {"pspReference": "psp-2", "status": "received"}
        row = engine.refund(attempt.order, 100, "damaged", "seller")
        self.assertEqual((row.state, row.provider_ref), ("pending", "psp-2"))
        self.assertEqual(self.answers.asked[-1].headers["idempotency-key"], row.key)
        self.hook(attempt, "REFUND", pspReference="psp-2", originalReference="psp-1", merchantReference="x")
        row.refresh_from_db()
        self.assertEqual(row.state, "done")

    def test_refund_before_the_webhook_named_the_payment_waits(self) -> None:
        attempt = self.begin()
        self.answers["GET", "/paymentLinks/PL1"] = 200, self.link(attempt, "completed")
        self.client.get(f"/checkout/return/{attempt.key}/")
        row = engine.refund(attempt.order, 100, "damaged", "seller")
        self.assertEqual(row.state, "requested")
        self.hook(attempt, "AUTHORISATION")
        self.answers["POST", "/payments/psp-1/refunds"] = 201, {"pspReference": "psp-2", "status": "received"}
        engine.carry_out(row)
        row.refresh_from_db()
        self.assertEqual(row.state, "pending")

    def test_errors(self) -> None:
        attempt = self.begin()
        problem = {"status": 0, "errorCode": "x", "message": "x", "errorType": "x"}
        for status in (500, 503, 404, 401, 422):
            error = ProviderDown if status >= 500 else Declined
            self.answers["GET", "/paymentLinks/PL1"] = status, problem | {"status": status}
            with self.assertRaises(error, msg=str(status)):
                adapter.fetch(attempt)
        self.answers.close()
        with self.assertRaises(ProviderDown):
            adapter.fetch(attempt)


class ReservingTest(AdyenTestCase):
    """https://docs.adyen.com/online-payments/capture"""

    def reserved(self) -> PaymentAttempt:
        self.answers["POST", "/paymentLinks"] = 201, self.link()
        attempt = engine.start(an_order(method="reserved"), "reserved").attempt
        self.hook(attempt, "AUTHORISATION")
        attempt.refresh_from_db()
        self.assertEqual(attempt.state, "authorized")
        return attempt

    def shipped(self) -> PaymentAttempt:
        attempt = self.reserved()
        self.answers["POST", "/payments/psp-1/captures"] = 201, {"pspReference": "psp-2", "status": "received"}
        lifecycle.ship(attempt.order)
        settlement.collect_due()
        return attempt

    def test_order_stands_and_nothing_is_taken(self) -> None:
        attempt = self.reserved()
        self.assertTrue(self.answers.asked[0].json["manualCapture"])
        self.assertState(attempt.order, "confirmed")
        self.assertEqual(engine.paid_amount(attempt.order), 0)
        self.assertIsNotNone(attempt.authorized_until)

    def test_return_page_before_the_webhook(self) -> None:
        self.answers["POST", "/paymentLinks"] = 201, self.link()
        attempt = engine.start(an_order(method="reserved"), "reserved").attempt
        self.answers["GET", "/paymentLinks/PL1"] = 200, self.link(attempt, "completed")
        self.client.get(f"/checkout/return/{attempt.key}/")
        attempt.refresh_from_db()
        self.assertEqual(attempt.state, "authorized")

    def test_collected_when_the_webhook_says_so(self) -> None:
        attempt = self.shipped()
        row = attempt.captures.get()
        asked = self.answers.asked[-1]
        self.assertEqual((asked.json["reference"], asked.headers["idempotency-key"]), (row.key, row.key))
        self.assertEqual((row.state, row.provider_ref), ("pending", "psp-2"))
        for _ in range(2):
            self.hook(attempt, "CAPTURE", pspReference="psp-2", originalReference="psp-1", merchantReference=row.key)
        self.assertEqual(engine.paid_amount(attempt.order), attempt.amount)

    def test_collection_that_fails_days_later(self) -> None:
        attempt = self.shipped()
        about = {"originalReference": "psp-1", "merchantReference": attempt.captures.get().key}
        self.hook(attempt, "CAPTURE", pspReference="psp-2", **about)
        self.hook(attempt, "CAPTURE_FAILED", pspReference="psp-2", **about)
        self.assertState(attempt.order, "review")
        self.assertEqual(engine.paid_amount(attempt.order), 0)

    def test_let_go_when_the_order_is_cancelled(self) -> None:
        attempt = self.reserved()
        self.answers["POST", "/payments/psp-1/cancels"] = 201, {"pspReference": "psp-3", "status": "received"}
        engine.cancel(attempt.order, actor="seller")
        self.assertTrue(self.answers.asked[-1].path.endswith("/cancels"))

    def test_expired(self) -> None:
        attempt = self.reserved()
        self.hook(attempt, "EXPIRE", pspReference="psp-4", originalReference="psp-1")
        self.assertState(attempt.order, "review")
