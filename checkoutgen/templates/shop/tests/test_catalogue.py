"""Loading the catalogue and its pages."""

import io
import json
import logging
import re
from decimal import Decimal
from unittest.mock import patch

from django.conf import settings
from django.test import SimpleTestCase, TestCase
from django.urls import reverse
from django.utils.translation import override

from catalogue import pages, prices
from catalogue.load import load
from catalogue.models import Product, Variant
from common import markdown
from common.logs import redact
from common.money import format_amount, to_decimal
from common.texts import localized
from config.shop import HOME, MARKETS, SHOP
from tests.shopping import WAYS
from tests.stall import CURRENCY, LANGUAGE, goods, open_stall, text, variant


def address(name: str, *args: str) -> str:
    with override(LANGUAGE):
        return reverse(name, args=args)


class LoadTest(TestCase):
    def test_loading_twice_changes_texts_and_prices_but_not_stock(self) -> None:
        load([goods("sheet", variant("SHEET", 5900, 10))])
        Variant.objects.update(stock=4)
        load([goods("sheet", variant("SHEET", 4900, 10), title=text("New"))])
        found = Variant.objects.select_related("product").get()
        self.assertEqual((found.stock, found.prices[CURRENCY]["amount"], str(found.product)), (4, 4900, "New"))
        load([goods("sheet", variant("SHEET", 4900, 10))], stock=True)
        self.assertEqual(Variant.objects.get().stock, 10)

    def test_what_left_the_file_is_withdrawn_but_kept(self) -> None:
        load([goods("sheet", variant("A"), variant("B")), goods("pillow")])
        load([goods("sheet", variant("A"))])
        self.assertEqual(list(Product.objects.filter(published=True).values_list("handle", flat=True)), ["sheet"])
        self.assertEqual(list(Variant.objects.filter(published=True).values_list("sku", flat=True)), ["A"])
        self.assertEqual(Variant.objects.count(), 3)


