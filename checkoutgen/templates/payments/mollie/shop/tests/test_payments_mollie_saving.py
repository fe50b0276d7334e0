"""Cards that Mollie's page remembers: by a customer of their own, confirmed there with one click, forgotten."""

from unittest.mock import patch

from accounts.models import User
from config.shop import SHOP
from orders.models import Order
from payments import engine, saved, vault
from payments.models import SavedMethod
from payments.providers.mollie import saving
from payments.saved import Wish

from .shopping import an_order
from .test_payments_mollie import LINK, METHODS, MollieTestCase

CUSTOMERS = "/v2/customers"
CUSTOMER = {
    "resource": "customer",
    "id": "cst_1",
    "mode": "test",
    "name": None,
    "email": None,
    "locale": None,
    "metadata": None,
    "createdAt": "2026-11-22T10:00:00+00:00",
    "_links": {"self": LINK, "dashboard": LINK, "documentation": LINK},
}
CARD = {"cardNumber": "4242", "cardLabel": "Visa", "cardExpiryDate": "2030-12-31", "cardHolder": "Ana Secret"}
MISSING = {"status": 410, "title": "Gone", "detail": "No such customer", "_links": {"documentation": LINK}}


class SavingTest(MollieTestCase):
    def setUp(self) -> None:
        super().setUp()
        for patcher in (
            patch.dict(SHOP["payment"], methods=[{**METHODS[0], "save": True}]),
            *(patch(f"payments.{name}.saving", lambda name: saving) for name in ("engine", "vault")),
        ):
            patcher.start()
            self.addCleanup(patcher.stop)
        self.user = User.objects.create(email="ana@example.com", password="!")
        self.answers["POST", CUSTOMERS] = 201, CUSTOMER
        self.answers["GET", f"{CUSTOMERS}/cst_1"] = 200, CUSTOMER
        self.answers["POST", "/v2/payments"] = 201, self.payment()

    def order(self) -> Order:
        order = an_order()
        Order.objects.filter(pk=order.pk).update(user=self.user)
        order.refresh_from_db()
        return order

    def saved(self, **values: object) -> SavedMethod:
        attempt = engine.start(self.order(), "card", wish=Wish(consent="Keep it")).attempt
        assert attempt is not None
        self.becomes(attempt, "paid", **({"customerId": "cst_1", "details": CARD} | values))
        self.client.get(f"/checkout/return/{attempt.key}/")
        return SavedMethod.objects.get()

    def posted(self, path: str) -> list:
        return [each for each in self.answers.asked if (each.method, each.path) == ("POST", path)]

    def test_payment_is_made_for_a_customer_without_a_name(self) -> None:
        self.saved()
        (customer,), (payment,) = self.posted(CUSTOMERS), self.posted("/v2/payments")
        self.assertEqual(list(customer.json), ["metadata"])
        self.assertEqual(payment.json["customerId"], "cst_1")
        self.assertIn(payment.json.get("sequenceType", "oneoff"), ("oneoff",))

    def test_no_customer_without_consent(self) -> None:
        self.begin()
        self.assertEqual(self.posted(CUSTOMERS), [])
        self.assertNotIn("customerId", self.posted("/v2/payments")[-1].json)

    def test_what_is_kept(self) -> None:
        row = self.saved()
        self.assertEqual((row.token, row.customer, row.brand), ("cst_1", "cst_1", "Visa"))
        self.assertEqual((row.last4, row.exp_year, row.exp_month), ("4242", 2030, 12))
        self.assertFalse(SavedMethod.objects.filter(brand__contains="Secret").exists())

    def test_expiry_that_mollie_does_not_tell(self) -> None:
        self.assertTrue(self.saved(details={"cardNumber": "4242", "cardLabel": "Visa"}).usable)

    def test_another_way_to_pay_keeps_nothing(self) -> None:
        self.assertEqual(self.saved(details=None).state, "asked")

    def test_next_purchase_goes_to_the_page_that_remembers(self) -> None:
        row = self.saved()
        order = self.order()
        self.answers["POST", "/v2/payments"] = 201, self.payment(id="tr_2")
        started = engine.start(order, "card", wish=Wish(card=row))
        self.assertEqual(started.redirect, LINK["href"])
        asked = self.posted("/v2/payments")[-1]
        self.assertEqual(asked.json["customerId"], "cst_1")
        self.assertEqual(asked.headers["idempotency-key"], started.attempt.key)
        values = {"amount": order.total_amount, "currency": order.currency}
        self.answers["GET", "/v2/payments/tr_2"] = 200, self.payment(id="tr_2", status="paid", **values)
        self.client.get(f"/checkout/return/{started.attempt.key}/")
        self.assertState(order, "confirmed")

    def test_customer_that_mollie_does_not_know_any_more(self) -> None:
        row = self.saved()
        self.answers["GET", f"{CUSTOMERS}/cst_1"] = 410, MISSING
        with self.assertRaises(engine.NotStarted) as told:
            engine.start(self.order(), "card", wish=Wish(card=row))
        self.assertEqual(told.exception.code, "token_gone")
        row.refresh_from_db()
        self.assertEqual(row.state, "gone")

    def test_removal_deletes_the_customer(self) -> None:
        row = self.saved()
        self.answers["DELETE", f"{CUSTOMERS}/cst_1"] = [(503, MISSING | {"status": 503}), (204, None)]
        saved.remove(SavedMethod.objects.all())
        self.assertFalse(vault.forget(row))
        self.assertTrue(vault.forget(row))
        self.assertFalse(SavedMethod.objects.exists())

    def test_removal_of_what_is_gone_already(self) -> None:
        row = self.saved()
        self.answers["DELETE", f"{CUSTOMERS}/cst_1"] = 410, MISSING
        self.assertTrue(vault.forget(row))
