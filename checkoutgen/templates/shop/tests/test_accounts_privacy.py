"""A copy of one's data, and the end of an account."""

import json
from unittest.mock import patch

from django.test import Client, override_settings

from accounts.models import SignInFailure, User
from cart.models import Cart
from orders import links
from orders.models import Order
from payments import vault
from payments.models import SavedMethod

from . import test_accounts_saved as wallet
from .buyer import BuyerTestCase, address
from .shopping import an_order

PASSWORD = "correct horse battery"


@override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"])
class PrivacyTest(wallet._Saving, BuyerTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.ana = User.objects.create_user("ana@example.com", PASSWORD, name="Ana")
        self.client.force_login(self.ana)
        Cart.objects.filter(ordered_at=None).update(user=self.ana)

    def own(self) -> Order:
        order = an_order()
        Order.objects.filter(pk=order.pk).update(user=self.ana)
        return order

    def test_the_copy_has_everything_of_one_account_and_nothing_of_another(self) -> None:
        order, card = self.own(), self.card(self.ana)
        other = an_order(email="bob@example.com")
        self.card(User.objects.create_user("bob@example.com", PASSWORD), last4="9999")
        answer = self.client.get(address("accounts:data"))
        self.assertIn("attachment", answer["Content-Disposition"])
        self.assertIn("no-store", answer["Cache-Control"])
        told = json.loads(answer.content)
        self.assertEqual(told["account"]["email"], "ana@example.com")
        self.assertIn(order.number, [each["number"] for each in told["orders"]])
        self.assertEqual([each["last4"] for each in told["saved_ways_to_pay"]], [card.last4])
        self.assertEqual(told["carts"][0]["articles"], ["SHEET"])
        for secret in (card.token, other.number, "bob@example.com", "9999", self.ana.password):
            self.assertNotIn(secret, answer.content.decode())

    def test_only_the_customer_gets_it(self) -> None:
        for page in ("accounts:data", "accounts:delete"):
            self.assertEqual(Client().get(address(page)).status_code, 302)

    def test_deleting_asks_for_the_password(self) -> None:
        self.assertContains(self.client.get(address("accounts:delete")), 'autocomplete="current-password"')
        for wrong in ("", "quite another password"):
            answer = self.client.post(address("accounts:delete"), {"password": wrong})
            self.assertEqual(answer.status_code, 422)
        self.assertTrue(User.objects.filter(pk=self.ana.pk).exists())
        self.assertTrue(SignInFailure.objects.exists())

    def test_guessing_the_password_is_slowed_down(self) -> None:
        with patch("accounts.throttle.blocked", lambda *args: True):
            answer = self.client.post(address("accounts:delete"), {"password": PASSWORD})
        self.assertEqual(answer.status_code, 422)
        self.assertTrue(User.objects.filter(pk=self.ana.pk).exists())

    def test_deleted_with_its_cards_at_the_provider_and_its_orders_kept(self) -> None:
        order, card = self.own(), self.card(self.ana)
        self.client.post(address("accounts:delete"), {"password": PASSWORD})
        self.assertFalse(User.objects.filter(pk=self.ana.pk).exists())
        self.assertFalse(Cart.objects.filter(ordered_at=None, lines__sku="SHEET").exists())
        self.assertEqual(self.client.get(address("accounts:home")).status_code, 302)
        order.refresh_from_db()
        self.assertIsNone(order.user_id)
        self.assertEqual(self.client.get(address("orders:show", links.token(order))).status_code, 200)
        vault.work_due()
        self.assertEqual(self.provider.forgotten, [card.token])
        self.assertFalse(SavedMethod.objects.exists())

    def test_staff_cannot_delete_themselves_here(self) -> None:
        User.objects.filter(pk=self.ana.pk).update(is_staff=True)
        self.assertEqual(self.client.post(address("accounts:delete"), {"password": PASSWORD}).status_code, 403)
        self.assertTrue(User.objects.filter(pk=self.ana.pk).exists())
