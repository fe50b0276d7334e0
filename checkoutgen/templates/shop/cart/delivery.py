"""Delivery on the cart page, before any personal data: an estimate for the country, and how far free delivery is."""

from dataclasses import dataclass
from datetime import datetime

from cart.models import Cart
from catalogue import delivery
from config.shop import section
from delivery.methods import Option, options, parcel


@dataclass(frozen=True, slots=True)
class FreeDelivery:
    threshold: int
    done: int  # value of the goods, at most the threshold

    @property
    def missing(self) -> int:
        return self.threshold - self.done


def estimate(cart: Cart, now: datetime) -> Option | None:
    """The option that the checkout would preselect for the country of the cart."""
    return delivery.first(options(cart, cart.market, now)) if section("delivery").get("methods") else None


def free_delivery(cart: Cart, goods: int) -> FreeDelivery | None:
    """None when delivery to the country is never free."""
    threshold = delivery.free_from(parcel(cart, cart.market))
    return FreeDelivery(threshold, min(goods, threshold)) if threshold else None
