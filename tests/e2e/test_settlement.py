"""Money after the order, in the browser: refunds, a lost 3-D Secure, a debit that comes back, parcels that are paid for
as they leave, transfers by statement, codes that bank apps read, and the door of the back office."""

from __future__ import annotations

import base64
import hashlib
import hmac
import io
import json
import os
import re
import shutil
import struct
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import zxingcpp
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from .buyer import GOOD_CARD, HOME, SECURE_CARD, Buyer
from .conftest import PATIENCE, ROOT, Shop, Visit, serve

Open = Callable[..., Visit]
SELLER = "bonjour@maison-lin.example"
PASSWORD = "a long enough word"
RETURNED_DEBIT = "NL91 ABNA 0417 1643 00"
UNCOLLECTABLE = "4000 0000 0000 0101"
METHODS = [
    {"id": "card", "kind": "card", "provider": "demo"},
    {"id": "reserved", "kind": "card", "provider": "demo", "capture": "at-shipping", "name": "Reserved card"},
    {"id": "debit", "kind": "sepa-debit", "provider": "demo"},
    {"id": "transfer", "kind": "bank-transfer", "iban": "FR7616958000010021047358415"},
    {"id": "swiss", "kind": "bank-transfer", "iban": "CH93 0076 2011 6238 5295 7"},
    {"id": "qr-iban", "kind": "bank-transfer", "iban": "CH44 3199 9123 0008 8901 2"},
]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """The example with a method of each way of settling; what takes 30 seconds at the demo provider takes 3."""
    work = tmp_path_factory.mktemp("settlement")
    shutil.copytree(ROOT / "examples" / "b2c", work / "b2c")
    shutil.copy(ROOT / "examples" / "b2c.yaml", work)
    spec = {"version": 1, "extends": ["b2c.yaml"], "payment": {"methods": METHODS}}
    (work / "shop.yaml").write_text(json.dumps(spec))
    yield from serve(work / "shop.yaml", work, DEMO_SLOW="3", BACK_OFFICE_SECOND_FACTOR="1")


@pytest.fixture
def shot() -> Callable[[Page | Locator, str], None]:
    """Keeps a picture when SETTLEMENT_SHOTS names a folder."""

    def keep(what: Page | Locator, name: str) -> None:
        if folder := os.environ.get("SETTLEMENT_SHOTS"):
            what.screenshot(path=Path(folder) / f"{name}.png")

    return keep


Shot = Callable[[Page | Locator, str], None]


def order_of(
    shop: Shop, visit: Open, email: str, method: str, language: str = "fr", quantity: int = 1
) -> tuple[Visit, Buyer]:
    """A guest with an article in the cart, up to the provider's page or the thanks."""
    it = visit(language)
    buyer = Buyer(it.page, shop.url, language)
    for _ in range(quantity):
        buyer.take("plaid-laine")  # French buyers are in the home market
    buyer.contact(email)
    buyer.deliver(HOME["fr"])
    buyer.pay_with(method)
    buyer.order()
    return it, buyer


def totp(secret: str, steps: int = 0) -> str:
    """RFC 6238, worked out here: the shop's own library is not asked whether it agrees with itself."""
    key = base64.b32decode(secret)
    digest = hmac.digest(key, struct.pack(">Q", int(time.time()) // 30 + steps), hashlib.sha1)
    start = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[start : start + 4])[0] & 0x7FFFFFFF) % 10**6:06d}"


_secrets: dict[str, str] = {}
_staff = iter(range(1000))


def seller(shop: Shop, visit: Open) -> Page:
    """Somebody of the staff who is new, and so sets up the second factor first."""
    email = f"staff-{next(_staff)}@example.org"
    shop.manage("demo_login", "--email", email, "--password", PASSWORD)
    page = visit("en").page
    page.goto(f"{shop.url}/back-office/")
    page.fill("[name=username]", email)
    page.fill("[name=password]", PASSWORD)
    page.click("[type=submit]")
    expect(page).to_have_url(re.compile(r"/second-factor/set-up/"))
    _secrets[email] = page.locator("ol code").inner_text().replace(" ", "")
    page.fill("[name=code]", totp(_secrets[email]))
    page.click("[type=submit]")
    page.click(".submit-row a.button")
    expect(page.locator("section.dashboard")).to_be_visible()
    return page


def deed(page: Page, shop: Shop, number: str, name: str, **fields: str) -> None:
    open_order(page, shop, number)
    page.click(f"a[href$='/do/{name}/']")
    for field, value in fields.items():
        page.fill(f"[name='{field}']", value)
    page.click(".deed [type=submit]")


def open_order(page: Page, shop: Shop, number: str) -> None:
    page.goto(f"{shop.url}/back-office/orders/order/?q={number}")
    page.click(f"#result_list a:has-text('{number}')")


def told(page: Page, state: str, payment: str = "") -> None:
    """What the order's page in the back office says; asked again until the worker and the webhooks are done."""
    until = time.monotonic() + PATIENCE
    while not (page.locator(f".state-{state}").count() and (not payment or page.locator(f".state-{payment}").count())):
        assert time.monotonic() < until, page.locator("#content").inner_text()[:800]
        page.wait_for_timeout(500)
        page.reload()


