"""Mollie Components, with the official SDK, against prepared answers on this machine."""

import os
from unittest.mock import patch

from config.shop import SHOP

from .payfields import PayFields
from .shopping import an_order
from .test_payments_mollie import SETTINGS, MollieTestCase

METHODS = [{"id": "card", "kind": "card", "provider": "mollie", "mode": "fields", "name": {}}]
TOKEN = "tkn_UqAvArS3gw"
PAYMENTS = "/v2/payments"


class FieldsTest(PayFields, MollieTestCase):
    def setUp(self) -> None:
        super().setUp()
        options = SETTINGS | {"profile_id": "env:M_PROFILE"}
        for patcher in (
            patch.dict(SHOP["payment"], methods=METHODS, providers={"mollie": options}),
            patch.dict(os.environ, {"M_PROFILE": "pfl_1"}),
        ):
            patcher.start()
            self.addCleanup(patcher.stop)

    def test_page(self) -> None:
        page = self.check_page(an_order(), "mollie", "mollie.com")
        self.assertContains(page, "pfl_1")
        self.assertNotContains(page, "test_x")
        self.assertEqual(self.answers.asked, [])

    def test_token_opens_the_payment_and_the_bank_asks(self) -> None:
        order = an_order()
        self.answers["POST", PAYMENTS] = 201, self.payment()
        answer = self.give(order, TOKEN).json()
        self.assertEqual(self.answers.asked[-1].json["cardToken"], TOKEN)
        self.assertEqual(answer["go"], "https://www.mollie.com/checkout/select/tr_1")
        self.assertState(order, "pending_payment")

    def test_paid_without_a_question(self) -> None:
        order = an_order()
        payment = self.payment(order.total_amount, order.currency, "paid")
        payment["_links"].pop("checkout")
        self.answers["POST", PAYMENTS] = 201, payment
        self.answers["GET", f"{PAYMENTS}/tr_1"] = 200, payment
        go = self.give(order, TOKEN).json()["go"]
        self.assertIn("/thanks/", self.client.get(go)["Location"])
        self.assertState(order, "confirmed")

    def test_refused_by_the_bank(self) -> None:
        order = an_order()
        self.answers["POST", PAYMENTS] = 201, self.payment()
        self.give(order, TOKEN)
        attempt = order.attempts.get()
        reason = {"code": "insufficient_funds", "message": "x"}
        self.becomes(attempt, "failed", statusReason=reason)
        again = self.client.get(f"/checkout/return/{attempt.key}/")
        self.assertEqual(again["Location"], self.url(order))

    def test_what_is_no_token_never_reaches_mollie(self) -> None:
        for typed in ("", "4242424242424242", "tkn_" + "x" * 200, "tkn_é"):
            self.assertEqual(self.give(an_order(), typed).status_code, 422)
        self.assertEqual(self.answers.asked, [])

    def test_without_script_the_hosted_page(self) -> None:
        order = an_order()
        self.answers["POST", PAYMENTS] = 201, self.payment()
        self.assertEqual(self.client.post(self.url(order), {"after": ""}).status_code, 303)
        self.assertNotIn("cardToken", self.answers.asked[-1].json)
