"""A valid document to the resolved spec: defaults, texts in every language, amounts in minor units, facts of the
markets, files, and whether everything that is referred to exists.

The schema drives it: a value is resolved by what the schema says it is. What the schema cannot say stands at the end.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from checkoutgen import schema as contract
from checkoutgen.errors import quoted
from checkoutgen.spec import colour, standard
from checkoutgen.spec.files import UnusableFileError, read_inside, read_picture
from checkoutgen.spec.layers import Merged
from checkoutgen.spec.money import MAX_MINOR, minor
from checkoutgen.spec.reader import MAX_TEXT, forbidden
from checkoutgen.spec.reader import Path as At

HERE = Path(__file__).parent.parent
MARKETS = HERE / "markets"
LOCALES = HERE / "locales"

Data = dict[str, Any]


class Resolved(NamedTuple):
    data: Data
    files: dict[str, bytes]
    inputs: dict[Path, bytes]
    legal: dict[tuple[str, str], standard.Filled]


class Context:
    """What resolving a value needs to know, and what it finds."""

    def __init__(self, root: Path, report: Callable[[At, str], None]) -> None:
        self.root = root
        self.report = report
        self.languages: list[str] = []
        self.currency = ""
        self.country = ""  # of the seller
        self.market_currencies: dict[str, str] = {}
        self.files: dict[str, bytes] = {}
        self.pictures: dict[str, Data] = {}
        self.inputs: dict[Path, bytes] = {}
        self.legal: dict[tuple[str, str], standard.Filled] = {}


def resolve(merged: Merged, report: Callable[[At, str], None]) -> Resolved:
    """The resolved spec; what is wrong with it is reported, and the result then means nothing."""
    context = Context(merged.root, report)
    source = {key: _own(section) for key, section in merged.value.items()}
    facts = _shop_and_markets(source, context)
    if not facts:
        return Resolved({}, {}, {}, {})
    data = _document()(source, (), context, list(context.market_currencies))
    data.pop("extends")
    _finish(data, facts, context)
    return Resolved(data, context.files, context.inputs, context.legal)


def _own(section: Any) -> Any:
    """A section whose keys can be set without changing the document as written."""
    return dict(section) if isinstance(section, dict) else section


# Facts and words


@cache
def market_facts(country: str) -> Data | None:
    path = MARKETS / f"{country}.json"
    return json.loads(path.read_bytes()) if path.is_file() else None


@cache
def words(language: str) -> Data:
    """Our own words in a language; English where we have none."""
    path = LOCALES / language / "words.json"
    return json.loads((path if path.is_file() else LOCALES / "en" / "words.json").read_bytes())  # type: ignore[no-any-return]


@cache
def shipped_languages() -> tuple[str, ...]:
    """Languages that a shop can speak: those whose catalogue is more than its header."""
    return tuple(sorted(path.parent.name for path in LOCALES.glob("*/shop.mo") if _translations(path) > 1))


def _translations(catalogue: Path) -> int:
    """How many texts a compiled catalogue holds (https://www.gnu.org/software/gettext/manual/html_node/MO-Files.html)."""
    with open(catalogue, "rb") as file:
        return int.from_bytes(file.read(12)[8:], "little")


def _in_words(languages: Iterable[str], *keys: str) -> dict[str, str]:
    result = {}
    for language in languages:
        found: Any = words(language)
        for key in keys:
            found = found[key]
        result[language] = found
    return result


# What the rest depends on: markets, languages, currencies


def _shop_and_markets(source: Data, context: Context) -> dict[str, Data]:
    shop = source["shop"]
    facts: dict[str, Data] = {}
    for country in source["markets"]:
        found = market_facts(country)
        if found is None:
            known = ", ".join(sorted(path.stem for path in MARKETS.glob("*.json")))
            context.report(
                ("markets", country), f"there are no facts about the country {country}; there are for: {known}"
            )
        else:
            facts[country] = found
    if not facts:
        return facts
    markets = {country: dict(source["markets"][country] or {}) for country in facts}
    home = next(iter(facts))
    shop.setdefault("languages", _default_languages(markets, facts))
    shop.setdefault("currency", markets[home].get("currency", facts[home]["currency"]))
    shop.setdefault("timezone", markets[home].get("timezone", facts[home]["timezone"]))
    shop.setdefault("slug", slug(shop["name"]))
    context.languages, context.currency = shop["languages"], shop["currency"]
    _languages(source, context)
    for country, market in markets.items():
        usual = [language for language in facts[country]["languages"] if language in shop["languages"]]
        market.setdefault("languages", usual or list(shop["languages"]))
        market.setdefault("currency", facts[country]["currency"])
        market.setdefault("timezone", facts[country]["timezone"])
        market.setdefault("prices", "net" if source.get("audience") == "b2b" else "gross")
        context.market_currencies[country] = market["currency"]
    source["markets"] = markets
    context.country = source["seller"].setdefault("country", home)
    _sections(source)
    return facts


def _default_languages(markets: Data, facts: dict[str, Data]) -> list[str]:
    wanted = [
        language
        for country, market in markets.items()
        for language in market.get("languages", facts[country]["languages"])
    ]
    return [language for language in dict.fromkeys(wanted) if language in shipped_languages()] or ["en"]


def _languages(source: Data, context: Context) -> None:
    shipped = shipped_languages()
    for index, language in enumerate(context.languages):
        at: At = ("shop", "languages", index)
        if language not in shipped:
            context.report(at, f"there is no translation into `{language}`; there are: {', '.join(shipped)}")
        if language in context.languages[:index]:
            context.report(at, f"`{language}` is listed twice; delete one")
    for country, market in source["markets"].items():
        for index, language in enumerate((market or {}).get("languages", [])):
            if language not in context.languages:
                message = f"the shop does not speak `{language}`; add it to shop.languages or take it out here"
                context.report(("markets", country, "languages", index), message)


def _sections(source: Data) -> None:
    """Defaults that depend on another value and that the schema can only describe."""
    audience = source.get("audience", "b2c")
    catalogue = source["catalogue"] = source["catalogue"] or {}
    catalogue.setdefault("prices", "net" if audience == "b2b" else "gross")
    business = source["business"] = source.get("business") or {}
    business.setdefault("vat_id", {"b2b": "required", "mixed": "optional"}.get(audience, "none"))
    seller, shop = source["seller"], source["shop"]
    mails = source["mails"] = source.get("mails") or {}
    sender = mails["from"] = dict(mails.get("from") or {})
    sender.setdefault("name", shop["name"])
    sender.setdefault("email", seller["email"])
    mails.setdefault("reply_to", sender["email"])
    support = source["support"] = source.get("support") or {}
    support.setdefault("email", seller["email"])
    if "phone" in seller:
        support.setdefault("phone", seller["phone"])
    payment = source["payment"]
    methods = payment["methods"] = [dict(method) for method in payment["methods"]]
    used: Data = {method["provider"]: {} for method in methods if method.get("provider") in contract.providers()}
    payment["providers"] = used | (payment.get("providers") or {})
    for method in methods:
        _page_settings(method, payment["providers"])
    for method in methods:
        match method["kind"]:
            case "bank-transfer":
                method.setdefault("holder", seller["legal_name"])
                method.setdefault("days_to_pay", 7)
            case "cheque":
                method.setdefault("payable_to", seller["legal_name"])
                method.setdefault("address", seller["address"])
                method.setdefault("days_to_pay", 7)
            case "purchase-order":
                method.setdefault("document", "optional")
                method.setdefault("terms_days", 30)
            case "invoice":
                method.setdefault("terms_days", 30)


def _page_settings(method: Data, providers: Data) -> None:
    """What a provider's script needs where it runs in the shop: settings with `x-page` have a default only there."""
    name = method.get("provider")
    if name not in contract.providers() or (method.get("mode") != "fields" and not method.get("express")):
        return
    settings = providers[name] = dict(providers.get(name) or {})
    for key, schema in contract.provider(name)["properties"].items():
        if "x-page" in schema:
            settings.setdefault(key, schema["x-page"])


def slug(name: str) -> str:
    """A name as an id: "Maison d'Été" becomes "maison-d-ete". Falls back to "shop"."""
    plain = unicodedata.normalize("NFKD", name.replace("ß", "ss")).encode("ascii", "ignore").decode().lower()
    text = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:60].strip("-")
    return text if re.match("[a-z]", text) else f"shop-{text}".strip("-")


