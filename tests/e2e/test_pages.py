"""Every page of the way to an order: accessible, light, complete in its language, within the bar of the probe."""

from __future__ import annotations

import gzip
import os
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe
from babel.messages.pofile import read_po
from playwright.sync_api import expect

from .buyer import GOOD_CARD, HOME, Buyer
from .conftest import ROOT, Shop, Visit

if TYPE_CHECKING:
    from playwright.sync_api import Page

Open = Callable[..., Visit]
PROBE = (Path(__file__).parent / "probe.js").read_text(encoding="utf-8")
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice", "EN-301-549"]
FIRST_WINDOW = 14 * 1024  # bytes that a server may send before the first acknowledgement: RFC 6928
LOOKS = {"fr": (1280, False), "de": (390, True), "sv": (390, False), "en": (1280, True)}  # width, dark
# Every text that a page shows or speaks.
TEXTS = """() => {
  const found = [document.title.replace(/ – .*/, '')];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const node = walk.currentNode;
    if (!node.parentElement.closest('script,style,[lang]:not(html)')) found.push(node.textContent);
  }
  for (const e of document.querySelectorAll('[aria-label],[alt],[placeholder],[title]'))
    for (const n of ['aria-label', 'alt', 'placeholder', 'title']) if (e.hasAttribute(n)) found.push(e.getAttribute(n));
  return found.map(t => t.replace(/\\s+/g, ' ').trim()).filter(Boolean);
}"""


@cache
def english_only(language: str) -> frozenset[str]:
    """Our English words that read otherwise in the language: none of them may stand on its pages."""
    with (ROOT / "checkoutgen" / "locales" / language / "shop.po").open("rb") as file:
        catalogue = read_po(file)
    return frozenset(
        " ".join(str(entry.id).split())
        for entry in catalogue
        if entry.id and isinstance(entry.id, str) and entry.string != entry.id
    )


def walk(buyer: Buyer, shop: Shop) -> Iterator[str]:
    """Go from the front page to the page of the order and beyond; yields a name at each page."""
    page = buyer.page
    home = HOME[buyer.language]
    buyer.open("")
    yield "home"
    buyer.open("c/bedding/")
    yield "category"
    buyer.open("cart/")
    yield "cart-empty"
    buyer.take("drap-plat-lin", home.country)
    yield "cart"
    buyer.open("p/drap-de-bain/")
    yield "product"
    buyer.open("checkout/")
    yield "contact"
    page.fill("[name=email]", "nobody@nowhere")
    with page.expect_navigation():
        buyer.press()
    yield "contact-error"
    buyer.contact(f"pages-{buyer.language}@example.org")
    yield "delivery"
    with page.expect_navigation():
        buyer.press("main form > button.btn[type=submit]")
    yield "delivery-error"
    buyer.deliver(home)
    yield "payment"
    buyer.pay_with("card")
    yield "review"
    buyer.order()
    yield "provider"
    buyer.card(GOOD_CARD)
    buyer.thanked()
    yield "thanks"
    with page.expect_navigation():
        page.locator("main p.noprint a").first.click()
    yield "order"
    for path, name in {
        "legal/terms/": "terms",
        "legal/withdrawal/": "withdrawal",
        "contact/": "help",
        "withdraw/": "withdraw",
        "account/sign-in/": "sign-in",
        "account/register/": "register",
        "no-such-page/": "not-found",
    }.items():
        buyer.open(path)
        expect(page.locator("header .logo")).to_be_visible()  # a page of the shop's own, what is not found too
        yield name


def accessibility(page: Page) -> list[str]:
    found = Axe().run(page, options={"runOnly": {"type": "tag", "values": TAGS}}).response["violations"]
    return [f"axe {it['id']}: {node['html'][:120]}" for it in found for node in it["nodes"]]


def judged(page: Page, name: str, language: str) -> list[str]:
    """What is wrong with a page. The demo bank's ("provider") is not the shop's: it need only be accessible and
    translated."""
    if shots := os.environ.get("CHECKOUTGEN_SCREENSHOTS"):
        width = (page.viewport_size or {"width": 0})["width"]
        page.screenshot(path=str(Path(shots) / f"{language}-{width}-{name}.png"), full_page=True)
    found = accessibility(page)
    if name != "provider":
        found += [f"probe {check}: {detail}" for check, detail in page.evaluate(f"({PROBE})()")]
        weight = len(gzip.compress(page.content().encode(), 6))
        found += [f"weighs {weight} bytes compressed"] if weight > FIRST_WINDOW else []
    texts = page.evaluate(TEXTS)
    if language != "en":
        found += [f"English: {text}" for text in texts if text in english_only(language)]
    found += [f"a raw key or tag: {text}" for text in texts if re.search(r"\{\{|\{%|%\(\w+\)s", text)]
    return [f"{language} {name}: {one}" for one in dict.fromkeys(found)]


@pytest.mark.parametrize("language", ["fr", "de", "sv", "en"])
def test_pages(shop: Shop, visit: Open, language: str) -> None:
    width, dark = LOOKS[language]
    it = visit(language, width=width, dark=dark)
    problems: list[str] = []
    for name in walk(Buyer(it.page, shop.url, language), shop):
        problems += judged(it.page, name, language)
    assert problems == [], "\n" + "\n".join(problems)


def test_a_request_to_anybody_else_is_seen_and_goes_nowhere(visit: Open) -> None:
    it = visit()
    with it.page.expect_event("requestfailed") as failed:
        it.page.set_content('<img src="https://elsewhere.example/pixel.gif">')
    assert failed.value.failure == "net::ERR_NAME_NOT_RESOLVED"
    assert it.foreign == ["https://elsewhere.example/pixel.gif"]
    it.foreign.clear()
