"""From the cart to the order: fields, addresses, steps, and what may go wrong on the way."""

import gzip
import json
import re
from unittest.mock import patch

from django.core.exceptions import ValidationError
from django.test import Client, SimpleTestCase
from django.utils.html import escape
from django.utils.translation import override
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cart.models import Cart, CartLine
from catalogue.models import Variant
from checkout import fields
from checkout.address import AddressForm, lines, postcode, rules
from checkout.steps import STEPS
from config.shop import HOME, MARKETS, SHOP
from orders import links
from orders.models import Order
from payments import failures
from tests.buyer import CONTACT, NAME, BuyerTestCase, address, postal
from tests.shopping import CURRENCY
from tests.stall import LANGUAGE, text

COUNTRIES = "AT BE CA CH DE DK ES FI FR GB IE IT JP LU NL NO PL PT SE US".split()  # noqa: SIM905
EXAMPLES = [(country, example) for country in COUNTRIES for example in rules(country).postal_code_examples]
# A machine under load is no failure.
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


class FieldsTest(SimpleTestCase):
    def refusal(self, clean, *values) -> str:
        with self.assertRaises(ValidationError) as refused:
            clean(*values)
        self.assertTrue(str(refused.exception.message))
        return refused.exception.code

    @patient
    @given(st.text(st.characters(categories=["L", "M"]), min_size=1, max_size=40))
    def test_names_in_any_script_are_accepted(self, name: str) -> None:
        self.assertEqual(fields.line(fields.line(name)), fields.line(name))

    def test_names_keep_their_characters(self) -> None:
        for name in ("Ðorđe", "O'Neill", "王小明", "X Æ", "d’Île", "Jean-Luc  Müller"):
            self.assertEqual(fields.line(f"  {name} "), name.replace("  ", " "))

    def test_names_are_one_short_visible_line_without_addresses(self) -> None:
        for name, code in (
            ("Ana\nBcc: x", "control"),
            ("Ana\x00", "control"),
            ("Ana\u202egnp", "control"),
            ("Win at http://x.example", "url"),
            ("WWW.x.example", "url"),
            ("a" * 81, "long"),
        ):
            self.assertEqual(self.refusal(fields.line, name), code, name)

    def test_email_messages_name_the_cause(self) -> None:
        for value, code in (
            ("ana example.com", "space"),
            ("ana.example.com", "at"),
            ("@example.com", "local"),
            ("ana@example", "domain"),
            ("ana@@example.com", "several"),
            ("ana@example..com", "dots"),
            ("ana@exa_mple.com", "invalid"),
            (f"{'a' * 60}@{'b' * 60}.{'c' * 60}.{'d' * 60}.{'e' * 60}.com", "long"),
        ):
            self.assertEqual(self.refusal(fields.email, value), code, value)
        self.assertEqual(fields.email("Ana@Example.COM"), "Ana@example.com")

    def test_typing_slips_in_mail_domains_are_suggested(self) -> None:
        for typed, meant in (("ana@gmial.com", "ana@gmail.com"), ("b@hotmial.fr", "b@hotmail.fr"), ("c@gmail.com", "")):
            self.assertEqual(fields.email_suggestion(typed), meant)
        self.assertEqual(fields.email_suggestion("d@my-own-company.example"), "")

    def test_phone_numbers_of_the_country_and_others(self) -> None:
        for typed in ("06 12 34 56 78", "0612345678", "+33 6 12-34-56-78", "0033612345678"):
            self.assertEqual(fields.phone(typed, "FR"), "+33 6 12 34 56 78")
        self.assertEqual(fields.phone("+46 70 123 45 67", "FR"), "+46 70 123 45 67")
        for typed, code in (
            ("call me", "letters"),
            ("06 12", "short"),
            ("06 12 34 56 78 90 12", "long"),
            ("+", "form"),
        ):
            self.assertEqual(self.refusal(fields.phone, typed, "FR"), code, typed)
        self.assertEqual(self.refusal(fields.phone, "00 00 00 00 00", "FR"), "unknown")

    def test_vat_numbers(self) -> None:
        for typed in ("SE 556677-8899 01", "se556677889901"):
            self.assertEqual(fields.vat_id(typed, "SE"), "SE556677889901")
        for typed, code in (
            ("XX123", "country"),
            ("DE12345", "length"),
            ("DE13669597X", "form"),
            ("DE136695977", "digits"),
        ):
            self.assertEqual(self.refusal(fields.vat_id, typed, "DE"), code, typed)