# Any value, by its schema


_Value = Callable[[Any, At, "Context", list[str]], Any]
_NOTHING = object()


def _resolver(schema: contract.Schema) -> _Value | None:
    """What resolves the values of a schema; None when they stay as they are."""
    if shared := _SHARED.get(schema.get("$ref", "").removeprefix("#/$defs/")):
        return shared
    schema = contract.follow(schema)
    kinds = schema["type"]
    is_plain = {"string", "integer", "boolean"}.issuperset([kinds] if isinstance(kinds, str) else kinds)
    if is_plain:
        return None
    resolver = _Resolver(schema)
    return resolver.map if kinds == "object" else resolver.items if kinds == "array" else resolver


class _Resolver:
    """Resolves the values of one schema. What that says of keys and items is worked out once, at the first of them."""

    def __init__(self, schema: contract.Schema) -> None:
        self.schema = schema
        self.nullable = "null" in schema["type"]
        self.is_number = "number" in schema["type"]
        self.is_free = "properties" not in schema  # any key will do
        self.has_markets = "markets" in schema.get("properties", ())

    @cached_property
    def keys(self) -> list[tuple[str, _Value | None, Any]]:
        """(key, what resolves it, its default) of each property."""
        properties = self.schema["properties"].items()
        return [(key, _resolver(inner), inner.get("default", _NOTHING)) for key, inner in properties]

    @cached_property
    def inner(self) -> _Value | None:
        """What resolves the items of the list, or the values under the free keys of the map."""
        return _resolver(self.schema["items"] if "items" in self.schema else self.schema["additionalProperties"])

    def __call__(self, given: Any, at: At, context: Context, markets: list[str]) -> Any:
        """`given` resolved. `markets` are those that use it: amounts need their currencies."""
        if isinstance(given, dict) or (given is None and self.nullable):
            return self.map(given or {}, at, context, markets)
        if isinstance(given, list):
            return self.items(given, at, context, markets)
        return plain_decimal(given) if self.is_number else given

    def items(self, given: list[Any], at: At, context: Context, markets: list[str]) -> list[Any]:
        inner = self.inner
        if inner is None:
            return given.copy()
        return [inner(item, (*at, index), context, markets) for index, item in enumerate(given)]

    def map(self, given: Data, at: At, context: Context, markets: list[str]) -> Data:
        if self.has_markets and isinstance(given.get("markets"), list):
            markets = _known_markets(given["markets"], (*at, "markets"), context)
        if at == ("seller",):
            markets = []  # amounts about the seller itself need no other currency
        if self.is_free:
            inner = self.inner
            if inner is None:
                return dict(given)
            return {key: inner(item, (*at, key), context, markets) for key, item in given.items()}
        defaults, to_resolve, unknown = _present(self, tuple(given))
        resolved = {**defaults, **given}
        for key in unknown:
            del resolved[key]
        for key, resolve_value in to_resolve:
            resolved[key] = resolve_value(resolved[key], (*at, key), context, markets)
        return resolved


