"""Wallets in the cart (`express: true`): they say who buys and where to, and give leave to take the money later.

Nothing is ordered and nothing taken before the buyer presses the order button of the review page: article 8(2),
Directive 2011/83/EU. `cart.data["wallet"]` is {"method", "ref", "url"} while the buyer is at the wallet, and {"method",
"token", "amount", "currency"} when it gave leave; `amount` is the most that it allows, None for any.
"""

import copy
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from cart.models import Cart
from cart.pricing import Totals
from cart.summary import active, summarize
from catalogue.prices import price
from config.shop import MARKETS, SHOP, market
from delivery.methods import Option, options
from orders.models import Order
from orders.states import LIVE_ATTEMPT

from . import methods
from .adapters import express
from .facts import Create


@dataclass(frozen=True)
class Quote:
    """What a cart costs in a country: the ways of delivery there, the one counted with, and the sums."""

    options: tuple[Option, ...]
    chosen: Option
    totals: Totals


def quote(cart: Cart, country: str, option_id: str, now: datetime) -> Quote | None:
    """What the cart would cost there, without changing it.

    None where nothing goes to, where some article is not sold, or where the prices are in another currency.
    """
    if country not in MARKETS or market(country)["currency"] != cart.currency:
        return None
    moved = copy.copy(cart)
    moved.market = country
    moved._lines = [copy.copy(line) for line in active(cart)]  # type: ignore[attr-defined]  what summary.every keeps
    for line in moved._lines:  # type: ignore[attr-defined]
        cost = price(line.variant, country, line.quantity)
        if cost is None:
            return None
        line.unit_amount = cost.amount
    open_ = tuple(option for option in options(moved, country, now) if option.needs_address)
    if not open_:
        return None
    chosen = next((option for option in open_ if option.id == option_id), open_[0])
    return Quote(open_, chosen, summarize(moved, chosen, now).totals)


def offered(cart: Cart, total: int) -> list[dict[str, Any]]:
    """The wallets that stand in the cart: open to its country and amount, and to whom the shop sells."""
    return [
        method
        for method in methods.available(cart.market, total, cart.currency)
        if method.get("express") and not (SHOP["audience"] == "b2c" and method.get("audience") == "b2b")
    ]


def approved(cart: Cart | None, method_id: str, total: int, currency: str) -> str:
    """The wallet's leave to take so much by this method; "" when there is none."""
    given = (cart.data.get("wallet") or {}) if cart else {}
    if given.get("method") != method_id or not given.get("token"):
        return ""
    most = given.get("amount")
    covered = given.get("currency") == currency and (most is None or total <= most)
    return str(given["token"]) if covered else ""


def charge(order: Order, method_id: str) -> Create | None:
    """How to collect what the buyer approved in a wallet; None when that was not so, or has been tried in vain."""
    if not (methods.method(method_id) or {}).get("express"):
        return None
    token = approved(order.cart, method_id, order.total_amount, order.currency)
    if not token or order.attempts.exclude(state__in=LIVE_ATTEMPT).exists():
        return None
    return partial(express(methods.provider_of(methods.method(method_id) or {})).create, token)
