"""The Mollie adapter, with the official SDK, against prepared answers on this machine."""

import json
import os
from unittest.mock import patch

from django.test import override_settings
from mollie.utils.webhooks import SignatureValidator

from config.shop import SHOP
from orders import lifecycle
from payments import engine, settlement
from payments.facts import Declined, ProviderDown
from payments.models import PaymentAttempt, PaymentEvent
from payments.providers.mollie import adapter
from payments.units import decimal_text

from .answers import Answers
from .shopping import ShoppingTestCase, an_order

METHODS = [
    {"id": "card", "kind": "card", "provider": "mollie", "name": {}},
    {"id": "later", "kind": "pay-later", "provider": "mollie", "name": {}},
    {"id": "debit", "kind": "sepa-debit", "provider": "mollie", "name": {}},
    {"id": "reserved", "kind": "card", "provider": "mollie", "capture": "at-shipping", "name": {}},
]
SETTINGS = {"api_key": "env:M_KEY", "webhook_secret": "env:M_SECRET"}
SECRET = "secret_of_the_tests"
LINK = {"href": "https://www.mollie.com/checkout/select/tr_1", "type": "text/html"}


class MollieTestCase(ShoppingTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.answers = Answers("application/hal+json")
        self.addCleanup(self.answers.close)
        for patcher in (
            patch.dict(SHOP["payment"], methods=METHODS, providers={"mollie": SETTINGS}),
            patch.dict(os.environ, {"MOLLIE_API_BASE": self.answers.url, "M_KEY": "test_x", "M_SECRET": SECRET}),
            override_settings(DEVELOPMENT=True),
            patch("payments.engine.adapter", lambda name: adapter),
            patch("payments.views.adapter", lambda name: adapter),
            patch("payments.captures.adapter", lambda name: adapter),
            patch("payments.settlement.adapter", lambda name: adapter),
        ):
            patcher.__enter__()
            self.addCleanup(patcher.__exit__, None, None, None)

    def payment(self, amount: int = 100, currency: str = "EUR", status: str = "open", **values: object) -> dict:
        return {
            "resource": "payment",
            "id": "tr_1",
            "mode": "test",
            "description": "Order",
            "amount": {"currency": currency, "value": decimal_text(amount, currency)},
            "sequenceType": "oneoff",
            "profileId": "pfl_1",
            "status": status,
            "createdAt": "2026-11-22T10:00:00+00:00",
            "_links": {"self": LINK, "dashboard": LINK, "checkout": LINK},
        } | values

    def begin(self) -> PaymentAttempt:
        self.answers["POST", "/v2/payments"] = 201, self.payment()
        attempt = engine.start(an_order(), "card").attempt
        assert attempt is not None
        return attempt

    def becomes(self, attempt: PaymentAttempt, status: str, **values: object) -> None:
        values = {"amount": attempt.amount, "currency": attempt.currency} | values
        self.answers["GET", "/v2/payments/tr_1"] = 200, self.payment(status=status, **values)

    def hook(self, ref: str = "tr_1") -> int:
        return self.client.post("/webhooks/mollie/", {"id": ref}).status_code

    def paid(self) -> PaymentAttempt:
        attempt = self.begin()
        self.becomes(attempt, "paid")
        self.assertEqual(self.hook(), 200)
        self.known()
        attempt.refresh_from_db()
        self.assertEqual(attempt.state, "captured")
        return attempt

    def made(self, key: str, status: str) -> dict:
        return {
            "resource": "refund",
            "id": "re_1",
            "mode": "test",
            "description": "Order",
            "amount": {"currency": "EUR", "value": "1.00"},
            "metadata": {"refund": key},
            "status": status,
            "createdAt": "2026-11-22T10:00:00+00:00",
            "paymentId": "tr_1",
            "_links": {"self": LINK, "payment": LINK, "documentation": LINK},
        }

    def known(self, *refunds: dict) -> None:
        links = {"self": LINK, "previous": None, "next": None, "documentation": LINK}
        listed = {"count": len(refunds), "_embedded": {"refunds": list(refunds)}, "_links": links}
        self.answers["GET", "/v2/payments/tr_1/refunds"] = 200, listed


class PayingTest(MollieTestCase):
    def test_hosted_page_with_frozen_amount_and_the_attempt_as_key(self) -> None:
        attempt = self.begin()
        asked = self.answers.asked[-1]
        self.assertEqual(asked.headers["idempotency-key"], attempt.key)
        self.assertEqual(
            asked.json["amount"],
            {"currency": attempt.currency, "value": decimal_text(attempt.amount, attempt.currency)},
        )
        self.assertEqual(asked.json["method"], "creditcard")
        self.assertIn(f"/checkout/return/{attempt.key}/", asked.json["redirectUrl"])
        self.assertEqual(asked.json["metadata"]["attempt"], attempt.key)
        self.assertTrue(attempt.redirect_url.startswith("https://www.mollie.com/"))

    def test_webhook_address_only_where_mollie_can_reach_it(self) -> None:
        for url, local in (
            ("http://127.0.0.1:8000/x", True),
            ("http://192.168.1.4/x", True),
            ("https://maison.example/x", True),
            ("https://maison-lin.fr/x", False),
        ):
            self.assertEqual(adapter._is_local(url), local, url)

    def test_states(self) -> None:
        attempt = self.begin()
        for status, kind in adapter.KINDS.items():
            self.becomes(attempt, status)
            self.assertEqual(adapter.fetch(attempt).kind, kind)

    def test_paid_and_told_twice(self) -> None:
        attempt = self.paid()
        self.assertEqual(self.hook(), 200)
        self.assertState(attempt.order, "confirmed")
        self.assertEqual(engine.paid_amount(attempt.order), attempt.amount)

    def test_declined(self) -> None:
        attempt = self.begin()
        self.becomes(attempt, "failed", statusReason={"code": "insufficient_funds", "message": "x"})
        self.client.get(f"/checkout/return/{attempt.key}/")
        attempt.refresh_from_db()
        self.assertEqual((attempt.state, attempt.failure), ("failed", "insufficient_funds"))

    def test_wrong_amount(self) -> None:
        attempt = self.begin()
        self.becomes(attempt, "paid", amount=1)
        self.hook()
        self.assertState(attempt.order, "review")

    def test_chargeback(self) -> None:
        attempt = self.paid()
        back = {"currency": attempt.currency, "value": decimal_text(attempt.amount, attempt.currency)}
        self.becomes(attempt, "paid", amountChargedBack=back)
        self.hook()
        self.assertState(attempt.order, "review")

    def test_chargeback_that_is_lifted_brings_the_money_back_once(self) -> None:
        attempt = self.paid()
        back = {"currency": attempt.currency, "value": decimal_text(attempt.amount, attempt.currency)}
        for charged_back, state in ((back, "reversed"), (back | {"value": "0.00"}, "captured")):
            self.becomes(attempt, "paid", amountChargedBack=charged_back)
            self.hook()
            attempt.refresh_from_db()
            self.assertEqual(attempt.state, state)
        self.assertEqual(engine.paid_amount(attempt.order), attempt.amount)

    def test_method_that_mollie_does_not_offer_here(self) -> None:
        with self.assertRaises(engine.NotStarted):
            engine.start(an_order(method="debit"), "debit")
        self.assertEqual(self.answers.asked, [])


class WebhookTest(MollieTestCase):
    def test_unsigned_webhook_of_somebody_else_is_neither_kept_nor_asked_for(self) -> None:
        self.assertEqual(self.hook("tr_other"), 200)
        self.assertEqual(self.hook("../../etc"), 400)
        self.assertEqual(self.hook(""), 400)
        self.assertEqual(self.answers.asked, [])
        self.assertFalse(PaymentEvent.objects.exists())

    def test_while_mollie_does_not_answer_the_webhook_comes_again(self) -> None:
        self.begin()
        self.answers["GET", "/v2/payments/tr_1"] = 503, {"status": 503, "title": "x", "detail": "x"}
        self.assertEqual(self.hook(), 503)


class EventTest(MollieTestCase):
    """Next-generation webhooks: signed, and believed in nothing but the name of the payment."""

    def send(self, entity: dict, *, signing_secret: str = SECRET, **event: object) -> int:
        told = {"resource": "event", "id": "event_1", "type": "payment.paid", "entityId": entity["id"]}
        body = json.dumps(told | {"_embedded": {"entity": entity}} | event)
        mac = SignatureValidator.create_signature(body, signing_secret)
        return self.post(body, f"sha256={mac}")

    def post(self, body: str, signature: str) -> int:
        header = {"X-Mollie-Signature": signature}
        return self.client.post("/webhooks/mollie/", body, "application/json", headers=header).status_code

    def test_paid(self) -> None:
        attempt = self.begin()
        self.becomes(attempt, "paid")
        self.assertEqual(self.send({"id": "tr_1"}), 200)
        self.assertState(attempt.order, "confirmed")

    def test_what_the_event_says_of_the_payment_is_not_believed(self) -> None:
        attempt = self.begin()
        self.becomes(attempt, "open")
        self.assertEqual(self.send({"id": "tr_1", "status": "paid"}), 200)
        self.assertState(attempt.order, "pending_payment")

    def test_chargeback_leads_to_its_payment(self) -> None:
        attempt = self.paid()
        back = {"currency": attempt.currency, "value": decimal_text(attempt.amount, attempt.currency)}
        self.becomes(attempt, "paid", amountChargedBack=back)
        self.assertEqual(self.send({"id": "chb_1", "paymentId": "tr_1"}, type="chargeback.received"), 200)
        self.assertState(attempt.order, "review")

    def test_forged_and_broken(self) -> None:
        self.begin()
        asked = len(self.answers.asked)
        self.assertEqual(self.send({"id": "tr_1"}, signing_secret="another"), 400)
        self.assertEqual(self.send({"id": "tr_1"}, signing_secret=""), 400)
        self.assertEqual(self.send({"id": "cus_1"}), 400)
        for signature in ("", "sha256=", "é", "sha256=" + "0" * 64):
            self.assertEqual(self.post('{"entityId": "tr_1"}', signature), 400, signature)
        for body in ("[]", "null", "3", "{", "{}", '{"_embedded": 3}'):
            mac = SignatureValidator.create_signature(body, SECRET)
            self.assertEqual(self.post(body, mac), 400, body)
        self.assertEqual(len(self.answers.asked), asked)
        self.assertFalse(PaymentEvent.objects.exists())

    def test_shop_without_a_secret_believes_no_signature(self) -> None:
        self.begin()
        with patch.dict(os.environ, {"M_SECRET": ""}):
            self.assertEqual(self.send({"id": "tr_1"}, signing_secret=""), 400)


class ErrorTest(MollieTestCase):
    def test_nobody_knows_or_a_definite_no(self) -> None:
        attempt = self.begin()
        problem = {"status": 0, "title": "Problem", "detail": "Problem", "_links": {"documentation": LINK}}
        for status in (500, 503, 429):
            self.answers["GET", "/v2/payments/tr_1"] = status, problem | {"status": status}
            with self.assertRaises(ProviderDown, msg=str(status)):
                adapter.fetch(attempt)
        for status in (401, 404, 422):
            self.answers["GET", "/v2/payments/tr_1"] = status, problem | {"status": status}
            with self.assertRaises(Declined, msg=str(status)), self.assertLogs(adapter.logger, "ERROR"):
                adapter.fetch(attempt)
        self.answers.close()
        with self.assertRaises(ProviderDown):
            adapter.fetch(attempt)


class RefundTest(MollieTestCase):
    def test_refund_that_ends_later_and_is_made_once(self) -> None:
        attempt = self.paid()
        self.known()
        self.answers["POST", "/v2/payments/tr_1/refunds"] = 201, self.made("", "pending")
        row = engine.refund(attempt.order, 100, "damaged", "seller")
        self.assertEqual((row.state, row.provider_ref), ("pending", "re_1"))
        self.assertEqual(self.answers.asked[-1].headers["idempotency-key"], row.key)
        self.known(self.made(row.key, "refunded"))
        self.hook()
        row.refresh_from_db()
        self.assertEqual(row.state, "done")
        posts = [each for each in self.answers.asked if each.method == "POST" and each.path.endswith("/refunds")]
        self.assertEqual(len(posts), 1)

    def test_refund_made_in_the_dashboard(self) -> None:
        attempt = self.paid()
        amount = {"currency": attempt.currency, "value": decimal_text(100, attempt.currency)}
        self.known(self.made("", "refunded") | {"id": "re_9", "metadata": None, "amount": amount})
        self.hook()
        self.hook()
        row = attempt.order.refunds.get()
        self.assertEqual((row.provider_ref, row.amount, row.state), ("re_9", 100, "done"))

    def test_refund_that_fails(self) -> None:
        attempt = self.paid()
        self.known()
        self.answers["POST", "/v2/payments/tr_1/refunds"] = 201, self.made("", "queued")
        row = engine.refund(attempt.order, 100, "damaged", "seller")
        self.known(self.made(row.key, "failed"))
        self.hook()
        row.refresh_from_db()
        self.assertEqual(row.state, "failed")
        self.assertTrue(attempt.order.mails.filter(kind="order-review").exists())

    def test_answer_that_the_sdk_cannot_read_is_no_refusal(self) -> None:
        attempt = self.paid()
        self.known()
        self.answers["POST", "/v2/payments/tr_1/refunds"] = 201, {"id": "re_1"}
        row = engine.refund(attempt.order, 100, "damaged", "seller")
        self.assertEqual(row.state, "requested")


class LinesTest(MollieTestCase):
    def test_klarna_sees_lines_that_add_up(self) -> None:
        self.answers["POST", "/v2/payments"] = 201, self.payment()
        order = an_order(method="later", quantity=2)
        engine.start(order, "later")
        asked = self.answers.asked[-1].json
        self.assertEqual((asked["method"], asked["captureMode"]), ("klarna", "automatic"))
        cents = sum(round(float(line["totalAmount"]["value"]) * 100) for line in asked["lines"])
        self.assertEqual(cents, order.total_amount)
        self.assertEqual(asked["billingAddress"]["familyName"], "Byron")

    def test_discount_delivery_and_tax_on_top_add_up_too(self) -> None:
        order = an_order(method="later", quantity=3)
        order.discount_amount, order.delivery_amount, order.coupon_code = 250, 590, "TEN"
        order.total_amount = order.goods_amount - 250 + 590 + 777
        lines = adapter._lines(order)
        self.assertEqual([line["type"] for line in lines], ["physical", "shipping_fee", "discount", "surcharge"])
        cents = sum(round(float(line["total_amount"]["value"]) * 100) for line in lines)
        self.assertEqual(cents, order.total_amount)


class ReservingTest(MollieTestCase):
    """https://docs.mollie.com/docs/place-a-hold-for-a-payment"""

    def reserved(self) -> PaymentAttempt:
        self.answers["POST", "/v2/payments"] = 201, self.payment()
        attempt = engine.start(an_order(method="reserved"), "reserved").attempt
        self.becomes(attempt, "authorized", captureBefore="2026-12-01")
        self.hook()
        attempt.refresh_from_db()
        self.assertEqual(attempt.state, "authorized")
        return attempt

    def capture(self, attempt: PaymentAttempt, key: str, status: str) -> dict:
        return {
            "resource": "capture",
            "id": "cpt_1",
            "mode": "test",
            "amount": {"currency": attempt.currency, "value": decimal_text(attempt.amount, attempt.currency)},
            "status": status,
            "metadata": {"capture": key},
            "paymentId": "tr_1",
            "createdAt": "2026-11-22T10:00:00+00:00",
            "_links": {"self": LINK, "payment": LINK, "documentation": LINK},
        }

    def captures(self, *made: dict) -> None:
        links = {"self": LINK, "previous": None, "next": None, "documentation": LINK}
        listed = {"count": len(made), "_embedded": {"captures": list(made)}, "_links": links}
        self.answers["GET", "/v2/payments/tr_1/captures"] = 200, listed

    def test_order_stands_and_nothing_is_taken(self) -> None:
        attempt = self.reserved()
        self.assertEqual(self.answers.asked[0].json["captureMode"], "manual")
        self.assertState(attempt.order, "confirmed")
        self.assertEqual(attempt.authorized_until.date().isoformat(), "2026-12-01")

    def test_collected_when_the_parcel_leaves_and_known_a_little_later(self) -> None:
        attempt = self.reserved()
        lifecycle.ship(attempt.order)
        row = attempt.captures.get()
        self.captures()
        self.answers["POST", "/v2/payments/tr_1/captures"] = 201, self.capture(attempt, row.key, "pending")
        settlement.collect(row)
        self.assertEqual(self.answers.asked[-1].headers["idempotency-key"], row.key)
        row.refresh_from_db()
        self.assertEqual(row.state, "pending")
        self.captures(self.capture(attempt, row.key, "succeeded"))
        settlement.collect(row)
        row.refresh_from_db()
        self.assertEqual(row.state, "done")
        self.assertEqual(len([each for each in self.answers.asked if each.path.endswith("/captures")]), 3)
        self.assertEqual(engine.paid_amount(attempt.order), attempt.amount)

    def test_let_go_when_the_order_is_cancelled(self) -> None:
        attempt = self.reserved()
        self.answers["POST", "/v2/payments/tr_1/release-authorization"] = 202, {}
        engine.cancel(attempt.order, actor="seller")
        self.assertTrue(self.answers.asked[-1].path.endswith("/release-authorization"))
