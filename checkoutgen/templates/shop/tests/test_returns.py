"""The withdrawal function (Directive 2011/83/EU article 11a): two steps, for guests too, with a receipt by mail."""

from unittest.mock import patch

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import override

from common.texts import localized
from config.shop import HOME, MARKETS, SHOP
from mails.messages import build
from mails.models import OutboxMail
from orders import links
from orders.models import Order
from returns.contracts import open_lines, token
from returns.models import Withdrawal

from .shopping import ShoppingTestCase, a_variant, an_order

LANGUAGE = SHOP["shop"]["languages"][0]
LABELS = {"days": 14, "link": {LANGUAGE: "Withdraw here"}, "confirm": {LANGUAGE: "Confirm withdrawal"}}


class ReturnsTestCase(ShoppingTestCase):
    def setUp(self) -> None:
        super().setUp()
        for patcher in (patch.dict(MARKETS[HOME], withdrawal=LABELS), patch.dict(SHOP, audience="b2c")):
            patcher.start()
            self.addCleanup(patcher.stop)
        self.order = an_order(a_variant(), quantity=3, method="invoice")
        self.state("confirmed")
        self.line = self.order.lines.get()
        with override(LANGUAGE):
            self.page, self.confirmation = reverse("returns:withdraw"), reverse("returns:confirm")

    def state(self, state: str) -> None:
        Order.objects.filter(pk=self.order.pk).update(state=state)
        self.order.refresh_from_db()

    def find(self, number: str = "", email: str = "") -> HttpResponse:
        return self.client.post(self.page, {"number": number or self.order.number, "email": email or self.order.email})

    def state_it(self, **fields: str | int) -> HttpResponse:
        values = {"what": "whole", "name": "Ada Byron", "email": self.order.email} | fields
        return self.client.post(f"{self.page}?order={links.token(self.order)}", values)

    def confirm(self) -> HttpResponse:
        return self.client.post(self.confirmation)

    def assertSeeOther(self, response: HttpResponse, beginning: str) -> None:  # noqa: N802
        self.assertEqual(response.status_code, 303)
        self.assertTrue(response["Location"].startswith(beginning), response["Location"])


class FindTest(ReturnsTestCase):
    def test_guest_names_number_and_address(self) -> None:
        self.assertEqual(self.client.get(self.page).status_code, 200)
        answer = self.find(self.order.number.lower(), self.order.email.upper().replace("EXAMPLE.COM", "example.com"))
        self.assertSeeOther(answer, f"{self.page}?order=")
        page = self.client.get(answer["Location"])
        self.assertContains(page, localized(self.line.title) or self.line.sku)

    def test_number_and_address_do_not_open_the_order_page_nor_tell_the_name(self) -> None:
        answer = self.find()
        page = self.client.get(answer["Location"])
        self.assertNotContains(page, "Ada Byron")
        with override(LANGUAGE):
            own = reverse("orders:show", args=[answer["Location"].partition("order=")[2]])
        self.assertEqual(self.client.get(own).status_code, 404)

    def test_wrong_number_and_wrong_address_get_the_same_answer(self) -> None:
        def shown(response: HttpResponse) -> str:
            self.assertEqual(response.status_code, 422)
            return response.content.decode().partition('id="errs"')[2].partition("</div>")[0]

        first = shown(self.find(number="XX-2026-000001"))
        self.assertIn("<li>", first)
        self.assertEqual(first, shown(self.find(email="eve@example.com")))

    def test_guessing_ends_after_ten_failures(self) -> None:
        for _ in range(10):
            self.assertEqual(self.find(number="XX-2026-000001").status_code, 422)
        self.assertEqual(self.find().status_code, 422)

    def test_forged_link_leads_back(self) -> None:
        answer = self.client.get(f"{self.page}?order={self.order.number}~forged")
        self.assertRedirects(answer, self.page)

    def test_empty_form_names_each_field(self) -> None:
        answer = self.client.post(self.page, {"number": "", "email": ""})
        self.assertContains(answer, 'href="#number"', status_code=422)
        self.assertContains(answer, 'href="#email"', status_code=422)


