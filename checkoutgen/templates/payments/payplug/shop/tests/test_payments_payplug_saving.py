"""Cards kept by Payplug: saved on its page, charged without it once, confirmed at the bank, forgotten."""

from typing import Any
from unittest.mock import patch

from accounts.models import User
from config.shop import SHOP
from orders.models import Order
from payments import engine, saved, vault
from payments.models import SavedMethod
from payments.providers.payplug import adapter, saving
from payments.saved import Wish

from . import test_payments_payplug as plain
from .shopping import an_order

PAYMENTS = "/v1/payments"
CARD = {"id": "card_1", "last4": "4242", "brand": "Visa", "exp_month": 12, "exp_year": 2030, "country": "FR"}


class SavingTest(plain.PayplugTestCase):
    def setUp(self) -> None:
        super().setUp()
        for patcher in (
            patch.dict(SHOP["payment"], methods=[{**plain.METHODS[0], "save": True}, *plain.METHODS[1:]]),
            *(patch(f"payments.{name}.saving", lambda name: saving) for name in ("engine", "vault")),
        ):
            patcher.start()
            self.addCleanup(patcher.stop)
        self.user = User.objects.create(email="ana@example.com", password="!")

    def order(self) -> Order:
        order = an_order()
        Order.objects.filter(pk=order.pk).update(user=self.user, currency="EUR")
        order.refresh_from_db()
        return order

    def saved(self, card: dict[str, Any] | None = None) -> SavedMethod:
        self.answers["POST", PAYMENTS] = 201, self.payment()
        attempt = engine.start(self.order(), "card", wish=Wish(consent="Keep it")).attempt
        assert attempt is not None
        self.becomes(attempt, is_paid=True, card=card or CARD)
        self.client.get(f"/checkout/return/{attempt.key}/")
        return SavedMethod.objects.get()

    def pay(self, row: SavedMethod, status: int = 201, **values: Any) -> engine.Start:
        self.last = self.order()
        answer = self.payment(self.last.total_amount, id="pay_2", **({"is_paid": True} | values))
        self.answers["POST", PAYMENTS] = status, answer
        return engine.start(self.last, "card", wish=Wish(card=row))

    def posted(self) -> list[Any]:
        return [each for each in self.answers.asked if (each.method, each.path) == ("POST", PAYMENTS)]

    def test_page_keeps_the_card_only_with_consent(self) -> None:
        self.saved()
        self.assertIs(self.posted()[-1].json["save_card"], True)
        self.begin()
        self.assertNotIn("save_card", self.posted()[-1].json)

    def test_what_is_kept(self) -> None:
        row = self.saved()
        self.assertEqual((row.token, row.brand, row.last4), ("card_1", "Visa", "4242"))
        self.assertEqual((row.exp_year, row.exp_month), (2030, 12))

    def test_card_that_payplug_did_not_keep(self) -> None:
        self.assertEqual(self.saved({**CARD, "id": None}).state, "asked")

    def test_charged_at_once_as_the_owner_is_there(self) -> None:
        self.pay(self.saved())
        asked = self.posted()[-1].json
        self.assertEqual((asked["payment_method"], asked["initiator"]), ("card_1", "PAYER"))
        self.assertState(self.last, "confirmed")
        self.assertEqual(self.last.attempts.get().provider_ref, "pay_2")

    def test_bank_asks_and_the_buyer_comes_back(self) -> None:
        started = self.pay(self.saved(), is_paid=False)
        self.assertEqual(started.redirect, "https://secure.payplug.com/pay/pay_1")
        self.assertState(self.last, "pending_payment")
        paid = self.payment(self.last.total_amount, id="pay_2", is_paid=True)
        self.answers["GET", f"{PAYMENTS}/pay_2"] = 200, paid
        self.client.get(f"/checkout/return/{started.attempt.key}/")
        self.assertState(self.last, "confirmed")

    def test_declined(self) -> None:
        row = self.saved()
        with self.assertRaises(engine.NotStarted) as told:
            self.pay(row, is_paid=False, failure={"code": "insufficient_funds"})
        self.assertEqual(told.exception.code, "insufficient_funds")
        row.refresh_from_db()
        self.assertTrue(row.usable)

    def test_card_that_payplug_does_not_know_any_more(self) -> None:
        row = self.saved()
        with self.assertRaises(engine.NotStarted) as told:
            self.pay(row, status=400, message="Bad request.", details={"payment_method": "unknown card"})
        self.assertEqual(told.exception.code, "token_gone")
        row.refresh_from_db()
        self.assertEqual(row.state, "gone")

    def lose(self, row: SavedMethod) -> None:
        self.answers["GET", PAYMENTS] = 200, {"data": [], "has_more": False}
        before = len(self.posted())
        with self.assertRaises(engine.NotStarted):
            self.pay(row, status=500)
        self.assertEqual(len(self.posted()), before + 1)

    def found(self) -> None:
        key = self.last.attempts.get().key
        made = self.payment(self.last.total_amount, id="pay_2", is_paid=True, metadata={"attempt": key})
        self.answers["GET", PAYMENTS] = 200, {"data": [self.payment(id="pay_0"), made], "has_more": False}

    def test_lost_answer_is_never_asked_for_again_but_searched_for(self) -> None:
        row = self.saved()
        self.lose(row)
        posts = len(self.posted())
        with self.assertRaises(engine.NotStarted):
            engine.start(self.last, "card", wish=Wish(card=row))
        self.found()
        engine.start(self.last, "card", wish=Wish(card=row))
        self.assertEqual(len(self.posted()), posts)
        self.assertState(self.last, "confirmed")

    def test_lost_answer_is_found_by_the_worker_and_by_notification(self) -> None:
        row = self.saved()
        self.lose(row)
        attempt = self.last.attempts.get()
        self.assertEqual(adapter.fetch(attempt).kind, "unknown")
        self.found()
        self.hook({"id": "pay_2", "object": "payment", "metadata": {"attempt": attempt.key}})
        self.assertState(self.last, "confirmed")
        self.assertEqual(self.last.attempts.get().provider_ref, "pay_2")

    def test_money_of_a_lost_answer_that_was_let_go_is_given_back(self) -> None:
        row = self.saved()
        self.lose(row)
        self.answers["POST", PAYMENTS] = 201, self.payment(self.last.total_amount, id="pay_3")
        other = engine.start(self.last, "card").attempt
        self.answers["GET", f"{PAYMENTS}/pay_3"] = 200, self.payment(self.last.total_amount, id="pay_3", is_paid=True)
        engine.learn(other, "return")
        self.assertState(self.last, "confirmed")
        first = self.last.attempts.first()
        made = self.payment(self.last.total_amount, id="pay_2", is_paid=True, metadata={"attempt": first.key})
        self.answers["GET", PAYMENTS] = 200, {"data": [made], "has_more": False}
        engine.learn(first, "reconciler")
        self.assertEqual(self.last.refunds.get().attempt, first)

    def test_removal(self) -> None:
        row = self.saved()
        self.answers["DELETE", "/v1/cards/card_1"] = [(500, {}), (200, {})]
        saved.remove(SavedMethod.objects.all())
        self.assertFalse(vault.forget(row))
        self.assertTrue(vault.forget(row))
        self.assertFalse(SavedMethod.objects.exists())

    def test_removal_of_what_is_gone_already(self) -> None:
        row = self.saved()
        self.answers["DELETE", "/v1/cards/card_1"] = 404, {"message": "not found"}
        self.assertTrue(vault.forget(row))
