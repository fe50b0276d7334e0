"""Adyen's Card component, with the official SDK, against prepared answers on this machine."""

import json
import os
from typing import Any
from unittest.mock import patch

import Adyen

from config.shop import SHOP
from payments.models import PaymentEvent
from payments.providers.adyen import adapter

from .payfields import PayFields
from .shopping import an_order
from .test_payments_adyen import OPTIONS, AdyenTestCase

METHODS = [
    {"id": "card", "kind": "card", "provider": "adyen", "mode": "fields", "name": {}},
    {"id": "reserved", "kind": "card", "provider": "adyen", "mode": "fields", "capture": "at-shipping", "name": {}},
]
CARD = {
    "type": "scheme",
    "holderName": "Ada Byron",
    "encryptedCardNumber": "eyJhbGciOiJSU0Et",
    "encryptedExpiryMonth": "eyJhbGciOiJSU0Et",
    "encryptedExpiryYear": "eyJhbGciOiJSU0Et",
    "encryptedSecurityCode": "eyJhbGciOiJSU0Et",
    "number": "4242424242424242",
}
TYPED = json.dumps({"card": CARD, "browser": {"userAgent": "x", "secret": "y"}})


class FieldsTest(PayFields, AdyenTestCase):
    def setUp(self) -> None:
        super().setUp()
        options = OPTIONS | {"client_key": "env:ADYEN_CLIENT"}
        for patcher in (
            patch.dict(SHOP["payment"], methods=METHODS, providers={"adyen": options}),
            patch.dict(os.environ, {"ADYEN_CLIENT": "test_CLIENT"}),
        ):
            patcher.start()
            self.addCleanup(patcher.stop)

    def redirected(self, client: Adyen.Adyen) -> Adyen.Adyen:
        client.checkout.payments_api.baseUrl = self.answers.url
        return super().redirected(client)

    def answer(self, order: Any, result: str = "Authorised", **values: object) -> dict:
        amount = adapter.amount_of(order.total_amount, order.currency)
        return {"pspReference": "psp-1", "resultCode": result, "amount": amount} | values

    def test_page(self) -> None:
        page = self.check_page(an_order(), "adyen", "adyen.com")
        self.assertContains(page, "test_CLIENT")
        self.assertContains(page, "checkoutshopper-test.cdn.adyen.com")
        self.assertContains(page, 'integrity="sha384-', count=2)
        self.assertEqual(self.answers.asked, [])

    def test_encrypted_card_pays_and_the_webhook_about_it_changes_nothing(self) -> None:
        order = an_order()
        self.answers["POST", "/payments"] = 200, self.answer(order)
        answer = self.give(order, TYPED)
        asked = self.answers.asked[-1]
        attempt = order.attempts.get()
        self.assertEqual(asked.headers["idempotency-key"], attempt.key)
        self.assertEqual(asked.json["reference"], attempt.key)
        self.assertNotIn("number", asked.json["paymentMethod"])
        self.assertEqual(asked.json["browserInfo"], {"userAgent": "x"})
        self.assertIn("/thanks/", self.client.get(answer.json()["go"])["Location"])
        self.assertState(order, "confirmed")
        self.assertEqual(self.hook(attempt, "AUTHORISATION"), 200)
        self.assertEqual(PaymentEvent.objects.filter(kind="captured").count(), 1)

    def test_3d_secure_there_and_back(self) -> None:
        order = an_order()
        url = "https://checkoutshopper-test.adyen.com/checkoutshopper/threeDS/redirect?MD=x"
        action = {"type": "redirect", "method": "GET", "url": url}
        self.answers["POST", "/payments"] = 200, self.answer(order, "RedirectShopper", action=action)
        self.assertEqual(self.give(order, TYPED).json()["go"], url)
        self.assertEqual(self.answers.asked[-1].json["redirectToIssuerMethod"], "GET")
        attempt = order.attempts.get()
        details = self.answer(order, merchantReference=attempt.key)
        self.answers["POST", "/payments/details"] = 200, details
        back = self.client.get(f"/checkout/return/{attempt.key}/", {"redirectResult": "X6XtfGC3!Y"})
        self.assertEqual(self.answers.asked[-1].json["details"]["redirectResult"], "X6XtfGC3!Y")
        self.assertIn("/thanks/", back["Location"])
        self.assertState(order, "confirmed")

    def test_result_of_another_payment_proves_nothing(self) -> None:
        order = an_order()
        action = {"type": "redirect", "method": "GET", "url": "https://checkoutshopper-test.adyen.com/x"}
        self.answers["POST", "/payments"] = 200, self.answer(order, "RedirectShopper", action=action)
        self.give(order, TYPED)
        attempt = order.attempts.get()
        self.answers["POST", "/payments/details"] = 200, self.answer(order, merchantReference="another")
        back = self.client.get(f"/checkout/return/{attempt.key}/", {"redirectResult": "x"})
        self.assertEqual(back["Location"], self.url(order))
        self.assertState(order, "pending_payment")

    def test_declined(self) -> None:
        for code, failure in (("12", "insufficient_funds"), ("11", "authentication_failed"), ("2", "declined")):
            order = an_order()
            self.answers["POST", "/payments"] = 200, self.answer(order, "Refused", refusalReasonCode=code)
            self.assertEqual(self.give(order, TYPED).status_code, 422)
            self.assertEqual(order.attempts.get().failure, failure)

    def test_reserved_for_later(self) -> None:
        order = an_order(method="reserved")
        self.answers["POST", "/payments"] = 200, self.answer(order)
        self.give(order, TYPED, method="reserved")
        self.assertEqual(self.answers.asked[-1].json["additionalData"], {"manualCapture": "true"})
        self.assertEqual(order.attempts.get().state, "authorized")

    def test_card_in_clear_never_reaches_anybody(self) -> None:
        clear = {"card": CARD | {"encryptedCardNumber": "4242 4242 4242 4242"}}
        other = {"card": CARD | {"type": "paypal"}}
        for typed in ("", "[]", "{}", "x", json.dumps(clear), json.dumps(other), json.dumps({"card": 4})):
            self.assertEqual(self.give(an_order(), typed).status_code, 422)
        self.assertEqual(self.answers.asked, [])

    def test_without_script_the_hosted_page(self) -> None:
        order = an_order()
        self.answers["POST", "/paymentLinks"] = 201, self.link()
        self.assertEqual(self.client.post(self.url(order), {"after": ""}).status_code, 303)
        self.assertEqual(order.attempts.get().provider_ref, "PL1")