class WithdrawTest(ReturnsTestCase):
    def test_whole_order_in_two_steps_with_receipt(self) -> None:
        self.assertContains(self.client.get(f"{self.page}?order={links.token(self.order)}"), "Ada Byron")
        self.assertSeeOther(self.state_it(), self.confirmation)
        self.assertFalse(Withdrawal.objects.exists(), "the first step sends nothing")

        page = self.client.get(self.confirmation)
        # Only the words of the law on the button.
        self.assertContains(page, '<button class="btn" type="submit">Confirm withdrawal</button>', html=True)
        answer = self.confirm()
        withdrawal = Withdrawal.objects.get()
        self.assertEqual((withdrawal.order, withdrawal.name), (self.order, "Ada Byron"))
        self.assertEqual([(each["sku"], each["quantity"]) for each in withdrawal.lines], [(self.line.sku, 3)])
        self.assertEqual(self.order.events.filter(kind="withdrawal").count(), 1)
        receipt = self.client.get(answer["Location"])
        self.assertContains(receipt, withdrawal.text)
        self.assertContains(receipt, self.order.email)

        row = OutboxMail.objects.get(kind="withdrawal-received")
        self.assertEqual((row.to, row.order), (self.order.email, self.order))
        mail = build(row.kind, row.order, row.language, row.context)
        for part in (mail.text, mail.html):
            self.assertIn(self.order.number, part)
            self.assertRegex(part, r"\d{1,2}[:.]\d{2}[:.]\d{2}")
        self.assertIn(withdrawal.text, mail.text)
        self.assertEqual(OutboxMail.objects.get(kind="new-withdrawal").to, SHOP["seller"]["email"])

    def test_confirming_twice_counts_once(self) -> None:
        self.state_it()
        first, second = self.confirm(), self.confirm()
        self.assertEqual(first["Location"], second["Location"])
        self.assertEqual(Withdrawal.objects.count(), 1)
        self.assertEqual(OutboxMail.objects.filter(kind="withdrawal-received").count(), 1)

    def test_part_leaves_the_rest(self) -> None:
        self.state_it(what="part", **{f"line-{self.line.pk}": 1})
        self.confirm()
        self.assertEqual([left for _line, left in open_lines(self.order)], [2])
        self.state_it()
        self.confirm()
        self.assertEqual(open_lines(self.order), [])
        self.assertEqual(
            [each["quantity"] for withdrawal in Withdrawal.objects.order_by("pk") for each in withdrawal.lines], [1, 2]
        )
        self.assertEqual(self.state_it().status_code, 200, "nothing is left to withdraw from, and the page says so")

    def test_more_than_was_bought_is_refused_in_words(self) -> None:
        self.assertContains(self.state_it(what="part", **{f"line-{self.line.pk}": 4}), "errs", status_code=422)
        self.assertContains(self.state_it(what="part"), "errs", status_code=422)

    def test_two_drafts_never_withdraw_more_than_was_bought(self) -> None:
        other = self.client_class()
        self.state_it()
        mine, self.client = self.client, other
        self.state_it()
        self.confirm()
        self.client = mine
        self.assertSeeOther(self.confirm(), self.page)
        self.assertEqual(Withdrawal.objects.count(), 1)

    def test_another_address_gets_the_receipt_and_the_buyer_too(self) -> None:
        self.state_it(email="other@example.com")
        self.confirm()
        received = OutboxMail.objects.filter(kind="withdrawal-received").values_list("to", flat=True)
        self.assertEqual(set(received), {"other@example.com", self.order.email})

    def test_what_was_typed_is_kept(self) -> None:
        answer = self.state_it(name="", email="nobody", what="part")
        self.assertContains(answer, 'value="nobody"', status_code=422)
        self.assertContains(answer, 'value="part" checked', status_code=422)

    def test_confirmation_without_statement_or_with_a_forged_one_begins_again(self) -> None:
        self.assertSeeOther(self.confirm(), self.page)
        self.client.cookies["withdrawal"] = '{"order": "x"}:forged'
        self.assertSeeOther(self.confirm(), self.page)
        self.assertFalse(Withdrawal.objects.exists())

    def test_forged_receipt_is_not_found(self) -> None:
        with override(LANGUAGE):
            self.assertEqual(self.client.get(reverse("returns:received", args=["abc~forged"])).status_code, 404)

    def test_pages_are_not_stored(self) -> None:
        for answer in (self.client.get(self.page), self.client.get(f"{self.page}?order={token(self.order)}")):
            self.assertIn("no-store", answer["Cache-Control"])
            self.assertContains(answer, 'name="robots" content="noindex"')


class RightTest(ReturnsTestCase):
    def test_no_contract_no_withdrawal(self) -> None:
        for state, lines in (("draft", 0), ("expired", 0), ("cancelled", 0), ("pending_payment", 1), ("fulfilled", 1)):
            with self.subTest(state):
                self.state(state)
                self.assertEqual(len(open_lines(self.order)), lines)

    def test_excepted_goods_cannot_be_chosen(self) -> None:
        product = self.line.variant.product
        product.withdrawal_exception = "c"
        product.save()
        self.assertEqual(open_lines(self.order), [])

    def test_right_outlives_the_product(self) -> None:
        self.line.variant.product.delete()
        self.assertEqual([left for _line, left in open_lines(self.order)], [3])

    def test_businesses_and_markets_without_the_right(self) -> None:
        self.order.company = {"name": "Ada AB", "vat_id": "SE556677889901"}
        self.assertEqual(open_lines(self.order), [])
        self.order.company = {}
        with patch.dict(MARKETS[HOME], withdrawal=None):
            self.assertEqual(open_lines(self.order), [])
        self.assertEqual(len(open_lines(self.order)), 1)
