"""Delivery as the shop shows it before the checkout: the promise for one piece, and from which value it is free."""

from dataclasses import replace
from datetime import datetime

from catalogue.models import Variant
from catalogue.prices import Price
from config.shop import SHOP, section
from delivery.methods import DIGITAL, Option, Parcel, offers, terms

COLLECTED = ("click-and-collect", "digital")  # kinds that bring nothing to the door


def parcel(variant: Variant, cost: Price, country: str) -> Parcel:
    return Parcel(
        country=country,
        currency=cost.currency,
        goods=cost.amount,
        weight=variant.weight,
        preparation=variant.product.dispatch_days,
        digital=variant.product.kind in DIGITAL,
    )


def promise(one: Parcel, now: datetime) -> Option | None:
    """The option that the checkout would preselect, or None when nothing goes to the country."""
    home, zone = SHOP["seller"]["country"], SHOP["shop"]["timezone"]
    return first(offers(SHOP["delivery"], SHOP["markets"], home, zone, one, now))


def first(found: list[Option]) -> Option | None:
    """The cheapest that brings the goods; collecting them in a shop is an extra, not the promise."""
    return next((option for option in found if option.kind != "click-and-collect"), found[0] if found else None)


def free_from(one: Parcel) -> int | None:
    """The smallest value of goods from which some way of delivery to the country costs nothing."""
    found: list[int] = []
    for method in section("delivery").get("methods") or []:
        if method["kind"] in COLLECTED:
            continue
        bounds = [(entry.get("free_from") or {}).get(one.currency) for entry in [method, *(method.get("rates") or [])]]
        for bound in sorted(filter(None, bounds)):
            agreed = terms(method, replace(one, goods=bound))
            if agreed and agreed[0] == 0:
                found.append(bound)
                break
    return min(found, default=None)
