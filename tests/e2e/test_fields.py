"""A guest pays in the page of the shop, in fields of the demo provider, and buys with a wallet from the cart.

The demo provider's frame is sandboxed, so its origin is nobody's: what a real provider's frame is to a shop.
"""

from __future__ import annotations

import gzip
import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from .buyer import GOOD_CARD, HOME, REFUSED_CARD, SECURE_CARD, Buyer
from .conftest import ROOT, Shop, Visit, serve
from .test_pages import FIRST_WINDOW, PROBE, TEXTS, accessibility, english_only

if TYPE_CHECKING:
    from playwright.sync_api import FrameLocator, Page, Route

Open = Callable[..., Visit]
METHODS = """\
    - {id: card, kind: card, provider: demo, mode: fields}
    - {id: debit, kind: sepa-debit, provider: demo, mode: fields, markets: [FR, BE, DE]}
    - {id: wallet, kind: wallet, provider: demo, express: true}
"""


@pytest.fixture(scope="module")
def fields_shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    work = tmp_path_factory.mktemp("fields")
    yield from serve(with_methods(work, METHODS), work)


def with_methods(work: Path, methods: str) -> Path:
    """The example shop with other online ways to pay."""
    shutil.copytree(ROOT / "examples", work / "examples")
    spec = work / "examples" / "b2c.yaml"
    text, count = re.subn(r"(?m)^    - \{id: card, .*\n", lambda _: methods, spec.read_text("utf-8"))
    assert count == 1
    spec.write_text(text, "utf-8")
    return spec


def shot(page: Page, name: str) -> None:
    """Of the window only: a picture of the whole page would resize the frame."""
    if shots := os.environ.get("CHECKOUTGEN_SCREENSHOTS"):
        page.screenshot(path=str(Path(shots) / f"{name}.png"))


def problems(page: Page, language: str) -> list[str]:
    """What is wrong with a page of the shop: accessibility (in frames too), probe, weight, words left in English."""
    found = accessibility(page) + [f"probe {check}: {detail}" for check, detail in page.evaluate(f"({PROBE})()")]
    weight = len(gzip.compress(page.content().encode(), 6))
    found += [f"weighs {weight} bytes compressed"] if weight > FIRST_WINDOW else []
    if language != "en":
        texts = [text for frame in page.frames for text in frame.evaluate(TEXTS)]
        found += [f"English: {text}" for text in texts if text in english_only(language)]
    return found


def at_the_fields(
    shop: Shop, it: Visit, language: str, email: str, method: str = "card", javascript: bool = True
) -> Buyer:
    buyer = Buyer(it.page, shop.url, language, javascript)
    buyer.take("serviettes-lin", HOME[language].country)
    buyer.contact(email)
    buyer.deliver(HOME[language])
    buyer.pay_with(method)
    buyer.order()
    expect(it.page).to_have_url(re.compile(rf"/order/.+/pay/{method}/"))
    return buyer


def frame(page: Page) -> FrameLocator:
    return page.frame_locator("#fields-place iframe")


def fill(page: Page, number: str, expiry: str = "12/30", code: str = "123") -> None:
    for name, value in {"number": number, "expiry": expiry, "code": code}.items():
        frame(page).locator(f"[name={name}]").fill(value)


def pay(page: Page) -> None:
    page.locator("#fields button").click()


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("language", ["fr", "en"])
def test_mistakes_a_decline_and_3d_secure_before_it_is_paid(
    fields_shop: Shop, visit: Open, language: str, width: int
) -> None:
    it = visit(language, width=width)
    page, name = it.page, f"fields-{language}-{width}"
    page.set_viewport_size({"width": width, "height": 1150})
    email = f"{name}@example.org"
    buyer = at_the_fields(fields_shop, it, language, email)
    expect(frame(page).locator("#number")).to_be_visible()
    expect(page.locator("#fields-away")).to_have_count(0)
    shot(page, f"{name}-1-empty")
    assert problems(page, language) == []

    pay(page)
    expect(frame(page).locator("#number-problem")).not_to_be_empty()
    expect(page.locator("#fields-error")).not_to_be_empty()
    assert page.evaluate("document.activeElement.tagName") == "IFRAME"
    assert page.frames[1].evaluate("document.activeElement.id") == "number"
    shot(page, f"{name}-2-mistakes")
    assert problems(page, language) == []

    fill(page, REFUSED_CARD)
    pay(page)
    expect(frame(page).locator("#number-problem")).to_be_empty()
    expect(page.locator("#fields button")).to_have_attribute("aria-disabled", "false")
    expect(page.locator("#fields-error")).not_to_be_empty()
    shot(page, f"{name}-3-declined")

    fill(page, SECURE_CARD)
    pay(page)
    expect(page).to_have_url(re.compile("/challenge/"))
    page.locator("button[value=refuse]").click()
    expect(page).to_have_url(re.compile(r"/order/.+/pay/card/"))
    expect(page.locator("#fields-error")).not_to_be_empty()
    expect(frame(page).locator("#number")).to_be_visible()
    shot(page, f"{name}-4-not-authenticated")
    assert problems(page, language) == []

    fill(page, SECURE_CARD)
    pay(page)
    page.locator("button[value=approve]").click()
    number = buyer.thanked()
    mail = fields_shop.mail_to(email)
    assert number in str(mail["Subject"]) + mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]