class AddressTest(SimpleTestCase):
    @patient
    @given(st.sampled_from(EXAMPLES), st.sets(st.integers(0, 8), max_size=3))
    def test_spaces_dashes_and_case_of_a_postcode_do_not_matter(self, known: tuple[str, str], cuts: set[int]) -> None:
        country, example = known
        bare = re.sub(r"[\s-]", "", example)
        typed = "".join((" " if i in cuts else "") + char for i, char in enumerate(bare)).lower()
        self.assertEqual(postcode(typed, country), postcode(example, country))
        self.assertEqual(postcode(postcode(typed, country), country), postcode(example, country))

    @patient
    @given(st.sampled_from(COUNTRIES), st.text(max_size=12))
    def test_any_other_text_is_a_postcode_or_explained(self, country: str, typed: str) -> None:
        try:
            found = postcode(typed, country)
        except ValidationError as refused:
            self.assertIn(refused.code, ("letters", "length", "pattern"))
        else:
            self.assertTrue(all(matcher.match(found) for matcher in rules(country).postal_code_matchers))

    def test_postcode_messages_name_the_cause(self) -> None:
        for typed, country, code in (
            ("5900", "FR", "length"),
            ("5900O", "FR", "letters"),
            ("0234 AB", "NL", "pattern"),
            ("SW1", "GB", "length"),
            ("ZZ1A 1AA", "GB", "pattern"),
        ):
            with self.assertRaises(ValidationError) as refused:
                postcode(typed, country)
            self.assertEqual(refused.exception.code, code, typed)
            example = rules(country).postal_code_examples[0]
            self.assertIn(example, refused.exception.message)

    def test_country_prefix_of_a_postcode_is_taken_off(self) -> None:
        self.assertEqual(postcode("SE-114 55", "SE"), "11455")

    def test_each_country_has_its_own_form(self) -> None:
        with override("en"):
            american = AddressForm(country="US", part="shipping")
            self.assertEqual([*american.fields][-3:], ["city", "region", "postcode"])
            self.assertEqual([str(american.fields[key].label) for key in ("region", "postcode")], ["State", "ZIP code"])
            self.assertIn(("NY", "New York"), american.fields["region"].choices)
            self.assertNotIn("region", AddressForm(country="FR", part="shipping").fields)
            irish = AddressForm(country="IE", part="shipping").fields["postcode"]
            self.assertEqual((str(irish.label), irish.required), ("Eircode", False))
            self.assertEqual(str(AddressForm(country="GB", part="shipping").fields["city"].label), "Post town")

    def test_every_personal_field_has_its_autocomplete_token(self) -> None:
        for country in COUNTRIES:
            for key, field in AddressForm(country=country, part="billing").fields.items():
                self.assertTrue(field.widget.attrs["autocomplete"].startswith("billing "), (country, key))

    def test_nothing_but_the_name_is_needed_where_nothing_is_sent(self) -> None:
        form = AddressForm(
            {"shipping-country": HOME, "shipping-name": NAME}, country=HOME, part="shipping", reduced=True
        )
        self.assertTrue(form.is_valid())
        self.assertEqual({key for key, value in form.value().items() if value}, {"country", "name"})

    def test_lines_follow_the_country(self) -> None:
        ana = {"country": HOME, "name": NAME, "street": "5 Rue", "postcode": "59000", "city": "Lille"}
        self.assertEqual(lines(ana)[-1], MARKETS[HOME]["name"][LANGUAGE])
        self.assertIn(NAME, lines(ana))


