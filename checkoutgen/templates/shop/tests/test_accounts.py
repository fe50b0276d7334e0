"""Accounts: signing in, what is never told, proving a mailbox, passwords, and the orders that join."""

import re
from datetime import timedelta
from unittest.mock import patch

from django.core import signing
from django.test import Client, override_settings
from django.utils import timezone

from accounts import throttle
from accounts.links import SALT
from accounts.models import SignInFailure, User
from cart.models import Cart
from checkout.steps import BY_SLUG, STEPS
from config.shop import SHOP
from mails.models import OutboxMail
from orders import links
from orders.models import Order
from tests.buyer import NAME, BuyerTestCase, address

PASSWORD = "correct horse battery"
EMAIL = "ana@example.com"


# The shop's own hashing is slow on purpose, some hundred times in these tests.
@override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"])
class AccountTestCase(BuyerTestCase):
    def user(self, email: str = EMAIL, **values) -> User:
        return User.objects.create_user(email, PASSWORD, **values)

    def sign_in(self, client: Client | None = None, email: str = EMAIL, password: str = PASSWORD, **more: str):
        client = client or self.client
        return client.post(address("accounts:sign-in"), {"email": email, "password": password, **more})

    def register(self, email: str = EMAIL, password: str = PASSWORD):
        return self.client.post(address("accounts:register"), {"email": email, "password": password}, follow=True)

    def link(self, kind: str) -> str:
        """The path of the link in the latest mail of a kind."""
        url = OutboxMail.objects.filter(kind=kind).latest("pk").context["url"]
        return re.sub(r"^https?://[^/]+", "", url)

    def signed_in(self, client: Client | None = None) -> bool:
        return "_auth_user_id" in (client or self.client).session


class SignInTest(AccountTestCase):
    def test_mail_address_in_any_case_and_password(self) -> None:
        self.user()
        answer = self.sign_in(email="Ana@Example.com")
        self.assertEqual((answer.status_code, answer["Location"]), (303, address("accounts:home")))
        self.assertTrue(self.signed_in())

    def test_wrong_password_and_unknown_address_read_the_same(self) -> None:
        self.user()
        known = self.sign_in(password="wrong wrong wrong")
        unknown = self.sign_in(email="bob@example.com", password="wrong wrong wrong")
        self.assertEqual((known.status_code, unknown.status_code), (422, 422))

        def bare(page, email: str) -> str:
            text = page.content.decode().replace(email, "")
            return re.sub(r'nonce="[^"]*"|name="csrfmiddlewaretoken" value="[^"]*"', "", text)

        self.assertEqual(bare(known, EMAIL), bare(unknown, "bob@example.com"))
        self.assertNotIn("wrong wrong", known.content.decode())

    def test_next_page_only_within_the_shop(self) -> None:
        self.user()
        self.assertEqual(self.sign_in(next=address("checkout:start"))["Location"], address("checkout:start"))
        for hostile in ("https://evil.example/", "//evil.example/", "javascript:alert(1)", "\\\\evil.example"):
            client = Client()
            self.assertEqual(self.sign_in(client, next=hostile)["Location"], address("accounts:home"), hostile)

    def test_guessing_is_slowed_down_and_the_owner_elsewhere_is_not(self) -> None:
        self.user()
        for _ in range(throttle.LIMITS["both"]):
            self.sign_in(password="wrong wrong wrong")
        self.assertEqual(self.sign_in().status_code, 422)
        self.assertFalse(self.signed_in())
        elsewhere = Client(REMOTE_ADDR="192.0.2.7")
        self.assertEqual(self.sign_in(elsewhere).status_code, 303)
        SignInFailure.objects.update(at=timezone.now() - throttle.WINDOW - timedelta(seconds=1))
        self.assertEqual(self.sign_in().status_code, 303)

    def test_many_accounts_from_one_address_are_slowed_down(self) -> None:
        with patch.dict(throttle.LIMITS, address=5):
            for number in range(5):
                self.sign_in(email=f"user{number}@example.com")
            self.user()
            self.assertEqual(self.sign_in().status_code, 422)

    def test_failures_keep_no_address(self) -> None:
        self.sign_in()
        self.assertTrue(all(re.fullmatch("[0-9a-f]{64}", failure.key) for failure in SignInFailure.objects.all()))

    def test_cart_of_the_device_and_of_the_account_become_one(self) -> None:
        self.user()
        other = Client()
        other.post(address("cart:add"), {"sku": "PILLOW", "quantity": "2"})
        self.sign_in(other)
        self.sign_in()
        lines = dict(Cart.objects.get().lines.values_list("sku", "quantity"))
        self.assertEqual(lines, {"SHEET": 1, "PILLOW": 2})

    def test_sign_out_is_a_post_and_leaves_no_cart_behind(self) -> None:
        self.user()
        self.sign_in()
        self.assertEqual(self.client.get(address("accounts:sign-out")).status_code, 405)
        self.client.post(address("accounts:sign-out"))
        self.assertFalse(self.signed_in())
        self.assertEqual(self.client.get(address("checkout:start"))["Location"], address("cart:show"))

    def test_inactive_account_cannot_sign_in(self) -> None:
        self.user(is_active=False)
        self.assertEqual(self.sign_in().status_code, 422)


