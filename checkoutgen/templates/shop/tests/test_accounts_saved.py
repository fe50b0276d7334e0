"""What buyers save for their next purchase: consent, whose it is, paying with it once, and its end."""

import re
from datetime import timedelta
from typing import Any
from unittest.mock import patch

from django.conf import settings
from django.http import HttpResponse
from django.test import Client, override_settings
from django.utils import timezone

from accounts.models import User
from cart.models import Cart
from checkout.steps import STEPS
from config.shop import SHOP
from orders import links
from orders.models import Order
from payments import engine, saved, vault
from payments.facts import Created, Declined, Fact, Token
from payments.models import PaymentAttempt, PaymentEvent, SavedMethod
from payments.saved import Wish

from .buyer import BuyerTestCase, address
from .shopping import METHODS, ConcurrentShoppingTestCase, Scripted, ShoppingTestCase, an_order
from .threads import at_once

PASSWORD = "correct horse battery"
SAVING = [{**METHODS[0], "save": True}, *METHODS[1:]]
BOX = "payment-save-card"
State = SavedMethod.State


class Keeper(Scripted):
    """A provider that keeps cards; `then` says what it does when one is charged: pay, ask, or the code of a refusal."""

    NAME = "Keeper Ltd"

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[str, str] = {}  # attempt key -> token
        self.forgotten: list[str] = []
        self.charged: dict[str, str] = {}  # attempt key -> token
        self.then = "pay"
        self.card = ("Visa", "4242", 2030, 12)

    def create(self, attempt: PaymentAttempt, return_url: str, webhook_url: str) -> Created:
        if saved.asked(attempt):
            self.kept.setdefault(attempt.key, f"tok-{len(self.kept) + 1}")
        return super().create(attempt, return_url, webhook_url)

    def save(self, attempt: PaymentAttempt) -> Token | None:
        token = self.kept.get(attempt.key)
        return self._call("save", lambda: Token(token, *self.card) if token else None)

    def charge_saved(self, attempt: PaymentAttempt, return_url: str, webhook_url: str) -> Created:
        def work() -> Created:
            ref = self.opened.setdefault(attempt.key, f"ref-{len(self.opened) + 1}")
            if self.then == "ask":
                self.state.setdefault(attempt.key, "action_required")
                return Created(ref, f"https://bank.example/{ref}")
            if self.then != "pay":
                raise Declined(self.then)
            self.charged[attempt.key] = attempt.saved.token
            Scripted.charge(self, attempt)
            return Created(ref, known=self.fact(attempt, f"charge:{attempt.key}"))

        return self._call("charge", work)

    def forget(self, row: SavedMethod) -> None:
        self._call("forget", lambda: self.forgotten.append(row.token))


class _Saving:
    """The keeper in the place of the provider."""

    def setUp(self) -> None:
        super().setUp()
        self.provider = Keeper()
        face = type("Face", (), {
            "NAME": Keeper.NAME, "save": self.provider.save,
            "charge": self.provider.charge_saved, "forget": self.provider.forget,
        })  # fmt: skip
        free = {"guest": True, "sign_in": True, "account": "after-payment"}
        for patcher in (
            patch.dict(SHOP["payment"], methods=SAVING),
            patch.dict(SHOP["checkout"], identification=free),
            patch("payments.saved.HAS_ACCOUNTS", True),
            *(patch(f"payments.{name}.saving", lambda name: face) for name in ("engine", "saved", "vault")),
        ):
            patcher.start()
            self.addCleanup(patcher.stop)

    def user(self, email: str = "ana@example.com", **values: Any) -> User:
        return User.objects.create(email=email, password="!", **values)

    def order_of(self, user: User | None) -> Order:
        order = an_order()
        Order.objects.filter(pk=order.pk).update(user=user)
        order.refresh_from_db()
        return order

    def paid(self, user: User | None, consent: str = "I agree") -> tuple[Order, PaymentAttempt]:
        order = self.order_of(user)
        attempt = engine.start(order, "card", wish=Wish(consent=consent)).attempt
        self.provider.charge(attempt)
        engine.learn(attempt, "return")
        vault.collect(attempt)
        return order, attempt

    def card(self, user: User | None = None, **values: Any) -> SavedMethod:
        _, attempt = self.paid(user or self.user())
        SavedMethod.objects.filter(attempt=attempt).update(**values)
        return SavedMethod.objects.get(attempt=attempt)


