"""Payplug's integrated payment, with the official SDK, against prepared answers on this machine."""

from unittest.mock import patch

from config.shop import SHOP
from orders.models import Order

from .payfields import PayFields
from .shopping import an_order
from .test_payments_payplug import METHODS as HOSTED
from .test_payments_payplug import PayplugTestCase

METHODS = [
    {"id": "card", "kind": "card", "provider": "payplug", "mode": "fields", "name": {}},
    *(method for method in HOSTED if method["id"] != "card"),
]


class FieldsTest(PayFields, PayplugTestCase):
    def setUp(self) -> None:
        super().setUp()
        patcher = patch.dict(SHOP["payment"], methods=METHODS)
        patcher.start()
        self.addCleanup(patcher.stop)

    def order(self) -> Order:
        order = an_order()
        Order.objects.filter(pk=order.pk).update(currency="EUR")
        order.refresh_from_db()
        return order

    def test_page(self) -> None:
        page = self.check_page(self.order(), "payplug", "payplug.com")
        self.assertNotContains(page, "sk_test_x")
        self.assertEqual(self.answers.asked, [])

    def test_payment_is_opened_then_taken_in_the_page(self) -> None:
        order = self.order()
        self.answers["POST", "/v1/payments"] = 201, self.payment(hosted_payment=None)
        answer = self.give(order, "").json()
        self.assertEqual(self.answers.asked[-1].json["integration"], "INTEGRATED_PAYMENT")
        self.assertEqual(answer["browser"], {"ref": "pay_1"})
        attempt = order.attempts.get()
        self.becomes(attempt, is_paid=True)
        self.assertIn("/thanks/", self.client.get(answer["go"])["Location"])
        self.assertState(order, "confirmed")

    def test_refused_by_the_bank(self) -> None:
        order = self.order()
        self.answers["POST", "/v1/payments"] = 201, self.payment()
        answer = self.give(order, "").json()
        attempt = order.attempts.get()
        self.becomes(attempt, failure={"code": "3ds_declined", "message": "x"})
        self.assertEqual(self.client.get(answer["go"])["Location"], self.url(order))
        attempt.refresh_from_db()
        self.assertEqual((attempt.state, attempt.failure), ("failed", "authentication_failed"))

    def test_without_script_the_hosted_page(self) -> None:
        order = self.order()
        self.answers["POST", "/v1/payments"] = 201, self.payment()
        self.assertEqual(self.client.post(self.url(order), {"after": ""}).status_code, 303)
        self.assertNotIn("integration", self.answers.asked[-1].json)