class RegisterTest(AccountTestCase):
    def test_known_and_new_address_get_the_same_answer_and_different_mails(self) -> None:
        self.user("bob@example.com")
        new, known = self.register(), self.register("bob@example.com")
        self.assertEqual(new.redirect_chain, known.redirect_chain)
        self.assertEqual(
            list(OutboxMail.objects.order_by("pk").values_list("kind", "to")),
            [("verify-email", EMAIL), ("password-reset", "bob@example.com")],
        )
        self.assertFalse(self.signed_in())

    def test_registering_a_known_address_does_not_change_its_password(self) -> None:
        self.user()
        self.register(password="another long password")
        self.assertEqual(self.sign_in().status_code, 303)

    def test_weak_passwords_are_refused_with_the_reason(self) -> None:
        for weak in ("short", "password1234", EMAIL):
            page = self.client.post(address("accounts:register"), {"email": EMAIL, "password": weak})
            self.assertEqual(page.status_code, 422, weak)
            self.assertContains(page, 'href="#password"', status_code=422)
            self.assertContains(page, EMAIL, status_code=422)
        self.assertFalse(User.objects.exists())

    def test_the_link_alone_proves_nothing_without_the_password(self) -> None:
        """Somebody else may have registered the address: the mailbox's owner must not open their account by a click."""
        guest_order = self.order()
        self.register()
        page = self.client.get(self.link("verify-email"))
        self.assertIn(address("accounts:sign-in"), page["Location"])
        self.assertIsNone(User.objects.get().verified_at)
        self.sign_in()
        guest_order.refresh_from_db()
        self.assertIsNone(guest_order.user)
        self.client.get(self.link("verify-email"))
        guest_order.refresh_from_db()
        self.assertEqual(guest_order.user, User.objects.get())
        self.assertTrue(OutboxMail.objects.filter(kind="account-created").exists())

    def test_nobody_can_flood_a_mailbox(self) -> None:
        self.user()
        self.sign_in()
        for _ in range(throttle.LIMITS["both"] + 5):
            self.client.post(address("accounts:send-verification"))
        self.assertLessEqual(OutboxMail.objects.count(), throttle.LIMITS["both"])

    def test_links_expire_and_cannot_be_made_up(self) -> None:
        user = self.user()
        self.sign_in()
        with patch("django.core.signing.time.time", return_value=1_000_000_000):
            old = signing.dumps([user.pk, user.email], salt=SALT)
        for token in (old, "made-up", signing.dumps([user.pk, user.email], salt="another")):
            self.assertEqual(self.client.get(address("accounts:verify", token)).status_code, 303)
        user.refresh_from_db()
        self.assertIsNone(user.verified_at)


class PasswordTest(AccountTestCase):
    def ask(self, email: str = EMAIL):
        return self.client.post(address("accounts:password"), {"email": email}, follow=True)

    def test_known_and_unknown_address_get_the_same_answer(self) -> None:
        self.user()
        self.assertEqual(self.ask().redirect_chain, self.ask("nobody@example.com").redirect_chain)
        self.assertEqual(list(OutboxMail.objects.values_list("to", flat=True)), [EMAIL])

    def test_the_link_works_once_signs_in_and_proves_the_mailbox(self) -> None:
        self.user()
        self.ask()
        path = self.link("password-reset")
        self.assertEqual(self.client.get(path).status_code, 200)
        self.assertEqual(self.client.post(path, {"password": "short"}).status_code, 422)
        answer = self.client.post(path, {"password": "a wholly new password"})
        self.assertEqual(answer["Location"], address("accounts:home"))
        self.assertTrue(self.signed_in())
        self.assertIsNotNone(User.objects.get().verified_at)
        self.assertEqual(self.client.get(path)["Location"], address("accounts:password"))
        self.assertEqual(self.sign_in(Client(), password="a wholly new password").status_code, 303)

    def test_other_sessions_end_with_the_old_password(self) -> None:
        self.user()
        thief = Client()
        self.sign_in(thief)
        self.ask()
        self.client.post(self.link("password-reset"), {"password": "a wholly new password"})
        self.assertEqual(thief.get(address("accounts:home")).status_code, 302)


