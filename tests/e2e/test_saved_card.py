"""A buyer saves a card, buys again with it in one click, is asked by the bank, and removes it."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from .buyer import GOOD_CARD, HOME, REFUSED_CARD, Buyer
from .conftest import Shop, Visit
from .test_pages import judged

Open = Callable[..., Visit]
ASKS_AGAIN = "4000 0027 6000 3184"
DECLINED_LATER = "4000 0000 0000 0341"
PASSWORD = "nine words are harder to guess"


def to_payment(buyer: Buyer, email: str) -> None:
    buyer.take("torchons-metis", "FR")
    buyer.contact(email)
    buyer.deliver(HOME["fr"])


def save(buyer: Buyer, email: str, card: str) -> None:
    """A guest's first purchase: consent, card, account."""
    to_payment(buyer, email)
    page = buyer.page
    page.check("input[name=payment-method][value=card]")
    box = page.locator("[name=payment-save-card]")
    expect(box).not_to_be_checked()
    box.check()
    buyer.pay_with("card")
    buyer.order()
    buyer.card(card)
    if "/challenge/" in page.url:
        page.locator("button[value=approve]").click()
    buyer.thanked()
    page.fill("[name=password]", PASSWORD)
    page.locator("form[action*='/account/'] button").click()
    expect(page).to_have_url(re.compile(r"/order/[^/]+/$"))


def first_choice(page: Page) -> Locator:
    return page.locator("input[name=payment-method]").first


def buy_again(buyer: Buyer, email: str) -> None:
    """With what is saved: nothing is typed, and the review's button says the amount."""
    to_payment(buyer, email)
    expect(first_choice(buyer.page)).to_be_checked()
    assert str(first_choice(buyer.page).get_attribute("value")).startswith("saved:")
    buyer.press("main form > button.btn[type=submit]")
    expect(buyer.page).to_have_url(re.compile(r"/checkout/review/"))
    buyer.order()


# Every pair of language, script and width once.
@pytest.mark.parametrize(
    ("language", "javascript", "width"),
    [("fr", True, 390), ("fr", False, 1280), ("en", True, 1280), ("en", False, 390)],
)
def test_saved_used_and_removed(shop: Shop, visit: Open, language: str, javascript: bool, width: int) -> None:
    it = visit(language, width=width, javascript=javascript)
    buyer = Buyer(it.page, shop.url, language, javascript)
    email = f"carte-{language}-{width}-{javascript}@example.org".lower()
    save(buyer, email, GOOD_CARD)
    buy_again(buyer, email)
    number = buyer.thanked()  # without a page of the provider
    shop.mail_to(email, number)
    buyer.open("account/")
    expect(it.page.locator("main")).to_contain_text("4242")
    it.page.locator("form[action*='/cards/'] button").click()
    expect(it.page.locator("form[action*='/cards/']")).to_have_count(0)
    to_payment(buyer, email)
    assert first_choice(it.page).get_attribute("value") == "card"


def test_authentication_later_brings_the_buyer_back(shop: Shop, visit: Open) -> None:
    it = visit("fr", width=390)
    buyer = Buyer(it.page, shop.url, "fr")
    save(buyer, "deux-fois@example.org", ASKS_AGAIN)
    buy_again(buyer, "deux-fois@example.org")
    expect(it.page).to_have_url(re.compile(r"/challenge/"))
    it.page.locator("button[value=refuse]").click()
    expect(it.page).to_have_url(re.compile(r"/order/.+/pay/"))
    first_choice(it.page).check()
    it.page.locator("main form button.btn[type=submit]").last.click()
    expect(it.page).to_have_url(re.compile(r"/challenge/"))
    it.page.locator("button[value=approve]").click()
    buyer.thanked()


def test_declined_later_leads_to_the_other_ways(shop: Shop, visit: Open) -> None:
    it = visit("en", width=1280)
    buyer = Buyer(it.page, shop.url, "en")
    save(buyer, "later@example.org", DECLINED_LATER)
    buy_again(buyer, "later@example.org")
    expect(it.page).to_have_url(re.compile(r"/order/.+/pay/"))
    expect(it.page.locator(".errs").first).to_be_visible()
    expect(it.page.locator("input[name=payment-method][value=card]")).to_be_checked()
    it.page.locator("main form button.btn[type=submit]").last.click()
    buyer.card(GOOD_CARD)
    buyer.thanked()


def test_nothing_is_saved_without_the_box(shop: Shop, visit: Open) -> None:
    it = visit("fr", width=390)
    buyer = Buyer(it.page, shop.url, "fr")
    to_payment(buyer, "sans@example.org")
    buyer.pay_with("card")
    buyer.order()
    buyer.card(REFUSED_CARD)
    expect(it.page).to_have_url(re.compile(r"/order/.+/pay/"))
    it.page.locator("main form button.btn[type=submit]").last.click()
    buyer.card(GOOD_CARD)
    buyer.thanked()
    it.page.fill("[name=password]", PASSWORD)
    it.page.locator("form[action*='/account/'] button").click()
    buyer.open("account/")
    expect(it.page.locator("form[action*='/cards/']")).to_have_count(0)


@pytest.mark.parametrize(("language", "width", "dark"), [("fr", 390, False), ("en", 1280, True)])
def test_pages_of_what_is_saved(shop: Shop, visit: Open, language: str, width: int, dark: bool) -> None:
    it = visit(language, width=width, dark=dark)
    buyer = Buyer(it.page, shop.url, language)
    email = f"seen-{language}@example.org"
    to_payment(buyer, email)
    it.page.check("input[name=payment-method][value=card]")
    problems = judged(it.page, "saving-offered", language)
    it.page.check("[name=payment-save-card]")
    buyer.pay_with("card")
    problems += judged(it.page, "saving-reviewed", language)
    buyer.order()
    problems += judged(it.page, "provider", language)
    buyer.card(DECLINED_LATER)
    buyer.thanked()
    problems += judged(it.page, "saved-waits-for-the-account", language)
    it.page.fill("[name=password]", PASSWORD)
    it.page.locator("form[action*='/account/'] button").click()
    for path, name in {"account/": "account-with-card", "account/delete/": "account-delete"}.items():
        buyer.open(path)
        problems += judged(it.page, name, language)
    to_payment(buyer, email)
    problems += judged(it.page, "saved-offered", language)
    buyer.press("main form > button.btn[type=submit]")
    problems += judged(it.page, "saved-reviewed", language)
    buyer.order()
    expect(it.page).to_have_url(re.compile(r"/order/.+/pay/"))
    problems += judged(it.page, "saved-declined", language)
    assert problems == []
