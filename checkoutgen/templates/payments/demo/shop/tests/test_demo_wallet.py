"""The demo wallet in the cart: it fills in the checkout, and nothing is taken before the order button."""

import json
from typing import Any
from unittest.mock import patch

from django.core import signing
from django.test import Client
from django.urls import reverse

from cart.models import Cart
from catalogue.models import Variant
from checkout import views
from config.shop import HOME, MARKETS, SHOP
from orders.models import Order
from payments import express, wallets
from payments.providers.demo import express as demo
from payments.providers.demo import wallet as wallet_page
from payments.providers.demo.models import DemoPayment

from .buyer import address, postal
from .stall import open_stall
from .test_payments_demo import DemoTestCase

METHODS = [
    {"id": "card", "kind": "card", "provider": "demo", "name": {}},
    {"id": "wallet", "kind": "wallet", "provider": "demo", "express": True, "name": {}},
]
FREE = {
    "minimum_order": None,
    "terms": "link",
    "fields": {},
    "identification": {"guest": True, "sign_in": True, "account": "after-payment"},
}


def person(country: str = HOME, account: str = "agree", **fields: str) -> demo.Person:
    where = {key.removeprefix("w-"): value for key, value in postal("w", country).items()} | fields
    return demo.Person(f"{country}-{account}".lower(), "ana@wallet.example", "", where, account)


class WalletTestCase(DemoTestCase):
    def setUp(self) -> None:
        super().setUp()
        open_stall()
        for patcher in (
            patch.dict(SHOP["payment"], methods=METHODS),
            patch.dict(SHOP["checkout"], FREE),
            patch.dict(SHOP, audience="b2c", business={}),
            patch.object(views, "ONE_PAGE", False),
        ):
            patcher.start()
            self.addCleanup(patcher.stop)
        self.client.post(address("cart:add"), {"sku": "SHEET", "quantity": "1"})

    def inside(self, url: str) -> str:
        return url.removeprefix(self.live_server_url)

    def to_wallet(self) -> str:
        """Press the button in the cart. Returns the address of the wallet's page."""
        begun = self.client.post(address("pay:express", "wallet"))
        self.assertEqual(begun.status_code, 303)
        out = self.client.get(begun["Location"])
        self.assertEqual(out.headers["Refresh"].split("url=")[1], Cart.objects.get().data["wallet"]["url"])
        return self.inside(out.headers["Refresh"].split("url=")[1])

    def agree(self, who: demo.Person, option: str = "") -> Any:
        """Go to the wallet as somebody, agree, and come back. Returns the answer of the shop."""
        page = self.to_wallet()
        with (
            patch.object(demo, "PEOPLE", (who,)),
            patch.object(wallet_page, "PEOPLE", (who,)),
        ):
            back = self.client.post(page, {"person": who.id, "option": option})
            self.assertEqual(back.status_code, 303)
            return self.client.get(self.inside(back["Location"]))

    def order(self, who: demo.Person) -> tuple[Order, Any]:
        page = self.client.get(address("checkout:step", "review"))
        with patch.object(demo, "PEOPLE", (who,)):
            answer = self.client.post(
                address("checkout:step", "review"), {"total": str(page.context["checkout"].total)}
            )
        return Order.objects.get(), answer