@lru_cache(maxsize=1024)
def _present(resolver: _Resolver, given: tuple[str, ...]) -> tuple[Data, list[tuple[str, _Value]], list[str]]:
    """Of a map with these keys: defaults, with the keys in the order of the schema; what resolves values that do not
    stay as they are; keys that the schema does not have. Most products of a run have the same keys."""
    known = [row for row in resolver.keys if row[0] in given or row[2] is not _NOTHING]
    defaults = {key: default for key, _, default in known}
    return defaults, [(key, inner) for key, inner, _ in known if inner], [key for key in given if key not in defaults]


@cache
def _document() -> _Resolver:
    return _Resolver(contract.load())


def _known_markets(given: list[str], at: At, context: Context) -> list[str]:
    for index, country in enumerate(given):
        if country not in context.market_currencies:
            context.report(
                (*at, index), f"{country} is not a market of this shop; add it to markets or take it out here"
            )
    return [country for country in given if country in context.market_currencies]


def plain_decimal(given: str | int) -> str:
    """A decimal as text without needless zeros: "7.50" as "7.5"."""
    text = str(given)
    return text.rstrip("0").rstrip(".") if "." in text else text


def text(given: str | Data, at: At, context: Context, markets: list[str]) -> dict[str, str]:
    if isinstance(given, str):
        return dict.fromkeys(context.languages, given)
    _complete(given, at, context)
    return {language: given.get(language, "") for language in context.languages}


