"""Delivery as the cart page shows it before any personal data: an estimate for the country, and how far free delivery is."""

from dataclasses import dataclass, replace
from datetime import datetime

from cart.models import Cart
from config.shop import section
from delivery.methods import Option, options, parcel, terms


@dataclass(frozen=True, slots=True)
class FreeDelivery:
    threshold: int
    missing: int  # 0: reached


def estimate(cart: Cart, now: datetime) -> Option | None:
    """The option that the checkout would preselect for the country of the cart."""
    found = options(cart, cart.market, now) if section("delivery").get("methods") else []
    return next((option for option in found if option.kind != "click-and-collect"), found[0] if found else None)


def free_delivery(cart: Cart, goods: int) -> FreeDelivery | None:
    """The nearest value of goods from which some way of delivery to the country costs nothing; None when there is none."""
    here = parcel(cart, cart.market)
    found: list[int] = []
    for method in section("delivery").get("methods") or []:
        if method["kind"] in ("click-and-collect", "digital"):
            continue
        bounds = [(entry.get("free_from") or {}).get(cart.currency) for entry in [method, *(method.get("rates") or [])]]
        for bound in sorted(filter(None, bounds)):
            agreed = terms(method, replace(here, goods=bound))
            if agreed and agreed[0] == 0:
                found.append(bound)
                break
    if not found:
        return None
    return FreeDelivery(min(found), max(0, min(found) - goods))