def read(what: Locator) -> str:
    """What a reader that knows nothing of the shop makes of a drawn code."""
    picture = Image.open(io.BytesIO(what.screenshot()))
    (found,) = zxingcpp.read_barcodes(picture.resize((picture.width * 2, picture.height * 2)))
    return str(found.text)


def test_partial_refund_the_rest_and_not_a_cent_more(shop: Shop, visit: Open, shot: Shot) -> None:
    it, buyer = order_of(shop, visit, "refund@example.org", "card")
    buyer.card(GOOD_CARD)
    number = buyer.thanked()
    page = seller(shop, visit)
    deed(page, shop, number, "refund", amount="5.00", reason="loose thread")
    told(page, "partly_refunded")
    shot(page, "partial-refund")
    shop.mail_to("refund@example.org", "Remboursement")
    page.click("a[href$='/do/refund/']")
    rest = page.input_value("[name=amount]")
    page.fill("[name=amount]", "500.00")
    page.click(".deed [type=submit]")
    expect(page.locator(".errorlist")).to_contain_text(rest)
    shot(page, "over-refund")
    page.fill("[name=amount]", rest)
    page.click(".deed [type=submit]")
    told(page, "refunded")
    expect(page.locator("a[href$='/do/refund/']")).to_have_count(0)
    it.page.goto(it.page.url.replace("thanks/", ""))
    shot(it.page, "refunded-buyer")
    expect(it.page.locator("body")).to_contain_text("Remboursé")


@pytest.mark.parametrize("way", ["refused", "left"])
def test_lost_three_d_secure_costs_nothing_and_can_be_tried_again(
    shop: Shop, visit: Open, shot: Shot, way: str
) -> None:
    it, buyer = order_of(shop, visit, f"lost-{way}@example.org", "card")
    buyer.card(SECURE_CARD)
    it.page.locator("button[value=refuse]" if way == "refused" else "button.quiet").click()
    expect(it.page).to_have_url(re.compile(r"/order/.+/pay/"))
    expect(it.page.locator("[role=alert], .errs").first).to_be_visible()
    shot(it.page, f"lost-three-d-secure-{way}")
    it.page.check("input[name=payment-method][value=card]")
    it.page.locator("main form button.btn[type=submit]").last.click()
    buyer.card(SECURE_CARD)
    it.page.locator("button[value=approve]").click()
    buyer.thanked()


def test_debit_that_succeeds_and_comes_back(shop: Shop, visit: Open, shot: Shot) -> None:
    it, buyer = order_of(shop, visit, "debit@example.org", "debit")
    it.page.fill("[name=number]", RETURNED_DEBIT)
    it.page.locator("button.primary").click()
    number = buyer.thanked()
    shot(it.page, "debit-on-its-way")
    page = seller(shop, visit)
    open_order(page, shop, number)
    told(page, "review", "reversed")
    shot(page, "debit-returned")
    mail = shop.mail_to("debit@example.org", "retourné")
    assert number in str(mail["Subject"])
    assert number in str(shop.mail_to(SELLER, number)["Subject"])
    it.page.goto(it.page.url.replace("thanks/", ""))
    shot(it.page, "debit-returned-buyer")
    deed(page, shop, number, "cancel", note="")
    told(page, "cancelled")


def test_reserved_money_is_collected_parcel_by_parcel(shop: Shop, visit: Open, shot: Shot) -> None:
    _, buyer = order_of(shop, visit, "parcels@example.org", "reserved", quantity=2)
    buyer.card(GOOD_CARD)
    number = buyer.thanked()
    page = seller(shop, visit)
    open_order(page, shop, number)
    told(page, "confirmed", "authorized")
    page.click("a[href$='/do/ship/']")
    parts = page.locator("[name^='quantity-']")
    expect(parts).to_have_count(1)
    parts.fill("1")
    shot(page, "ship-a-part")
    page.click(".deed [type=submit]")
    told(page, "confirmed", "authorized")
    expect(page.locator("#captures-group, [id$=capture_set-group], #captures-2-group").first).to_be_visible()
    shot(page, "collected-in-part")
    deed(page, shop, number, "ship")
    told(page, "fulfilled", "paid")


def test_reserved_money_that_cannot_be_collected(shop: Shop, visit: Open, shot: Shot) -> None:
    _, buyer = order_of(shop, visit, "uncollectable@example.org", "reserved")
    buyer.card(UNCOLLECTABLE)
    number = buyer.thanked()
    page = seller(shop, visit)
    deed(page, shop, number, "ship")
    told(page, "review", "authorized")
    expect(page.locator("a[href$='/do/collect/']")).to_be_visible()
    shot(page, "not-collected")
    assert number in str(shop.mail_to(SELLER, number)["Subject"])