class PageTest(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        open_stall()

    def test_product_page_has_what_decides_the_purchase(self) -> None:
        page = self.client.get(address("catalogue:product", "sheet")).content.decode()
        self.assertIn(format_amount(5900, CURRENCY, LANGUAGE), page)
        self.assertIn('name="sku" value="SHEET"', page)
        self.assertRegex(page, r'name="quantity"[^>]* value="1"')
        with patch.dict(SHOP["delivery"], methods=WAYS):  # a download has no day of arrival
            page = self.client.get(address("catalogue:product", "sheet")).content.decode()
        self.assertRegex(page, r'<time datetime="\d{4}-\d\d-\d\d">')
        self.assertIn(address("catalogue:product", "pillow"), page)

    def test_search_engines_read_addresses_offer_and_way(self) -> None:
        path = address("catalogue:product", "cover")
        page = self.client.get(path + "?variant=C-L-BLUE").content.decode()
        self.assertIn(f'<link rel="canonical" href="{settings.PUBLIC_URL}{path}">', page)
        languages = SHOP["shop"]["languages"]
        for language in languages if len(languages) > 1 else ():
            self.assertIn(f'hreflang="{language}" href="{settings.PUBLIC_URL}/{language}/p/cover/"', page)
        product, way = json.loads(re.search(r'<script type="application/ld\+json">(.*?)</script>', page)[1])["@graph"]
        self.assertEqual((product["@type"], product["sku"]), ("Product", "C-L-BLUE"))
        offer = product["offers"]
        self.assertEqual((offer["price"], offer["priceCurrency"]), (str(to_decimal(8000, CURRENCY)), CURRENCY))
        self.assertEqual(offer["availability"], "https://schema.org/InStock")
        self.assertEqual(way["itemListElement"][-1]["item"], f"{settings.PUBLIC_URL}{path}")

    def test_a_title_cannot_leave_the_linked_data(self) -> None:
        Product.objects.filter(handle="sheet").update(title=text("</script><script>alert(1)</script>&"))
        page = self.client.get(address("catalogue:product", "sheet")).content.decode()
        self.assertNotIn("<script>alert", page)
        data = re.search(r'<script type="application/ld\+json">(.*?)</script>', page)[1]
        self.assertEqual(json.loads(data)["@graph"][0]["name"], "</script><script>alert(1)</script>&")

    def test_sitemap_lists_every_page_and_robots_names_it(self) -> None:
        robots = self.client.get("/robots.txt").content.decode()
        index = re.search(r"Sitemap: (.*)", robots)[1].removeprefix(settings.PUBLIC_URL)
        listed = re.findall(r"<loc>(.*?)</loc>", self.client.get(index).content.decode())
        self.assertEqual(len(listed), len(SHOP["shop"]["languages"]))
        for url in listed:
            pages = re.findall(
                r"<loc>(.*?)</loc>", self.client.get(url.removeprefix(settings.PUBLIC_URL)).content.decode()
            )
            self.assertTrue(any(page.endswith("/p/sheet/") for page in pages))
            for page in pages:
                self.assertEqual(self.client.get(page.removeprefix(settings.PUBLIC_URL)).status_code, 200, page)

    def test_text_of_the_specification_is_never_markup(self) -> None:
        page = self.client.get(address("catalogue:product", "sheet")).content.decode()
        self.assertIn("<strong>Soft</strong>", page)
        self.assertNotIn("<script>alert", page)

    def test_variant_is_chosen_by_link(self) -> None:
        page = self.client.get(address("catalogue:product", "cover") + "?variant=C-L-BLUE").content.decode()
        self.assertIn('value="C-L-BLUE"', page)
        self.assertIn(format_amount(8000, CURRENCY, LANGUAGE), page)
        # The nearest variant with the other value: same colour where there is one.
        self.assertIn("?variant=C-S-BLUE", page)

    def test_sold_out_variant_is_shown_and_cannot_be_added(self) -> None:
        page = self.client.get(address("catalogue:product", "cover") + "?variant=C-L-RED").content.decode()
        self.assertNotIn('name="sku"', page)
        unknown = self.client.get(address("catalogue:product", "cover") + "?variant=NOPE")
        self.assertContains(unknown, 'value="C-S-RED"')

    def test_unknown_and_withdrawn_products_are_not_found(self) -> None:
        Product.objects.filter(handle="sheet").update(published=False)
        self.assertEqual(self.client.get(address("catalogue:product", "sheet")).status_code, 404)
        self.assertEqual(self.client.get(address("catalogue:product", "none")).status_code, 404)
        self.assertEqual(self.client.get(address("catalogue:category", "none")).status_code, 404)

    def test_every_page_in_every_language_within_the_first_window(self) -> None:
        """https://web.dev/articles/extract-critical-css: the first response fits into 14 KB compressed."""
        import gzip

        for language in SHOP["shop"]["languages"]:
            for name, args in (("home", ()), ("product", ("cover",))):
                with override(language):
                    response = self.client.get(reverse(f"catalogue:{name}", args=args))
                with self.subTest(language=language, page=name):
                    self.assertEqual(response.status_code, 200)
                    self.assertContains(response, f'<html lang="{language}"')
                    self.assertLess(len(gzip.compress(response.content)), 14_000)

    def test_head_policy_allows_no_inline_script_and_only_the_own_style(self) -> None:
        response = self.client.get(address("catalogue:home"))
        policy = response["Content-Security-Policy"]
        nonce = re.search(r"'nonce-([^']+)'", policy)
        self.assertIn("default-src 'none'", policy)
        self.assertNotIn("unsafe", policy)
        self.assertContains(response, f'<style nonce="{nonce[1]}">')
        self.assertNotIn("sessionid", response.cookies)

    def test_market_is_chosen_by_post_and_leads_back_to_the_page_only(self) -> None:
        other = list(MARKETS)[-1]
        url = address("catalogue:market")
        self.assertEqual(self.client.get(url).status_code, 405)
        response = self.client.post(url, {"market": other, "next": address("catalogue:product", "sheet")})
        self.assertRedirects(response, address("catalogue:product", "sheet"), status_code=303)
        self.assertEqual(self.client.get(address("catalogue:home")).context["market_code"], other)
        for hostile in ("//evil.example/", "https://evil.example/", "/\\evil.example", "javascript:alert(1)"):
            with self.subTest(hostile):
                response = self.client.post(url, {"market": other, "next": hostile})
                self.assertEqual(response["Location"], address("catalogue:home"))


class PriceTest(SimpleTestCase):
    def test_net_and_gross(self) -> None:
        self.assertEqual(prices.shown(10000, Decimal(20), "net", "gross"), 12000)
        self.assertEqual(prices.shown(12000, Decimal(20), "gross", "net"), 10000)
        self.assertEqual(prices.shown(999, Decimal("5.5"), "gross", "gross"), 999)
        self.assertEqual(prices.shown(5, Decimal(10), "net", "gross"), 6)  # half up

    def test_unit_price(self) -> None:
        self.assertEqual(pages.unit_price({"content": "250", "measure": "g"}, 500), (2000, "kg"))
        self.assertEqual(pages.unit_price({"content": "0.75", "measure": "l"}, 1000), (1333, "l"))
        self.assertIsNone(pages.unit_price(None, 500))

    def test_variant_without_a_price_in_the_currency_is_not_sold_there(self) -> None:
        self.assertIsNone(prices.price(Variant(sku="x", prices={}), HOME))


class CommonTest(SimpleTestCase):
    def test_minor_units_follow_the_currency(self) -> None:
        self.assertEqual(to_decimal(1234, "EUR"), Decimal("12.34"))
        self.assertEqual(to_decimal(1234, "JPY"), Decimal("1234"))
        self.assertEqual(to_decimal(1234, "KWD"), Decimal("1.234"))
        self.assertIn("1,234", format_amount(1234, "JPY", "en"))

    def test_text_falls_back_to_the_first_language(self) -> None:
        with override("xx"):
            self.assertEqual(localized({LANGUAGE: "here"}), "here")
        self.assertEqual(localized("plain"), "plain")
        self.assertEqual(localized(None), "")

    def test_markdown_keeps_only_safe_links_and_no_html(self) -> None:
        html = markdown.render(
            "[a](javascript:alert(1)) [b](https://x.example) [c](//x.example) ![t](https://x.example/p.png) <b>raw</b>"
        )
        self.assertEqual(re.findall(r'href="([^"]*)"', html), ["https://x.example", "https://x.example/p.png"])
        self.assertNotIn("<b>", html)
        self.assertNotIn("<img", html)

    def test_logs_hold_no_personal_data(self) -> None:
        line = redact("Not Found: /fr/order/eyJhbGciOiJIUzI1NiJ9:abc/pay/?mail=ada@byron.example for ada@byron.example")
        self.assertEqual(line, "Not Found: /fr/order/[token]/pay/?[query] for [mail]")

    def test_no_link_that_lets_somebody_in_reaches_the_log(self) -> None:
        token = "ML-2026-000001~forged-but-long"
        out = io.StringIO()
        console = logging.getLogger("django").handlers[0]
        with patch.object(console, "stream", out):
            for path in (f"order/{token}/", f"cart/open/{token}/", f"withdraw/received/{token}/"):
                self.client.get(f"/{LANGUAGE}/{path}")
        self.assertIn("[token]", out.getvalue())
        self.assertNotIn("forged", out.getvalue())

    def test_stock_words_follow_the_specification(self) -> None:
        product = Product(published=True)

        def words(stock: int | None, show: str) -> str:
            with patch.dict(SHOP["catalogue"], show_stock=show, low_stock=5), override("en"):
                return pages.availability(Variant(product=product, stock=stock))[1]

        self.assertEqual(words(3, "low"), "Only 3 left")
        self.assertEqual(words(9, "low"), "In stock")
        self.assertEqual(words(9, "exact"), "9 in stock")
        self.assertEqual(words(3, "none"), "In stock")
        self.assertEqual(words(None, "exact"), "In stock")
        self.assertEqual(words(0, "none"), "Sold out")