def test_what_is_typed_stays_out_of_the_page(fields_shop: Shop, visit: Open) -> None:
    it = visit("fr")
    sent: list[str] = []
    it.page.on("request", lambda request: sent.append(f"{request.url} {request.post_data or ''}"))
    buyer = at_the_fields(fields_shop, it, "fr", "secret@example.org")
    fill(it.page, GOOD_CARD)
    assert it.page.evaluate("document.querySelector('iframe').contentDocument") is None
    assert it.page.locator("input:not([type=hidden])").count() == 0
    pay(it.page)
    buyer.thanked()
    told = [each for each in sent if re.search(r"4242(\+|%20| )?4242", each)]
    assert [each.split("?")[0].removeprefix(fields_shop.url) for each in told] == ["/demo-provider/tokens/"]


def test_direct_debit_in_the_page(fields_shop: Shop, visit: Open) -> None:
    it = visit("de", width=390)
    buyer = at_the_fields(fields_shop, it, "de", "lastschrift@example.org", "debit")
    frame(it.page).locator("[name=number]").fill("DE89 3704 0044 0532 0130 00")
    pay(it.page)
    buyer.thanked()


def test_without_script_the_form_leads_to_the_provider(fields_shop: Shop, visit: Open) -> None:
    it = visit("en", width=390, javascript=False)
    buyer = at_the_fields(fields_shop, it, "en", "noscript@example.org", javascript=False)
    assert it.page.locator("iframe").count() == 0
    pay(it.page)
    buyer.card(GOOD_CARD)
    buyer.thanked()


def test_provider_whose_script_does_not_load_is_visited_instead(fields_shop: Shop, visit: Open) -> None:
    it = visit("sv")
    it.context.route("**/payments/demo-fields*.js", lambda route: route.abort())
    buyer = at_the_fields(fields_shop, it, "sv", "blocked@example.org")
    expect(it.page.locator("#fields-away")).to_be_visible()
    pay(it.page)
    buyer.card(GOOD_CARD)
    buyer.thanked()


def test_shop_that_does_not_answer_is_asked_again_with_the_same_token(fields_shop: Shop, visit: Open) -> None:
    it = visit("fr")
    buyer = at_the_fields(fields_shop, it, "fr", "perdu@example.org")
    fill(it.page, GOOD_CARD)
    tokens: list[str] = []

    def lose_the_first(route: Route) -> None:
        if route.request.method == "POST":
            tokens.append(route.request.post_data or "")
        if len(tokens) == 1:
            route.fetch()  # it arrives, its answer does not
            route.abort()
        else:
            route.continue_()

    it.context.route("**/pay/card/", lose_the_first)
    pay(it.page)
    expect(it.page.locator("#fields-error")).not_to_be_empty()
    pay(it.page)
    number = buyer.thanked()
    assert len(tokens) == 2
    assert tokens[0] == tokens[1]
    count = "from payments.providers.demo.models import DemoPayment as D; "
    count += f"print(D.objects.filter(reference='{number}').count())"
    assert fields_shop.manage("shell", "-v", "0", "-c", count).split()[-1] == "1"


def test_double_click_pays_once(fields_shop: Shop, visit: Open) -> None:
    it = visit("fr")
    buyer = at_the_fields(fields_shop, it, "fr", "deux@example.org")
    fill(it.page, GOOD_CARD)
    it.page.locator("#fields button").dblclick()
    number = buyer.thanked()
    count = (
        f"from payments.models import PaymentAttempt as A; print(A.objects.filter(order__number='{number}').count())"
    )
    assert fields_shop.manage("shell", "-v", "0", "-c", count).split()[-1] == "1"