@pytest.mark.parametrize("method", ["transfer", "swiss", "qr-iban"])
def test_codes_of_transfers_say_what_the_page_says(shop: Shop, visit: Open, shot: Shot, method: str) -> None:
    it, buyer = order_of(shop, visit, f"{method}@example.org", method)
    number = buyer.thanked()
    shot(it.page, f"thanks-{method}")
    words = it.page.locator("dl.pays").inner_text()
    plain = re.sub(r"\s", "", words)
    if method == "transfer":
        lines = read(it.page.locator(".qr svg")).split("\n")
        assert lines[:4] == ["BCD", "002", "1", "SCT"]
        assert lines[6] == "FR7616958000010021047358415"
        assert lines[-1] in plain
        return
    lines = read(it.page.locator(".qr .swiss")).split("\n")
    assert lines[:3] == ["SPC", "0200", "1"]
    assert lines[3] == METHODS[4 if method == "swiss" else 5]["iban"].replace(" ", "")
    assert lines[27] == ("SCOR" if method == "swiss" else "QRR")
    assert lines[28] in plain
    assert lines[18].replace(".", ",") in plain
    assert lines[29] == number
    it.page.click("a[href$='/qr-bill/']")
    expect(it.page.locator("h2").first).to_have_text("Récépissé")
    shot(it.page, f"qr-bill-{method}")
    assert read(it.page.locator(".symbol")).split("\n") == lines
    it.page.emulate_media(media="print")
    box = it.page.locator(".symbol svg").bounding_box()
    assert box is not None
    assert round(box["width"] * 25.4 / 96) == 46
    if folder := os.environ.get("SETTLEMENT_SHOTS"):
        it.page.pdf(path=Path(folder) / f"qr-bill-{method}.pdf", prefer_css_page_size=True)
    assert "/qr-bill/" in shop.mail_to(f"{method}@example.org").get_body(("plain",)).get_content()  # type: ignore[union-attr]


def test_statement_books_the_transfer(shop: Shop, visit: Open, shot: Shot, tmp_path: Path) -> None:
    it, buyer = order_of(shop, visit, "statement@example.org", "transfer")
    number = buyer.thanked()
    words = it.page.locator("dl.pays").inner_text()
    reference = re.search(r"RF[0-9A-Z ]+", words)[0].replace(" ", "")  # type: ignore[index]
    amount = re.search(r"([0-9]+),([0-9]{2})", words)
    assert amount
    entry = (
        '<Ntry><Amt Ccy="EUR">{sum}</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>'
        "<BookgDt><Dt>2026-11-20</Dt></BookgDt><AcctSvcrRef>{ref}</AcctSvcrRef>"
        "<NtryDtls><TxDtls><RmtInf><Ustrd>{text}</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>"
    )
    both = entry.format(sum=f"{amount[1]}.{amount[2]}", ref="B1", text=reference)
    both += entry.format(sum="12.00", ref="B2", text="Spende")
    file = tmp_path / "statement.xml"
    name = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"
    file.write_text(f'<Document xmlns="{name}"><BkToCstmrStmt><Stmt>{both}</Stmt></BkToCstmrStmt></Document>')
    page = seller(shop, visit)
    page.goto(f"{shop.url}/back-office/payments/paymentevent/")
    page.click(".object-tools a")
    for dry_run in (True, False):
        page.set_input_files("[name=file]", file)
        page.set_checked("[name=dry_run]", dry_run)
        page.click(".deed [type=submit]")
        expect(page.locator(".results tbody tr")).to_have_count(2)
        expect(page.locator(".results")).to_contain_text(number)
        shot(page, f"statement-{'tried' if dry_run else 'booked'}")
    open_order(page, shop, number)
    told(page, "confirmed", "paid")
    shop.mail_to("statement@example.org", "confirm")


def test_door_of_the_back_office(shop: Shop, visit: Open, shot: Shot) -> None:
    shop.manage("demo_login", "--email", "door@example.org", "--password", PASSWORD)
    page = visit("en", javascript=False).page

    def sign_in() -> None:
        page.goto(f"{shop.url}/back-office/orders/order/")
        page.fill("[name=username]", "door@example.org")
        page.fill("[name=password]", PASSWORD)
        page.click("[type=submit]")

    sign_in()
    shot(page, "second-factor-set-up")
    address = urlsplit(read(page.locator(".scan svg")))
    assert (address.scheme, address.netloc) == ("otpauth", "totp")
    secret = parse_qs(address.query)["secret"][0]
    page.fill("[name=code]", totp(secret))
    page.click("[type=submit]")
    codes = page.locator(".recovery code").all_inner_texts()
    assert len(codes) == 10
    shot(page, "second-factor-codes")
    page.context.clear_cookies()
    sign_in()
    expect(page).to_have_url(re.compile(r"/second-factor/\?next="))
    page.fill("[name=code]", "000000")
    page.click("[type=submit]")
    expect(page.locator(".errorlist")).to_be_visible()
    shot(page, "second-factor-ask")
    page.fill("[name=code]", codes[0])
    page.click("[type=submit]")
    expect(page).to_have_url(re.compile(r"/back-office/orders/order/$"))
    shot(page, "second-factor-recovered")