class StepsTest(BuyerTestCase):
    def test_purchase_step_by_step(self) -> None:
        for step in STEPS[:-1]:
            page = self.page(step.slug)
            self.assertEqual(page.status_code, 200)
            self.assertNotContains(page, 'type="password"')
            self.assertLess(len(gzip.compress(page.content)), 14 * 1024)
            self.assertEqual(self.send(step.slug).status_code, 303)
        review = self.page("review")
        words = escape(SHOP["checkout"]["order_button"][LANGUAGE])
        self.assertContains(review, words)
        for fact in (NAME, "ana@example.com"):
            self.assertContains(review, escape(fact))
        answer = self.send("review")
        order = Order.objects.get()
        self.assertEqual(answer["Location"], address("orders:leave", links.token(order)))
        page = self.client.get(answer["Location"])
        there = f"https://provider.example/{order.attempts.get().provider_ref}"
        self.assertEqual(page["Refresh"], f"0; url={there}")
        self.assertContains(page, f'href="{there}"')
        self.assertEqual((order.email, order.shipping_address["name"]), ("ana@example.com", NAME))
        self.assertEqual(order.billing_address["street"], order.shipping_address["street"])

    def test_every_page_has_its_own_title_and_one_heading(self) -> None:
        titles = set()
        for step in STEPS[:-1]:
            html = self.page(step.slug).content.decode()
            self.assertEqual(html.count("<h1"), 1)
            titles.add(re.search("<title>(.*?)</title>", html)[1])
            self.send(step.slug)
        self.assertEqual(len(titles), len(STEPS) - 1)

    def test_pages_are_not_kept_by_browsers(self) -> None:
        self.assertIn("no-store", self.page(STEPS[0].slug)["Cache-Control"])

    def test_jumping_ahead_leads_to_the_first_open_step(self) -> None:
        for slug in ("review", STEPS[-2].slug):
            self.assertRedirects(
                self.page(slug), address("checkout:step", STEPS[0].slug), status_code=303, fetch_redirect_response=False
            )
        self.assertEqual(self.client.get(address("checkout:step", "nonsense")).status_code, 404)

    def test_an_answer_sent_ahead_is_not_taken(self) -> None:
        self.client.post(address("checkout:step", "review"), {"total": "5900"})
        self.assertFalse(Order.objects.exists())

    def test_an_error_is_named_linked_and_loses_nothing(self) -> None:
        self.go_to("delivery")
        answer = self.send("delivery", **{"shipping-postcode": "!", "shipping-street": "1 Kept Street"})
        self.assertEqual(answer.status_code, 303)
        page = self.client.get(answer["Location"])
        html = page.content.decode()
        self.assertContains(page, "1 Kept Street")
        self.assertContains(page, 'href="#shipping-postcode"')
        self.assertRegex(html, r'id="shipping-postcode"[^>]*aria-invalid="true"')
        with override(LANGUAGE):
            from django.utils.translation import gettext

            self.assertIn(f"<title>{gettext('Error')}: ", html)
        self.assertNotIn("delivery", Cart.objects.get().data)

    def test_a_change_returns_to_the_review(self) -> None:
        self.go_to_review()
        answer = self.send("contact", email="new@example.com")
        self.assertEqual(answer["Location"], address("checkout:step", "review"))
        self.assertContains(self.page("review"), "new@example.com")

    def test_a_probable_slip_is_pointed_out_and_accepted(self) -> None:
        self.go_to("contact")
        self.send("contact", email="ana@gmial.com")
        self.assertEqual(Cart.objects.get().data["contact"]["email"], "ana@gmial.com")
        self.assertContains(self.page("contact"), "ana@gmail.com")

    def test_another_way_of_delivery_updates_the_total_and_keeps_what_was_typed(self) -> None:
        express = {"id": "quick", "kind": "express", "name": text("Quick"), "days": [1, 1], "price": {CURRENCY: 1234}}
        with patch.dict(SHOP["delivery"], methods=[*SHOP["delivery"]["methods"], express]):
            self.go_to("delivery")
            typed = {"update": "delivery-method", "delivery-method": "quick", "shipping-name": "Half typed"}
            answer = self.client.post(address("checkout:step", "delivery"), typed | {"shipping-country": HOME})
            page = self.client.get(answer["Location"])
            self.assertEqual(page.context["summary"].totals.delivery, 1234)
            self.assertContains(page, "Half typed")
            self.assertNotContains(page, 'aria-invalid="true"')

    def test_another_country_is_another_market(self) -> None:
        other = next((code for code in MARKETS if code != HOME), None)
        if other is None:
            other = HOME
        self.go_to_review()
        typed = {"update": "shipping-country", "shipping-country": other, "shipping-name": NAME}
        answer = self.client.post(address("checkout:step", "delivery"), typed)
        self.assertEqual(answer.status_code, 303)
        cart = Cart.objects.get()
        self.assertEqual((cart.market, cart.currency), (other, MARKETS[other]["currency"]))
        self.assertEqual(cart.data["contact"]["email"], "ana@example.com")
        self.assertContains(self.page("delivery"), escape(NAME))

    def test_collected_in_a_store_without_an_address(self) -> None:
        store = {
            "id": "main",
            "name": "Main shop",
            "address": {"city": "Lille"},
            "hours": text("9-18"),
            "ready_hours": 1,
        }
        collect = {"id": "pick", "kind": "click-and-collect", "name": text("Collect"), "stores": [store]}
        with patch.dict(SHOP["delivery"], methods=[collect | {"price": {CURRENCY: 0}}]):
            self.go_to("payment")
            self.assertContains(self.page("payment"), "billing-street")
            self.client.post(address("checkout:step", "payment"), {"payment-method": "card"})
            self.assertNotIn("payment", Cart.objects.get().data)  # an invoice needs an address
            self.client.post(
                address("checkout:step", "payment"),
                {"payment-method": "card"} | postal("billing", street="7 Invoice Rd"),
            )
            if "contact" not in Cart.objects.get().data:
                self.send("contact")
            self.client.post(
                address("checkout:step", "delivery"),
                {"delivery-method": "pick", "shipping-country": HOME, "shipping-name": NAME},
            )
            self.send("review")
        order = Order.objects.get()
        self.assertEqual(order.delivery["store"]["name"], "Main shop")
        self.assertEqual((order.shipping_address["street"], order.billing_address["street"]), ("", "7 Invoice Rd"))

    def test_the_same_billing_address_follows_a_later_change_of_the_delivery_address(self) -> None:
        self.go_to_review()
        self.send("delivery", **{"shipping-street": "9 New Street"})
        self.send("review")
        order = Order.objects.get()
        self.assertEqual((order.shipping_address["street"], order.billing_address["street"]), ("9 New Street",) * 2)

    def test_another_billing_address(self) -> None:
        self.go_to_review()
        self.client.post(
            address("checkout:step", "payment"), {"payment-method": "card"} | postal("billing", name="Accounts")
        )
        self.send("review")
        order = Order.objects.get()
        self.assertEqual((order.shipping_address["name"], order.billing_address["name"]), (NAME, "Accounts"))

    def test_purchase_order_needs_its_number(self) -> None:
        self.send_with("payment", **{"payment-method": "po"})
        self.assertNotIn("payment", Cart.objects.get().data)
        self.send_with("payment", **{"payment-method": "po", "payment-purchase_order": "PO 4711"})
        self.send("review")
        self.assertEqual(Order.objects.get().company["purchase_order"], "PO 4711")

    def test_terms_must_be_ticked_where_the_specification_says_so(self) -> None:
        with patch.dict(SHOP["checkout"], terms="checkbox"):
            self.go_to_review()
            self.send("review")
            self.assertFalse(Order.objects.exists())
            self.assertContains(self.page("review"), 'href="#terms"')
            self.send("review", terms="on")
        self.assertTrue(Order.objects.exists())


