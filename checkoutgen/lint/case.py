"""One spec in one market on one day: what a check is given to judge."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, cached_property
from pathlib import Path
from typing import Any, NamedTuple

from checkoutgen.lint import paths
from checkoutgen.lint.texts import Texts

LOCALES = Path(__file__).parent.parent / "locales"
CREDIT_KINDS = ("pay-later", "instalments")
EEA_WITHOUT_EU = ("NO", "IS", "LI")
EU = frozenset("AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK".split())


class Outcome(NamedTuple):
    """What a check found: broken (``ok`` false), fulfilled, or (``ok`` None) not judged for a stated reason."""

    ok: bool | None
    path: str
    message: str
    severity: str = ""  # empty = the rule's
    languages: tuple[str, ...] = ()  # joined over markets in one finding
    file: str = ""  # another file than the spec, with its line
    line: int = 0
    fix: dict[str, Any] | None = None


@cache
def labels(language: str) -> dict[str, Any]:
    """Words of one language that law or courts allow or refuse on buttons. See `locales/<language>/labels.json`."""
    import json

    try:
        found: dict[str, Any] = json.loads((LOCALES / language / "labels.json").read_bytes())
    except OSError:
        return {}
    return found


class Case:
    def __init__(
        self, spec: Any, market: str, day: str, texts: Texts, derived: dict[str, Any], *, review: bool
    ) -> None:
        self.spec = spec
        self.data: dict[str, Any] = spec.data
        self.market = market
        self.day = day
        self.texts = texts
        self.review = review
        self.consumers = True
        self._derived = derived  # shared by the cases of a spec
        self._each: dict[tuple[str, bool], list[tuple[str, Any]]] = {}

    @cached_property
    def facts(self) -> dict[str, Any]:
        """The market's entry in the resolved spec."""
        found = (self.data.get("markets") or {}).get(self.market)
        return found if isinstance(found, dict) else {}

    @cached_property
    def languages(self) -> tuple[str, ...]:
        return tuple(self.facts.get("languages") or self.data.get("shop", {}).get("languages") or ())

    @cached_property
    def derived(self) -> dict[str, Any]:
        """Facts that several rules ask for, worked out once for all markets of a spec."""
        if not self._derived:
            self._derived.update(_derive(self.data))
        return self._derived

    def get(self, path: str) -> Any:
        """The value at a path: of the market's entry after ``market.``, of `derived` after that, else of the spec."""
        return reader(path)(self)

    def each(self, path: str) -> list[tuple[str, Any]]:
        """(path, item) of those that count in this market and for this audience; rules ask for the same ones often."""
        key = path, self.consumers
        if key not in self._each:
            self._each[key] = [pair for pair in paths.expand(self.data, path) if self._counts(pair[1])]
        return self._each[key]

    def _counts(self, item: Any) -> bool:
        if not isinstance(item, dict):
            return True
        markets = item.get("markets")
        if markets and self.market and self.market not in markets:
            return False
        audience = item.get("audience")
        return not audience or audience == "mixed" or bool((audience == "b2c") == self.consumers)

    def given(self, path: str) -> bool:
        """Whether the author wrote it, or only a default stands there."""
        return bool(self.spec.given(path))


@cache
def reader(path: str) -> Callable[[Case], Any]:
    """What gives a case's value at a path; see `Case.get`."""
    head, _, rest = path.partition(".")
    look_up = paths.getter(rest if head in ("market", "derived") else path)
    if head == "market":
        return lambda case: look_up(case.facts)
    if head == "derived":
        return lambda case: look_up(case.derived)
    return lambda case: look_up(case.data)


def _derive(data: dict[str, Any]) -> dict[str, Any]:
    seller = data.get("seller") or {}
    country = seller.get("country") or ""
    products = (data.get("catalogue") or {}).get("products") or []
    markets = list(data.get("markets") or {})
    trust, support = data.get("trust") or {}, data.get("support") or {}
    deliveries = (data.get("delivery") or {}).get("methods") or []
    employees, turnover = seller.get("employees"), seller.get("turnover_eur")
    methods = (data.get("payment") or {}).get("methods") or []
    return {
        "seller_eu": country in EU,
        "seller_eea": country in EU or country in EEA_WITHOUT_EU,
        "kinds": sorted({product.get("kind", "goods") for product in products}),
        "cross_border": any(code != country for code in markets),
        "micro": isinstance(employees, int) and employees < 10 and turnover is not None and turnover <= 2_000_000,
        "small": isinstance(employees, int) and employees < 250,
        "credit": any(method.get("kind") in CREDIT_KINDS for method in methods),
        "mails": (data.get("mails") or {}).get("send") or [],
        "eu_markets": [code for code in markets if code in EU],
        "cross_border_eu": country in EU and any(code in EU and code != country for code in markets),
        "tiny": turnover is not None and turnover <= 10_000,  # EUR 10,000: Directive 2006/112/EC art 59c
        "invoice": any(method.get("kind") == "invoice" for method in methods),
        "durability": any((product.get("durability_guarantee_years") or 0) > 2 for product in products),
        "exceptions": any(product.get("withdrawal_exception") for product in products),
        "physical": any(method.get("kind") != "digital" for method in deliveries),
        "epr_schemes": sorted({str(entry.get("scheme", "")).lower() for entry in seller.get("epr") or []}),
        "reductions": any(variant.get("was") for product in products for variant in product.get("variants") or []),
        "payments": sorted({str(method.get("kind")) for method in methods}),
        "providers": sorted({str(method.get("provider")) for method in methods}),
        "limits": any(method.get("minimum") and method.get("maximum") for method in methods),
        "deliveries": sorted({str(method.get("kind")) for method in deliveries}),
        "chats": bool(support.get("messaging") or support.get("chat_url")),
        "shows_ratings": bool((trust.get("reviews") or {}).get("enabled"))
        or any(badge.get("kind") == "rating" for badge in trust.get("badges") or []),
    }
