"""Standard legal texts, and how a spec's values get into a legal text."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkoutgen.errors import SpecError
from checkoutgen.spec import load, standard
from checkoutgen.starter import presets

LANGUAGES = ("en", "fr", "de", "sv")
CONSUMER = (
    "terms privacy imprint withdrawal withdrawal-form delivery returns payment accessibility cookies guarantee".split()
)
SELLER = {
    "legal_name": "Maison Lin SAS",
    "country": "FR",
    "address": {"street": "12 rue de la Clef", "postcode": "59800", "city": "Lille", "country": "FR"},
    "email": "a_b@maison-lin.example",
}
DATA = {
    "shop": {"name": "Maison Lin", "url": "https://maison-lin.example"},
    "seller": SELLER,
    "legal": {"version": "7"},
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_has_a_text_for_consumers_and_businesses(language: str) -> None:
    names = standard.names(language)
    assert set(CONSUMER) <= set(names)
    assert {f"{page}.b2b" for page in ("terms", "privacy", "imprint", "delivery", "returns", "payment")} <= set(names)


@pytest.mark.parametrize(("language", "name"), [(la, name) for la in LANGUAGES for name in standard.names(la)])
def test_names_only_values_that_a_spec_can_have(language: str, name: str) -> None:
    text = standard.read(name, language) or ""
    assert standard.unknown(text) == []
    filled = standard.filler(DATA)(text, language).text
    assert not re.search(r"\{[a-z]", filled)
    assert not re.search(r"(?m)^#.*\n\s*(#|\Z)", re.sub(r"(?m)^## (.*)\n\n### ", "### ", filled)), filled


def test_a_value_comes_out_on_one_line() -> None:
    text = "{seller.legal_name}, {seller.address}, {seller.email}, {legal.version}"
    assert standard.filler(DATA)(text, "de").text == (
        "Maison Lin SAS, 12 rue de la Clef, 59800 Lille, Frankreich, a_b@maison-lin.example, 7"
    )


def test_a_line_without_its_value_goes_and_takes_an_empty_section_along() -> None:
    text = "## Who\n\n{seller.legal_name}\nVAT {seller.vat_id}\n\n## Host\n\n{seller.host.name}\n\n## Law\n\nFrench."
    assert standard.filler(DATA)(text, "en").text == "## Who\n\nMaison Lin SAS\n\n## Law\n\nFrench.\n"


def test_amounts_lists_and_registrations_are_written_out() -> None:
    seller = {
        **SELLER,
        "share_capital": {"EUR": 5000000},
        "representatives": ["Claire Martin", "Paul Roy"],
        "epr": [{"country": "DE", "scheme": "packaging", "id": "DE123"}],
    }
    text = "{seller.share_capital} / {seller.representatives} / {seller.epr}"
    filled = standard.filler({**DATA, "seller": seller})(text, "de").text
    assert filled == "50\u00a0000\u00a0EUR / Claire Martin; Paul Roy / Deutschland, Verpackungen: DE123"


@given(st.text(st.characters(codec="utf-8", exclude_characters="\n"), min_size=1).filter(str.strip))
def test_a_value_never_becomes_markup(name: str) -> None:
    data = {**DATA, "seller": {**SELLER, "legal_name": name}}
    filled = standard.filler(data)("> {seller.legal_name} sells.", "en").text
    assert re.sub(r"\\(.)", r"\1", filled, flags=re.DOTALL) == f"> {name} sells."
    assert not re.search(r"(?<!\\)(?:\\\\)*[\[\]<*`|]", filled)


SMALL = """
shop: {name: Test, url: https://test.example, languages: [en]}
seller: {legal_name: Test Ltd, address: {street: 1 High Street, city: Leeds}, email: a@test.example}
markets: {GB: }
catalogue: {products: [{id: mug, title: Mug, price: 5}]}
delivery: {methods: [{id: home, kind: home, price: 5}]}
payment: {methods: [{id: card, kind: card, provider: demo}]}
legal: {pages: {terms: %s}}
"""


def refused(tmp_path: Path, terms: str) -> str:
    (tmp_path / "spec.yaml").write_text(SMALL % terms, encoding="utf-8")
    with pytest.raises(SpecError) as caught:
        load(tmp_path / "spec.yaml")
    return str(caught.value)


def test_a_misspelt_text_or_value_is_an_error_with_a_hint(tmp_path: Path) -> None:
    assert "did you mean `terms`?" in refused(tmp_path, '{file: "standard:trems"}')
    assert "{seller.emial}, which no spec has" in refused(tmp_path, '"Write to {seller.emial}"')


def test_own_texts_take_values_too(tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_text(SMALL % '"Write to {seller.email}; {this} stays."', encoding="utf-8")
    body = load(tmp_path / "spec.yaml").data["legal"]["pages"]["terms"]["body"]
    assert body == {"en": "Write to a@test.example; {this} stays."}


def test_there_is_a_preset_for_each_kind_and_country() -> None:
    assert presets() == sorted(
        f"{kind}-{country}" for kind in ("b2c", "b2b") for country in ("fr", "de", "se", "gb", "us")
    )