class TroubleTest(BuyerTestCase):
    def test_two_clicks_make_one_order(self) -> None:
        self.go_to_review()
        answers = self.answers("review")
        first, second = (self.client.post(address("checkout:step", "review"), answers) for _ in range(2))
        self.assertEqual(first["Location"], second["Location"])
        self.assertEqual(Order.objects.count(), 1)
        self.assertEqual(self.provider.calls["create"], 1)

    def test_back_after_the_order_leads_to_its_page(self) -> None:
        order = self.order()
        answer = self.client.get(address("checkout:step", "payment"))
        self.assertEqual(answer.status_code, 303)
        self.assertIn(order.number, answer["Location"])

    def test_changed_price_is_shown_before_it_is_ordered(self) -> None:
        self.go_to_review()
        answers = self.answers("review")
        Variant.objects.filter(sku="SHEET").update(
            prices={facts["currency"]: {"amount": 9900, "was": None, "prior": None} for facts in MARKETS.values()}
        )
        answer = self.client.post(address("checkout:step", "review"), answers)
        self.assertFalse(Order.objects.exists())
        page = self.client.get(answer["Location"])
        self.assertContains(page, 'role="status"')
        self.assertNotEqual(page.context["checkout"].total, int(answers["total"]))
        self.client.post(address("checkout:step", "review"), {"total": str(page.context["checkout"].total)})
        self.assertEqual(Order.objects.get().total_amount, page.context["checkout"].total)

    def test_another_total_than_on_the_button_is_not_ordered(self) -> None:
        self.go_to_review()
        for total in ("1", "", "-5900", "9" * 40, "x"):
            self.send("review", total=total)
        self.assertFalse(Order.objects.exists())

    def test_sold_out_on_the_way(self) -> None:
        self.go_to_review()
        answers = self.answers("review")
        Variant.objects.filter(sku="SHEET").update(stock=0)
        page = self.client.post(address("checkout:step", "review"), answers, follow=True)
        self.assertEqual(page.status_code, 200)
        self.assertFalse(Order.objects.exists())

    def test_vanished_product_on_the_way(self) -> None:
        self.send("contact")
        Variant.objects.filter(sku="SHEET").delete()
        page = self.client.get(address("checkout:step", "delivery"), follow=True)
        self.assertEqual(page.redirect_chain[-1], (address("cart:show"), 303))

    def test_lost_session_is_explained_and_nothing_charged(self) -> None:
        self.go_to_review()
        answers = self.answers("review")
        self.client.cookies.clear()
        page = self.client.post(address("checkout:step", "review"), answers, follow=True)
        self.assertEqual(page.redirect_chain, [(address("cart:show"), 303)])
        self.assertFalse(Order.objects.exists())

    def test_empty_cart_has_no_checkout(self) -> None:
        self.assertRedirects(
            Client().get(address("checkout:start")),
            address("cart:show"),
            status_code=303,
            fetch_redirect_response=False,
        )

    def test_below_the_minimum_there_is_no_checkout(self) -> None:
        with patch.dict(SHOP["checkout"], minimum_order={CURRENCY: 1_000_000}):
            answer = self.client.get(address("checkout:start"))
        self.assertEqual(answer["Location"], address("cart:show"))

    def test_provider_down_leads_to_the_choice_with_the_reason(self) -> None:
        self.provider.script = ["down-before", "down-before"]
        self.go_to_review()
        page = self.client.post(address("checkout:step", "review"), self.answers("review"), follow=True)
        order = Order.objects.get()
        self.assertIn(order.number, page.redirect_chain[-1][0])
        with override(LANGUAGE):
            self.assertContains(page, escape(failures.text("provider_down")))

    def test_hostile_text_stays_text(self) -> None:
        typed = {"shipping-name": "<script>alert(1)</script>", "shipping-street": '"><img src=x>'}
        self.send_with("delivery", **typed)
        page = self.page("review")
        self.assertNotContains(page, "<script>alert")
        self.assertNotContains(page, "<img src=x>")

    def test_control_characters_in_a_name_are_refused(self) -> None:
        self.go_to("delivery")
        self.send("delivery", **{"shipping-name": "Ana\r\nBcc: all@example.com"})
        self.assertNotIn("delivery", Cart.objects.get().data)

    def test_a_nul_never_reaches_the_draft(self) -> None:
        """PostgreSQL refuses it in JSON."""
        self.go_to("contact")
        self.send("contact", email="nobody\0@nowhere")
        self.assertNotIn("\\u0000", json.dumps(Cart.objects.get(ordered_at=None).data))
        self.assertContains(self.page("contact"), "nobody@nowhere")

    def test_very_long_fields_are_cut_in_the_draft(self) -> None:
        self.send("contact", email="x" * 50_000)
        self.assertLess(len(str(Cart.objects.get().data)), 10_000)

    def test_lines_saved_for_later_are_not_ordered(self) -> None:
        CartLine.objects.update(saved_for_later=True)
        self.assertEqual(self.client.get(address("checkout:start"))["Location"], address("cart:show"))


