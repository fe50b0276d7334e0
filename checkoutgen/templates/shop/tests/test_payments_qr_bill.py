"""The Swiss QR-bill and its references. Whether a reader of codes reads the drawn symbol is tested in a browser."""

from unittest.mock import patch

from django.test import SimpleTestCase
from django.urls import reverse
from django.utils.translation import override
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum import iso11649
from stdnum.ch import esr

from config.shop import SHOP
from mails.facts import facts
from orders import links
from orders.models import Order
from payments import engine, methods, qr_bill, references

from .shopping import ShoppingTestCase, an_order

IBAN = "CH93 0076 2011 6238 5295 7"
QR_IBAN = "CH44 3199 9123 0008 8901 2"
ADDRESS = {"name": "Ada Byron", "street": "Bahnhofstrasse 12a", "postcode": "8001", "city": "Zürich", "country": "CH"}


class ReferenceTest(SimpleTestCase):
    def test_example_of_the_guidelines(self) -> None:
        self.assertEqual(references.check_digit("21000000000313947143000901"), "7")

    @settings(deadline=None)
    @given(st.integers(2000, 2099), st.integers(1, 10**9))
    def test_order_number_comes_back(self, year: int, number: int) -> None:
        order = Order(number=f"ML-{year}-{number:06d}")
        reference = references.qr_reference(order)
        self.assertEqual(len(reference), 27)
        self.assertTrue(esr.is_valid(reference))
        self.assertEqual(references.read_qr(reference), (str(year), f"{number:06d}"))
        self.assertTrue(iso11649.is_valid(references.creditor_reference(order)))

    @settings(deadline=None)
    @given(st.integers(0, 26), st.integers(1, 9))
    def test_one_wrong_digit_is_noticed(self, place: int, by: int) -> None:
        right = references.qr_reference(Order(number="ML-2026-000042"))
        wrong = right[:place] + str((int(right[place]) + by) % 10) + right[place + 1 :]
        self.assertIsNone(references.read_qr(wrong))


class QrBillTest(ShoppingTestCase):
    def order(self, iban: str = IBAN, currency: str = "CHF", address: dict | None = None) -> tuple[Order, dict]:
        method = {"id": "transfer", "kind": "bank-transfer", "iban": iban, "holder": "Muster AG", "name": {}}
        patcher = patch.dict(SHOP["payment"], methods=[method])
        patcher.start()
        self.addCleanup(patcher.stop)
        order = an_order(method="transfer")
        order.currency, order.total_amount = currency, 194975
        order.billing_address = ADDRESS if address is None else address
        order.save()
        engine.start(order, "transfer")
        return order, method

    def lines(self, *values, **more) -> list[str]:
        return qr_bill.text(*self.order(*values, **more)).split("\n")

    def test_lines_in_the_order_of_the_guidelines(self) -> None:
        lines = self.lines()
        self.assertEqual(lines[:6], ["SPC", "0200", "1", "CH9300762011623852957", "S", "Muster AG"])
        self.assertEqual(lines[11:18], [""] * 7)
        self.assertEqual(lines[18:20], ["1949.75", "CHF"])
        self.assertEqual(lines[20:27], ["S", "Ada Byron", "Bahnhofstrasse", "12a", "8001", "Zürich", "CH"])
        self.assertEqual(lines[27], "SCOR")
        self.assertTrue(iso11649.is_valid(lines[28]))
        self.assertEqual((lines[30], len(lines)), ("EPD", 31))

    def test_qr_iban_takes_a_qr_reference(self) -> None:
        lines = self.lines(QR_IBAN, "EUR")
        self.assertEqual((lines[19], lines[27]), ("EUR", "QRR"))
        self.assertTrue(esr.is_valid(lines[28]))

    def test_buyer_without_a_whole_address_is_left_out(self) -> None:
        self.assertEqual(self.lines(address={"name": "Ada"})[20:27], [""] * 7)

    def test_letters_that_banks_do_not_take(self) -> None:
        lines = self.lines(address=ADDRESS | {"name": "Ђорђе Nguyễn\nЁ L’Hermitte", "city": "Ålesund"})
        self.assertEqual(lines[21], "..... Nguyen . L'Hermitte")
        self.assertEqual((lines[25], len(lines)), ("Ålesund", 31))

    def test_offered_for_francs_and_euro_to_swiss_accounts_only(self) -> None:
        for iban, currency, offered in (
            (IBAN, "CHF", True),
            (IBAN, "EUR", True),
            ("LI21 0881 0000 2324 013A A", "CHF", True),
            (IBAN, "SEK", False),
            ("FR7630006000011234567890189", "EUR", False),
        ):
            order, _ = self.order(iban, currency)
            told = methods.instructions(order)
            self.assertEqual(bool(told["qr_bill"]), offered, (iban, currency))
            self.assertFalse(told["qr_bill"] and told["epc_qr"])

    def test_page_to_print_has_the_official_words(self) -> None:
        order, _ = self.order(QR_IBAN)
        for language, word in (("de", "Empfangsschein"), ("fr", "Récépissé"), ("it", "Ricevuta"), ("sv", "Receipt")):
            order.language = language
            self.assertEqual(qr_bill.parts(order, methods.method("transfer"))["words"]["receipt"], word)
        with override(SHOP["shop"]["languages"][0]):
            page = self.client.get(reverse("orders:qr-bill", args=[links.token(order)]))
        self.assertContains(page, "CH44 3199 9123 0008 8901 2")
        self.assertContains(page, "1 949.75")
        self.assertContains(page, "<svg")

    def test_mail_shows_the_account_in_groups_and_leads_to_the_bill(self) -> None:
        order, _ = self.order(IBAN)
        told = facts("payment-pending", order, SHOP["shop"]["languages"][0], {})
        self.assertIn(IBAN, [step["value"] for step in told["steps"]])
        self.assertIn("/qr-bill/", told["qr_bill_url"])

    def test_no_page_where_there_is_no_bill(self) -> None:
        order, _ = self.order("FR7630006000011234567890189", "EUR")
        with override(SHOP["shop"]["languages"][0]):
            page = self.client.get(reverse("orders:qr-bill", args=[links.token(order)]))
        self.assertEqual(page.status_code, 404)

    def test_house_number_behind_before_or_missing(self) -> None:
        for written, split in (
            ("Bahnhofstrasse 12a", ("Bahnhofstrasse", "12a")),
            ("12 rue de la Clef", ("rue de la Clef", "12")),
            ("3 bis, rue Haute", ("rue Haute", "3 bis")),
            ("Place du Marché", ("Place du Marché", "")),
            ("Straße des 17. Juni 135", ("Straße des 17. Juni", "135")),
        ):
            self.assertEqual(qr_bill._street(written), split)
