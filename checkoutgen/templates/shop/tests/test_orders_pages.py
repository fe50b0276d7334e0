"""The pages of an order: thanks, state, paying again, cancelling, ordering again."""

from django.test import Client
from django.utils.html import escape
from django.utils.translation import override

from cart.models import CartLine
from catalogue.models import Variant
from common.templatetags.shop import money
from orders import lifecycle, links
from orders.models import Order
from payments import engine, failures
from tests.buyer import NAME, BuyerTestCase, address
from tests.stall import LANGUAGE


class OrderPagesTestCase(BuyerTestCase):
    def buy(self, method: str = "transfer") -> Order:
        self.send_with("payment", **{"payment-method": method})
        self.send("review")
        return Order.objects.latest("pk")

    def at(self, name: str, order: Order, client: Client | None = None):
        return (client or self.client).get(address(f"orders:{name}", links.token(order)))

    def post(self, name: str, order: Order, **data: str):
        return self.client.post(address(f"orders:{name}", links.token(order)), data)

    def pay(self, order: Order) -> None:
        attempt = order.attempts.get()
        self.provider.charge(attempt)
        engine.apply(self.provider.fact(attempt, "paid"))

    def decline(self, order: Order) -> None:
        attempt = order.attempts.last()
        engine.apply(self.provider.fact(attempt, f"declined-{attempt.pk}", "failed", failure="insufficient_funds"))


class ThanksTest(OrderPagesTestCase):
    def test_everything_the_buyer_needs(self) -> None:
        order = self.buy("invoice")
        page = self.at("thanks", order)
        with override(LANGUAGE):
            for fact in (order.number, NAME, order.email, money(order.total_amount, order.currency)):
                self.assertContains(page, escape(fact))
        self.assertContains(page, f'datetime="{order.delivery["earliest"]}"')

    def test_not_indexed_not_kept(self) -> None:
        order = self.buy("invoice")
        for name in ("thanks", "show", "cancel"):
            page = self.at(name, order)
            self.assertIn("no-store", page["Cache-Control"])
            self.assertIn("noindex", page["X-Robots-Tag"])
            self.assertContains(page, '<meta name="robots" content="noindex">')

    def test_only_the_signed_link_opens_it(self) -> None:
        order = self.buy()
        anybody = Client()
        self.assertEqual(self.at("show", order, anybody).status_code, 200)
        for token in (order.number, f"{order.number}~forged", links.token(order)[:-1]):
            self.assertEqual(anybody.get(address("orders:show", token)).status_code, 404, token)

    def test_bank_details_of_a_transfer(self) -> None:
        order = self.buy()
        page = self.at("thanks", order)
        self.assertContains(page, "FR76 3000 6000 0112 3456 7890 189")
        reference = page.context["instructions"]["reference"]
        self.assertContains(page, reference)
        self.assertEqual(bool(page.context["instructions"]["epc_qr"]), order.currency == "EUR")

    def test_unpaid_order_is_sent_to_pay(self) -> None:
        order = self.buy("card")
        self.assertEqual(self.at("thanks", order)["Location"], address("orders:pay", links.token(order)))


class PayAgainTest(OrderPagesTestCase):
    def test_after_a_decline_the_reason_and_another_way(self) -> None:
        order = self.buy("card")
        self.decline(order)
        page = self.at("pay", order)
        with override(LANGUAGE):
            self.assertContains(page, escape(failures.text("insufficient_funds")))
        self.assertContains(page, 'value="transfer"')
        answer = self.post("pay", order, **{"payment-method": "wallet"})
        self.assertEqual(answer.status_code, 303)
        self.assertEqual(answer["Location"], address("orders:leave", links.token(order)))
        self.assertIn("https://provider.example/", self.client.get(answer["Location"])["Refresh"])
        order.refresh_from_db()
        self.assertEqual((order.payment_method, order.attempts.count()), ("wallet", 2))

    def test_a_way_that_is_not_offered_is_refused(self) -> None:
        order = self.buy("card")
        answer = self.post("pay", order, **{"payment-method": "nonsense"})
        self.assertEqual(answer["Location"], address("orders:pay", links.token(order)))
        self.assertEqual(order.attempts.count(), 1)

    def test_purchase_order_is_not_offered_without_its_number(self) -> None:
        order = self.buy("card")
        self.assertNotIn("po", [method["id"] for method in self.at("pay", order).context["methods"]])

    def test_paid_order_is_not_paid_again(self) -> None:
        order = self.buy("card")
        self.pay(order)
        self.assertEqual(self.at("pay", order)["Location"], address("orders:thanks", links.token(order)))
        self.post("pay", order, **{"payment-method": "card"})
        self.assertEqual(order.attempts.count(), 1)


class OrderPageTest(OrderPagesTestCase):
    def test_tracking_of_a_shipped_order(self) -> None:
        order = self.buy("invoice")
        lifecycle.ship(order, tracking_number="1Z999", carrier="Post")
        page = self.at("show", order)
        self.assertContains(page, "1Z999")
        self.assertNotContains(page, address("orders:cancel", links.token(order)))
        self.assertEqual(self.at("thanks", order)["Location"], address("orders:show", links.token(order)))

    def test_every_state_has_its_page(self) -> None:
        order = self.buy("card")
        for state in Order._meta.get_field("state").choices:
            Order.objects.filter(pk=order.pk).update(state=state[0])
            self.assertEqual(self.at("show", order).status_code, 200, state)

    def test_cancelled_after_asking_once_more(self) -> None:
        order = self.buy("card")
        stock = Variant.objects.get(sku="SHEET").stock
        self.pay(order)
        self.assertContains(self.at("cancel", order), 'method="post"')
        self.assertState(order, "confirmed")
        self.post("cancel", order)
        self.assertState(order, "cancelled")
        self.assertEqual(Variant.objects.get(sku="SHEET").stock, stock + 1)
        self.assertEqual(engine.refunded_amount(order), order.total_amount)

    def test_shipped_order_cannot_be_cancelled(self) -> None:
        order = self.buy("invoice")
        lifecycle.ship(order)
        self.post("cancel", order)
        self.assertState(order, "fulfilled")

    def test_order_the_same_again(self) -> None:
        order = self.buy()
        answer = self.post("reorder", order)
        self.assertEqual(answer["Location"], address("cart:show"))
        self.assertEqual(
            list(CartLine.objects.filter(cart__ordered_at=None).values_list("sku", "quantity")), [("SHEET", 1)]
        )

    def test_order_again_leaves_out_what_is_gone(self) -> None:
        order = self.buy()
        Variant.objects.filter(sku="SHEET").update(stock=0)
        self.post("reorder", order)
        self.assertFalse(CartLine.objects.filter(cart__ordered_at=None).exists())

    def test_no_personal_data_in_the_address(self) -> None:
        order = self.buy()
        token = links.token(order)
        self.assertNotIn(order.email.split("@")[0], token)