class CustomerTest(AccountTestCase):
    def test_account_lists_its_orders_only(self) -> None:
        user = self.user()
        self.sign_in()
        order = self.order()
        self.assertEqual(order.user, user)
        self.assertContains(self.client.get(address("accounts:home")), order.number)
        self.user("eve@example.com")
        eve = Client()
        self.sign_in(eve, email="eve@example.com")
        self.assertNotContains(eve.get(address("accounts:home")), order.number)

    def test_the_last_address_is_filled_in_next_time(self) -> None:
        self.user()
        self.sign_in()
        self.order()
        self.client.post(address("cart:add"), {"sku": "PILLOW", "quantity": "1"})
        self.go_to("contact")
        self.assertContains(self.page("contact"), EMAIL)
        self.go_to("delivery")
        self.assertContains(self.page("delivery"), NAME)

    def test_later_guest_orders_join_at_sign_in_when_the_mailbox_is_proven(self) -> None:
        self.user(verified_at=timezone.now())
        order = self.order()
        self.sign_in(Client())
        order.refresh_from_db()
        self.assertEqual(order.user.email, EMAIL)

    def test_account_after_payment_with_one_field(self) -> None:
        order = self.paid_order()
        thanks = self.client.get(address("orders:thanks", links.token(order)))
        self.assertContains(thanks, 'type="password"', 1)
        self.assertContains(thanks, 'autocomplete="new-password"', 1)
        answer = self.client.post(address("orders:account", links.token(order)), {"password": PASSWORD})
        self.assertEqual(answer.status_code, 303)
        self.assertEqual(User.objects.get().address["name"], NAME)
        self.assertContains(self.client.get(address("accounts:home")), order.number)
        self.assertIsNone(User.objects.get().verified_at)  # earlier guest orders wait for the mailbox

    def test_account_page_refuses_weak_passwords_and_keeps_the_order(self) -> None:
        order = self.paid_order()
        page = self.client.post(address("orders:account", links.token(order)), {"password": "short"})
        self.assertContains(page, 'href="#password"', status_code=422)
        self.assertNotContains(page, "short</", status_code=422)

    def test_account_of_a_known_address_is_not_opened_by_an_order(self) -> None:
        known = self.user()
        order = self.paid_order()
        self.client.post(address("orders:account", links.token(order)), {"password": "quite another password"})
        self.assertEqual(self.client.get(address("accounts:home")).status_code, 302)
        known.refresh_from_db()
        self.assertTrue(known.check_password(PASSWORD))

    def paid_order(self) -> Order:
        self.send_with("payment", **{"payment-method": "invoice"})
        self.send("review")
        return Order.objects.get()

    def test_account_required_leads_to_sign_in_first(self) -> None:
        with patch.dict(SHOP["checkout"], identification={"guest": False, "sign_in": True, "account": "required"}):
            after = STEPS[STEPS.index(BY_SLUG["contact"]) + 1].slug
            self.go_to("contact")
            page = self.page("contact")
            self.assertNotContains(page, 'name="email"')
            self.assertContains(page, address("accounts:sign-in"))
            self.send("contact")
            self.assertEqual(self.page(after)["Location"], address("checkout:step", "contact"))
            self.user()
            self.sign_in()
            self.send("contact")
            self.assertEqual(self.page(after).status_code, 200)


class OnePageTest(AccountTestCase):
    one_page = True

    def test_who_has_to_sign_in_first_is_asked_for_nothing_else(self) -> None:
        with patch.dict(SHOP["checkout"], identification={"guest": False, "sign_in": True, "account": "required"}):
            page = self.client.get(address("checkout:start"))
            self.client.post(address("checkout:start"), self.answers("delivery") | self.answers("payment"))
        self.assertContains(page, address("accounts:sign-in"))
        self.assertNotContains(page, 'name="shipping-name"')
        self.assertNotIn("delivery", Cart.objects.get().data)
