"""What the catalogue's pages show, worked out before the templates see it."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from catalogue import shelf
from catalogue.categories import categories
from catalogue.models import Picture, Product, Variant
from catalogue.prices import Price, price
from common.texts import localized
from config.shop import section, tax_rate

# Unit prices are per kilogram, litre, metre, square or cubic metre (article 2, Directive 98/6/EC).
_UNITS = {"g": ("kg", 1000), "ml": ("l", 1000), "cl": ("l", 100), "cm": ("m", 100), "m2": ("m²", 1), "m3": ("m³", 1)}
MOST = 999  # of one article in a cart


@dataclass(frozen=True, slots=True)
class Card:
    """A product in a grid."""

    title: str
    url: str
    picture: Picture | None
    price: Price
    varies: bool  # other variants cost more
    available: bool
    note: str


@dataclass(frozen=True, slots=True)
class Choice:
    """A value of an option; the link shows the same product with it chosen."""

    label: str
    url: str
    current: bool
    available: bool


def cards(products: Iterable[Product], market_code: str) -> list[Card]:
    return [card for product in products if (card := _card(product, market_code))]


def _card(product: Product, market_code: str) -> Card | None:
    sold = [(variant, cost) for variant in product.sold_variants if (cost := price(variant, market_code))]
    if not sold:
        return None
    cheapest = min((cost for _, cost in sold), key=lambda cost: cost.amount)
    buyable = any(variant.stock != 0 for variant, _ in sold)
    note = "" if buyable else _("Sold out")
    if buyable and len(sold) > 1:
        note = ngettext("%(count)d choice", "%(count)d choices", len(sold)) % {"count": len(sold)}
    return Card(
        title=localized(product.title),
        url=product.get_absolute_url(),
        picture=product.shown_pictures[0] if product.shown_pictures else None,
        price=cheapest,
        varies=any(cost.amount != cheapest.amount for _, cost in sold),
        available=buyable,
        note=note,
    )


def preselected(found: list[Variant], sku: str | None, market_code: str) -> Variant | None:
    """The variant asked for, else the first that can be bought, else the first."""
    sold = [variant for variant in found if price(variant, market_code)]
    return next(
        (variant for variant in sold if variant.sku == sku),
        next((variant for variant in sold if variant.stock != 0), sold[0] if sold else None),
    )


def options(found: list[Variant], chosen: Variant) -> list[dict[str, Any]]:
    """[{"name", "choices": [Choice]}]: for each option every value, linked to the nearest variant that has it."""
    groups = []
    page = chosen.product.get_absolute_url()
    for index, option in enumerate(chosen.options):
        choices: list[Choice] = []
        seen: list[Any] = []
        for variant in found:
            value = variant.options[index]["value"]
            if value in seen:
                continue
            seen.append(value)
            nearest = max(
                (other for other in found if other.options[index]["value"] == value),
                key=lambda other: (
                    sum(a["value"] == b["value"] for a, b in zip(other.options, chosen.options, strict=True)),
                    other.stock != 0,
                ),
            )
            choices.append(
                Choice(
                    label=localized(value),
                    url=f"{page}?variant={nearest.sku}",
                    current=value == option["value"],
                    available=nearest.stock != 0,
                )
            )
        groups.append({"name": localized(option["name"]), "choices": choices})
    return groups


def availability(variant: Variant) -> tuple[bool, str]:
    """Whether it can be bought, and in words, as precise as the specification wants (catalogue.show_stock)."""
    if variant.stock == 0 or not variant.published:
        return False, _("Sold out")
    show, low = section("catalogue").get("show_stock", "low"), section("catalogue").get("low_stock", 5)
    if variant.stock is not None and (show == "exact" or (show == "low" and variant.stock <= low)):
        if variant.stock <= low:
            words = ngettext("Only %(count)d left", "Only %(count)d left", variant.stock)
        else:
            words = ngettext("%(count)d in stock", "%(count)d in stock", variant.stock)
        return True, words % {"count": variant.stock}
    return True, _("In stock")


def unit_price(unit: dict[str, Any] | None, amount: int) -> tuple[int, str] | None:
    """{"content": "250", "measure": "g"}, 500 -> (2000, "kg"): the price of one whole unit."""
    if not unit or not unit.get("content"):
        return None
    measure, factor = _UNITS.get(unit["measure"], (unit["measure"], 1))
    value = Decimal(amount) * factor / Decimal(str(unit["content"]))
    return int(value.quantize(Decimal(1), ROUND_HALF_UP)), measure


def rate(product: Product, market_code: str) -> Decimal:
    return tax_rate(market_code, product.tax)


def short_details(product: Product) -> str:
    """The first facts that speak for themselves, in one line: "100 % linen · 170 g/m²"; a bare number does not."""
    values = [localized(detail["value"]) for detail in product.details[:3]]
    return " · ".join([value for value in values if not value.isdecimal()][:2])


def tiles(language: str) -> list[dict[str, Any]]:
    """The categories, each with the picture of its first product."""
    firsts: dict[str, int] = {}
    for pk, category in shelf.on_sale():
        firsts.setdefault(category, pk)
    pictures = {
        product.category: next(iter(product.shown_pictures), None) for product in shelf.products(firsts.values())
    }
    return [entry | {"picture": pictures.get(entry["id"])} for entry in categories(language) if entry["id"] in pictures]


def picks(count: int) -> list[Product]:
    """A mixed shelf: the second product of each category, then the third, and so on; the first ones stand above it."""
    ranked: list[tuple[int, int, int]] = []
    seen: Counter[str] = Counter()
    for place, (pk, category) in enumerate(shelf.on_sale()[:500]):
        ranked.append((seen[category] or 999, place, pk))
        seen[category] += 1
    return shelf.products(pk for _rank, _place, pk in sorted(ranked)[:count])


def related(product: Product) -> list[Product]:
    """ "You might like": as the specification says, else from the same category."""
    if product.related:
        return shelf.by_handle(product.related)
    return shelf.products([pk for pk, _category in shelf.on_sale(product.category) if pk != product.pk][:4])


def withdrawal_note(letter: str) -> str:
    """Why there is no right of withdrawal (article 16, Directive 2011/83/EU)."""
    return {
        "a": _("No right of withdrawal once the service has been fully performed."),
        "b": _("No right of withdrawal: the price follows the financial market."),
        "c": _("No right of withdrawal: made to your specifications."),
        "d": _("No right of withdrawal: spoils quickly."),
        "e": _("No right of withdrawal once the seal is broken, for hygiene."),
        "f": _("No right of withdrawal once mixed with other goods."),
        "i": _("No right of withdrawal once the seal is broken."),
        "j": _("No right of withdrawal: newspaper or magazine."),
        "l": _("No right of withdrawal: booked for a date."),
        "m": _("The right of withdrawal ends when the download begins with your consent."),
    }.get(letter, _("No right of withdrawal.") if letter else "")
