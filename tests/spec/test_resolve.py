"""What a valid spec becomes, and what only resolving can find wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkoutgen import schema as contract
from checkoutgen.spec import Spec, money, parse_path, reader, resolve

from .conftest import Problems, minimal

COUNTRIES = sorted(path.stem for path in resolve.MARKETS.glob("*.json"))
LANGUAGES = ("en", "fr", "de", "sv", "nl", "es", "it")


def test_a_small_spec_is_whole(load_with: Callable[..., Spec]) -> None:
    data = load_with().data
    json.dumps(data)
    assert data["audience"] == "b2c"
    assert data["shop"] | {"theme": None} == {
        "name": "Maison Lin",
        "slug": "maison-lin",
        "url": "https://maison-lin.example",
        "languages": ["en"],
        "currency": "EUR",
        "timezone": "Europe/Paris",
        "theme": None,
    }
    assert data["catalogue"]["products"][0]["variants"] == [
        {
            "sku": "sheet",
            "options": {},
            "price": {"EUR": 8900},
            "was": None,
            "prior_price": None,
            "stock": None,
            "weight": None,
            "picture": None,
        }
    ]
    assert data["delivery"]["methods"][0]["name"] == {"en": "Home delivery"}
    assert data["delivery"]["methods"][0]["price"] == {"EUR": 590}
    assert data["payment"]["methods"][0]["markets"] == ["FR"]
    assert data["mails"]["from"] == {"name": "Maison Lin", "email": "bonjour@maison-lin.example"}
    assert "order-confirmation" in data["mails"]["send"]
    assert "ready-for-pickup" not in data["mails"]["send"]
    assert data["seller"]["country"] == "FR"
    assert "extends" not in data


def test_a_market_carries_the_facts_of_its_country(load_with: Callable[..., Spec]) -> None:
    market = load_with({"shop.languages": ["fr", "de"], "markets": {"FR": {}, "CH": {"currency": "EUR"}}}).data[
        "markets"
    ]
    assert market["FR"]["name"] == {"fr": "France", "de": "Frankreich"}
    assert market["FR"]["tax"]["standard"] == "20"
    assert market["FR"]["order_button"] == {
        "fr": "Commande avec obligation de paiement",
        "de": "Zahlungspflichtig bestellen",
    }
    assert market["FR"]["withdrawal"]["days"] == 14
    assert market["FR"]["withdrawal"]["link"]["de"] == "Vertrag widerrufen"
    assert market["CH"]["withdrawal"] is None
    assert market["CH"]["languages"] == ["de", "fr"]
    assert "12-25" in market["FR"]["holidays"]


def test_some_mails_cannot_be_switched_off(load_with: Callable[..., Spec]) -> None:
    assert load_with({"mails.send": ["shipped"]}).data["mails"]["send"] == [
        "shipped",
        "new-withdrawal",
        "order-confirmation",
        "order-review",
        "password-reset",
        "verify-email",
        "withdrawal-received",
    ]


def test_a_provider_has_its_defaults(load_with: Callable[..., Spec]) -> None:
    providers = load_with().data["payment"]["providers"]
    assert providers == {"demo": {"webhook_secret": "env:DEMO_WEBHOOK_SECRET"}}


METHOD = {"id": "card", "kind": "card", "provider": "stripe"}


@pytest.mark.parametrize(
    ("method", "where", "said"),
    [
        ({"kind": "ideal", "mode": "fields"}, "payment.methods[0].mode", "card, sepa-debit only; write `mode: hosted`"),
        (
            {"provider": "alma", "kind": "pay-later", "mode": "fields"},
            "payment.methods[0].mode",
            "does not do it; write `mode: hosted`",
        ),
        ({"express": True}, "payment.methods[0].express", "does it for wallet only; write `express: false`"),
        ({"kind": "swish"}, "payment.methods[0]", "takes SEK only, and FR pays in EUR"),
        (
            {"kind": "sepa-debit", "provider": "mollie"},
            "payment.methods[0].kind",
            "by the mandate of an earlier payment with iDEAL, Bancontact or the like, so nobody can buy with it for "
            "the first time (https://docs.mollie.com/docs/sepa-direct-debit)",
        ),
        ({"kind": "ideal", "capture": "at-shipping"}, "payment.methods[0].capture", "reserves money for card, wallet"),
        (
            {"provider": "alma", "kind": "pay-later", "capture": "at-shipping"},
            "payment.methods[0].capture",
            "no money;",
        ),
        ({"provider": "payplug", "kind": "twint"}, "payment.methods[0].kind", "it does: card, instalments"),
        ({"provider": "alma", "kind": "card"}, "payment.methods[0].kind", "it does: instalments, pay-later"),
    ],
)
def test_a_provider_is_asked_only_for_what_it_does(
    problems_with: Callable[..., Problems], method: dict[str, Any], where: str, said: str
) -> None:
    problems = problems_with({"payment.methods": [METHOD | method]})
    assert [(problem.path, said in problem.message) for problem in problems] == [(where, True)]


def test_a_provider_needs_what_its_script_needs_only_where_it_runs(load_with: Callable[..., Spec]) -> None:
    hosted = load_with({"payment.methods": [METHOD]}).data["payment"]["providers"]["stripe"]
    fields = load_with({"payment.methods": [METHOD | {"mode": "fields"}]}).data["payment"]["providers"]["stripe"]
    wallet = METHOD | {"kind": "wallet", "express": True}
    assert load_with({"payment.methods": [wallet]}).data["payment"]["providers"]["stripe"] == fields
    assert fields == hosted | {"publishable_key": "env:STRIPE_PUBLISHABLE_KEY"}


def test_a_kind_that_a_provider_does_in_the_currency_of_the_market(load_with: Callable[..., Spec]) -> None:
    swish = METHOD | {"id": "swish", "kind": "swish", "markets": ["SE"]}
    prices = {"catalogue.products.0.price": {"EUR": 9, "SEK": 99}, "delivery.methods.0.price": {"EUR": 5, "SEK": 55}}
    spec = load_with({"markets": {"FR": {}, "SE": {}}, "payment.methods": [METHOD, swish], **prices})
    assert [method["kind"] for method in spec.data["payment"]["methods"]] == ["card", "swish"]


@pytest.mark.parametrize("name", contract.providers())
def test_every_provider_says_what_it_does(name: str) -> None:
    offer = contract.provider(name)
    kinds = set(offer["x-kinds"])
    assert kinds
    assert not kinds & set(offer.get("x-refused", {}))
    assert kinds >= {*offer.get("x-captures", []), *offer.get("x-saves", []), *offer.get("x-fields", [])}


def test_money_for_a_transfer_cannot_be_reserved(problems_with: Callable[..., Problems]) -> None:
    transfer = {"id": "t", "kind": "bank-transfer", "iban": "FR7630006000011234567890189", "capture": "at-shipping"}
    (problem,) = problems_with({"payment.methods": [transfer]})
    assert problem.message == "`bank-transfer` reserves no money; write `capture: at-order`"


def test_order_button_of_a_market_beats_that_of_the_checkout(load_with: Callable[..., Spec]) -> None:
    changes = {"checkout.order_button": "Pay now", "markets": {"FR": {}, "DE": {"order_button": "Kaufen"}}}
    markets = load_with(changes).data["markets"]
    assert (markets["FR"]["order_button"], markets["DE"]["order_button"]) == ({"en": "Pay now"}, {"en": "Kaufen"})


@pytest.mark.parametrize("country", COUNTRIES)
def test_facts_of_every_country_have_the_same_shape(country: str) -> None:
    facts = resolve.market_facts(country)
    assert facts is not None
    assert set(facts["name"]) >= set(LANGUAGES)
    assert money.digits(facts["currency"]) is not None
    assert {"standard", "reduced", "zero"} <= set(facts["tax"])
    assert all(0 <= Decimal(rate) <= 27 for rate in facts["tax"].values())
    for rule in facts["holidays"]:
        assert re.fullmatch(
            r"((mon|tue|wed|thu|fri|sat|sun) )?(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])|easter[+-]\d+", rule
        )
    assert facts["withdrawal"] is None or facts["withdrawal"]["days"] == 14
    assert (facts["withdrawal"] is None) == (country in ("CH", "US"))
    assert set(facts["parameters"]) == set((resolve.market_facts("FR") or {})["parameters"])


def test_words_of_every_language_have_the_same_keys() -> None:
    def keys(value: Any, at: str = "") -> set[str]:
        return (
            {at}.union(*(keys(item, f"{at}.{key}") for key, item in value.items())) if isinstance(value, dict) else {at}
        )

    english = keys(resolve.words("en"))
    for language in LANGUAGES:
        assert (resolve.LOCALES / language / "words.json").is_file()
        assert keys(resolve.words(language)) == english


@pytest.mark.parametrize(
    ("words", "path"),
    [("delivery", ("delivery", "methods", 0, "kind")), ("payment", ("payment", "methods", 0, "kind"))],
)
def test_every_kind_has_a_name(words: str, path: reader.Path) -> None:
    schema = contract.at(path)
    assert schema is not None
    assert set(resolve.words("en")[words]) == set(schema["enum"])


def test_every_legal_page_has_a_title() -> None:
    schema = contract.at(("legal", "pages"))
    assert schema is not None
    assert set(resolve.words("en")["legal"]) == set(schema["properties"])


def test_only_translated_languages_are_offered(problems_with: Callable[..., Problems]) -> None:
    assert {"en", "fr", "de", "sv"} <= set(resolve.shipped_languages())
    for language in resolve.shipped_languages():
        po = (resolve.LOCALES / language / "shop.po").read_text(encoding="utf-8")
        empty = len(re.findall(r'^msgstr(?:\[\d\])? ""\n(?!")', po, re.MULTILINE))
        assert empty <= po.count("msgid ") // 20, language
    (problem,) = problems_with({"shop.languages": ["en", "fi"]})
    shipped = ", ".join(resolve.shipped_languages())
    assert problem.message == f"there is no translation into `fi`; there are: {shipped}"


# Texts


def test_a_text_must_have_every_language(problems_with: Callable[..., Problems]) -> None:
    problems = problems_with({"shop.languages": ["en", "fr", "de"], "shop.tagline": {"en": "x", "sv": "y"}})
    assert [problem.message for problem in problems] == ["has no text in fr, de; add them"]


def test_languages_that_the_shop_does_not_speak_are_left_out(load_with: Callable[..., Spec]) -> None:
    assert load_with({"shop.tagline": {"en": "x", "sv": "y"}}).data["shop"]["tagline"] == {"en": "x"}


def test_texts_from_files(load_with: Callable[..., Spec], tmp_path: Path) -> None:
    for language in ("en", "fr"):
        (tmp_path / "legal" / language).mkdir(parents=True)
        (tmp_path / "legal" / language / "terms.md").write_bytes(f"# {language}\r\n".encode())
    spec = load_with({"shop.languages": ["fr", "en"], "legal.pages.terms": {"file": "legal/{lang}/terms.md"}})
    page = spec.data["legal"]["pages"]["terms"]
    assert page["body"] == {"fr": "# fr\n", "en": "# en\n"}
    assert page["title"] == {"fr": "Conditions générales de vente", "en": "Terms and conditions"}
    assert tmp_path / "legal/fr/terms.md" in spec.inputs


@pytest.mark.parametrize(
    ("content", "words"),
    [(None, "does not exist"), (b"\xff", "not UTF-8"), (b"x" * 300_000, "larger"), ("a\u202eb", "U+202E")],
)
def test_text_files_that_cannot_be_used(
    problems_with: Callable[..., Problems], tmp_path: Path, content: bytes | str | None, words: str
) -> None:
    if content is not None:
        (tmp_path / "t.md").write_bytes(content.encode() if isinstance(content, str) else content)
    (problem,) = problems_with({"legal.pages.terms": {"file": "t.md"}})
    assert words in problem.message
    assert problem.path == "legal.pages.terms.file"


# Amounts


CURRENCIES = {"EUR": 2, "SEK": 2, "JPY": 0, "KWD": 3, "CLP": 0}


@given(st.sampled_from(sorted(CURRENCIES)), st.integers(0, 10**15))
def test_amounts_are_exact(currency: str, units: int) -> None:
    places = CURRENCIES[currency]
    text = f"{Decimal(units).scaleb(-places):.{places}f}"
    assert money.minor(text, currency) == units
    assert money.minor(text + ("0" if "." in text else ".00"), currency) == units
    assert money.minor(text + ("1" if "." in text else ".5"), currency) is None


@given(st.integers(0, 10**9))
def test_a_price_reaches_the_shop_exactly(units: int) -> None:
    context = resolve.Context(Path(), lambda at, message: pytest.fail(message))
    context.currency, context.market_currencies = "EUR", {"FR": "EUR"}
    written = f"{units // 100}.{units % 100:02}"
    assert resolve.amount(written, ("price",), context, ["FR"]) == {"EUR": units}


def test_an_amount_is_needed_in_every_currency_that_uses_it(problems_with: Callable[..., Problems]) -> None:
    markets = {"FR": {}, "SE": {}}
    (problem,) = problems_with({"markets": markets, "delivery.methods.0.price": "0"})
    assert problem.path == "catalogue.products[0].price"
    assert "SEK for the market SE" in problem.message


def test_only_the_markets_of_a_method_need_its_amount(load_with: Callable[..., Spec]) -> None:
    data = load_with(
        {
            "markets": {"FR": {}, "SE": {}},
            "catalogue.products.0.price": {"EUR": 89, "SEK": "990.00"},
            "delivery.methods.0": {"id": "home", "kind": "home", "price": 5, "markets": ["FR"]},
        }
    ).data
    assert data["catalogue"]["products"][0]["variants"][0]["price"] == {"EUR": 8900, "SEK": 99000}
    assert data["delivery"]["methods"][0]["price"] == {"EUR": 500}


def test_nothing_is_nothing_in_every_currency(load_with: Callable[..., Spec]) -> None:
    changes = {
        "markets": {"FR": {}, "SE": {}},
        "delivery.methods.0.price": 0,
        "catalogue.products.0.price": {"EUR": 1, "SEK": 9},
    }
    assert load_with(changes).data["delivery"]["methods"][0]["price"] == {"EUR": 0, "SEK": 0}


def test_decimals_are_plain_text(load_with: Callable[..., Spec]) -> None:
    data = load_with(
        {
            "shop.theme.radius": "0.50",
            "catalogue.products.0.unit": {"content": "1.250", "measure": "kg"},
            "checkout.coupons": [{"code": "ten", "percent": 10}],
        }
    ).data
    assert data["shop"]["theme"]["radius"] == "0.5"
    assert data["catalogue"]["products"][0]["unit"]["content"] == "1.25"
    assert data["checkout"]["coupons"][0]["percent"] == "10"
    assert data["checkout"]["coupons"][0]["code"] == "TEN"


# References


@pytest.mark.parametrize(
    ("path", "value", "place", "words"),
    [
        ("delivery.methods.0.markets", ["SE"], "delivery.methods[0].markets[0]", "not a market"),
        ("catalogue.products.0.category", "beds", "catalogue.products[0].category", "there is no category"),
        ("catalogue.products.0.related", ["shet"], "catalogue.products[0].related[0]", "there is no product"),
        ("payment.methods.0.provider", "dmo", "payment.methods[0].provider", "did you mean `demo`"),
        ("payment.methods", [{"id": "c", "kind": "card"}], "payment.methods[0]", "needs `provider`"),
        ("payment.methods", [{"id": "t", "kind": "bank-transfer"}], "payment.methods[0]", "needs `iban`"),
        ("delivery.methods", [{"id": "c", "kind": "click-and-collect"}], "delivery.methods[0]", "needs `stores`"),
        ("delivery.methods.0.days", [4, 2], "delivery.methods[0].days", "write [2, 4]"),
        ("checkout.steps", ["contact", "review", "delivery", "payment"], "checkout.steps", "must end with review"),
        ("checkout.steps", ["contact", "contact", "delivery", "review"], "checkout.steps", "names a step twice"),
        ("catalogue.products", [], "catalogue", "sells nothing"),
        ("markets", {"FR": {"languages": ["sv"]}}, "markets.FR.languages[0]", "does not speak `sv`"),
        ("catalogue.products.0.price", None, "catalogue.products[0].price", "leave the value empty"),
        (
            "business.volume_prices",
            [{"product": "shet", "from": 5, "price": 1}],
            "business.volume_prices[0].product",
            "sheet",
        ),
        ("shop.theme.logo", "no.svg", "shop.theme.logo", "no.svg does not exist"),
    ],
)
def test_references_are_followed(
    problems_with: Callable[..., Problems], path: str, value: Any, place: str, words: str
) -> None:
    problems = problems_with({path: value})
    assert problems[0].path == place
    assert words in problems[0].message
    assert len(problems) == 1


def test_addresses_are_in_the_seller_s_country_unless_they_say_another(load_with: Callable[..., Spec]) -> None:
    store = {"id": "a", "name": "A", "address": {"street": "a", "city": "b"}}
    method = {"id": "c", "kind": "click-and-collect", "stores": [store]}
    data = load_with(
        {
            "seller.country": "BE",
            "delivery.methods": [method],
            "seller.headquarters": {"street": "a", "city": "b", "country": "LU"},
        }
    ).data
    assert data["seller"]["address"]["country"] == "BE"
    assert data["seller"]["headquarters"]["country"] == "LU"
    assert data["delivery"]["methods"][0]["stores"][0]["address"]["country"] == "BE"


def test_names_are_used_once(problems_with: Callable[..., Problems]) -> None:
    products = [{"id": "a", "title": "A", "price": 1}, {"id": "a", "title": "A", "price": 1, "sku": "A"}]
    problems = problems_with({"catalogue.products": products})
    assert {problem.path for problem in problems} == {
        "catalogue.products[1].id",
        "catalogue.products[1].variants[0].sku",
    }


def test_variants_inherit_and_must_choose_every_option(
    load_with: Callable[..., Spec], problems_with: Callable[..., Problems]
) -> None:
    product = {
        "id": "a",
        "title": "A",
        "price": 10,
        "weight": 5,
        "options": {"size": "Size"},
        "variants": [{"options": {"size": "S"}}, {"options": {"size": "M"}, "price": 12, "stock": 0}],
    }
    variants = load_with({"catalogue.products": [product]}).data["catalogue"]["products"][0]["variants"]
    assert [(v["sku"], v["price"], v["weight"], v["stock"]) for v in variants] == [
        ("a-s", {"EUR": 1000}, 5, None),
        ("a-m", {"EUR": 1200}, 5, 0),
    ]
    (problem,) = problems_with({"catalogue.products": [{**product, "variants": [{}]}]})
    assert "must choose each of the product's options: size" in problem.message


def test_related_products_are_those_of_the_category(load_with: Callable[..., Spec]) -> None:
    products = [{"id": f"p{n}", "title": "P", "price": 1, "category": "c"} for n in range(7)]
    data = load_with({"catalogue.products": products, "catalogue.categories": {"c": {"title": "C"}}}).data
    assert data["catalogue"]["products"][2]["related"] == ["p0", "p1", "p3", "p4"]


# All at once, and at their places


def test_unknown_keys_and_wrong_references_are_told_together(problems_with: Callable[..., Problems]) -> None:
    problems = problems_with({"shop.nme": "x", "delivery.methods.0.markets": ["SE"], "seller.email": "x"})
    assert {problem.path for problem in problems} == {"shop.nme", "delivery.methods[0].markets[0]", "seller.email"}


def test_places(load_with: Callable[..., Spec], tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text(
        "shop:\n  name: A\n  url: https://a.example\n  languages:\n    - en\nseller: {legal_name: A, "
        "email: a@a.example, address: {street: a, city: b}}\n"
        "markets:\n  FR:\ncatalogue: {products: [{id: a, title: A, price: 1.5}]}\n"
        "delivery: {methods: [{id: a, kind: home}]}\npayment: {methods: [{id: c, kind: card, provider: demo}]}\n"
    )
    from checkoutgen.spec import load

    spec = load(tmp_path / "s.yaml")
    assert spec.place("shop.languages[0]")[1:] == (5, 7)
    assert spec.place("shop.url")[1:] == (3, 3)
    assert spec.place("shop.theme.brand")[1:] == (1, 1)
    assert spec.place("markets.FR.order_button.en")[1:] == (8, 3)
    assert spec.given("markets.FR")
    assert not spec.given("shop.theme")
    assert spec.source["shop"] == {"name": "A", "url": "https://a.example", "languages": ["en"]}


PARTS = st.integers(0, 50) | st.from_regex(r"[a-z][a-z0-9-]{0,5}", fullmatch=True)


@given(st.lists(PARTS, min_size=1).filter(lambda p: isinstance(p[0], str)))
def test_paths_read_back(path: list[str | int]) -> None:
    assert parse_path(reader.dotted(tuple(path))) == tuple(path)


def test_loading_leaves_the_document_as_written(load_with: Callable[..., Spec]) -> None:
    assert load_with().source == minimal()


def test_loading_twice_gives_the_same(load_with: Callable[..., Spec]) -> None:
    assert json.dumps(load_with().data) == json.dumps(load_with().data)


@pytest.mark.parametrize(
    ("name", "slug"),
    [("Maison d'Été", "maison-d-ete"), ("Straße 7", "strasse-7"), ("東京", "shop"), ("7up", "shop-7up")],
)
def test_slugs(name: str, slug: str) -> None:
    assert resolve.slug(name) == slug


SAVING = {"id": "c", "kind": "card", "provider": "demo", "save": True}


@pytest.mark.parametrize(
    ("method", "words"),
    [
        ({"kind": "instalments", "provider": "alma"}, "alma saves nothing"),
        ({"kind": "ideal", "provider": "mollie"}, "mollie saves card only"),
        ({"kind": "bank-transfer", "iban": "FR7616958000010021047358415", "provider": None}, "saves nothing"),
    ],
)
def test_only_what_a_provider_keeps_is_saved(
    problems_with: Callable[..., Problems], method: dict[str, Any], words: str
) -> None:
    changed = {key: value for key, value in (SAVING | method).items() if value is not None}
    (problem,) = problems_with({"payment.methods": [changed]})
    assert problem.path == "payment.methods[0].save"
    assert words in problem.message


def test_saving_needs_accounts(load_with: Callable[..., Spec], problems_with: Callable[..., Problems]) -> None:
    assert load_with({"payment.methods": [SAVING]}).data["payment"]["methods"][0]["save"]
    assert not load_with().data["payment"]["methods"][0]["save"]
    guests_only = {"checkout.identification": {"sign_in": False, "account": "none"}}
    (problem,) = problems_with({"payment.methods": [SAVING], **guests_only})
    assert problem.path == "payment.methods[0].save"
    assert "accounts" in problem.message
