"""What a consumer declares at the order so that digital content or a service may begin within the withdrawal period.

Articles 7(3), 8(7)(b), 8(8), 14(3), 16(a) and 16(m) of Directive 2011/83/EU, regulations 36 and 37 of SI 2013/3134.
A declaration is kept with the order, in `terms`, and confirmed by its mails:
{"kind": "digital" | "service", "items": titles, "statements": [sentence as it stood beside its box]}.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from catalogue.models import Product
from config.shop import SHOP, market

from .models import Order
from .states import OrderState

# The letters of article 16 whose exception rests on what the consumer says.
KINDS = {"m": "digital", "a": "service"}


@dataclass(frozen=True, slots=True)
class Box:
    """A box to tick: never ticked beforehand, each for one statement."""

    name: str
    kind: str
    items: str  # titles of what it is about
    statement: str
    missing: str  # what to do when it is not ticked


def boxes(bought: Iterable[tuple[str, Product]], market_code: str, company: dict[str, Any] | None) -> list[Box]:
    """The boxes that an order needs: two a kind, none for businesses and where there is no right of withdrawal.

    Args:
        bought: title and product of each line.
        market_code: country of delivery.
        company: what the contact step knows of a firm; with a VAT number the buyer is no consumer.
    """
    if SHOP["audience"] == "b2b" or (company or {}).get("vat_id") or not market(market_code).get("withdrawal"):
        return []
    items: dict[str, list[str]] = {}
    for title, product in bought:
        if kind := KINDS.get(product.withdrawal_exception):
            items.setdefault(kind, []).append(title)
    found = []
    begin = _("Tick the box so that we may begin at once, or take %(items)s out of the cart.")
    know = _("Tick the box about the right of withdrawal as well.")
    if "digital" in items:
        named = {"items": ", ".join(items["digital"])}
        consent = _("I expressly agree that you begin with %(items)s before the withdrawal period ends.")
        loss = _("I know that I lose my right of withdrawal from %(items)s as soon as you begin.")
        found += [Box("digital-consent", "digital", named["items"], consent % named, begin % named)]
        found += [Box("digital-loss", "digital", named["items"], loss % named, know)]
    if "service" in items:
        named = {"items": ", ".join(items["service"])}
        request = _(
            "I expressly ask you to begin with %(items)s before the withdrawal period ends. If I withdraw before it is"
            " finished, I pay for what was done until then."
        )
        loss = _("I know that I lose my right of withdrawal from %(items)s once it has been performed in full.")
        found += [Box("service-request", "service", named["items"], request % named, begin % named)]
        found += [Box("service-loss", "service", named["items"], loss % named, know)]
    return found


def declared(ticked: Iterable[Box]) -> list[dict[str, Any]]:
    """The declarations of a form whose boxes are all ticked, as an order keeps them."""
    found: dict[str, dict[str, Any]] = {}
    for box in ticked:
        entry = found.setdefault(box.kind, {"kind": box.kind, "items": box.items, "statements": []})
        entry["statements"].append(box.statement)
    return list(found.values())


def statements(order: Order) -> list[str]:
    """What the buyer of an order declared, word for word."""
    return [said for entry in order.terms.get("declarations") or [] for said in entry["statements"]]


def is_excepted(order: Order, product: Product) -> bool:
    """Whether there is no right of withdrawal, or none any more. Without its declaration it is not lost."""
    kind = KINDS.get(product.withdrawal_exception)
    if kind is None:
        return bool(product.withdrawal_exception)
    if kind not in {entry["kind"] for entry in order.terms.get("declarations") or []}:
        return False
    return kind == "digital" or order.state == OrderState.FULFILLED
