"""PayPal's card fields and PayPal in the cart, with the official SDK, against prepared answers on this machine."""

from typing import Any
from unittest.mock import patch

from django.utils import timezone

from config.shop import HOME, SHOP
from orders.placing import place
from payments import engine, wallets
from payments.providers.paypal import express
from payments.providers.paypal.secure import refused
from payments.units import decimal_text, from_text

from .payfields import PayFields
from .shopping import a_cart, an_order
from .test_payments_paypal import ORDERS, PaypalTestCase

METHODS = [
    {"id": "card", "kind": "card", "provider": "paypal", "mode": "fields", "name": {}},
    {"id": "paypal", "kind": "paypal", "provider": "paypal", "express": True, "name": {}},
]
REF = "5O190127TN364715T"


class FieldsTestCase(PayFields, PaypalTestCase):
    def setUp(self) -> None:
        super().setUp()
        patcher = patch.dict(SHOP["payment"], methods=METHODS)
        patcher.start()
        self.addCleanup(patcher.stop)


class FieldsTest(FieldsTestCase):
    def test_page(self) -> None:
        order = an_order()
        page = self.check_page(order, "paypal", "paypal.com", "paypalobjects.com")
        self.assertContains(page, f"client-id=secret&amp;components=card-fields&amp;currency={order.currency}")

    def test_order_is_opened_then_collected_after_the_page(self) -> None:
        order = an_order()
        self.answers["POST", ORDERS] = 200, self.order("CREATED")
        answer = self.give(order, "").json()
        asked = self.posts(ORDERS)[-1]
        card = asked.json["payment_source"]["card"]
        self.assertEqual(card["attributes"]["verification"]["method"], "SCA_WHEN_REQUIRED")
        self.assertNotIn("number", card)
        self.assertEqual(answer["browser"], {"ref": REF})
        attempt = order.attempts.get()
        self.approve(attempt, self.capture(attempt))
        self.assertIn("/thanks/", self.client.get(answer["go"])["Location"])
        self.assertState(order, "confirmed")

    def test_nothing_is_collected_when_3d_secure_failed(self) -> None:
        order = an_order()
        self.answers["POST", ORDERS] = 200, self.order("CREATED")
        answer = self.give(order, "").json()
        result = {"liability_shift": "NO", "three_d_secure": {"authentication_status": "N"}}
        failed = self.order("APPROVED") | {"payment_source": {"card": {"authentication_result": result}}}
        self.stands(failed, failed)
        self.assertEqual(self.client.get(answer["go"])["Location"], self.url(order))
        self.assertEqual(order.attempts.get().failure, "authentication_failed")
        self.assertEqual(self.posts("/capture"), [])

    def test_when_3d_secure_stands_in_the_way(self) -> None:
        for result, expected in (
            ({}, False),
            ({"liability_shift": "POSSIBLE", "three_d_secure": {"authentication_status": "Y"}}, False),
            ({"liability_shift": "POSSIBLE", "three_d_secure": {"authentication_status": "A"}}, False),
            ({"liability_shift": "NO", "three_d_secure": {"authentication_status": "R"}}, True),
            ({"liability_shift": "NO", "three_d_secure": {"enrollment_status": "N"}}, False),
            ({"liability_shift": "UNKNOWN"}, True),
        ):
            order = {"payment_source": {"card": {"authentication_result": result}}}
            self.assertEqual(refused(order), expected, result)

    def test_without_script_the_hosted_page(self) -> None:
        order = an_order()
        self.answers["POST", ORDERS] = 200, self.order()
        self.assertEqual(self.client.post(self.url(order), {"after": ""}).status_code, 303)
        self.assertIn("paypal", self.posts(ORDERS)[-1].json["payment_source"])


