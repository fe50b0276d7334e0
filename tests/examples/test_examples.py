"""The examples are what a newcomer sees first: complete, in every language, and true to themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from checkoutgen.spec import Spec, load

from .conftest import EXAMPLES, checkoutgen, lint

SPECS = sorted(path.name for path in EXAMPLES.glob("*.yaml"))
PICTURES = sorted(EXAMPLES.glob("*/**/*.svg"))


@pytest.mark.parametrize("name", SPECS)
def test_validates_and_is_in_order_with_the_law(name: str) -> None:
    assert checkoutgen("validate", EXAMPLES / name).returncode == 0
    found = lint(EXAMPLES / name)
    assert found.returncode == 0, found.stdout


def test_what_the_textile_shop_sells_and_where(b2c: Spec) -> None:
    data = b2c.data
    assert len(data["catalogue"]["products"]) == 24
    assert list(data["markets"]) == ["FR", "BE", "DE", "SE"]
    assert data["shop"]["languages"] == ["fr", "en", "de", "sv"]
    kinds = [method["kind"] for method in data["delivery"]["methods"]]
    assert kinds == ["home", "pick-up-point", "express", "click-and-collect"]
    assert [method["kind"] for method in data["payment"]["methods"]] == ["card", "bank-transfer"]
    assert len(data["delivery"]["methods"][3]["stores"]) == 2


def test_what_the_supplier_sells_and_how(b2b: Spec) -> None:
    data = b2b.data
    assert len(data["catalogue"]["products"]) == 12
    assert data["audience"] == "b2b"
    assert {market["prices"] for market in data["markets"].values()} == {"net"}
    assert {method["kind"] for method in data["payment"]["methods"]} >= {
        "purchase-order",
        "invoice",
        "bank-transfer",
        "cheque",
    }
    assert data["business"]["vat_id"] == "required"


def test_the_shortest_spec_fits_in_forty_lines() -> None:
    assert len((EXAMPLES / "minimal.yaml").read_text(encoding="utf-8").splitlines()) <= 40


def products(spec: Spec) -> Iterator[dict[str, Any]]:
    yield from spec.data["catalogue"]["products"]


@pytest.mark.parametrize("name", ["b2c", "b2b"])
def test_every_product_says_what_the_law_asks_online(name: str) -> None:
    spec = load(EXAMPLES / f"{name}.yaml")
    for product in products(spec):
        safety = product["safety"]
        given = [
            *(safety[key] for key in ("manufacturer", "address", "email")),
            *map(product.get, ("pictures", "details")),
        ]
        assert all(given), product["id"]
        for variant in product["variants"]:
            assert variant["weight"], variant["sku"]
            assert variant["stock"] is not None, variant["sku"]


def test_textiles_name_their_fibres_with_percentages(b2c: Spec) -> None:
    for product in products(b2c):
        fibres = product["details"][0]["value"]
        for language, text in fibres.items():
            percent = [int(number) for number in re.findall(r"(\d+)\s?%", text)]
            assert sum(percent) in (100, 200, 300), (product["id"], language)


def test_a_crossed_out_price_comes_with_the_lowest_of_thirty_days(b2c: Spec) -> None:
    reduced = [variant for product in products(b2c) for variant in product["variants"] if variant["was"]]
    assert len(reduced) == 2
    for variant in reduced:
        for currency, was in variant["was"].items():
            assert was == variant["prior_price"][currency] > variant["price"][currency]


def texts(value: Any, languages: list[str]) -> Iterator[dict[str, str]]:
    """Every text of a resolved value: maps whose keys are the languages."""
    if isinstance(value, dict):
        if list(value) == languages:
            yield value
        else:
            for inner in value.values():
                yield from texts(inner, languages)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner, languages)


@pytest.mark.parametrize("name", ["b2c", "b2b"])
def test_sentences_are_translated(name: str) -> None:
    spec = load(EXAMPLES / f"{name}.yaml")
    languages = spec.data["shop"]["languages"]
    found = list(texts(spec.data, languages))
    assert len(found) > 100
    for text in found:
        if all(len(re.findall(r"[^\W\d_]{2,}", words)) >= 4 for words in text.values()):  # names and sizes may be alike
            assert len(set(text.values())) == len(languages), text


@pytest.mark.parametrize("name", SPECS)
def test_legal_texts_are_filled(name: str) -> None:
    spec = load(EXAMPLES / name)
    for page, text in spec.data["legal"]["pages"].items():
        for language, body in text["body"].items():
            assert len(body) > 200, (page, language)
            assert not re.search(r"\{[a-z_.]+\}|TODO|lorem", body), (page, language)


def amount(units: int, language: str) -> str:
    return f"{units / 100:.2f}".replace(".", "." if language == "en" else ",")


@pytest.mark.parametrize("language", ["fr", "en", "de", "sv"])
def test_the_delivery_page_says_what_the_shop_charges(b2c: Spec, language: str) -> None:
    page = b2c.data["legal"]["pages"]["delivery"]["body"][language]
    for method in b2c.data["delivery"]["methods"]:
        for offer in (method, *method["rates"]):
            if units := offer["price"].get("EUR"):
                assert amount(units, language) in page, (method["id"], units)
    assert "149" in page  # Sweden's price in kronor


@pytest.mark.parametrize("path", PICTURES, ids=lambda path: f"{path.parts[-3]}/{path.stem}")
def test_pictures_are_small_and_only_draw(path: Path) -> None:
    drawing = path.read_text(encoding="utf-8")
    assert len(drawing.encode()) < 3072
    assert not re.search(r"<(?!/?(svg|g|path|rect|circle|ellipse)\b)|href|url\(|\son\w+=|style=", drawing)
    if path.stem != "logo":
        assert 'viewBox="0 0 800 800"' in drawing


@pytest.mark.parametrize("name", ["b2c", "b2b"])
def test_every_picture_is_used(name: str) -> None:
    spec = load(EXAMPLES / f"{name}.yaml")
    drawn = {str(path.relative_to(EXAMPLES)) for path in PICTURES if path.is_relative_to(EXAMPLES / name)}
    assert drawn == set(spec.files)
    for product in products(spec):
        for picture in product["pictures"]:
            assert all(picture["alt"].values())