class ConsentTest(_Saving, ShoppingTestCase):
    def test_consent_and_token_are_kept_and_nothing_else_of_the_card(self) -> None:
        user = self.user()
        _, attempt = self.paid(user, "Keep it, says Ana")
        row = SavedMethod.objects.get()
        self.assertEqual((row.user, row.attempt, row.state), (user, attempt, "saved"))
        self.assertEqual((row.token, row.brand, row.last4, row.exp_year, row.exp_month), ("tok-1", *Keeper().card))
        self.assertEqual((row.consent_text, row.consent_version), ("Keep it, says Ana", saved.CONSENT_VERSION))
        self.assertLess(timezone.now() - row.consented_at, timedelta(minutes=1))
        self.assertEqual(str(row), "Visa •••• 4242")

    def test_only_four_digits_are_kept_whatever_the_provider_says(self) -> None:
        self.provider.card = ("Visa", "4242424242424242", 2030, 12)
        self.assertEqual(self.card().last4, "4242")

    def test_without_consent_nothing_is_asked_or_kept(self) -> None:
        self.paid(self.user(), consent="")
        self.assertEqual(self.provider.kept, {})
        self.assertFalse(SavedMethod.objects.exists())

    def test_consent_given_or_withdrawn_on_the_way_is_another_attempt(self) -> None:
        order = self.order_of(self.user())
        first = engine.start(order, "card", wish=Wish(consent="yes")).attempt
        again = engine.start(order, "card", wish=Wish(consent="yes")).attempt
        without = engine.start(order, "card").attempt
        self.assertEqual(first, again)
        self.assertNotEqual(first, without)
        self.assertIn(first.key, self.provider.voided)
        self.assertIsNone(saved.asked(without))

    def test_an_order_that_is_never_paid_leaves_no_trace(self) -> None:
        attempt = engine.start(self.order_of(self.user()), "card", wish=Wish(consent="yes")).attempt
        self.provider.state[attempt.key] = "failed"
        engine.learn(attempt, "return")
        vault.work_due(timezone.now() + timedelta(days=1))
        self.assertEqual(SavedMethod.objects.get().state, "asked")  # it may still turn out to be paid
        vault.work_due(timezone.now() + timedelta(days=5))
        self.assertFalse(SavedMethod.objects.exists())

    def test_consent_outlives_a_specification_that_saves_no_more_and_then_ends(self) -> None:
        attempt = engine.start(self.order_of(self.user()), "card", wish=Wish(consent="yes")).attempt
        self.provider.state[attempt.key] = "failed"
        engine.learn(attempt, "return")
        with patch.dict(SHOP["payment"], methods=METHODS):
            vault.work_due(timezone.now() + timedelta(days=5))
        self.assertFalse(SavedMethod.objects.exists())

    def test_provider_that_does_not_answer_is_asked_again(self) -> None:
        order = self.order_of(self.user())
        attempt = engine.start(order, "card", wish=Wish(consent="yes")).attempt
        self.provider.charge(attempt)
        engine.learn(attempt, "return")
        self.provider.script = ["down-before"]
        vault.collect(attempt)
        self.assertEqual(SavedMethod.objects.get().state, "asked")
        vault.work_due(timezone.now() + timedelta(hours=1))
        self.assertEqual(SavedMethod.objects.get().state, "saved")

    def test_the_same_card_saved_again_takes_the_place_of_the_first(self) -> None:
        user = self.user()
        first, second = self.card(user), self.card(user)
        vault.work_due(timezone.now() + timedelta(minutes=1))
        self.assertEqual(saved.of(user), [second])
        self.assertEqual(self.provider.forgotten, [first.token])

    def test_the_copy_of_personal_data_has_it_without_the_token(self) -> None:
        row = self.card()
        (told,) = saved.export(row.user)
        self.assertEqual((told["brand"], told["last4"], told["expires"]), ("Visa", "4242", "2030-12"))
        self.assertEqual(told["consent"]["text"], "I agree")
        self.assertNotIn(row.token, str(told))


