"""A shop whose every text is hostile: built, filled, bought in, read in the back office, and opened in a browser."""

# ruff: noqa: E501 - hostile values are long and stand better whole

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from checkoutgen.spec import load
from tests.build.conftest import build
from tests.hostile.conftest import ROOT
from tests.hostile.fields import PICTURE, filled
from tests.hostile.polyglots import ALL, MARK, RESULT, SUM
from tests.spec.conftest import written

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.xdist_group("hostile-shop")

TEXT = {"fr": "x", "en": "x"}
# Short enough for one line, and whatever way a page is read it would act.
HOSTILE = (
    f"zq\"'>`</title></textarea></style></script><script>{MARK}=1</script><img src=//evil.example/x onerror={MARK}=1>"
    f"{{{{ {SUM} }}}}{{% debug %}}%(x)s{{0}}"
)
ADDRESS = {"street": "x", "postcode": "59000", "city": "x", "country": "FR"}
SHOP = {
    "version": 1,
    "shop": {
        "name": "x", "slug": "hostile", "url": "https://hostile.example", "languages": ["fr", "en"], "tagline": TEXT,
        "theme": {"logo": "picture.svg"},
    },
    "seller": {
        "legal_name": "x", "trade_name": "x", "legal_form": "x", "email": "a@hostile.example", "address": ADDRESS,
        "phone": "+33 3 20 00 00 00", "representatives": ["x"], "publication_director": "x",
        "register": {"name": "x", "number": "x", "city": "x"}, "share_capital": "5000",
        "host": {"name": "x", "address": "x"}, "adr": {"entity": "x", "address": "x", "url": "https://adr.example", "participates": True},
        "guarantee_contact": {"name": "x", "email": "a@hostile.example", "address": "x"},
    },
    "audience": "b2c",
    "markets": {"FR": {"order_button": TEXT}, "BE": {"languages": ["fr"]}},
    "catalogue": {
        "categories": {"sheets": {"title": TEXT, "description": TEXT}},
        "products": [
            {
                "id": f"product{number}", "title": TEXT, "description": TEXT, "category": "sheets", "price": "59.00", "vendor": "x",
                "stock": 30, "pictures": [{"file": "picture.svg", "alt": TEXT}], "details": [{"name": TEXT, "value": TEXT}],
                "safety": {"manufacturer": "x", "address": "x", "responsible_person": "x", "warnings": TEXT},
                "options": {"size": TEXT}, "variants": [{"sku": f"P{number}-1", "options": {"size": TEXT}}],
            }
            for number in range(3)
        ],
    },
    "checkout": {"fields": {"phone": "optional", "phone_reason": TEXT}},
    "delivery": {
        "note": TEXT,
        "methods": [
            {"id": "home", "kind": "home", "name": TEXT, "carrier": "x", "days": [2, 3], "price": "4.90", "tracking_url": "https://t.example/{number}"},
            {"id": "collect", "kind": "click-and-collect", "price": "0", "stores": [{"id": "lille", "name": "x", "address": ADDRESS, "hours": TEXT}]},
        ],
    },
    "payment": {
        "methods": [
            {"id": "transfer", "kind": "bank-transfer", "name": TEXT, "iban": "FR7630006000011234567890189", "holder": "x"},
            {"id": "card", "kind": "card", "provider": "demo", "name": TEXT},
        ]
    },
    "trust": {
        "secure_payment": TEXT,
        "badges": [{"id": "flax", "kind": "origin", "name": TEXT, "text": TEXT, "issuer": "x", "evidence": "x", "picture": "picture.svg", "url": "https://b.example/x"}],
    },
    "legal": {"pages": dict.fromkeys(("terms", "privacy", "imprint", "withdrawal", "delivery", "returns"), TEXT), "version": "x"},
    "mails": {"from": {"name": "x"}},
    "support": {"hours": TEXT, "chat_url": "https://chat.example/x", "faq": [{"question": TEXT, "answer": TEXT}]},
}  # fmt: skip


def hostile_for(path: tuple[str, ...]) -> str:
    return (
        f"{HOSTILE}\n\n{ALL}"
        if (path[0] == "legal" and path[1] == "pages") or path[-2:] == ("answer", "*")
        else HOSTILE
    )


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    work = tmp_path_factory.mktemp("hostile")
    (work / "picture.svg").write_text(PICTURE)
    document, _ = filled(SHOP, hostile_for)
    build(load(work / "spec.yaml", text=written(document)), work / "shop")
    python(work / "shop", "manage.py", "migrate", "--verbosity", "0")
    python(work / "shop", "manage.py", "load_catalogue")
    return work / "shop"


def environment(shop: Path) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(shop.parent),
        "DEBUG": "1",
        "LC_ALL": "C.UTF-8",
        "DEMO_WEBHOOK_SECRET": "x" * 20,
    }


def python(shop: Path, *command: str) -> None:
    done = subprocess.run(
        [sys.executable, *command], cwd=shop, env=environment(shop), capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]


