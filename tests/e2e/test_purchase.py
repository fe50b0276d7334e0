"""A guest buys: in each language, on a phone and a desktop, with and without JavaScript, and past a declined card."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from .buyer import GOOD_CARD, HOME, REFUSED_CARD, SECURE_CARD, Buyer
from .conftest import Shop, Visit

Open = Callable[..., Visit]


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("javascript", [True, False], ids=["script", "noscript"])
@pytest.mark.parametrize("language", ["fr", "en", "de", "sv"])
def test_guest_buys_by_card(shop: Shop, visit: Open, language: str, javascript: bool, width: int) -> None:
    it = visit(language, width=width, javascript=javascript)
    buyer = Buyer(it.page, shop.url, language, javascript)
    email = f"{language}-{width}-{javascript}@example.org".lower()
    buyer.take("drap-plat-lin", HOME[language].country)
    buyer.contact(email)
    buyer.deliver(HOME[language])
    buyer.pay_with("card")
    buyer.order()
    buyer.card(GOOD_CARD)
    number = buyer.thanked()
    assert re.fullmatch(r"[A-Z]+-\d{4}-\d{6}", number), number
    assert it.page.locator("html").get_attribute("lang") == language
    assert it.page.locator("input[type=password]").count() == 1
    mail = shop.mail_to(email)
    assert number in str(mail["Subject"]) + mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]


def test_declined_card_succeeds_at_the_second_try(shop: Shop, visit: Open) -> None:
    it = visit("de", width=390)
    buyer = Buyer(it.page, shop.url, "de")
    buyer.take("plaid-laine", "DE")
    buyer.contact("zweiter-versuch@example.org")
    buyer.deliver(HOME["de"])
    buyer.pay_with("card")
    buyer.order()
    buyer.card(REFUSED_CARD)
    expect(it.page).to_have_url(re.compile(r"/order/.+/pay/"))
    expect(it.page.locator("[role=alert], .errs").first).to_be_visible()
    it.page.check("input[name=payment-method][value=card]")
    it.page.locator("main form button.btn[type=submit]").last.click()
    buyer.card(GOOD_CARD)
    buyer.thanked()
    shop.mail_to("zweiter-versuch@example.org")


def test_three_d_secure_and_back(shop: Shop, visit: Open) -> None:
    it = visit("sv")
    buyer = Buyer(it.page, shop.url, "sv")
    buyer.take("plaid-laine", "SE")
    buyer.contact("sakert@example.org")
    buyer.deliver(HOME["sv"])
    buyer.pay_with("card")
    buyer.order()
    buyer.card(SECURE_CARD)
    it.page.locator("button[value=approve]").click()
    buyer.thanked()


def test_bank_transfer_tells_where_to_pay(shop: Shop, visit: Open) -> None:
    it = visit("en", javascript=False)
    buyer = Buyer(it.page, shop.url, "en", javascript=False)
    buyer.take("plaid-laine", "FR")
    buyer.contact("transfer@example.org")
    buyer.deliver(HOME["fr"], "relay")
    buyer.pay_with("transfer")
    buyer.order()
    buyer.thanked()
    text = it.page.locator("main").inner_text()
    assert "FR76" in text.replace(" ", "")
    assert re.search(r"RF\d\d", text.replace(" ", ""))
    mail = shop.mail_to("transfer@example.org").get_body(("plain",))
    assert mail is not None
    assert "FR76" in mail.get_content().replace(" ", "")


def test_double_click_makes_one_order(shop: Shop, visit: Open) -> None:
    it = visit("fr")
    buyer = Buyer(it.page, shop.url, "fr")
    buyer.take("plaid-laine", "FR")
    buyer.contact("double@example.org")
    buyer.deliver(HOME["fr"], "express")
    buyer.pay_with("transfer")
    it.page.locator("main form button.btn[type=submit]").last.dblclick()
    buyer.thanked()
    count = shop.manage(
        "shell",
        "-v",
        "0",
        "-c",
        "from orders.models import Order; print(Order.objects.filter(email='double@example.org').count())",
    )
    assert count.split()[-1] == "1"


def test_account_in_one_click_after_paying(shop: Shop, visit: Open) -> None:
    it = visit("fr")
    buyer = Buyer(it.page, shop.url, "fr")
    buyer.take("plaid-laine", "FR")
    buyer.contact("compte@example.org")
    buyer.deliver(HOME["fr"])
    buyer.pay_with("transfer")
    buyer.order()
    number = buyer.thanked()
    it.page.fill("input[type=password]", "un mot de passe assez long")
    with it.page.expect_navigation():
        it.page.locator("form[action*='/account/'] button").first.click()
    buyer.open("account/")
    assert number in it.page.locator("main").inner_text()


def test_mistakes_are_named_and_nothing_typed_is_lost(shop: Shop, visit: Open) -> None:
    it = visit("fr", javascript=False)
    buyer = Buyer(it.page, shop.url, "fr", javascript=False)
    buyer.take("plaid-laine", "FR")
    buyer.open("checkout/")
    it.page.fill("[name=email]", "zoe@example")
    buyer.press()
    expect(it.page.locator(".errs a").first).to_be_visible()
    assert it.page.title().startswith("Erreur")
    assert it.page.input_value("[name=email]") == "zoe@example"
    assert it.page.get_attribute("[name=email]", "aria-invalid") == "true"
    it.page.fill("[name=email]", "zoe@example.org")
    buyer.press()
    it.page.fill("[name=shipping-name]", "Zoé")
    it.page.fill("[name=shipping-postcode]", "5980")
    buyer.press("main form > button.btn[type=submit]")
    assert it.page.input_value("[name=shipping-name]") == "Zoé"
    assert it.page.input_value("[name=shipping-postcode]") == "5980"
    assert it.page.locator(".errs a").count() >= 3
