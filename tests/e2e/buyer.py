"""What a buyer does in the shop, step by step, by the fields' stable names: the same in every language."""

from __future__ import annotations

import re
from dataclasses import dataclass

from playwright.sync_api import Page, expect

GOOD_CARD = "4242 4242 4242 4242"
SECURE_CARD = "4000 0025 0000 3155"
REFUSED_CARD = "4000 0000 0000 0002"


@dataclass(frozen=True)
class Address:
    country: str
    name: str
    street: str
    postcode: str
    city: str


HOME = {
    "fr": Address("FR", "Zoé L’Hermitte", "8 rue Nationale", "59800", "Lille"),
    "en": Address("DE", "Ðorđe O'Neill", "Weserstraße 5", "12047", "Berlin"),
    "de": Address("DE", "Jürgen Weiß", "Sonnenallee 12", "12045", "Berlin"),
    "sv": Address("SE", "Åsa Öberg", "Storgatan 1", "211 34", "Malmö"),
}


@dataclass
class Buyer:
    """Drives one page; `javascript` tells whether the update buttons have to be pressed by hand."""

    page: Page
    url: str
    language: str
    javascript: bool = True

    def open(self, path: str) -> None:
        self.page.goto(f"{self.url}/{self.language}/{path}")

    def press(self, where: str = "main form button.btn[type=submit]:not(.sec)") -> None:
        self.page.locator(where).first.click()

    def take(self, handle: str, country: str | None = None) -> None:
        """Choose the country, open a product and put it into the cart."""
        self.open(f"p/{handle}/")
        if country:
            form = self.page.locator("footer form[action*='/market/']")
            form.locator("select").select_option(country)
            form.locator("button").click()
            self.open(f"p/{handle}/")
        self.page.locator("form[action*='cart/add'] button[type=submit]").first.click()
        expect(self.page).to_have_url(re.compile(r"/cart/"))

    def contact(self, email: str) -> None:
        self.open("checkout/")
        self.page.fill("[name=email]", email)
        self.press()
        expect(self.page).to_have_url(re.compile(r"/checkout/delivery/"))

    def deliver(self, address: Address, method: str = "home") -> None:
        chosen = self.page.locator("select[name=shipping-country]")
        if chosen.input_value() != address.country:
            chosen.select_option(address.country)
            self.update("shipping-country")
        self.page.check(f"input[name=delivery-method][value={method}]")
        self.update("delivery-method")
        self.page.fill("[name=shipping-name]", address.name)
        if method != "collect":
            self.page.fill("[name=shipping-street]", address.street)
            self.page.fill("[name=shipping-postcode]", address.postcode)
            self.page.fill("[name=shipping-city]", address.city)
        self.press("main form > button.btn[type=submit]")
        expect(self.page).to_have_url(re.compile(r"/checkout/payment/"))

    def update(self, what: str) -> None:
        """Without script a button shows what the choice changes; with script the page does so by itself."""
        button = self.page.locator(f"button[name=update][value={what}]")
        if not self.javascript and button.count():  # a single way of delivery leaves nothing to show anew
            with self.page.expect_navigation():
                button.click()
        self.page.wait_for_load_state("networkidle")

    def pay_with(self, method: str) -> None:
        self.page.check(f"input[name=payment-method][value={method}]")
        self.press("main form > button.btn[type=submit]")
        expect(self.page).to_have_url(re.compile(r"/checkout/review/"))

    def order(self) -> None:
        self.page.locator("main form button.btn[type=submit]").last.click()

    def card(self, number: str) -> None:
        expect(self.page).to_have_url(re.compile(r"/demo-provider/"))
        self.page.fill("[name=number]", number)
        self.page.fill("[name=expiry]", "12/30")
        self.page.fill("[name=code]", "123")
        self.page.locator("button.primary").click()

    def thanked(self) -> str:
        """The order's number, as the confirmation page shows it."""
        expect(self.page).to_have_url(re.compile(r"/thanks/"))
        return self.page.locator("main b.num").first.inner_text()