@pytest.fixture(scope="module")
def pages(shop: Path) -> dict[str, str]:
    """Every page in every state, each page of a purchase, each mail, each list of the back office, as they are sent."""
    out = shop.parent / "pages"
    out.mkdir()
    python(shop, "manage.py", "preview", str(out / "preview"))
    python(shop, str(ROOT / "tests/pages/walk.py"), str(out))
    python(shop, str(Path(__file__).parent / "backoffice.py"), str(out))
    return {str(path.relative_to(out)): path.read_text(encoding="utf-8") for path in sorted(out.rglob("*.*"))}


class Acts(HTMLParser):
    """What of a page would act, were it not inert; and the text that it shows."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.text = ""
        self._script = False
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self._script = tag == "script" and ("type", "application/ld+json") not in attributes  # which is data
        for name, value in attributes:
            told = (value or "").strip().lower()
            loads = name in ("src", "href", "action", "formaction", "srcset", "data", "poster") and told.partition(
                "//"
            )[2].startswith("evil")
            acts = told.startswith(("javascript:", "data:text", "vbscript:")) or name == "srcdoc"
            if name.startswith("on") or loads or acts or (name == "style" and "evil" in told):
                self.found.append(f"<{tag} {name}={told[:80]}>")
        if tag in ("base", "iframe", "object", "embed"):
            self.found.append(f"<{tag}>")

    def handle_endtag(self, tag: str) -> None:
        self._script = False

    def handle_data(self, data: str) -> None:
        self.text += data
        if self._script and MARK in data:
            self.found.append(f"<script>{data[:80]}")


def test_the_reader_sees_what_acts() -> None:
    assert len(Acts(HOSTILE).found) == 3
    assert Acts("&lt;script&gt;" + MARK).found == []


def test_every_page_shows_the_texts_and_none_acts(pages: dict[str, str]) -> None:
    html = {name: Acts(text) for name, text in pages.items() if name.endswith(".html")}
    acting = {name: page.found for name, page in html.items() if page.found}
    assert acting == {}
    for name, text in pages.items():
        assert RESULT not in text, name
        assert "development-only-" not in text, name
    showing = [name for name, page in html.items() if f"<script>{MARK}=1</script>" in page.text]
    for wanted in (
        "home",
        "category",
        "product",
        "cart",
        "delivery",
        "payment",
        "review",
        "order",
        "legal-terms",
        "contact",
    ):
        assert f"fr-{wanted}.html" in showing, wanted
    assert sum(name.startswith("mails/") for name in showing) >= 10
    assert sum(name.startswith("admin-") for name in showing) >= 3
    assert sum(name.startswith("preview/") for name in showing) >= 80


def test_mails_have_one_line_of_subject(pages: dict[str, str]) -> None:
    mails = [name.removesuffix(".html") for name in pages if name.startswith("mails/") and name.endswith(".html")]
    texts = [pages[f"{mail}.txt"] for mail in mails]
    assert len(texts) > 10
    for text in texts:
        subject, blank, _ = text.split("\n", 2)
        assert subject
        assert blank == ""


@pytest.fixture(scope="module")
def address(shop: Path) -> Iterator[str]:
    from tests.e2e.conftest import wait_for
    from tests.ports import free_port

    port = free_port()
    url = f"http://127.0.0.1:{port}"
    log = shop.parent / "log.txt"
    with log.open("wb") as out:
        command = [sys.executable, "manage.py", "runserver", "--noreload", f"127.0.0.1:{port}"]
        with subprocess.Popen(
            command, cwd=shop, env={**environment(shop), "PUBLIC_URL": url}, stdout=out, stderr=out
        ) as server:
            try:
                wait_for(url, server, log)
                yield url
            finally:
                server.terminate()


@pytest.mark.browser
def test_nothing_runs_in_a_browser(address: str, browser: Browser) -> None:
    told: list[str] = []
    page = browser.new_page()
    page.add_init_script(
        "addEventListener('securitypolicyviolation',"
        " e => (window.__refused ||= []).push(e.violatedDirective + ' ' + e.blockedURI))"
    )
    page.on("dialog", lambda dialog: (told.append(f"dialog {dialog.message}"), dialog.dismiss()))
    page.on("pageerror", lambda error: told.append(f"error {error}"))
    page.on("request", lambda request: None if request.url.startswith((address, "data:")) else told.append(request.url))
    for path in ("", "c/sheets/", "p/product0/", "legal/terms/", "contact/", "cart/", "checkout/contact/"):
        if path == "cart/":
            page.goto(f"{address}/fr/p/product0/")
            page.locator("form[action*='cart/add'] button[type=submit]").first.click()
        page.goto(f"{address}/fr/{path}")
        assert MARK in page.content()
        told += [f"{path}: {what}" for what in page.evaluate("window.__refused || []")]
        assert page.evaluate(f"typeof window.{MARK}") == "undefined", path
    page.close()
    assert told == []