def long_text(given: str | Data, at: At, context: Context, markets: list[str]) -> dict[str, str]:
    if isinstance(given, str) or "file" not in given:
        return text(given, at, context, markets)
    if len(given) > 1:
        context.report(at, "has both `file` and languages; keep one")
        return {}
    if given["file"].startswith(standard.PREFIX):
        return _standard_text(given["file"].removeprefix(standard.PREFIX), (*at, "file"), context)
    names = {language: given["file"].replace("{lang}", language) for language in context.languages}
    contents = {name: _text_file(name, (*at, "file"), context) for name in dict.fromkeys(names.values())}
    return {language: contents[name] for language, name in names.items()}


def _standard_text(name: str, at: At, context: Context) -> dict[str, str]:
    found = {language: standard.read(name, language) for language in context.languages}
    for language in (language for language, body in found.items() if body is None):
        exists(name, standard.names(language), at, f"standard text in {language} called", context)
    return {language: body or "" for language, body in found.items()}


def _complete(given: Data, at: At, context: Context) -> None:
    if missing := [language for language in context.languages if language not in given]:
        context.report(at, f"has no text in {', '.join(missing)}; add {'it' if len(missing) == 1 else 'them'}")


def _text_file(name: str, at: At, context: Context) -> str:
    try:
        written = context.inputs[context.root / name] = read_inside(context.root, name, MAX_TEXT * 4)
        content = written.decode()
    except UnusableFileError as problem:
        context.report(at, f"{name} {problem}")
    except UnicodeDecodeError:
        context.report(at, f"{name} is not UTF-8 text")
    else:
        content = content.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
        if found := forbidden(content):
            context.report(at, f"{name} has the character U+{ord(found[0]):04X}, which is not allowed; delete it there")
        return content
    return ""


def amount(given: str | int | Data, at: At, context: Context, markets: list[str]) -> dict[str, int]:
    by_currency = given if isinstance(given, dict) else {context.currency: given}
    result = {}
    for currency, written in by_currency.items():
        place = (*at, currency) if isinstance(given, dict) else at
        units = minor(written, currency)
        if units is None:
            context.report(place, f"has more decimals than {currency} has; {quoted(written)} cannot be paid exactly")
        elif units > MAX_MINOR and at[0] != "seller":
            context.report(place, f"is larger than any amount this shop can take; {quoted(written)}")
        else:
            result[currency] = units
    if at[-1] in _OPTIONAL_AMOUNTS:
        markets = []
    needed = {context.market_currencies[market]: market for market in reversed(markets)}
    for currency, market in needed.items():
        if currency not in by_currency and units_of(given) != 0:
            context.report(at, f"needs an amount in {currency} for the market {market}, such as {{{currency}: ...}}")
    if units_of(given) == 0:
        result |= dict.fromkeys(needed, 0)
    return result


_OPTIONAL_AMOUNTS = frozenset(("was", "prior_price"))  # a price can be reduced in one currency alone


def units_of(given: Any) -> int | None:
    """0 for a plain nothing, which is nothing in every currency."""
    return 0 if isinstance(given, str | int) and not str(given).strip("0.") else None


def picture(given: str, at: At, context: Context, markets: list[str]) -> Data:
    """{path, width, height} in pixels; its content goes to the files of the spec."""
    if given not in context.pictures:
        try:
            found = read_picture(context.root, given)
        except UnusableFileError as problem:
            context.report(at, f"{given} {problem}")
            return {"path": given, "width": 0, "height": 0}
        context.files[given] = context.inputs[context.root / given] = found.content
        context.pictures[given] = {"path": given, "width": found.width, "height": found.height}
    return dict(context.pictures[given])


def address(given: Data, at: At, context: Context, markets: list[str]) -> Data:
    return {**given, "country": given.get("country", context.country)}


