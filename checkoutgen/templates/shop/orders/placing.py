"""From cart to order: everything the buyer saw is frozen, and the stock taken, in one transaction."""

import hashlib
from dataclasses import asdict
from datetime import datetime
from functools import cache
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from cart import pricing
from cart.models import Cart, CartLine
from cart.summary import picture_of, priced, summarize
from common.rows import locked
from config.shop import SHOP, section
from delivery.methods import Option, options
from payments import methods

from . import lifecycle
from .models import Adjustment, NumberSeries, Order, OrderLine


class CartChanged(Exception):
    """Something differs from what the buyer last saw; nothing was ordered.

    `notices` says what (cart.changes.Notice); it is empty when only the total moved.
    """

    def __init__(self, notices: list) -> None:
        super().__init__("the cart changed")
        self.notices = notices


def place(cart: Cart, *, now: datetime, seen_total: int | None = None) -> Order:
    """Freeze a cart into an order and take its stock. A second call for the same cart returns the first order.

    `seen_total` is the amount on the button, in minor units: another sum is not ordered unseen.
    """
    with transaction.atomic():
        cart = locked(Cart, cart.pk)
        if cart.ordered_at is not None:
            return Order.objects.get(cart=cart)
        _lock_coupons(cart)
        notices = pricing.check(cart)
        if not notices:
            order = _freeze(cart, now, seen_total)
            if order:
                return order
    # Only now, so that what `check` brought up to date in the cart is kept.
    raise CartChanged(notices)


def _freeze(cart: Cart, now: datetime, seen_total: int | None) -> Order | None:
    """The order; None when it would not be what the buyer saw."""
    option = _option(cart, now)
    method = methods.method((cart.data.get("payment") or {}).get("method", ""))
    shown = summarize(cart, option, now)
    bought = [each.line for each in shown.lines]
    if not bought or option is None or method is None:
        return None
    sums = shown.totals
    if seen_total is not None and sums.total != seen_total:
        return None

    wanted = lifecycle.counted(bought)
    if not lifecycle.take_stock(wanted):
        return None
    order = Order.objects.create(
        **_people(cart),
        number=next_number(now),
        cart=cart,
        user=cart.user,
        market=cart.market,
        language=cart.language,
        currency=sums.currency,
        delivery=_promise(cart, option),
        payment_method=method["id"],
        goods_amount=sums.goods,
        discount_amount=sums.discount,
        delivery_amount=sums.delivery,
        tax_amount=sums.tax,
        total_amount=sums.total,
        taxes=list(sums.taxes),
        coupon_code=" ".join(each.coupon.code for each in shown.coupons if not each.refusal),
        terms=_terms(cart.language) | {"accepted_at": now.isoformat(timespec="seconds")} | _declared(cart),
        placed_at=now,
        expires_at=methods.expires_at(method, now),
    )
    OrderLine.objects.bulk_create(
        _order_line(order, line, calculated, total, wanted)
        for line, calculated, total in zip(bought, priced(cart, bought), sums.lines, strict=True)
    )
    Adjustment.objects.bulk_create(
        Adjustment(order=order, kind="coupon", label=_same(code), amount=-amount) for code, amount in sums.discounts
    )
    lifecycle.record(order, "placed", actor="buyer")
    Cart.objects.filter(pk=cart.pk).update(ordered_at=now)
    return order


def _option(cart: Cart, now: datetime) -> Option | None:
    chosen = (cart.data.get("delivery") or {}).get("method")
    return next((option for option in options(cart, cart.market, now) if option.id == chosen), None)


def _order_line(
    order: Order, line: CartLine, calculated: pricing.Line, total: pricing.LineTotal, wanted: dict[int, int]
) -> OrderLine:
    variant = line.variant
    picture = picture_of(line)
    return OrderLine(
        order=order,
        variant=variant,
        sku=line.sku,
        title=line.title,
        options=variant.options,
        quantity=line.quantity,
        stock_taken=line.quantity if variant.pk in wanted else 0,
        unit_amount=line.unit_amount,
        total_amount=total.amount,
        tax_rate=f"{calculated.rate.normalize():f}",
        tax_amount=total.tax,
        picture=picture.path if picture else "",
    )


def _people(cart: Cart) -> dict[str, Any]:
    contact, delivery, payment = (cart.data.get(step) or {} for step in ("contact", "delivery", "payment"))
    company = dict(contact.get("company") or {})
    if number := (payment.get("purchase_order") or {}).get("number"):
        company["purchase_order"] = number
    shipping = delivery.get("address") or {}
    billing = shipping if payment.get("billing_same", True) else payment.get("billing") or shipping
    if company.get("name"):
        billing = billing | {"company": company["name"]}
    return {
        "email": contact.get("email", ""),
        "phone": contact.get("phone", ""),
        "note": contact.get("note", ""),
        "company": company,
        "shipping_address": shipping,
        "billing_address": billing,
    }


def _promise(cart: Cart, option: Option) -> dict[str, Any]:
    """What was promised on the review page, with the store's address as it was then."""
    wanted = (cart.data.get("delivery") or {}).get("store")
    store = next((each for each in option.stores if each.id == wanted), None)
    earliest, latest = (store.day, store.day) if store and option.collected else (option.earliest, option.latest)
    return {
        "method": option.id,
        "kind": option.kind,
        "name": dict(option.name),
        "carrier": option.carrier,
        "store": {key: value for key, value in asdict(store).items() if key not in ("day", "ready")} if store else None,
        "earliest": earliest.isoformat(),
        "latest": latest.isoformat(),
    }


@cache
def _terms(language: str) -> dict[str, str]:
    """Which texts were accepted: their version, and a digest of the files as they stand in content/legal."""
    digest = hashlib.sha256()
    for page in sorted(section("legal").get("pages") or {}):
        path = settings.BASE_DIR / "content" / "legal" / f"{page}.{language}.md"
        if path.is_file():
            digest.update(f"{page}\n".encode() + path.read_bytes())
    return {"version": section("legal").get("version") or "", "sha256": digest.hexdigest()}


def _declared(cart: Cart) -> dict[str, Any]:
    """What was declared on the review page (orders.declarations); nothing where nothing was asked."""
    found = (cart.data.get("review") or {}).get("declarations")
    return {"declarations": found} if found else {}


def _same(text: str) -> dict[str, str]:
    return dict.fromkeys(SHOP["shop"]["languages"], text)


_COUNT = (
    f"INSERT INTO {NumberSeries._meta.db_table} AS series (name, last) VALUES (%s, 1)"  # noqa: S608  our own table
    " ON CONFLICT (name) DO UPDATE SET last = series.last + 1 RETURNING last"
)


def next_number(now: datetime) -> str:
    """The next order number of the year, like ML-2026-000042. The row of the series serialises all who ask."""
    initials = "".join(part[0] for part in SHOP["shop"]["slug"].split("-") if part).upper()
    series = f"{initials}-{timezone.localtime(now).year}"
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, [series])
        return f"{series}-{cursor.fetchone()[0]:06d}"


def _lock_coupons(cart: Cart) -> None:
    """Buyers who redeem the same limited code wait for each other, so that it is never used once too often."""
    for code in sorted(cart.coupon_code.split()):
        name = f"coupon {code.casefold()}"[:80]
        NumberSeries.objects.bulk_create([NumberSeries(name=name)], ignore_conflicts=True)
        NumberSeries.objects.select_for_update().get(name=name)
