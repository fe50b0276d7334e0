"""Signed addresses of order pages: whoever holds the link may see the order, nobody can make one."""

from django.core.signing import BadSignature, Signer
from django.http import Http404
from django.urls import reverse
from django.utils.translation import override

from common.rows import rows
from common.urls import absolute

from .models import Order

_NUMBERED = f"SELECT * FROM {Order._meta.db_table} WHERE number = %s"  # noqa: S608  our own table
_signer = Signer(salt="orders.link", sep="~")


def token(order: Order) -> str:
    """The order's number and its signature; no personal data."""
    return _signer.sign(order.number)


def order_for(token: str) -> Order:
    """The order of a token; Http404 for a forged or mistyped one."""
    try:
        number = _signer.unsign(token)
    except BadSignature:
        raise Http404("no such order") from None
    for order in rows(Order, _NUMBERED, number):
        return order
    raise Http404("no such order")


def url(order: Order, name: str = "orders:show") -> str:
    """The absolute address of an order page in the order's language, for mails."""
    with override(order.language):
        return absolute(reverse(name, args=[token(order)]))