_SHARED: dict[str, Callable[[Any, At, Context, list[str]], Any]] = {
    "text": text,
    "longText": long_text,
    "amount": amount,
    "picture": picture,
    "address": address,
}


# What the schema cannot say


def _finish(data: Data, facts: dict[str, Data], context: Context) -> None:
    from checkoutgen.spec import products

    _markets(data, facts, context)
    _theme(data)
    products.finish(data, context)
    _delivery(data, context)
    _payment(data, context)
    _legal(data, context)
    _checkout(data, context)
    _mails(data)
    _business(data, context)
    unique(data["trust"]["badges"], "id", ("trust", "badges"), context)
    data["trust"].setdefault("secure_payment", _in_words(context.languages, "secure_payment"))


def _markets(data: Data, facts: dict[str, Data], context: Context) -> None:
    everywhere = data["checkout"].get("order_button")
    for country, market in data["markets"].items():
        fact = facts[country]
        usual = _in_words(context.languages, "order_button") | fact.get("order_button", {})
        withdrawal = fact["withdrawal"] and {
            "days": fact["withdrawal"]["days"],
            "link": _in_words(context.languages, "withdrawal", "link"),
            "confirm": _in_words(context.languages, "withdrawal", "confirm"),
        }
        market.setdefault("order_button", everywhere or {language: usual[language] for language in context.languages})
        market["name"] = {language: fact["name"].get(language, fact["name"]["en"]) for language in context.languages}
        market["withdrawal"] = withdrawal
        for key in ("tax", "holidays", "eu", "guarantee_years", "parameters"):
            market[key] = fact[key]
    data["checkout"].setdefault("order_button", next(iter(data["markets"].values()))["order_button"])


def _theme(data: Data) -> None:
    theme = data["shop"]["theme"]
    theme["brand"] = theme["brand"].lower()
    theme["tokens"] = colour.theme(theme["brand"])


def _delivery(data: Data, context: Context) -> None:
    methods = data["delivery"]["methods"]
    unique(methods, "id", ("delivery", "methods"), context)
    for index, method in enumerate(methods):
        at: At = ("delivery", "methods", index)
        method.setdefault("name", _in_words(context.languages, "delivery", method["kind"]))
        method.setdefault("markets", list(data["markets"]))
        _ordered_days(method["days"], (*at, "days"), context)
        if method["kind"] == "click-and-collect" and not method["stores"]:
            context.report(at, "needs `stores`: where orders are collected")
        unique(method["stores"], "id", (*at, "stores"), context)
        for number, store in enumerate(method["stores"]):
            _opening(store.get("open"), (*at, "stores", number, "open"), context)
        for number, rate in enumerate(method["rates"]):
            rate.setdefault("markets", list(method["markets"]))
            rate.setdefault("days", list(method["days"]))
            _ordered_days(rate["days"], (*at, "rates", number, "days"), context)
            if rate.get("to_weight", rate["from_weight"]) < rate["from_weight"]:
                context.report((*at, "rates", number, "to_weight"), "is less than from_weight")


def _ordered_days(days: list[int], at: At, context: Context) -> None:
    if days[0] > days[1]:
        context.report(at, f"begins after it ends: write [{days[1]}, {days[0]}]")


def _payment(data: Data, context: Context) -> None:
    methods = data["payment"]["methods"]
    unique(methods, "id", ("payment", "methods"), context)
    known = contract.providers()
    for index, method in enumerate(methods):
        at: At = ("payment", "methods", index)
        method.setdefault("name", _in_words(context.languages, "payment", method["kind"]))
        method.setdefault("markets", list(data["markets"]))
        provider = method.get("provider")
        if provider and provider not in known:
            exists(provider, known, (*at, "provider"), "provider", context)
        elif not provider and method["kind"] in _ONLINE:
            context.report(at, f"needs `provider`: the company behind it, one of {', '.join(known)}")
        elif provider:
            _offered(method, contract.provider(provider), at, data["markets"], context)
        if method["save"]:
            _saved(method, contract.provider(provider) if provider in known else {}, at, data, context)
        if method["capture"] == "at-shipping":
            _captured(method, contract.provider(provider) if provider in known else {}, at, context)
        if method["kind"] == "bank-transfer" and "iban" not in method:
            context.report(at, "needs `iban`: the account that buyers pay to")


