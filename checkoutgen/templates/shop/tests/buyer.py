"""A buyer who fills in the checkout of any specification: what a form asks is what is answered."""

from typing import Any
from unittest.mock import patch

from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils.translation import override

from checkout import views
from checkout.address import rules
from checkout.steps import BY_SLUG, STEPS
from config.shop import HOME, SHOP
from orders.models import Order
from tests.shopping import ShoppingTestCase
from tests.stall import LANGUAGE, open_stall

NAME = "Ana Ðorđević"


def address(name: str, *args: Any) -> str:
    with override(LANGUAGE):
        return reverse(name, args=args)


def postal(part: str, country: str = HOME, **fields: str) -> dict[str, str]:
    """A valid address of a country."""
    rule = rules(country)
    values = {"country": country, "name": NAME, "street": "5 rue de l’Église", "city": "Lille"}
    values["postcode"] = next(iter(rule.postal_code_examples), "")
    if rule.country_area_choices:
        values["region"] = rule.country_area_choices[0][0]
    return {f"{part}-{key}": value for key, value in (values | fields).items()}


# A VAT number with right check digits, for shops that ask one.
CONTACT = {"email": "ana@example.com", "phone": "", "company": "Ana AB", "vat_id": "SE556677889901"}


class BuyerTestCase(ShoppingTestCase):
    """One article in the cart, the steps of the specification, the ways to pay of tests.shopping."""

    one_page = False

    def setUp(self) -> None:
        super().setUp()
        open_stall()
        free = {"minimum_order": None, "terms": "link", "identification": {"guest": True, "account": "after-payment"}}
        for patcher in (
            patch.dict(SHOP["checkout"], free),
            patch.dict(SHOP, business={}),
            patch.object(views, "ONE_PAGE", self.one_page),
        ):
            patcher.start()
            self.addCleanup(patcher.stop)
        self.client = self.buyer()

    def buyer(self) -> Client:
        client = Client()
        client.post(address("cart:add"), {"sku": "SHEET", "quantity": "1"})
        return client

    def answers(self, slug: str) -> dict[str, str]:
        if slug == "contact":
            return CONTACT
        if slug == "delivery":
            return postal("shipping") | {"delivery-method": self.cart_option()}
        if slug == "payment":
            return {"payment-method": "card", "payment-same": "on"}
        return {"total": self.total()}

    def cart_option(self) -> str:
        from django.utils import timezone

        from cart.models import Cart
        from delivery.methods import options

        cart = Cart.objects.latest("pk")
        found = options(cart, cart.market, timezone.now())
        return next((option for option in found if option.needs_address), found[0]).id

    def total(self) -> str:
        page = self.client.get(address("checkout:start"), follow=True)
        return str(page.context["checkout"].total)

    def send(self, slug: str, **changes: str) -> HttpResponse:
        return self.client.post(address("checkout:step", slug), self.answers(slug) | changes)

    def page(self, slug: str) -> HttpResponse:
        return self.client.get(address("checkout:step", slug))

    def go_to(self, slug: str) -> None:
        """Answer every step before one, in the order of the specification."""
        for step in STEPS[: STEPS.index(BY_SLUG[slug])]:
            self.assertEqual(self.send(step.slug).status_code, 303)

    def go_to_review(self) -> None:
        self.go_to("review")

    def send_with(self, slug: str, **changes: str) -> None:
        """Answer every step up to the review, one of them differently."""
        for step in STEPS[:-1]:
            self.send(step.slug, **(changes if step.slug == slug else {}))

    def order(self, **changes: str) -> Order:
        self.go_to_review()
        self.send("review", **changes)
        return Order.objects.get()