class WayTest(WalletTestCase):
    def test_address_and_mail_from_the_wallet_then_the_review_then_the_money(self) -> None:
        who = person()
        back = self.agree(who)
        self.assertEqual(back["Location"], address("checkout:step", "review"))
        self.assertFalse(Order.objects.exists())
        self.assertFalse(DemoPayment.objects.exists())
        page = self.client.get(back["Location"])
        self.assertContains(page, who.email)
        self.assertContains(page, who.address["street"])
        words = page.context["order_button"]
        self.assertContains(page, words)
        self.assertTrue(page.context["method"]["approved"])
        self.assertEqual([line.line.sku for line in page.context["summary"].lines], ["SHEET"])
        order, answer = self.order(who)
        self.client.get(self.inside(answer["Location"]))
        self.assertState(order, "confirmed")
        self.assertEqual((order.email, order.shipping_address["street"]), (who.email, who.address["street"]))
        paid = DemoPayment.objects.get()
        self.assertEqual((paid.taken, paid.currency), (order.total_amount, order.currency))

    def test_way_of_delivery_chosen_in_the_wallet(self) -> None:
        cart = Cart.objects.get()
        found = wallets.quote(cart, HOME, "", cart.updated_at)
        assert found is not None
        last = found.options[-1].id
        self.agree(person(), last)
        self.assertEqual(Cart.objects.get().data["delivery"]["method"], last)

    def test_wallet_shows_what_the_shop_answers_for_the_address(self) -> None:
        who = person()
        with patch.object(wallet_page, "PEOPLE", (who,)):
            page = self.client.get(self.to_wallet(), {"person": who.id})
        cart = Cart.objects.get()
        found = wallets.quote(cart, HOME, "", cart.updated_at)
        assert found is not None
        self.assertEqual(page.context["answer"]["total"], found.totals.total)
        self.assertEqual([each["id"] for each in page.context["options"]], [each.id for each in found.options])

    def test_another_market_brings_its_taxes_and_ways(self) -> None:
        others = [
            code for code, facts in MARKETS.items() if code != HOME and facts["currency"] == MARKETS[HOME]["currency"]
        ]
        for country in others[:1]:
            who = person(country)
            self.agree(who)
            self.assertEqual(Cart.objects.get().market, country)
            order, answer = self.order(who)
            self.client.get(self.inside(answer["Location"]))
            self.assertState(order, "confirmed")
            self.assertEqual(order.market, country)

    def test_another_currency_is_not_what_was_agreed_to(self) -> None:
        others = [code for code, facts in MARKETS.items() if facts["currency"] != MARKETS[HOME]["currency"]]
        for country in others[:1]:
            who = person(country)
            self.agree(who)
            page = self.client.get(address("checkout:step", "review"))
            self.assertNotIn("approved", page.context["method"])
            order, answer = self.order(who)
            self.assertIn("/leave/", answer["Location"])
            self.assertState(order, "pending_payment")

    def test_country_that_nothing_goes_to_is_refused_softly(self) -> None:
        nowhere = next(code for code in ("IS", "NO", "JP") if code not in MARKETS)
        back = self.agree(person(nowhere))
        self.assertEqual(back["Location"], address("checkout:step", "delivery"))
        page = self.client.get(back["Location"])
        self.assertEqual(len(list(page.context["messages"])), 1)
        cart = Cart.objects.get()
        self.assertEqual((cart.market, cart.data["contact"]["email"]), (HOME, "ana@wallet.example"))
        self.assertFalse(Order.objects.exists())

    def test_what_does_not_fit_is_asked_where_it_belongs(self) -> None:
        back = self.agree(person(postcode="nonsense", city=""))
        self.assertEqual(back["Location"], address("checkout:step", "delivery"))
        page = self.client.get(back["Location"])
        self.assertIn("city", page.context["address"].errors)
        self.assertContains(page, "5 rue de l")  # what fits is kept

    def test_shop_without_guests_asks_to_sign_in(self) -> None:
        members = FREE | {"identification": {"guest": False, "sign_in": True, "account": "required"}}
        with patch.dict(SHOP["checkout"], members):
            back = self.agree(person())
        self.assertEqual(back["Location"], address("checkout:step", "contact"))


