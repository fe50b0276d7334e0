"""Digital content and services that begin within the withdrawal period: asked, kept with the order, confirmed."""

from unittest.mock import patch

from django.http import HttpResponse
from django.utils.translation import override

from catalogue.models import Product
from checkout import views
from config.shop import HOME, MARKETS, SHOP
from mails.contract import consumer
from mails.messages import build
from orders.declarations import boxes, is_excepted, statements
from orders.models import Order
from tests.buyer import BuyerTestCase, address
from tests.stall import LANGUAGE, text

LABELS = {"days": 14, "link": text("Withdraw here"), "confirm": text("Confirm withdrawal")}
TICKED = {"digital-consent": "on", "digital-loss": "on"}


class DeclarationsTest(BuyerTestCase):
    def setUp(self) -> None:
        super().setUp()
        consumers = patch.dict(SHOP, audience="b2c"), patch.dict(SHOP["checkout"], fields={"company": "none"})
        for patcher in (patch.dict(MARKETS[HOME], withdrawal=LABELS), *consumers):
            patcher.start()
            self.addCleanup(patcher.stop)
        self.sell("m")

    def sell(self, letter: str) -> None:
        product = Product.objects.get(handle="sheet")
        product.withdrawal_exception = letter
        product.save()

    def buy(self, **changes: str) -> HttpResponse:
        self.send_with("contact", company="", vat_id="")
        return self.send("review", **changes)

    def test_boxes_are_asked_unticked_and_must_be_ticked(self) -> None:
        self.send_with("contact", company="", vat_id="")
        page = self.page("review")
        for box in page.context["review"]:
            self.assertContains(page, f'<input type="checkbox" id="{box.html_name}" name="{box.html_name}">')
        self.assertEqual([box.html_name for box in page.context["review"]], list(TICKED))
        refused = self.client.get(self.send("review", **{"digital-loss": "on"})["Location"])
        self.assertContains(refused, 'id="digital-consent-e"')
        self.assertContains(refused, 'href="#digital-consent"')
        self.assertNotContains(refused, 'id="digital-loss-e"')
        self.assertFalse(Order.objects.exists())

    def test_what_was_declared_is_kept_and_confirmed(self) -> None:
        self.buy(**TICKED)
        order = Order.objects.get()
        (kept,) = order.terms["declarations"]
        self.assertEqual((kept["kind"], kept["items"], len(kept["statements"])), ("digital", "Sheet", 2))
        self.assertIn("accepted_at", order.terms)
        mail = build("order-confirmation", order, LANGUAGE)
        for said in statements(order):
            self.assertIn("Sheet", said)
            self.assertIn(said, mail.text)
        self.assertIs(is_excepted(order, order.lines.get().variant.product), True)

    def test_a_service_keeps_its_right_until_it_is_performed(self) -> None:
        self.sell("a")
        self.buy(**{"service-request": "on", "service-loss": "on"})
        order = Order.objects.get()
        product = order.lines.get().variant.product
        self.assertIs(is_excepted(order, product), False)
        order.state = "fulfilled"
        self.assertIs(is_excepted(order, product), True)

    def test_the_right_is_not_lost_without_a_declaration(self) -> None:
        self.buy(**TICKED)
        order = Order.objects.get()
        order.terms.pop("declarations")
        self.assertIs(is_excepted(order, order.lines.get().variant.product), False)
        with override(LANGUAGE):
            self.assertEqual(consumer(order, LANGUAGE)["declarations"], [])

    def test_nothing_is_asked_of_goods_of_businesses_and_without_the_right(self) -> None:
        product = Product.objects.get(handle="sheet")
        self.assertEqual(len(boxes([("Sheet", product)], HOME, {})), 2)
        self.assertEqual(boxes([("Sheet", product)], HOME, {"vat_id": "SE556677889901"}), [])
        with patch.dict(MARKETS[HOME], withdrawal=None):
            self.assertEqual(boxes([("Sheet", product)], HOME, {}), [])
        with patch.dict(SHOP, audience="b2b"):
            self.assertEqual(boxes([("Sheet", product)], HOME, {}), [])
        product.withdrawal_exception = "c"
        self.assertEqual(boxes([("Sheet", product)], HOME, {}), [])

    def test_what_was_declared_for_another_cart_is_forgotten(self) -> None:
        self.buy(**TICKED, total="1")  # the sum has moved: nothing is ordered yet
        self.assertFalse(Order.objects.exists())
        self.sell("")
        self.client.get(address("checkout:step", "review"))
        self.send("review")
        self.assertNotIn("declarations", Order.objects.get().terms)

    def test_one_page(self) -> None:
        with patch.object(views, "ONE_PAGE", new=True):
            sent = {**self.answers("contact"), "company": "", "vat_id": ""}
            sent |= self.answers("delivery") | self.answers("payment") | {"total": self.total()}
            self.client.post(address("checkout:start"), sent)
            self.assertFalse(Order.objects.exists())
            self.client.post(address("checkout:start"), sent | TICKED)
            self.assertEqual(len(statements(Order.objects.get())), 2)