class OnePageTest(BuyerTestCase):
    one_page = True

    def everything(self, **changes: str) -> dict[str, str]:
        answers: dict[str, str] = {}
        for step in STEPS:
            answers |= self.answers(step.slug)
        return answers | changes

    def test_one_form_orders(self) -> None:
        page = self.client.get(address("checkout:start"))
        self.assertContains(page, "<h1", 1)
        self.assertLess(len(gzip.compress(page.content)), 14 * 1024)
        choose = self.everything() | {"update": "delivery-method"}
        self.client.post(address("checkout:start"), choose)
        answer = self.client.post(address("checkout:start"), self.everything())
        self.assertIn("/leave/", answer["Location"])
        self.assertEqual(Order.objects.get().shipping_address["name"], NAME)

    def test_errors_of_all_steps_are_shown_together(self) -> None:
        answer = self.client.post(address("checkout:start"), self.everything(email="ana", **{"shipping-city": ""}))
        self.assertFalse(Order.objects.exists())
        page = self.client.get(answer["Location"])
        for field in ("email", "shipping-city"):
            self.assertContains(page, f'href="#{field}"')
        self.assertContains(page, escape(NAME))

    def test_addresses_of_the_steps_lead_to_the_page(self) -> None:
        self.assertEqual(self.page("payment")["Location"], address("checkout:start") + "#payment")


class BusinessTest(BuyerTestCase):
    def test_company_and_vat_number_reach_the_order(self) -> None:
        with patch.dict(SHOP, audience="b2b", business={"vat_id": "required"}):
            self.send("contact", vat_id="")
            self.assertNotIn("contact", Cart.objects.get().data)
            order = self.order()
        self.assertEqual(order.company, {"name": CONTACT["company"], "vat_id": CONTACT["vat_id"]})
        self.assertEqual(order.billing_address["company"], CONTACT["company"])
