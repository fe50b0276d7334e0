"""What changed since the buyer looked: prices, stock, products that are gone, a cart that expired."""

from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from cart.models import Cart, CartLine
from cart.session import expired, forget_lines
from cart.summary import every
from catalogue.prices import price
from common.money import format_amount


@dataclass(frozen=True, slots=True)
class Notice:
    kind: str  # expired, vanished, sold-out, stock, price
    sku: str
    text: str  # in the active language


def check(cart: Cart) -> list[Notice]:
    """Brings the cart up to date and says in words what that changed. Empty: everything is as the buyer last saw it."""
    lines = every(cart)
    if not any(_stale(cart, line) for line in lines) and not (lines and expired(cart)):
        return []  # nothing to write: no transaction for a page that is only looked at
    notices: list[Notice] = []
    with transaction.atomic():
        forget_lines(cart)
        lines = every(cart)
        if lines and expired(cart):
            text = _("Your cart has expired. The articles are kept below, at today's prices.")
            notices.append(Notice("expired", "", text))
            cart.lines.update(saved_for_later=True)
            for line in lines:
                line.saved_for_later = True
            cart.data = {key: value for key, value in cart.data.items() if key != "removed"}
            cart.save()
        for line in lines:
            if _stale(cart, line):
                notices += _line(cart, line)
        forget_lines(cart)
    return notices


def _stale(cart: Cart, line: CartLine) -> bool:
    cost = price(line.variant, cart.market, line.quantity) if line.variant else None
    if line.variant is None or cost is None or not line.variant.available(0) or cost.amount != line.unit_amount:
        return True
    return not line.saved_for_later and not line.variant.available(line.quantity)


def _line(cart: Cart, line: CartLine) -> list[Notice]:
    title = str(line)
    cost = price(line.variant, cart.market, line.quantity) if line.variant else None
    if line.variant is None or cost is None or not line.variant.available(0):
        line.delete()
        return [Notice("vanished", line.sku, _("“%(title)s” is no longer sold and was taken out.") % {"title": title})]
    notices = []
    stock = line.variant.stock
    if not line.saved_for_later and stock is not None and stock < line.quantity:
        if stock == 0:
            line.saved_for_later = True
            text = _("“%(title)s” has just sold out. It is saved for later below.") % {"title": title}
            notices.append(Notice("sold-out", line.sku, text))
        else:
            line.quantity = stock
            cost = price(line.variant, cart.market, stock) or cost
            text = ngettext(
                "Only %(count)d piece of “%(title)s” is left: the quantity was set to it.",
                "Only %(count)d pieces of “%(title)s” are left: the quantity was set to them.",
                stock,
            )
            notices.append(Notice("stock", line.sku, text % {"count": stock, "title": title}))
    if cost.amount != line.unit_amount:
        language = get_language() or "en"
        old, line.unit_amount = line.unit_amount, cost.amount
        if not line.saved_for_later:
            text = _("The price of “%(title)s” changed from %(old)s to %(new)s.") % {
                "title": title,
                "old": format_amount(old, cart.currency, language),
                "new": format_amount(cost.amount, cart.currency, language),
            }
            notices.append(Notice("price", line.sku, text))
        else:
            line.save()
    if notices:
        line.save()
    return notices