class LeaveToPayTest(WalletTestCase):
    def test_more_than_was_agreed_to_is_not_taken(self) -> None:
        who = person()
        self.agree(who)
        self.client.post(address("cart:add"), {"sku": "PILLOW", "quantity": "1"})
        page = self.client.get(address("checkout:step", "review"))
        self.assertNotIn("approved", page.context["method"])
        _, answer = self.order(who)
        self.assertIn("/leave/", answer["Location"])
        self.assertEqual(DemoPayment.objects.get().state, "open")

    def test_less_is(self) -> None:
        who = person()
        self.client.post(address("cart:add"), {"sku": "PILLOW", "quantity": "1"})
        self.agree(who)
        line = Cart.objects.get().lines.get(sku="PILLOW")
        self.client.post(address("cart:remove"), {"line": line.pk})
        order, answer = self.order(who)
        self.client.get(self.inside(answer["Location"]))
        self.assertState(order, "confirmed")
        self.assertEqual(DemoPayment.objects.get().taken, order.total_amount)

    def test_declined_at_last_and_paid_in_another_way(self) -> None:
        who = person(account="refuse")
        self.agree(who)
        order, answer = self.order(who)
        self.assertIn("/pay/", answer["Location"])
        self.assertState(order, "pending_payment")
        again = self.client.post(answer["Location"], {"payment-method": "wallet"})
        self.assertIn("/leave/", again["Location"])  # its leave was used up

    def test_second_click_on_the_order_button(self) -> None:
        who = person()
        self.agree(who)
        order, _ = self.order(who)
        with patch.object(demo, "PEOPLE", (who,)):
            self.client.post(address("checkout:step", "review"), {"total": "1"})
        self.assertEqual((DemoPayment.objects.count(), order.attempts.count()), (1, 1))

    def test_stock_gone_between_wallet_and_button(self) -> None:
        who = person()
        self.agree(who)
        page = self.client.get(address("checkout:step", "review"))
        Variant.objects.filter(sku="SHEET").update(stock=0)
        with patch.object(demo, "PEOPLE", (who,)):
            self.client.post(address("checkout:step", "review"), {"total": str(page.context["checkout"].total)})
        self.assertFalse(Order.objects.exists())
        self.assertFalse(DemoPayment.objects.exists())

    def test_leaving_the_wallet(self) -> None:
        page = self.to_wallet()
        back = self.client.post(page, {"leave": "1"})
        cart = self.client.get(self.inside(back["Location"]))
        self.assertEqual(cart["Location"], address("cart:show"))
        self.assertNotIn("delivery", Cart.objects.get().data)

    def test_forged_and_foreign_answers(self) -> None:
        self.to_wallet()
        url = address("pay:express-back", "wallet")
        other = signing.dumps({"ref": "x", "person": "fr-agree", "option": "", "amount": 1}, salt=demo.AGREED)
        for agreed in ("", "x", other, "é"):
            self.assertEqual(self.client.get(url, {"agreed": agreed})["Location"], address("cart:show"), agreed)
        self.assertEqual(Client().get(url, {"agreed": other})["Location"], address("cart:show"))
        self.assertNotIn("token", Cart.objects.get().data["wallet"])


class ButtonTest(WalletTestCase):
    def test_stands_in_the_cart_by_spec_and_where_the_method_is_open(self) -> None:
        self.assertContains(self.client.get(address("cart:show")), address("pay:express", "wallet"))
        for change in ({"express": False}, {"markets": ["XX"]}, {"maximum": {MARKETS[HOME]["currency"]: 1}}):
            with patch.dict(SHOP["payment"], methods=[METHODS[0], METHODS[1] | change]):
                self.assertNotContains(self.client.get(address("cart:show")), address("pay:express", "wallet"))
                self.client.post(address("pay:express", "wallet"))
        self.assertNotIn("wallet", Cart.objects.get().data)

    def test_no_script_of_anybody_in_the_cart(self) -> None:
        policy = self.client.get(address("cart:show")).headers["Content-Security-Policy"]
        self.assertNotIn("frame-src", policy)
        self.assertNotIn("https:", policy.replace("upgrade-insecure-requests", ""))

    def test_empty_cart_and_no_token_of_the_form(self) -> None:
        self.assertEqual(Client().post(address("pay:express", "wallet"))["Location"], address("cart:show"))
        self.assertEqual(Client(enforce_csrf_checks=True).post(address("pay:express", "wallet")).status_code, 403)


class QuoteTest(WalletTestCase):
    def ask(self, body: Any, token: str = "", provider: str = "demo") -> Any:
        token = token or signing.dumps(Cart.objects.get().pk, salt=express.SALT)
        body = body if isinstance(body, str) else json.dumps(body)
        url = reverse("payments:quote", args=[provider, token])
        return Client(enforce_csrf_checks=True).post(url, body, content_type="application/json")

    def test_ways_and_sums_without_touching_the_cart(self) -> None:
        before = Cart.objects.values().get()
        for country, facts in MARKETS.items():
            answer = self.ask({"country": country})
            if facts["currency"] != MARKETS[HOME]["currency"]:
                self.assertEqual(answer.status_code, 422)
                continue
            self.assertEqual(answer.json()["option"], answer.json()["options"][0]["id"])
            self.assertEqual(answer.json()["currency"], facts["currency"])
        self.assertEqual(Cart.objects.values().get(), before)

    def test_refusals(self) -> None:
        self.assertEqual(self.ask({"country": "XX"}).status_code, 422)
        for body in ("", "[]", "3", "{", {"land": HOME}, "[" * 50_000):
            self.assertEqual(self.ask(body).status_code, 400, str(body)[:20])
        self.assertEqual(self.ask({"country": HOME}, token="x").status_code, 404)
        self.assertEqual(self.ask({"country": HOME}, provider="nobody").status_code, 404)
        Cart.objects.update(ordered_at="2026-01-01T00:00Z")
        self.assertEqual(self.ask({"country": HOME}, token=signing.dumps(1, salt=express.SALT)).status_code, 404)
