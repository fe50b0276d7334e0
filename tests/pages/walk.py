"""Runs inside a made shop: `python walk.py FOLDER` writes each page of a purchase and each mail.

The clock stands on the morning of Monday 23 November 2026. What differs from run to run (tokens, nonces, keys) is
replaced by its name, and the style that every page carries stands once in a file of its own.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from freezegun import freeze_time

CHANGING = {
    r'(name="csrfmiddlewaretoken" value=")[^"]+': r"\1TOKEN",
    r'(nonce=")[^"]+': r"\1NONCE",
    r"(/order/[A-Z]+-\d{4}-\d{6}~)[\w-]+": r"\1SIGNED",
    r"(/cart/continue/)[\w:.-]+": r"\1SIGNED",
    r"(/account/[a-z-]+/)[\w:.-]{20,}": r"\1SIGNED",
    r"((?:\?|&amp;)(?:t|token|k|key)=)[\w:.~-]+": r"\1SIGNED",
}
HOME = {
    "FR": ("8 rue Nationale", "59800", "Lille"),
    "DE": ("Sonnenallee 12", "12045", "Berlin"),
    "SE": ("Storgatan 1", "211 34", "Malmö"),
}


def steady(text: str) -> str:
    for pattern, name in CHANGING.items():
        text = re.sub(pattern, name, text)
    return text


def pages(language: str) -> Iterator[tuple[str, str]]:
    """(name, HTML) of each page on the way to an order paid by bank transfer, and of what lies beside it."""
    from config.shop import MARKETS, SHOP
    from django.test import Client

    client = Client()
    business = SHOP["audience"] == "b2b"
    mine = (code for code, market in MARKETS.items() if market["languages"][0] == language)
    country = next(mine, next(iter(MARKETS)))
    street, postcode, city = HOME[country]

    def get(path: str) -> str:
        answer = client.get(f"/{language}/{path}")
        assert answer.status_code in (200, 404), f"{path}: {answer.status_code}"
        return answer.content.decode()

    def post(path: str, **fields: str) -> str:
        answer = client.post(f"/{language}/{path}", fields)
        assert answer.status_code == 303, f"{path}: {answer.status_code}"
        return answer["Location"]

    yield "home", (home := get(""))
    handle = re.findall(rf'href="/{language}/p/([^/"]+)/', home)[0]
    yield "category", get("c/" + re.findall(rf'href="/{language}/c/([^/"]+)/', home)[0] + "/")
    post("market/", market=country, next="/")
    product = get(f"p/{handle}/")
    yield "product", product
    yield "cart-empty", get("cart/")
    post("cart/add/", sku=re.findall(r'name="sku"[^>]*value="([^"]+)"', product)[0], quantity="10" if business else "1")
    yield "cart", get("cart/")
    yield "contact", get("checkout/contact/")
    post("checkout/contact/", email="nobody@nowhere")
    yield "contact-error", get("checkout/contact/")
    vat = {"DE": "DE136695976", "SE": "SE556677889901"}.get(country, "")
    post(
        "checkout/contact/",
        email="ana@example.org",
        **({"company": "Werkhaus GmbH", "vat_id": vat} if business else {}),
    )
    delivery = get("checkout/delivery/")
    yield "delivery", delivery
    address = {"name": "Ana Ðorđević", "street": street, "postcode": postcode, "city": city, "country": country}
    method = re.findall(r'name="delivery-method"[^>]*value="([^"]+)"', delivery)[0]
    post(
        "checkout/delivery/",
        **{f"shipping-{key}": value for key, value in address.items()},
        **{"delivery-method": method},
    )
    yield "payment", get("checkout/payment/")
    post("checkout/payment/", **{"payment-method": "transfer", "payment-same": "on", "billing-country": country})
    review = get("checkout/review/")
    yield "review", review
    total = re.search(r'name="total" value="([^"]*)"', review)
    assert total, "the review shows no total"
    thanks = post("checkout/review/", total=total[1]).removeprefix(f"/{language}/")
    yield "thanks", get(thanks)
    yield "order", get(thanks.removesuffix("thanks/"))
    for path in ("legal/terms/", "contact/", "account/sign-in/", "account/register/", "no-such-page/"):
        yield path.strip("/").replace("/", "-"), get(path)
    if not business:
        yield "withdraw", get("withdraw/")


def main(folder: Path) -> None:
    import django

    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    sys.path.insert(0, "")
    django.setup()
    from django.conf import settings
    from django.core.management import call_command

    settings.DEBUG = False  # the shop's own page for what is not found, not Django's

    for language, _ in settings.LANGUAGES:
        for name, text in pages(language):
            head, _, rest = text.partition("<style")
            style, _, body = rest.partition("</style>")
            (folder / f"{language}-{name}.html").write_text(steady(head + body), encoding="utf-8")
            kind = "shop" if 'class="nav"' in text else "checkout"
            (folder / f"style-{kind}.css").write_text(style.partition(">")[2], encoding="utf-8")
    call_command("preview_mails", folder / "mails")
    home = settings.LANGUAGES[0][0]
    for path in (folder / "mails").rglob("*.*"):
        if path.suffix == ".html" and path.parent.name != home:
            path.unlink()  # the same frame around other words: the text part shows them
        else:
            path.write_text(steady(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    with freeze_time("2026-11-23 09:00:00"):
        main(Path(sys.argv[1]))