# -- a wallet in the cart -------------------------------------------------------------------------------------------


def at_the_wallet(shop: Shop, it: Visit, language: str, country: str, javascript: bool = True) -> Buyer:
    buyer = Buyer(it.page, shop.url, language, javascript)
    buyer.take("torchons-metis", country)
    it.page.locator("form[action*='/express/wallet/'] button").click()
    expect(it.page).to_have_url(re.compile("/demo-provider/wallet/"))
    return buyer


def agree(page: Page, who: str) -> None:
    page.locator(f"button[name=person][value={who}]").click()
    page.locator("button.primary").click()


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize(("language", "who", "country"), [("fr", "fr-agree", "FR"), ("en", "de-agree", "DE")])
def test_guest_buys_with_a_wallet(
    fields_shop: Shop, visit: Open, language: str, who: str, country: str, width: int
) -> None:
    it = visit(language, width=width)
    page, name = it.page, f"wallet-{language}-{width}"
    page.set_viewport_size({"width": width, "height": 1300})
    buyer = at_the_wallet(fields_shop, it, language, "FR")
    assert accessibility(page) == []
    page.go_back()
    shot(page, f"{name}-1-cart")
    assert problems(page, language) == []
    page.locator("form[action*='/express/wallet/'] button").click()
    agree(page, who)
    expect(page).to_have_url(re.compile(r"/checkout/review/"))
    shot(page, f"{name}-2-review")
    assert problems(page, language) == []
    text = page.locator("main").inner_text()
    assert f"{who}@wallet.example" in text
    asked = fields_shop.manage(
        "shell", "-v", "0", "-c", "from payments.models import PaymentAttempt as A; print(A.objects.count())"
    ).split()[-1]
    buyer.order()
    number = buyer.thanked()
    shown = f"from orders.models import Order; o=Order.objects.get(number='{number}'); print(o.market, o.state)"
    assert fields_shop.manage("shell", "-v", "0", "-c", shown).split()[-2:] == [country, "confirmed"]
    after = fields_shop.manage(
        "shell", "-v", "0", "-c", "from payments.models import PaymentAttempt as A; print(A.objects.count())"
    ).split()[-1]
    assert int(after) == int(asked) + 1


def test_wallet_without_script(fields_shop: Shop, visit: Open) -> None:
    it = visit("fr", width=390, javascript=False)
    buyer = at_the_wallet(fields_shop, it, "fr", "FR", javascript=False)
    agree(it.page, "be-agree")
    expect(it.page).to_have_url(re.compile(r"/checkout/review/"))
    buyer.order()
    buyer.thanked()


def test_address_that_nothing_goes_to(fields_shop: Shop, visit: Open) -> None:
    it = visit("fr", width=390)
    at_the_wallet(fields_shop, it, "fr", "FR")
    agree(it.page, "is-agree")
    expect(it.page).to_have_url(re.compile(r"/checkout/delivery/"))
    expect(it.page.locator("main .note[role=status]")).to_contain_text("Islande")
    shot(it.page, "wallet-nowhere")
    assert problems(it.page, "fr") == []


def test_another_currency_is_agreed_to_again(fields_shop: Shop, visit: Open) -> None:
    it = visit("en")
    buyer = at_the_wallet(fields_shop, it, "en", "FR")
    agree(it.page, "se-agree")
    expect(it.page).to_have_url(re.compile(r"/checkout/review/"))
    assert "SEK" in it.page.locator("main").inner_text()
    buyer.order()
    expect(it.page).to_have_url(re.compile("/demo-provider/"))
    it.page.locator("button[value=agree]").click()
    buyer.thanked()


def test_money_that_does_not_come_after_all(fields_shop: Shop, visit: Open) -> None:
    it = visit("fr")
    buyer = at_the_wallet(fields_shop, it, "fr", "FR")
    agree(it.page, "fr-refuse")
    buyer.order()
    expect(it.page).to_have_url(re.compile(r"/order/.+/pay/$"))
    expect(it.page.locator("[role=alert]")).to_be_visible()
    it.page.check("input[name=payment-method][value=card]")
    it.page.locator("main form button.btn[type=submit]").last.click()
    fill(it.page, GOOD_CARD)
    pay(it.page)
    buyer.thanked()