class PayingTest(_Saving, ShoppingTestCase):
    def pay(self, row: SavedMethod, order: Order | None = None) -> engine.Start:
        return engine.start(order or self.order_of(row.user), "card", wish=Wish(card=row))

    def test_paid_at_once_without_the_providers_page(self) -> None:
        row = self.card()
        order = self.order_of(row.user)
        started = self.pay(row, order)
        self.assertIsNone(started.redirect)
        self.assertState(order, "confirmed")
        self.assertEqual(self.provider.charged, {started.attempt.key: "tok-1"})
        self.assertEqual(engine.paid_amount(order), order.total_amount)

    def test_the_last_used_comes_first(self) -> None:
        user = self.user()
        first = self.card(user)
        self.provider.card = ("Mastercard", "4444", 2031, 1)
        second = self.card(user)
        self.assertEqual(saved.of(user), [second, first])
        self.pay(first)
        self.assertEqual(saved.of(user), [first, second])

    def test_clicked_again_and_after_a_lost_answer_it_is_charged_once(self) -> None:
        row = self.card()
        order = self.order_of(row.user)
        self.provider.script = ["down-after", "down-after"]
        with self.assertRaises(engine.NotStarted) as told:
            self.pay(row, order)
        self.assertEqual(told.exception.code, "provider_down")
        for _ in range(3):
            self.pay(row, order)
        self.assertEqual(len(self.provider.charged), 1)
        self.assertEqual(order.attempts.count(), 1)
        self.assertState(order, "confirmed")

    def test_a_charge_whose_answer_was_lost_is_found_by_the_worker(self) -> None:
        row = self.card()
        order = self.order_of(row.user)
        self.provider.script = ["down-after", "down-after"]
        with self.assertRaises(engine.NotStarted):
            self.pay(row, order)
        engine.reconcile_due(timezone.now() + timedelta(hours=1))
        self.assertState(order, "confirmed")

    def test_authentication_brings_the_buyer_back_and_the_order_is_not_lost(self) -> None:
        row = self.card()
        self.provider.then = "ask"
        order = self.order_of(row.user)
        started = self.pay(row, order)
        self.assertTrue(started.redirect.startswith("https://bank.example/"))
        self.assertState(order, "pending_payment")
        self.assertEqual(self.pay(row, order).redirect, started.redirect)
        self.provider.charge(started.attempt)
        self.client.get(f"/checkout/return/{started.attempt.key}/")
        self.assertState(order, "confirmed")

    def test_declined_leaves_the_order_and_the_card(self) -> None:
        row = self.card()
        self.provider.then = "insufficient_funds"
        order = self.order_of(row.user)
        with self.assertRaises(engine.NotStarted) as told:
            self.pay(row, order)
        self.assertEqual(told.exception.code, "insufficient_funds")
        row.refresh_from_db()
        self.assertTrue(row.usable)
        self.assertTrue(engine.start(order, "card").redirect)  # and on to another card

    def test_refused_for_good_is_marked(self) -> None:
        row = self.card()
        self.provider.then = "token_gone"
        with self.assertRaises(engine.NotStarted):
            self.pay(row)
        row.refresh_from_db()
        self.assertEqual((row.state, row.usable), ("gone", False))

    def test_provider_says_that_it_is_gone(self) -> None:
        row = self.card()
        fact = Fact("scripted", "evt-gone", "token_gone", token=row.token)
        self.assertEqual([engine.apply(fact), engine.apply(fact)], ["applied", "duplicate"])
        row.refresh_from_db()
        self.assertEqual(row.state, "gone")
        unknown = Fact("scripted", "evt-other", "token_gone", token="tok-unknown")
        self.assertEqual(engine.apply(unknown), "unknown")
        self.assertTrue(PaymentEvent.objects.filter(event_id="evt-other", outcome="unknown").exists())

    def test_the_engine_refuses_what_is_not_the_buyers(self) -> None:
        row = self.card(self.user("bob@example.com"))
        for order in (self.order_of(self.user()), self.order_of(None)):
            with self.assertRaises(engine.NotStarted):
                self.pay(row, order)
        self.assertEqual(self.provider.charged, {})

    def test_the_engine_refuses_what_is_removed_or_gone(self) -> None:
        for state in ("asked", "gone", "removed"):
            row = self.card(self.user(f"{state}@example.com"), state=state)
            with self.assertRaises(engine.NotStarted):
                self.pay(row)
        self.assertEqual(self.provider.charged, {})

    def test_expiry_is_the_end_of_the_month_that_is_printed(self) -> None:
        row = self.card(exp_year=2028, exp_month=2)
        self.assertEqual(row.expires.isoformat(), "2028-02-29")
        self.assertTrue(row.usable)
        self.assertTrue(self.card(self.user("x@example.com"), exp_year=2026, exp_month=10).expired)
        self.assertFalse(self.card(self.user("y@example.com"), exp_year=None, exp_month=None).expired)


