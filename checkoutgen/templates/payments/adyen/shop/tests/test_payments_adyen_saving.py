"""Cards kept by Adyen: saved on its page, charged without it, confirmed at the bank, forgotten."""

import json
import os
from typing import Any
from unittest.mock import patch

import Adyen
from Adyen.util import generate_payload_sig

from accounts.models import User
from config.shop import SHOP
from orders.models import Order
from payments import engine, saved, vault
from payments.models import SavedMethod
from payments.providers.adyen import adapter, saving
from payments.saved import Wish

from . import test_payments_adyen as plain
from .shopping import an_order

TOKENS = "/storedPaymentMethods"
KEPT = {
    "id": "TOKEN1",
    "brand": "visa",
    "lastFour": "4242",
    "expiryMonth": "12",
    "expiryYear": "2030",
    "type": "scheme",
    "holderName": "Ana Secret",
}
MISSING = {"errorCode": "800", "message": "Contract not found", "errorType": "validation"}


class SavingTest(plain.AdyenTestCase):
    def setUp(self) -> None:
        super().setUp()
        for patcher in (
            patch.dict(SHOP["payment"], methods=[{**plain.METHODS[0], "save": True}]),
            *(patch(f"payments.{name}.saving", lambda name: saving) for name in ("engine", "vault")),
        ):
            patcher.start()
            self.addCleanup(patcher.stop)
        self.user = User.objects.create(email="ana@example.com", password="!")
        self.answers["GET", TOKENS] = 200, {"storedPaymentMethods": [KEPT]}

    def redirected(self, client: Adyen.Adyen) -> Adyen.Adyen:
        client.checkout.recurring_api.baseUrl = self.answers.url
        client.checkout.payments_api.baseUrl = self.answers.url
        return super().redirected(client)

    def order(self) -> Order:
        order = an_order()
        Order.objects.filter(pk=order.pk).update(user=self.user)
        order.refresh_from_db()
        return order

    def saved(self) -> SavedMethod:
        self.answers["POST", "/paymentLinks"] = 201, self.link()
        attempt = engine.start(self.order(), "card", wish=Wish(consent="Keep it")).attempt
        assert attempt is not None
        self.answers["GET", "/paymentLinks/PL1"] = 200, self.link(attempt, "completed")
        self.client.get(f"/checkout/return/{attempt.key}/")
        return SavedMethod.objects.get()

    def pay(self, row: SavedMethod, status: int = 200, **answer: Any) -> tuple[Order, engine.Start]:
        self.last = self.order()
        money = adapter.amount_of(self.last.total_amount, self.last.currency)
        self.answers["POST", "/payments"] = status, {"pspReference": "PSP9", "amount": money} | answer
        return self.last, engine.start(self.last, "card", wish=Wish(card=row))

    def posted(self, path: str) -> list[Any]:
        return [each for each in self.answers.asked if (each.method, each.path) == ("POST", path)]

    def test_page_keeps_the_card_for_a_shopper_of_its_own(self) -> None:
        row = self.saved()
        asked = self.posted("/paymentLinks")[-1].json
        self.assertEqual(asked["shopperReference"], row.key)
        self.assertEqual(asked["storePaymentMethodMode"], "enabled")
        self.assertEqual(asked["recurringProcessingModel"], "CardOnFile")

    def test_page_keeps_nothing_without_consent(self) -> None:
        self.begin()
        self.assertNotIn("storePaymentMethodMode", self.posted("/paymentLinks")[-1].json)

    def test_what_is_kept(self) -> None:
        row = self.saved()
        self.assertEqual((row.token, row.brand, row.last4), ("TOKEN1", "Visa", "4242"))
        self.assertEqual((row.exp_year, row.exp_month), (2030, 12))

    def test_token_that_comes_later(self) -> None:
        self.answers["GET", TOKENS] = [(200, {}), (200, {"storedPaymentMethods": [KEPT]})]
        row = self.saved()
        self.assertEqual(row.state, "asked")
        vault.collect(row.attempt)
        row.refresh_from_db()
        self.assertEqual(row.state, "saved")

    def test_charged_at_once_and_told_again_by_webhook(self) -> None:
        row = self.saved()
        order, started = self.pay(row, resultCode="Authorised")
        self.assertState(order, "confirmed")
        asked = self.posted("/payments")[-1]
        self.assertEqual(asked.headers["idempotency-key"], started.attempt.key)
        self.assertEqual(asked.json["paymentMethod"], {"type": "scheme", "storedPaymentMethodId": "TOKEN1"})
        self.assertEqual((asked.json["shopperReference"], asked.json["shopperInteraction"]), (row.key, "ContAuth"))
        self.hook(started.attempt, "AUTHORISATION", pspReference="PSP9")
        self.assertEqual(engine.paid_amount(order), order.total_amount)
        self.assertEqual(order.events.filter(kind="payment_captured").count(), 1)

    def test_bank_asks_and_the_buyer_comes_back(self) -> None:
        order, started = self.pay(
            self.saved(), resultCode="RedirectShopper", action={"type": "redirect", "url": "https://bank.example/3ds"}
        )
        self.assertEqual(started.redirect, "https://bank.example/3ds")
        self.assertState(order, "pending_payment")
        money = adapter.amount_of(order.total_amount, order.currency)
        told = {"resultCode": "Authorised", "pspReference": "PSP9", "merchantReference": started.attempt.key}
        self.answers["POST", "/payments/details"] = 200, told | {"amount": money}
        self.client.get(f"/checkout/return/{started.attempt.key}/?redirectResult=abc")
        self.assertState(order, "confirmed")

    def test_declined(self) -> None:
        row = self.saved()
        with self.assertRaises(engine.NotStarted) as told:
            self.pay(row, resultCode="Refused", refusalReasonCode="12")
        self.assertEqual(told.exception.code, "insufficient_funds")
        self.assertState(self.last, "pending_payment")
        row.refresh_from_db()
        self.assertTrue(row.usable)

    def test_token_that_adyen_does_not_know_any_more(self) -> None:
        row = self.saved()
        with self.assertRaises(engine.NotStarted) as told:
            self.pay(row, status=422, **MISSING)
        self.assertEqual(told.exception.code, "token_gone")
        row.refresh_from_db()
        self.assertEqual(row.state, "gone")

    def told(self, type_: str, *, about: str = "TOKEN1", key: str = plain.KEY, **header: str) -> int:
        data = {"merchantAccount": "test", "shopperReference": "x", "storedPaymentMethodId": about, "type": "visa"}
        event = {"environment": "test", "createdAt": "2026-11-22T10:00:00+01:00", "eventId": "PSP7", "type": type_}
        body = json.dumps(event | {"data": data}).encode()
        headers = {"HmacSignature": generate_payload_sig(body, key).decode(), "Protocol": "HmacSHA256"} | header
        return self.client.post("/webhooks/adyen/", body, content_type="application/json", headers=headers).status_code

    def test_adyen_says_that_the_token_is_disabled(self) -> None:
        row = self.saved()
        for type_, state in (("created", "saved"), ("alreadyExisting", "saved"), ("disabled", "gone")):
            self.assertEqual(self.told(f"recurring.token.{type_}"), 200)
            row.refresh_from_db()
            self.assertEqual(row.state, state)

    def test_adyen_says_that_the_card_was_renewed(self) -> None:
        row = self.saved()
        self.answers["GET", TOKENS] = 200, {"storedPaymentMethods": [KEPT | {"expiryYear": "2034", "lastFour": "1881"}]}
        self.assertEqual(self.told("recurring.token.updated", about="OF-SOMEBODY-ELSE"), 200)
        row.refresh_from_db()
        self.assertEqual(row.exp_year, 2030)
        self.assertEqual(self.told("recurring.token.updated"), 200)
        row.refresh_from_db()
        self.assertEqual((row.exp_year, row.last4, row.state), (2034, "1881", "saved"))

    def test_forged_words_about_a_token(self) -> None:
        row = self.saved()
        self.assertEqual(self.told("recurring.token.disabled", key="00" * 32), 400)
        for signature in ("", "é", "x" * 44):
            self.assertEqual(self.told("recurring.token.disabled", HmacSignature=signature), 400)
        with patch.dict(os.environ, ADYEN_TEST_HMAC=""):
            self.assertEqual(self.told("recurring.token.disabled", key=""), 400)
            self.assertEqual(self.hook(row.attempt, "CHARGEBACK", key=""), 400)
        for body in (b"[]", b"{}", b'{"type": "recurring.token.disabled"}', b"null", b"1"):
            headers = {"HmacSignature": generate_payload_sig(body, plain.KEY).decode()}
            answer = self.client.post("/webhooks/adyen/", body, content_type="application/json", headers=headers)
            self.assertEqual(answer.status_code, 400, body)
        row.refresh_from_db()
        self.assertEqual(row.state, "saved")

    def test_lost_answer_is_asked_for_again_with_the_same_key(self) -> None:
        row = self.saved()
        with self.assertRaises(engine.NotStarted):
            self.pay(row, status=500)
        money = adapter.amount_of(self.last.total_amount, self.last.currency)
        self.answers["POST", "/payments"] = 200, {"pspReference": "PSP9", "amount": money, "resultCode": "Authorised"}
        engine.start(self.last, "card", wish=Wish(card=row))
        self.assertState(self.last, "confirmed")
        self.assertEqual(len({each.headers["idempotency-key"] for each in self.posted("/payments")}), 1)

    def test_removal(self) -> None:
        row = self.saved()
        self.answers["DELETE", f"{TOKENS}/TOKEN1"] = [(500, {}), (204, {})]
        saved.remove(SavedMethod.objects.all())
        self.assertFalse(vault.forget(row))
        self.assertTrue(vault.forget(row))
        self.assertFalse(SavedMethod.objects.exists())

    def test_removal_of_what_is_gone_already(self) -> None:
        row = self.saved()
        self.answers["DELETE", f"{TOKENS}/TOKEN1"] = 422, MISSING
        self.assertTrue(vault.forget(row))
