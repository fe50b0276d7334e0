"""PayPal accounts kept for the next purchase: saved on PayPal's page, charged without it, forgotten."""

from typing import Any
from unittest.mock import patch

from accounts.models import User
from config.shop import SHOP
from orders.models import Order
from payments import engine, saved, vault
from payments.models import SavedMethod
from payments.providers.paypal import saving
from payments.saved import Wish

from . import test_payments_paypal as plain
from .shopping import an_order

TOKENS = "/v3/vault/payment-tokens"
VAULT = {"id": "8kk845", "status": "VAULTED", "customer": {"id": "cust1"}}
SAVED_ORDER = "7AB00000TN000000T"


class SavingTest(plain.PaypalTestCase):
    def setUp(self) -> None:
        super().setUp()
        for patcher in (
            patch.dict(SHOP["payment"], methods=[{**plain.METHODS[0], "save": True}, plain.METHODS[1]]),
            *(patch(f"payments.{name}.saving", lambda name: saving) for name in ("engine", "vault")),
        ):
            patcher.start()
            self.addCleanup(patcher.stop)
        self.user = User.objects.create(email="ana@example.com", password="!")

    def own(self) -> Order:
        order = an_order(method="paypal")
        Order.objects.filter(pk=order.pk).update(user=self.user)
        order.refresh_from_db()
        return order

    def saved(self, kept: dict[str, Any] | None = None) -> SavedMethod:
        self.answers["POST", plain.ORDERS] = 200, self.order()
        attempt = engine.start(self.own(), "paypal", wish=Wish(consent="Keep it")).attempt
        assert attempt is not None
        wallet = {"email_address": "secret@x.example", "attributes": {"vault": kept or VAULT}}
        source = {"payment_source": {"paypal": wallet}}
        self.approve(attempt, self.capture(attempt))
        done = self.order("COMPLETED", self.capture(attempt)) | source
        self.stands(self.order("APPROVED"), *[done] * 4)
        self.client.get(f"/checkout/return/{attempt.key}/")
        return SavedMethod.objects.get()

    def pay(self, row: SavedMethod, status: int = 201, answer: dict[str, Any] | None = None) -> engine.Start:
        self.last = self.own()
        self.answers["POST", plain.ORDERS] = 200, self.order("CREATED") | {"id": SAVED_ORDER}
        self.answers["POST", f"{plain.ORDERS}/{SAVED_ORDER}/capture"] = status, answer or self.order("COMPLETED")
        return engine.start(self.last, "paypal", wish=Wish(card=row))

    def then(self, started: engine.Start) -> None:
        done = self.order("COMPLETED", self.capture(started.attempt)) | {"id": SAVED_ORDER}
        self.answers["GET", f"{plain.ORDERS}/{SAVED_ORDER}"] = 200, done
        self.client.get(f"/checkout/return/{started.attempt.key}/")

    def test_page_keeps_the_account_only_with_consent(self) -> None:
        self.saved()
        vault_asked = self.posts(plain.ORDERS)[-1].json["payment_source"]["paypal"]["attributes"]["vault"]
        self.assertEqual(vault_asked["store_in_vault"], "ON_SUCCESS")
        self.begin()
        self.assertNotIn("attributes", self.posts(plain.ORDERS)[-1].json["payment_source"]["paypal"])

    def test_what_is_kept_names_nobody(self) -> None:
        row = self.saved()
        self.assertEqual((row.token, row.customer, str(row)), ("8kk845", "cust1", "PayPal"))
        self.assertTrue(row.usable)

    def test_token_that_comes_later(self) -> None:
        self.assertEqual(self.saved({"status": "APPROVED"}).state, "asked")

    def test_charged_with_the_owner_there(self) -> None:
        started = self.pay(self.saved())
        asked = self.posts("/capture")[-1]
        self.assertEqual(asked.headers["paypal-request-id"], f"{started.attempt.key}-saved")
        wallet = asked.json["payment_source"]["paypal"]
        self.assertEqual(wallet["vault_id"], "8kk845")
        self.assertEqual(wallet["stored_credential"]["payment_initiator"], "CUSTOMER")
        self.then(started)
        self.assertState(self.last, "confirmed")

    def test_paypal_asks_and_the_buyer_comes_back(self) -> None:
        link = {"rel": "payer-action", "href": "https://www.sandbox.paypal.com/agree"}
        told = {"name": "UNPROCESSABLE_ENTITY", "details": [{"issue": "PAYER_ACTION_REQUIRED"}], "links": [link]}
        started = self.pay(self.saved(), 422, told)
        self.assertEqual(started.redirect, "https://www.sandbox.paypal.com/agree")
        self.assertState(self.last, "pending_payment")
        self.then(started)
        self.assertState(self.last, "confirmed")

    def test_refused_instrument(self) -> None:
        row = self.saved()
        with self.assertRaises(engine.NotStarted) as told:
            self.pay(row, 422, {"details": [{"issue": "INSTRUMENT_DECLINED"}]})
        self.assertEqual(told.exception.code, "declined")
        row.refresh_from_db()
        self.assertTrue(row.usable)

    def test_token_that_paypal_does_not_know_any_more(self) -> None:
        row = self.saved()
        with self.assertRaises(engine.NotStarted) as told:
            self.pay(row, 422, {"details": [{"issue": "TOKEN_ID_NOT_FOUND"}]})
        self.assertEqual(told.exception.code, "token_gone")
        row.refresh_from_db()
        self.assertEqual(row.state, "gone")

    def test_lost_answer_about_the_money_is_found_by_asking(self) -> None:
        row = self.saved()
        with self.assertRaises(engine.NotStarted):
            self.pay(row, 500, {})
        attempt = self.last.attempts.get()
        self.assertEqual(attempt.provider_ref, SAVED_ORDER)
        self.then(engine.Start(None, attempt))
        self.assertState(self.last, "confirmed")
        self.assertEqual(len({each.headers["paypal-request-id"] for each in self.posts("/capture")[-2:]}), 1)

    def test_webhook_about_a_token_is_believed_only_when_paypal_says_so(self) -> None:
        row = self.saved()
        body = {"event_type": "VAULT.PAYMENT-TOKEN.DELETED", "resource": {"id": "8kk845"}}
        for status, state in ((200, "saved"), (404, "gone")):
            self.answers["GET", f"{TOKENS}/8kk845"] = status, {"id": "8kk845"}
            self.client.post("/webhooks/paypal/", body, content_type="application/json")
            row.refresh_from_db()
            self.assertEqual(row.state, state)

    def test_removal(self) -> None:
        row = self.saved()
        self.answers["DELETE", f"{TOKENS}/8kk845"] = [(500, {}), (204, {})]
        saved.remove(SavedMethod.objects.all())
        self.assertFalse(vault.forget(row))
        self.assertTrue(vault.forget(row))
        self.assertFalse(SavedMethod.objects.exists())

    def test_removal_of_what_is_gone_already(self) -> None:
        row = self.saved()
        self.answers["DELETE", f"{TOKENS}/8kk845"] = 404, {"name": "RESOURCE_NOT_FOUND"}
        self.assertTrue(vault.forget(row))