class EndTest(_Saving, ShoppingTestCase):
    def test_provider_down_is_asked_again_until_it_forgets(self) -> None:
        row = self.card()
        saved.remove(SavedMethod.objects.filter(pk=row.pk))
        self.assertEqual(saved.of(row.user), [])
        self.provider.script = ["down-before"]
        vault.work_due(timezone.now() + timedelta(minutes=1))
        self.assertTrue(SavedMethod.objects.exists())
        vault.work_due(timezone.now() + timedelta(days=1))
        self.assertEqual(self.provider.forgotten, [row.token])
        self.assertFalse(SavedMethod.objects.exists())

    def test_erasing_the_account_has_the_provider_forget(self) -> None:
        row = self.card()
        row.user.delete()
        vault.work_due()
        self.assertEqual(self.provider.forgotten, [row.token])
        self.assertFalse(SavedMethod.objects.exists())

    def test_what_a_guest_saved_goes_without_an_account(self) -> None:
        self.paid(None)
        vault.work_due(timezone.now() + timedelta(hours=23))
        self.assertTrue(SavedMethod.objects.exists())
        vault.work_due(timezone.now() + timedelta(hours=25))
        self.assertEqual(self.provider.forgotten, ["tok-1"])
        self.assertFalse(SavedMethod.objects.exists())

    def test_removed_while_a_payment_is_open(self) -> None:
        row = self.card()
        self.provider.then = "ask"
        order = self.order_of(row.user)
        attempt = engine.start(order, "card", wish=Wish(card=row)).attempt
        saved.remove(SavedMethod.objects.filter(pk=row.pk))
        self.assertFalse(vault.forget(row))
        other = engine.start(order, "card")  # not the bank's page of what was removed
        self.assertNotEqual(other.attempt, attempt)
        self.assertTrue(vault.forget(row))

    def test_removed_before_the_token_came(self) -> None:
        user = self.user()
        attempt = engine.start(self.order_of(user), "card", wish=Wish(consent="yes")).attempt
        saved.remove(user.saved_methods.all())
        row = SavedMethod.objects.get()
        self.assertFalse(vault.forget(row))
        self.provider.charge(attempt)
        engine.learn(attempt, "return")
        vault.work_due(timezone.now() + timedelta(days=1))
        self.assertEqual(self.provider.forgotten, ["tok-1"])
        self.assertFalse(SavedMethod.objects.exists())


