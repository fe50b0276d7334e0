"""Which codes count for a cart, and in plain words why one does not."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.apps import apps
from django.db.models import Q
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from cart.models import Cart
from cart.pricing import Coupon, Line
from common.money import format_amount
from config.shop import SHOP, section


@dataclass(frozen=True, slots=True)
class Applied:
    """A code in the cart: counts when it has no refusal."""

    coupon: Coupon
    refusal: str


def known(code: str) -> dict[str, Any] | None:
    """The specification's entry of a code, whatever its case."""
    wanted, entries = code.strip().casefold(), section("checkout").get("coupons") or []
    return next((entry for entry in entries if entry["code"].casefold() == wanted), None)


def coupon(entry: dict[str, Any], currency: str) -> Coupon:
    return Coupon(
        code=entry["code"],
        percent=Decimal(str(entry.get("percent") or 0)),
        amount=(entry.get("amount") or {}).get(currency, 0),
        free_delivery=bool(entry.get("free_delivery")),
        categories=frozenset(entry.get("categories") or ()),
    )


def refusal(entry: dict[str, Any], cart: Cart, lines: Sequence[Line], now: datetime) -> str:
    """Why the code does not count now: cause and cure. Empty when it counts."""
    code, today = entry["code"], now.astimezone(ZoneInfo(SHOP["shop"]["timezone"])).date()
    if entry.get("starts") and today < date.fromisoformat(entry["starts"]):
        text = _("The code %(code)s does not count yet. Try again from %(day)s.")
        return text % {"code": code, "day": _day(entry["starts"])}
    if entry.get("ends") and today > date.fromisoformat(entry["ends"]):
        return _("The code %(code)s ended on %(day)s.") % {"code": code, "day": _day(entry["ends"])}
    if entry.get("markets") and cart.market not in entry["markets"]:
        return _("The code %(code)s does not count for deliveries to this country.") % {"code": code}
    rule = coupon(entry, cart.currency)
    if rule.amount == 0 and entry.get("amount"):
        return _("The code %(code)s does not count in this currency.") % {"code": code}
    goods = sum(line.quantity * line.unit_amount for line in lines if rule.covers(line))
    if lines and rule.categories and not goods:
        return _("The code %(code)s counts for other articles than those in your cart.") % {"code": code}
    minimum = (entry.get("minimum") or {}).get(cart.currency, 0)
    if goods < minimum:
        language = get_language() or "en"
        return _("The code %(code)s counts from %(minimum)s: add articles for %(missing)s more.") % {
            "code": code,
            "minimum": format_amount(minimum, cart.currency, language),
            "missing": format_amount(minimum - goods, cart.currency, language),
        }
    return _used(entry, cart)


def _used(entry: dict[str, Any], cart: Cart) -> str:
    code = entry["code"]
    if not (entry.get("uses") or entry.get("uses_per_customer")) or not apps.is_installed("orders"):
        return ""
    # An order that was let go gives its use back.
    alone = Q(coupon_code=code) | Q(coupon_code__startswith=f"{code} ") | Q(coupon_code__endswith=f" {code}")
    orders = (
        apps.get_model("orders", "Order")
        .objects.filter(alone | Q(coupon_code__contains=f" {code} "))
        .exclude(state__in=["cancelled", "expired"])
        .exclude(cart=cart)
    )
    if entry.get("uses") and orders.count() >= entry["uses"]:
        return _("The code %(code)s has been used up.") % {"code": code}
    email = (cart.data.get("contact") or {}).get("email")
    mine = orders.filter(user=cart.user) if cart.user_id else orders.filter(email__iexact=email or "-")
    if entry.get("uses_per_customer") and mine.count() >= entry["uses_per_customer"]:
        return _("You have used the code %(code)s already.") % {"code": code}
    return ""


def applied(cart: Cart, lines: Sequence[Line], now: datetime) -> list[Applied]:
    """The codes of the cart in order, each with the reason when it does not count at the moment."""
    entries = [entry for code in cart.coupon_code.split() if (entry := known(code))]
    return [Applied(coupon(entry, cart.currency), refusal(entry, cart, lines, now)) for entry in entries]


def add(cart: Cart, code: str) -> str:
    """Writes the code into the cart (not saved). Returns the codes it replaced, because not all may stand together."""
    entry = known(code)
    assert entry is not None, code  # noqa: S101  callers look it up first
    held = [known(other) for other in cart.coupon_code.split()]
    keep = [other["code"] for other in held if other and other["code"] != entry["code"]]
    together = entry.get("stacks") and all(other.get("stacks") for other in held if other)
    cart.coupon_code = " ".join([*keep, entry["code"]]) if together else entry["code"]
    return "" if together else ", ".join(keep)


def remove(cart: Cart, code: str) -> None:
    cart.coupon_code = " ".join(other for other in cart.coupon_code.split() if other.casefold() != code.casefold())


def _day(iso: str) -> str:
    from common.templatetags.shop import full_date

    return full_date(date.fromisoformat(iso))
