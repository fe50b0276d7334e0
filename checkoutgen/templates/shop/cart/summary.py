"""What the cart page and the aside of the checkout show of a cart, and the totals that the order is made from."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import connection
from django.utils import timezone

from cart import coupons, pricing
from cart.models import Cart, CartLine
from catalogue import shelf
from catalogue.models import Picture, Variant
from common.rows import rows
from config.shop import market, section, tax_rate

if TYPE_CHECKING:
    from delivery.methods import Option


@dataclass(frozen=True, slots=True)
class SummaryLine:
    title: str
    label: str  # chosen options in words
    quantity: int
    unit_amount: int
    amount: int
    picture: Picture | None
    url: str
    line: CartLine


@dataclass(frozen=True, slots=True)
class Summary:
    lines: tuple[SummaryLine, ...]
    totals: pricing.Totals
    gross: bool  # amounts include tax
    coupons: tuple[coupons.Applied, ...]
    option: "Option | None"  # way of delivery the totals count with
    count: int  # pieces


def active(cart: Cart) -> list[CartLine]:
    """The lines to be bought, with variant, product and pictures, read once; lines saved for later stay out."""
    return [line for line in every(cart) if not line.saved_for_later and line.variant is not None]


# The busiest query of the shop as one plain statement: the ORM would take ten times as long to write it.
_LINES = (
    f"SELECT line.*, variant.product_id, variant.stock FROM {CartLine._meta.db_table} line"  # noqa: S608  our own tables
    f" LEFT JOIN {Variant._meta.db_table} variant ON variant.id = line.variant_id"
    " WHERE line.cart_id = %s ORDER BY line.id"
)


def every(cart: Cart) -> list[CartLine]:
    """All lines. The variant of each has today's stock; it is None when it is no longer published."""
    if not hasattr(cart, "_lines"):
        lines = rows(CartLine, _LINES, cart.pk)
        for line in lines:
            line.variant = shelf.taken(line.product_id, line.variant_id, line.stock)
        cart._lines = lines  # type: ignore[attr-defined]
    return cart._lines  # type: ignore[attr-defined]


def pieces(cart: Cart) -> int:
    """Number of pieces to be bought, for the header of every page: of the lines in memory, else by one plain query."""
    if hasattr(cart, "_lines"):
        return sum(line.quantity for line in active(cart))
    with connection.cursor() as cursor:
        table = CartLine._meta.db_table
        cursor.execute(
            f"SELECT SUM(quantity) FROM {table} WHERE cart_id = %s AND NOT saved_for_later",  # noqa: S608  our own table
            [cart.pk],
        )
        return cursor.fetchone()[0] or 0


def priced(cart: Cart, lines: Sequence[CartLine]) -> list[pricing.Line]:
    products = [(line, line.variant.product) for line in lines if line.variant]
    return [
        pricing.Line(line.quantity, line.unit_amount, tax_rate(cart.market, product.tax), product.category)
        for line, product in products
    ]


def summarize(cart: Cart, option: "Option | None" = None, now: datetime | None = None) -> Summary:
    """Everything at today's coupons; `option` is the way of delivery to count with, None when it is not known."""
    lines = active(cart)
    calculated = priced(cart, lines)
    applied = coupons.applied(cart, calculated, now or timezone.now()) if cart.coupon_code else []
    counting = [entry.coupon for entry in applied if not entry.refusal]
    totals = pricing.totals(calculated, market(cart.market), option.amount if option else None, counting)
    shown = tuple(_line(line, total) for line, total in zip(lines, totals.lines, strict=True))
    return Summary(
        lines=shown,
        totals=totals,
        gross=market(cart.market)["prices"] == "gross",
        coupons=tuple(applied),
        option=option,
        count=sum(line.quantity for line in lines),
    )


def minimum(cart: Cart) -> int:
    """Smallest value of goods, after discounts, that is accepted."""
    wanted = section("checkout").get("minimum_order") or section("business").get("minimum_order") or {}
    return wanted.get(cart.currency, 0)


def picture_of(line: CartLine) -> Picture | None:
    pictures: list[Any] = line.variant.product.shown_pictures if line.variant else []
    if not pictures or line.variant is None:
        return None
    return pictures[line.variant.picture] if line.variant.picture < len(pictures) else pictures[0]


def _line(line: CartLine, total: pricing.LineTotal) -> SummaryLine:
    assert line.variant is not None  # noqa: S101  active() leaves others out
    return SummaryLine(
        title=str(line),
        label=line.variant.label,
        quantity=line.quantity,
        unit_amount=line.unit_amount,
        amount=total.amount,
        picture=picture_of(line),
        url=line.variant.product.get_absolute_url(),
        line=line,
    )