class ExpressTest(FieldsTestCase):
    def wallet_order(self, status: str = "APPROVED", country: str = HOME) -> dict:
        address = {"address_line_1": "1 Main Street", "admin_area_2": "Lille", "postal_code": "59000"}
        unit = {
            "reference_id": "default",
            "amount": {"currency_code": "EUR", "value": "1.00"},
            "shipping": {
                "name": {"full_name": "Ada Byron"},
                "address": address | {"country_code": country},
                "options": [{"id": "a", "selected": False}, {"id": "b", "selected": True}],
            },
        }
        return {"id": REF, "status": status, "payer": {"email_address": "ada@example.com"}, "purchase_units": [unit]}

    def test_opens_an_order_that_adds_up_and_is_only_agreed_to(self) -> None:
        cart = a_cart()
        self.answers["POST", ORDERS] = 200, self.order()
        ref, url = express.begin(cart, METHODS[1], "https://shop.example/back", "https://shop.example/quote")
        self.assertEqual(ref, REF)
        self.assertTrue(url.startswith("https://www.sandbox.paypal.com/"))
        body = self.posts(ORDERS)[-1].json
        context = body["payment_source"]["paypal"]["experience_context"]
        self.assertEqual((context["user_action"], context["shipping_preference"]), ("CONTINUE", "GET_FROM_FILE"))
        self.assertEqual(context["order_update_callback_config"]["callback_url"], "https://shop.example/quote")
        self.adds_up(body["purchase_units"][0]["amount"])

    def adds_up(self, amount: dict[str, Any]) -> None:
        def units(part: dict[str, str]) -> int:
            value = from_text(part["value"], part["currency_code"])
            assert value is not None
            return value

        parts = {key: units(part) for key, part in amount["breakdown"].items()}
        discount = parts.pop("discount")
        self.assertEqual(units(amount), sum(parts.values()) - discount)

    def test_answers_where_delivery_goes_and_what_it_costs(self) -> None:
        cart = a_cart()
        body = {"id": REF, "shipping_address": {"country_code": HOME}}
        self.assertEqual(express.asked(body), (HOME, ""))
        found = wallets.quote(cart, HOME, "", timezone.now())
        assert found is not None
        status, answer = express.quoted(body, cart, found)
        self.assertEqual((status, answer["id"]), (200, REF))
        unit = answer["purchase_units"][0]
        self.adds_up(unit["amount"])
        self.assertEqual([each["selected"] for each in unit["shipping_options"]].count(True), 1)
        status, answer = express.quoted(body, cart, None)
        self.assertEqual((status, answer["details"][0]["issue"]), (422, "COUNTRY_ERROR"))

    def test_paypal_says_who_agreed(self) -> None:
        self.answers["GET", f"{ORDERS}/{REF}"] = 200, self.wallet_order()
        wallet = express.wallet(a_cart(), REF, {})
        assert wallet is not None
        self.assertEqual((wallet.token, wallet.email, wallet.option), (REF, "ada@example.com", "b"))
        self.assertEqual((wallet.address["name"], wallet.address["city"]), ("Ada Byron", "Lille"))

    def test_who_left_has_agreed_to_nothing(self) -> None:
        self.answers["GET", f"{ORDERS}/{REF}"] = 200, self.wallet_order("PAYER_ACTION_REQUIRED")
        self.assertIsNone(express.wallet(a_cart(), REF, {"token": REF}))
        self.assertIsNone(express.wallet(a_cart(), "../" + REF, {}))

    def test_final_amount_is_set_and_collected_when_the_buyer_orders(self) -> None:
        cart = a_cart(method="paypal")
        cart.data["wallet"] = {"method": "paypal", "token": REF, "amount": None, "currency": cart.currency}
        cart.save()
        order = place(cart, now=timezone.now())
        self.answers["PATCH", f"{ORDERS}/{REF}"] = 204, None
        started = engine.start(order, "paypal", create=wallets.charge(order, "paypal"))
        patched = next(each for each in self.answers.asked if each.method == "PATCH").json
        self.assertEqual(patched[0]["value"]["value"], decimal_text(order.total_amount, order.currency))
        attempt = started.attempt
        assert attempt is not None
        self.assertEqual(patched[1]["value"], attempt.key)
        self.approve(attempt, self.capture(attempt))
        engine.learn(attempt, "return")
        self.assertState(order, "confirmed")