@override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"])
class PagesTest(_Saving, BuyerTestCase):
    def sign_in(self, client: Client, user: User) -> None:
        client.force_login(user)
        Cart.objects.filter(ordered_at=None).update(user=user)

    def sign_up(self, email: str = "ana@example.com") -> User:
        user = self.user(email, verified_at=timezone.now())
        self.sign_in(self.client, user)
        return user

    def buy(self, **payment: str) -> Order:
        self.send_with("payment", **payment)
        self.send("review")
        return Order.objects.latest("pk")

    def token_page(self, name: str, order: Order) -> str:
        return address(f"orders:{name}", links.token(order))

    def test_the_box_is_unticked_and_says_who_keeps_what(self) -> None:
        self.sign_up()
        self.go_to("payment")
        page = self.page("payment").content.decode()
        (box,) = re.findall(rf'<input type="checkbox"[^>]*name="{BOX}"[^>]*>', page)
        self.assertNotIn("checked", box)
        self.assertIn(f'aria-describedby="{BOX}-h"', box)
        self.assertIn("Keeper Ltd", page)

    def test_there_is_no_box_where_the_specification_does_not_say_so(self) -> None:
        self.sign_up()
        self.go_to("payment")
        with patch.dict(SHOP["payment"], methods=METHODS):
            self.assertNotContains(self.page("payment"), "payment-save-")

    def test_no_box_for_guests_who_cannot_open_an_account(self) -> None:
        self.go_to("payment")
        self.assertContains(self.page("payment"), BOX)
        only = {"guest": True, "sign_in": True, "account": "none"}
        with patch.dict(SHOP["checkout"], identification=only):
            self.assertNotContains(self.page("payment"), BOX)
            order = self.buy(**{BOX: "on"})
        self.assertIsNone(saved.asked(order.attempts.get()))

    def test_a_ticked_box_stays_ticked_and_reaches_the_payment(self) -> None:
        self.sign_up()
        self.send_with("payment", **{BOX: "on"})
        page = self.page("payment").content.decode()
        self.assertRegex(page, rf'name="{BOX}"[^>]* checked')
        self.send("review")
        row = saved.asked(Order.objects.get().attempts.get())
        self.assertIn("Keeper Ltd", row.consent_text)
        self.assertIn(SHOP["shop"]["name"], row.consent_text)

    def test_what_is_saved_comes_first_and_is_paid_from_the_review(self) -> None:
        row = self.card(self.sign_up())
        self.go_to("payment")
        page = self.page("payment").content.decode()
        first = re.search(r'<input type="radio" name="payment-method"[^>]*>', page)[0]
        self.assertIn(f'value="{row.value}"', first)
        self.assertIn("checked", first)
        self.assertIn("4242", page)
        self.assertIn("12/2030", page)
        self.send_with("payment", **{"payment-method": row.value})
        review = self.page("review")
        self.assertContains(review, "4242")
        self.assertContains(review, review.context["order_button"])
        self.assertEqual(self.provider.charged, {})  # nothing before the button
        answer = self.send("review")
        order = Order.objects.latest("pk")
        self.client.get(answer["Location"])
        self.assertState(order, "confirmed")
        self.assertEqual(list(self.provider.charged.values()), [row.token])

    def test_replayed_forms_never_charge_twice(self) -> None:
        row = self.card(self.sign_up())
        order = self.buy(**{"payment-method": row.value})
        total = str(order.total_amount)
        for _ in range(3):
            self.client.post(address("checkout:step", "review"), {"total": total})
            self.client.post(self.token_page("pay", order), {"payment-method": row.value, "tries": "0"})
        self.assertEqual(len(self.provider.charged), 1)
        self.assertEqual(engine.paid_amount(order), order.total_amount)

    def test_declined_leads_softly_to_the_other_ways_and_a_replay_does_not_try_again(self) -> None:
        row = self.card(self.sign_up())
        self.provider.then = "insufficient_funds"
        order = self.buy(**{"payment-method": row.value})
        page = self.client.get(self.token_page("pay", order))
        self.assertEqual(page.context["chosen"], "card")
        self.assertContains(page, "4242")
        self.provider.then = "pay"
        self.client.post(address("checkout:step", "review"), {"total": str(order.total_amount)})
        stale = {"payment-method": row.value, "tries": "0"}
        self.client.post(self.token_page("pay", order), stale)
        self.assertEqual(self.provider.charged, {})
        self.client.post(self.token_page("pay", order), stale | {"tries": str(page.context["tries"])})
        self.assertEqual(len(self.provider.charged), 1)
        self.assertState(order, "confirmed")

    def test_expired_is_shown_as_such_and_cannot_be_chosen(self) -> None:
        row = self.card(self.sign_up(), exp_year=2026, exp_month=3)
        self.go_to("payment")
        page = self.page("payment").content.decode()
        radio = re.search(rf'<input[^>]*value="{row.value}"[^>]*>', page)[0]
        self.assertIn("disabled", radio)
        self.assertIn("03/2026", page)
        self.send("payment", **{"payment-method": row.value})
        self.assertNotIn("saved", Cart.objects.latest("pk").data.get("payment") or {})

    def test_a_card_removed_in_another_tab_is_not_charged(self) -> None:
        row = self.card(self.sign_up())
        self.send_with("payment", **{"payment-method": row.value})
        saved.remove(SavedMethod.objects.filter(pk=row.pk))
        self.send("review")
        self.assertEqual(self.provider.charged, {})

    def test_another_accounts_card_is_neither_seen_nor_charged_nor_removed(self) -> None:
        theirs = self.card(self.user("bob@example.com"))
        user = self.sign_up()
        self.go_to("payment")
        self.assertNotContains(self.page("payment"), theirs.key)
        self.send("payment", **{"payment-method": theirs.value})
        cart = Cart.objects.get(user=user, ordered_at=None)
        self.assertNotIn("saved", cart.data.get("payment") or {})
        cart.data["payment"] = {"method": "card", "saved": theirs.key, "billing_same": True, "billing": {}}
        cart.save()
        self.send("review")
        order = self.order_of(user)
        self.client.post(self.token_page("pay", order), {"payment-method": theirs.value, "tries": "0"})
        self.assertEqual(self.provider.charged, {})
        self.assertNotContains(self.client.get(address("accounts:home")), theirs.key)
        answer = self.client.post(address("accounts:remove-card", theirs.key))
        self.assertEqual(answer.status_code, 404)
        theirs.refresh_from_db()
        self.assertTrue(theirs.usable)

    def test_somebody_with_the_orders_link_sees_and_charges_nothing_and_saves_nothing(self) -> None:
        row = self.card()
        order = self.order_of(row.user)
        for stranger in (Client(), Client()):
            page = stranger.get(self.token_page("pay", order))
            self.assertNotContains(page, row.last4)
            self.assertNotContains(page, BOX)
            stranger.post(self.token_page("pay", order), {"payment-method": row.value, "tries": "0"})
            stranger.post(self.token_page("pay", order), {"payment-method": "card", BOX: "on", "tries": "0"})
            self.sign_in(stranger, self.user(f"eve{User.objects.count()}@example.com"))
        self.assertEqual(self.provider.charged, {})
        self.assertEqual(SavedMethod.objects.count(), 1)

    def test_signing_out_takes_the_choice_along(self) -> None:
        row = self.card(self.sign_up())
        self.send_with("payment", **{"payment-method": row.value})
        del self.client.cookies[settings.SESSION_COOKIE_NAME]  # the cart of the device stays
        self.assertContains(self.page("payment"), BOX)
        self.send("review")
        self.assertEqual(self.provider.charged, {})

    def test_removed_in_the_account(self) -> None:
        row = self.card(self.sign_up())
        home = self.client.get(address("accounts:home"))
        self.assertContains(home, "4242")
        self.assertEqual(self.client.get(address("accounts:remove-card", row.key)).status_code, 405)
        answer = self.client.post(address("accounts:remove-card", row.key), follow=True)
        self.assertNotContains(answer, row.key)
        self.assertEqual(self.provider.forgotten, [row.token])

    def paid_as_guest(self) -> Order:
        order = self.buy(**{BOX: "on"})
        attempt = order.attempts.get()
        self.provider.charge(attempt)
        self.client.get(f"/checkout/return/{attempt.key}/")
        self.assertState(order, "confirmed")
        return order

    def open_account(self, client: Client, order: Order) -> HttpResponse:
        return client.post(self.token_page("account", order), {"password": PASSWORD})

    def test_a_guest_keeps_it_by_an_account_in_one_click(self) -> None:
        order = self.paid_as_guest()
        self.assertIsNone(SavedMethod.objects.get().user)
        self.open_account(self.client, order)
        self.assertEqual(saved.of(User.objects.get()), [SavedMethod.objects.get()])
        self.assertContains(self.client.get(address("accounts:home")), "4242")
        vault.work_due(timezone.now() + timedelta(days=2))
        self.assertTrue(SavedMethod.objects.get().usable)

    def test_another_browser_with_the_orders_link_does_not_get_the_guests_card(self) -> None:
        order = self.paid_as_guest()
        other = Client()
        self.open_account(other, order)
        self.assertEqual(saved.of(User.objects.get()), [])
        self.assertNotContains(other.get(address("accounts:home")), "4242")

    def test_who_proves_the_mailbox_later_does_not_inherit_the_card(self) -> None:
        """The account was opened with a mistyped address; its owner takes it over by a new password."""
        from accounts.links import send_password_reset
        from mails.models import OutboxMail

        self.open_account(self.client, self.paid_as_guest())
        user = User.objects.get()
        send_password_reset(user, order_language())
        url = OutboxMail.objects.filter(kind="password-reset").latest("pk").context["url"]
        self.client.post(re.sub(r"^https?://[^/]+", "", url), {"password": "quite another password"})
        self.assertEqual(saved.of(user), [])