_ONLINE = frozenset(
    "card wallet paypal pay-later instalments ideal bancontact swish twint sepa-debit".split()
)  # kinds that a provider carries out


def _offered(method: Data, offer: contract.Schema, at: At, markets: Data, context: Context) -> None:
    """What the provider's schema says it does: `x-kinds`, {kind: its currencies, none for any}, and the kinds that it
    has fields (`x-fields`) and wallets in the cart (`x-express`) for; `x-refused`, {kind: why not}."""
    provider, kind = method["provider"], method["kind"]
    kinds: dict[str, list[str]] = offer.get("x-kinds", {kind: []})
    if kind not in kinds and kind in _ONLINE:
        why = offer.get("x-refused", {}).get(kind)
        refused = f"{provider} does not do `{kind}`" + (f": {why}" if why else "")
        context.report((*at, "kind"), f"{refused}; it does: {', '.join(kinds)}")
    if currencies := kinds.get(kind):
        for country in method["markets"]:
            currency = markets.get(country, {}).get("currency", currencies[0])
            if currency not in currencies:
                message = f"`{kind}` takes {' or '.join(currencies)} only, and {country} pays in {currency}"
                context.report(at, f"{message}; write `markets` without it")
    for key, wanted, instead in (("mode", "fields", "`mode: hosted`"), ("express", True, "`express: false`")):
        can = offer.get("x-fields" if key == "mode" else "x-express", [])
        if method[key] == wanted and kind not in can:
            does = f"{provider} does it for {', '.join(can)} only" if can else f"{provider} does not do it"
            context.report((*at, key), f"{does}; write {instead}")


def _saved(method: Data, offer: contract.Schema, at: At, data: Data, context: Context) -> None:
    """Saving needs a provider that keeps what is saved (`x-saves`: its kinds) and accounts that it belongs to."""
    kinds = offer.get("x-saves", [])
    asked = data["checkout"]["identification"]
    if method["kind"] not in kinds:
        who = method.get("provider") or f"`{method['kind']}`"
        can = f"saves {', '.join(kinds)} only" if kinds else "saves nothing for the next purchase"
        context.report((*at, "save"), f"{who} {can}; write `save: false`")
    elif method["mode"] != "hosted":
        context.report((*at, "save"), "works on the provider's page only; write `mode: hosted` or `save: false`")
    if not asked["sign_in"] and asked["account"] == "none":
        context.report((*at, "save"), "needs accounts, which checkout.identification leaves out; write `save: false`")


def _captured(method: Data, offer: contract.Schema, at: At, context: Context) -> None:
    """To reserve now and collect later needs a provider that does it (`x-captures`: its kinds)."""
    kinds = offer.get("x-captures", [])
    if method["kind"] not in kinds:
        who = method.get("provider") or f"`{method['kind']}`"
        can = f"reserves money for {', '.join(kinds)} only" if kinds else "reserves no money"
        context.report((*at, "capture"), f"{who} {can}; write `capture: at-order`")
    if method["save"]:
        context.report((*at, "capture"), "works with `save: false` only; write that, or `capture: at-order`")


def _legal(data: Data, context: Context) -> None:
    pages = data["legal"]["pages"]
    fill = standard.filler(data)
    for name, body in pages.items():
        for path in dict.fromkeys(path for text in body.values() for path in standard.unknown(text)):
            context.report(("legal", "pages", name), f"names {{{path}}}, which no spec has; correct it in the text")
        filled = {language: fill(text, language) for language, text in body.items()}
        context.legal |= {(name, language): text for language, text in filled.items()}
        pages[name] = {
            "title": _in_words(context.languages, "legal", name),
            "body": {language: text.text for language, text in filled.items()},
        }


