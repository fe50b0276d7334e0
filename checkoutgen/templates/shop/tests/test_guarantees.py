"""The notice on the legal guarantee and the label for a guarantee of durability, where and when they are asked for."""

from datetime import date
from unittest.mock import patch

from django.test import TestCase
from django.utils import timezone
from django.utils.translation import override

from catalogue import guarantees
from catalogue.load import load
from catalogue.models import Product
from config.shop import HOME, MARKETS, SHOP
from mails.messages import build
from orders.placing import place
from tests.buyer import BuyerTestCase, address
from tests.shopping import a_cart
from tests.stall import LANGUAGE, goods, open_stall

EU = {"eu": True, "guarantee_years": 2}
NOTICE, LABEL = 'id="guarantee"', 'id="durability"'


class GuaranteesTest(TestCase):
    def setUp(self) -> None:
        open_stall()
        load([goods("kettle", durability_guarantee_years=5), goods("song", kind="digital_content")])
        legal = {**(SHOP.get("legal") or {}), "guarantee_notice": "harmonised"}
        for patcher in (patch.dict(MARKETS[HOME], EU), patch.dict(SHOP, audience="b2c", legal=legal)):
            patcher.start()
            self.addCleanup(patcher.stop)
        self.kettle = Product.objects.get(handle="kettle")

    def page(self, handle: str) -> str:
        return self.client.get(address("catalogue:product", handle)).content.decode()

    def test_the_notice_stands_on_the_page_of_goods_only(self) -> None:
        page = self.page("kettle")
        self.assertIn(NOTICE, page)
        self.assertIn('href="#guarantee"', page)
        self.assertIn("europa.eu/youreurope/", page)
        self.assertNotIn(NOTICE, self.page("song"))

    def test_the_label_stands_where_the_producer_guarantees_more_than_two_years(self) -> None:
        self.assertIn(LABEL, self.page("kettle"))
        self.assertIn("GARAN", self.page("kettle"))
        load([goods("kettle", durability_guarantee_years=2)])
        self.assertNotIn(LABEL, self.page("kettle"))

    def test_both_begin_on_their_day(self) -> None:
        before, first = date(2026, 9, 26), date(2026, 9, 27)
        self.assertIsNone(guarantees.notice(self.kettle, HOME, before))
        self.assertEqual(guarantees.notice(self.kettle, HOME, first), {"years": 2, "country": None})
        self.assertEqual([guarantees.durability(self.kettle, HOME, day) for day in (before, first)], [0, 5])

    def test_businesses_other_countries_and_a_notice_switched_off(self) -> None:
        day = date(2027, 1, 1)
        with patch.dict(SHOP, audience="b2b"):
            self.assertIsNone(guarantees.notice(self.kettle, HOME, day))
        with patch.dict(MARKETS[HOME], eu=False):
            self.assertIsNone(guarantees.notice(self.kettle, HOME, day))
            self.assertEqual(guarantees.durability(self.kettle, HOME, day), 0)
        with patch.dict(SHOP["legal"], guarantee_notice="none"):
            self.assertIsNone(guarantees.notice(self.kettle, HOME, day))

    def test_a_country_that_gives_more_is_named(self) -> None:
        with patch.dict(MARKETS[HOME], guarantee_years=3):
            found = guarantees.notice(self.kettle, HOME, date(2027, 1, 1))
            self.assertEqual(found, {"years": 3, "country": MARKETS[HOME]["name"]})


class OrderTest(BuyerTestCase):
    def test_the_duration_stands_beside_the_button_and_in_the_mail(self) -> None:
        product = Product.objects.get(handle="sheet")
        product.durability_guarantee_years = 7
        product.save()
        fields = patch.dict(SHOP["checkout"], fields={"company": "none"})
        with patch.dict(MARKETS[HOME], EU), patch.dict(SHOP, audience="b2c"), fields:
            self.send_with("contact", company="", vat_id="")
            page = self.page("review").content.decode()
            self.assertLess(page.index("GARAN"), page.index('name="total"'))
            order = place(a_cart(product.variants.get()), now=timezone.now())
            with override(LANGUAGE):
                self.assertRegex(build("order-confirmation", order, LANGUAGE).text, r"Sheet\s?: [^\n]{,70}7")
