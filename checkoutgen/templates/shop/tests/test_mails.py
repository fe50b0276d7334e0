"""Every mail in every language: what it says, how it is built, and that nobody's name changes it."""

import re
from html.parser import HTMLParser
from unittest.mock import patch

from django.conf import settings
from django.test import SimpleTestCase, TestCase
from django.utils.translation import override

from common.texts import localized
from config.shop import HOME, SHOP, market
from mails import samples
from mails.checks import templates_are_there
from mails.facts import seller_lines
from mails.messages import Message, shortened, tidy
from mails.plain import plain
from mails.words import one_line
from orders import lifecycle
from orders.models import Order
from orders.placing import place
from orders.states import IllegalMove
from payments import engine
from tests.shopping import WAYS, ShoppingTestCase, an_order
from tests.stall import open_stall

LARGEST = 100_000  # bytes: Gmail cuts longer mails
HOSTILE = "Ana\r\nBcc: eve@example.com <script>alert(1)</script> & \u202egnp.exe"


class Reader(HTMLParser):
    """What a reader of the HTML gets: visible words, addresses, and the tables with their roles."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.addresses: list[str] = []
        self.sources: list[str] = []
        self.tables: list[dict[str, str | None]] = []
        self.headers: list[dict[str, str | None]] = []
        self.languages: list[tuple[str | None, str | None]] = []
        self._hidden = 0
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self._hidden += tag in ("style", "title")
        if "lang" in given:
            self.languages.append((given["lang"], given.get("dir")))
        if tag == "table":
            self.tables.append(given)
        if tag == "th":
            self.headers.append(given)
        if given.get("href"):
            self.addresses.append(given["href"] or "")
        if given.get("src"):
            self.sources.append(given["src"] or "")

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in ("style", "title")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.words += re.sub("[\u034f\u200b]", "", data).split()  # what fills the preview up


class EveryMailTest(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        open_stall()
        languages = [code for code, _name in settings.LANGUAGES]
        cls.mails = [(kind, code, samples.message(kind, code)) for kind in samples.kinds() for code in languages]

    def test_there_are_mails(self) -> None:
        self.assertIn("order-confirmation", samples.kinds())

    def test_subject_is_one_short_line(self) -> None:
        for kind, language, mail in self.mails:
            with self.subTest(kind, language=language):
                self.assertTrue(mail.subject)
                self.assertLessEqual(len(mail.subject), 60)
                self.assertFalse(mail.subject.endswith("…"), "the subject itself is too long")
                self.assertEqual(len(mail.subject.splitlines()), 1)

    def test_no_template_syntax_is_left(self) -> None:
        for kind, language, mail in self.mails:
            with self.subTest(kind, language=language):
                for part in (mail.subject, mail.text, mail.html):
                    self.assertNotRegex(part, r"{[{%]|[%}]}|%\(")

    def test_text_part_says_what_the_html_says(self) -> None:
        for kind, language, mail in self.mails:
            with self.subTest(kind, language=language):
                html, text = Reader(mail.html), " ".join(mail.text.split())
                for word in html.words:
                    if any(sign.isdigit() for sign in word):
                        self.assertIn(word.rstrip(".,:;"), text)
                for address in html.addresses:
                    self.assertIn(address, mail.text)

    def test_size_language_and_tables(self) -> None:
        for kind, language, mail in self.mails:
            with self.subTest(kind, language=language):
                html = Reader(mail.html)
                self.assertLess(len(mail.html.encode()), LARGEST)
                # On <html>, and on the <div> around everything because Gmail drops <html>.
                self.assertEqual(html.languages, [(language, "ltr")] * 2)
                self.assertTrue(all(header.get("scope") in ("col", "row") for header in html.headers))
                data = [table for table in html.tables if table.get("role") != "presentation"]
                self.assertTrue(not data or html.headers, "a table without headers is one of layout")

    def test_preview_adds_facts(self) -> None:
        for kind, language, mail in self.mails:
            with self.subTest(kind, language=language):
                preview = re.search(r"<body.*?<div[^>]*display:none[^>]*>(.*?)</div>", mail.html, re.S)
                words = re.sub(r"<!--.*?-->|&#847;|&#8203;|&#160;|[\u034f\u200b\u00a0]", "", preview[1]).strip()
                self.assertGreaterEqual(len(words), 40)
                self.assertLessEqual(len(words), 110 + len(SHOP["shop"]["name"]))

    def test_links_and_pictures_are_the_shops_own(self) -> None:
        for kind, language, mail in self.mails:
            with self.subTest(kind, language=language):
                html = Reader(mail.html)
                self.assertNotIn("@import", mail.html)
                for address in html.addresses:
                    self.assertTrue(address.startswith((settings.PUBLIC_URL, "https://")), address)
                for source in html.sources:
                    self.assertTrue(source.startswith(settings.PUBLIC_URL), source)

    def test_seller_is_named_at_the_foot(self) -> None:
        for kind, language, mail in self.mails:
            with self.subTest(kind, language=language), override(language):
                html = " ".join(Reader(mail.html).words)
                for line in seller_lines(language):
                    self.assertIn(line, mail.text)
                    self.assertIn(" ".join(line.split()), html)

    def test_name_of_the_buyer_stays_a_name(self) -> None:
        for kind in samples.kinds():
            with self.subTest(kind):
                mail = samples.message(kind, settings.LANGUAGE_CODE, name=HOSTILE)
                self.assertNotIn("<script>", mail.html)
                self.assertNotIn("\n", mail.subject)
                self.assertFalse([line for line in mail.text.splitlines() if line.startswith("Bcc:")])


class OrderConfirmationTest(TestCase):
    """Article 8(7) of Directive 2011/83/EU: everything on a durable medium, not behind a link."""

    @classmethod
    def setUpTestData(cls) -> None:
        open_stall()

    def test_consumer_gets_the_legal_texts(self) -> None:
        facts = market(HOME).get("withdrawal")
        if SHOP["audience"] == "b2b" or not facts:
            self.skipTest("this shop sells to businesses, or its home market knows no withdrawal")
        for language, _name in settings.LANGUAGES:
            with self.subTest(language=language):
                mail = samples.message("order-confirmation", language)
                pages = SHOP["legal"]["pages"]
                wanted = [page for page in ("terms", "withdrawal", "withdrawal-form") if page in pages]
                self.assertEqual(len(mail.attachments), len(wanted))
                for page, file in zip(wanted, mail.attachments, strict=True):
                    self.assertTrue(file.content.startswith(localized(pages[page]["title"], language)))
                    self.assertRegex(file.name, r"\A[a-z0-9-]+\.txt\Z")
                    self.assertGreater(len(file.content), 200)
                self.assertIn(localized(facts["link"], language), mail.text)
                self.assertIn("/withdraw/?order=", mail.text)

    def test_names_lines_sums_and_both_addresses(self) -> None:
        with patch.dict(SHOP["delivery"], methods=WAYS):  # to a door: what is collected goes to no address
            mail = samples.message("order-confirmation", settings.LANGUAGE_CODE)
        for part in (mail.text, " ".join(Reader(mail.html).words)):
            self.assertIn("Sheet", part)
            self.assertGreaterEqual(part.count("Ana Müller"), 3)


class SentTest(ShoppingTestCase):
    """Mails of what happens in the store, and what the check says of a mail without templates."""

    def collected(self) -> Order:
        order = an_order(method="invoice")
        order.state, order.delivery = "confirmed", order.delivery | {"kind": "click-and-collect"}
        order.save()
        return order

    def sent(self, order: Order) -> list[str]:
        return list(order.mails.order_by("pk").values_list("kind", flat=True))

    def test_buyer_hears_when_to_come_and_that_it_was_handed_over(self) -> None:
        order = self.collected()
        with patch.dict(SHOP["mails"], send=["ready-for-pickup", "delivered", "shipped"]):
            lifecycle.make_ready(order)
            lifecycle.make_ready(order)
            self.assertEqual(self.sent(order), ["ready-for-pickup"])
            lifecycle.ship(order)
            self.assertEqual(self.sent(order), ["ready-for-pickup", "delivered"])
        with self.assertRaises(IllegalMove):
            lifecycle.make_ready(order)

    def test_buyer_hears_of_an_order_that_is_not_confirmed_at_once(self) -> None:
        """Article 11, Directive 2000/31/EC: the receipt is acknowledged without undue delay."""
        slow, odd = an_order(), an_order()
        for order, kind in ((slow, "pending"), (odd, "captured")):
            attempt = engine.start(order, "card").attempt
            self.provider.charge(attempt, 1)
            fact = self.provider.fact(attempt, f"evt-{attempt.key}", kind)
            for _ in range(2):
                engine.apply(fact)
            self.assertEqual(self.sent(order).count("order-received"), 1, kind)
        self.provider.charge(slow.attempts.get())
        engine.apply(self.provider.fact(slow.attempts.get(), "paid"))
        self.assertEqual(self.sent(slow)[:2], ["order-received", "order-confirmation"])

    def test_buyer_hears_that_the_last_parcel_has_arrived(self) -> None:
        order = an_order(method="invoice")
        engine.start(order, "invoice")
        with self.assertRaises(IllegalMove):
            lifecycle.arrived(order)
        lifecycle.ship(order)
        lifecycle.arrived(order, actor="seller")
        self.assertEqual(self.sent(order).count("delivered"), 1)
        with self.assertRaises(IllegalMove):
            lifecycle.arrived(order)

    def test_missing_template_is_named_by_the_check(self) -> None:
        self.assertEqual(templates_are_there(None), [])
        with patch.dict(SHOP["mails"], send=["pigeon"]):
            self.assertIn("mails/pigeon/subject.txt", templates_are_there(None)[0].msg)


class PictureTest(TestCase):
    def mail(self, path: str) -> Message:
        with patch("mails.samples.place", lambda cart, now: self.pictured(place(cart, now=now), path)):
            return samples.message("order-confirmation", settings.LANGUAGE_CODE)

    def pictured(self, order: Order, path: str) -> Order:
        order.lines.update(picture=path)
        return order

    def test_pictures_that_mail_programs_show(self) -> None:
        open_stall()
        html = self.mail("pictures/sheet.webp").html
        self.assertIn(
            f'<img src="{settings.PUBLIC_URL}{settings.STATIC_URL}pictures/sheet.webp" alt="" width="64"', html
        )
        self.assertNotIn("<img", self.mail("pictures/sheet.svg").html)

    def test_a_picture_that_is_gone_does_not_stop_the_mail(self) -> None:
        open_stall()
        with patch("mails.facts.static", side_effect=ValueError("Missing staticfiles manifest entry")):
            self.assertNotIn("<img", self.mail("pictures/gone.jpg").html)


class WordsTest(SimpleTestCase):
    def test_one_line_drops_what_nobody_sees(self) -> None:
        name = " Order 1\r\nBcc: eve@example.com\u2028x \u202etxt\x00"
        self.assertEqual(one_line(name), "Order 1 Bcc: eve@example.com x txt")

    def test_no_break_spaces_stay(self) -> None:
        self.assertEqual(one_line("Total\u202f: 5,00\u00a0€"), "Total\u202f: 5,00\u00a0€")

    def test_long_subjects_are_cut(self) -> None:
        self.assertEqual(shortened("x" * 60), "x" * 60)
        self.assertEqual(shortened("x" * 61), "x" * 59 + "…")

    def test_tidy_text_has_no_holes(self) -> None:
        self.assertEqual(tidy("\n\n  a  \n\n \n\n\nb\n"), "a\n\nb\n")

    def test_markdown_as_text(self) -> None:
        source = "# Terms\n\nWrite to [us](mailto:a@b.example) *now*.\n\n1. One\n2. Two\n   - deep\n\n"
        table = "| a | b |\n|---|---|\n| c | d |\n"
        self.assertEqual(
            plain(source + table),
            "Terms\n=====\n\nWrite to us (a@b.example) now.\n\n1. One\n2. Two\n   – deep\n\na | b\nc | d\n",
        )

    def test_html_in_markdown_is_text(self) -> None:
        self.assertEqual(plain("a <b>c</b> [x](https://x.example)"), "a <b>c</b> x (https://x.example)\n")