def _checkout(data: Data, context: Context) -> None:
    checkout = data["checkout"]
    steps = checkout["steps"]
    if len(set(steps)) < len(steps):
        context.report(
            ("checkout", "steps"), "names a step twice; contact, delivery, payment and review are each needed once"
        )
    elif steps[-1] != "review":
        context.report(("checkout", "steps"), "must end with review: what is ordered is shown just before ordering")
    unique(checkout["coupons"], "code", ("checkout", "coupons"), context)
    for index, coupon in enumerate(checkout["coupons"]):
        at: At = ("checkout", "coupons", index)
        coupon["code"] = coupon["code"].upper()
        if sum((("percent" in coupon), ("amount" in coupon), coupon["free_delivery"])) != 1:
            context.report(at, "needs exactly one of `percent`, `amount` and `free_delivery: true`")
        if "starts" in coupon and coupon.get("ends", coupon["starts"]) < coupon["starts"]:
            context.report((*at, "ends"), "is before `starts`")
        coupon.setdefault("markets", list(data["markets"]))
        for number, category in enumerate(coupon["categories"]):
            exists(category, data["catalogue"]["categories"], (*at, "categories", number), "category", context)


# Mails that no spec can switch off: the law wants them, an account cannot do without them, or money would go unseen.
_ALWAYS_SENT = (
    "order-confirmation",
    "withdrawal-received",
    "new-withdrawal",
    "verify-email",
    "password-reset",
    "order-review",
)


def _mails(data: Data) -> None:
    """All mails that what the shop does can need."""
    online = any(method["kind"] in _ONLINE for method in data["payment"]["methods"])
    later = any(method["kind"] in ("bank-transfer", "cheque") for method in data["payment"]["methods"])
    withdrawal = any(market["withdrawal"] for market in data["markets"].values()) and data["audience"] != "b2b"
    accounts = data["checkout"]["identification"]["account"] != "none" or data["checkout"]["identification"]["sign_in"]
    pick_up = any(method["kind"] == "click-and-collect" for method in data["delivery"]["methods"])
    depends = {
        "payment-pending": later,
        "payment-received": later,
        "payment-failed": online,
        "payment-returned": any(method["kind"] == "sepa-debit" for method in data["payment"]["methods"]),
        "ready-for-pickup": pick_up,
        "withdrawal-received": withdrawal,
        "new-withdrawal": withdrawal,
        "account-created": accounts,
        "verify-email": accounts,
        "password-reset": accounts,
    }
    known = contract.load()["properties"]["mails"]["properties"]["send"]["items"]["enum"]
    useful = [name for name in known if depends.get(name, True)]
    send = data["mails"].setdefault("send", useful)
    send += [name for name in useful if name in _ALWAYS_SENT and name not in send]


def _opening(hours: dict[str, str] | None, at: At, context: Context) -> None:
    if hours == {}:
        context.report(at, 'names no day; write the days and hours, like {tue: "10:00-19:00"}')
    for day, text in (hours or {}).items():
        opens, closes = text.split("-")
        if closes <= opens:
            context.report((*at, day), "closes before it opens")


def _business(data: Data, context: Context) -> None:
    skus = {
        product["id"]: [variant["sku"] for variant in product["variants"]] for product in data["catalogue"]["products"]
    }
    for index, price in enumerate(data["business"]["volume_prices"]):
        at: At = ("business", "volume_prices", index)
        exists(price["product"], skus, (*at, "product"), "product", context)
        if "sku" in price:
            exists(
                price["sku"],
                skus.get(price["product"], []),
                (*at, "sku"),
                "variant of this product with the SKU",
                context,
            )


def unique(items: list[Data], key: str, at: At, context: Context) -> None:
    """Reports each item whose name an earlier one has, whatever its capitals."""
    first: dict[str, int] = {}
    for index, item in enumerate(items):
        earlier = first.setdefault(item[key].lower(), index)
        if earlier != index:
            context.report(
                (*at, index, key), f"{quoted(item[key])} is used already by number {earlier + 1}; give one another name"
            )


def exists(name: str, known: Iterable[str], at: At, what: str, context: Context) -> None:
    """Reports a reference to something that is not there, with what was perhaps meant."""
    known = list(known)
    if name in known:
        return
    close = get_close_matches(name, known, 1)
    hint = (
        f"did you mean `{close[0]}`?" if close else f"there are: {', '.join(known[:12])}" if known else "there are none"
    )
    context.report(at, f"there is no {what} {quoted(name)}; {hint}")
