"""What a cart costs: pure functions of lines, market, delivery and coupons, used by cart, checkout and order alike.

Amounts are integers of minor units, with tax in a gross market and without in a net one; totals always add up.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any


@dataclass(frozen=True, slots=True)
class Line:
    quantity: int
    unit_amount: int
    rate: Decimal  # per cent
    category: str = ""


@dataclass(frozen=True, slots=True)
class Coupon:
    """What a code takes off: per cent of the goods, an amount, or the delivery. No categories: it counts for all."""

    code: str
    percent: Decimal = Decimal(0)
    amount: int = 0
    free_delivery: bool = False
    categories: frozenset[str] = frozenset()

    def covers(self, line: Line) -> bool:
        return not self.categories or line.category in self.categories


@dataclass(frozen=True, slots=True)
class LineTotal:
    amount: int  # quantity x unit_amount
    discount: int
    tax: int  # of what remains


@dataclass(frozen=True, slots=True)
class Totals:
    """goods - discount + delivery (+ tax in a net market) = total; `taxes` by rate add up to tax and to total."""

    goods: int
    discount: int
    delivery: int
    tax: int
    total: int
    taxes: tuple[dict[str, Any], ...]  # {"rate": "20", "net": int, "tax": int, "gross": int}
    currency: str
    lines: tuple[LineTotal, ...]
    delivery_tax: int
    discounts: tuple[tuple[str, int], ...]  # (code, amount) of each coupon


def rounded(value: Decimal) -> int:
    return int(value.quantize(Decimal(1), ROUND_HALF_UP))


def allocate(amount: int, weights: Sequence[int]) -> list[int]:
    """Splits an amount in proportion to weights, without losing a unit (largest remainder, earlier ones first)."""
    whole = sum(weights)
    if not whole:
        weights, whole = [1] + [0] * (len(weights) - 1), 1
    parts = [amount * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: (-(amount * weights[i] % whole), i))
    for i in by_remainder[: amount - sum(parts)]:
        parts[i] += 1
    return parts


def _discounts(lines: Sequence[Line], coupons: Sequence[Coupon]) -> tuple[list[int], list[tuple[str, int]]]:
    """What each line and each coupon takes off. A later coupon counts on what the earlier ones left."""
    left = [line.quantity * line.unit_amount for line in lines]
    taken: list[tuple[str, int]] = []
    for coupon in coupons:
        eligible = [amount if coupon.covers(line) else 0 for line, amount in zip(lines, left, strict=True)]
        base = sum(eligible)
        cut = min(base, rounded(base * coupon.percent / 100) + coupon.amount)
        if cut:
            left = [amount - part for amount, part in zip(left, allocate(cut, eligible), strict=True)]
        taken.append((coupon.code, cut))
    return [line.quantity * line.unit_amount - amount for line, amount in zip(lines, left, strict=True)], taken


def totals(
    lines: Sequence[Line], market: dict[str, Any], delivery: int | None = None, coupons: Sequence[Coupon] = ()
) -> Totals:
    """What lines cost in a market.

    Delivery is ancillary to the goods and follows their rates in proportion to their value.

    Args:
        lines: what is bought.
        market: facts of the country: "currency", "prices" (gross or net), "tax".
        delivery: its cost in the market's way (with or without tax); None when not known yet.
        coupons: those that apply, in order.
    """
    gross = market["prices"] == "gross"
    discounts, taken = _discounts(lines, coupons)
    amounts = [line.quantity * line.unit_amount for line in lines]
    bases = [amount - discount for amount, discount in zip(amounts, discounts, strict=True)]
    shipping = 0 if delivery is None or any(coupon.free_delivery for coupon in coupons) else delivery

    rates = sorted({line.rate for line in lines}, reverse=True) or [Decimal(market["tax"].get("standard", 0))]
    goods_of = [sum(base for base, line in zip(bases, lines, strict=True) if line.rate == rate) for rate in rates]
    shipping_of = allocate(shipping, goods_of)
    line_tax = [0] * len(lines)
    taxes, delivery_tax = [], 0
    for rate, goods, share in zip(rates, goods_of, shipping_of, strict=True):
        base = goods + share
        tax = rounded(base * rate / (100 + rate)) if gross else rounded(base * rate / 100)
        taxes.append(
            {
                "rate": f"{rate.normalize():f}",
                "net": base - tax if gross else base,
                "tax": tax,
                "gross": base if gross else base + tax,
            }
        )
        members = [i for i, line in enumerate(lines) if line.rate == rate]
        *parts, last = allocate(tax, [*(bases[i] for i in members), share])
        for i, part in zip(members, parts, strict=True):
            line_tax[i] = part
        delivery_tax += last
    return Totals(
        goods=sum(amounts),
        discount=sum(discounts),
        delivery=shipping,
        tax=sum(entry["tax"] for entry in taxes),
        total=sum(entry["gross"] for entry in taxes),
        taxes=tuple(taxes),
        currency=market["currency"],
        lines=tuple(LineTotal(a, d, t) for a, d, t in zip(amounts, discounts, line_tax, strict=True)),
        delivery_tax=delivery_tax,
        discounts=tuple(taken),
    )


def check(cart):
    """See cart.changes: brings a cart up to date and returns what changed."""
    from cart.changes import check

    return check(cart)