class OnePageTest(_Saving, BuyerTestCase):
    one_page = True

    def everything(self, **payment: str) -> dict[str, str]:
        answers: dict[str, str] = {}
        for step in STEPS:
            answers |= self.answers(step.slug)
        return answers | payment

    def test_saved_and_used_again_in_the_one_form(self) -> None:
        user = self.user(verified_at=timezone.now())
        row = self.card(user)
        self.client.force_login(user)
        Cart.objects.filter(ordered_at=None).update(user=user)
        wanted = {"payment-method": row.value}
        self.client.post(address("checkout:start"), self.everything(**wanted) | {"update": "delivery-method"})
        page = self.client.get(address("checkout:start")).content.decode()
        self.assertRegex(page, rf'value="{row.value}"[^>]* checked')
        self.assertNotRegex(page, rf'name="{BOX}"[^>]* checked')
        answer = self.client.post(address("checkout:start"), self.everything(**wanted))
        self.client.get(answer["Location"])
        self.assertEqual(list(self.provider.charged.values()), [row.token])
        self.assertState(Order.objects.latest("pk"), "confirmed")


def order_language() -> str:
    return SHOP["shop"]["languages"][0]


class ConcurrencyTest(_Saving, ConcurrentShoppingTestCase):
    def test_two_tabs_pay_at_the_same_moment_and_it_is_charged_once(self) -> None:
        row = self.card()
        order = self.order_of(row.user)
        at_once([lambda: engine.start(order, "card", wish=Wish(card=row))] * 6)
        self.assertEqual(len(self.provider.charged), 1)
        self.assertEqual(order.attempts.count(), 1)
        self.assertState(order, "confirmed")

    def test_one_tab_pays_with_what_is_saved_and_the_other_at_the_providers_page(self) -> None:
        row = self.card()
        order = self.order_of(row.user)
        at_once([lambda: engine.start(order, "card", wish=Wish(card=row)), lambda: engine.start(order, "card")] * 2)
        self.assertLessEqual(len(self.provider.charged), 1)
        live = order.attempts.filter(state__in=("requested", "action_required", "pending", "authorized"))
        self.assertLessEqual(live.count(), 1)

    def test_removal_by_two_tabs(self) -> None:
        row = self.card()
        at_once([lambda: vault.forget(SavedMethod.objects.get(pk=row.pk))] * 3)
        self.assertFalse(SavedMethod.objects.exists())
        self.assertTrue(set(self.provider.forgotten) == {row.token})
