"""Which orders a consumer may withdraw from, and how much of each line is left to withdraw."""

from collections import Counter

from django.core.signing import BadSignature, TimestampSigner
from django.http import Http404

from common.texts import localized
from config.shop import market
from mails.contract import is_consumer
from orders import links
from orders.declarations import is_excepted
from orders.models import Order, OrderLine
from orders.states import OrderState

# Whoever names number and mail address of an order may withdraw from it for an hour, but does not get its page.
_signer = TimestampSigner(salt="returns.contract", sep="~")
TOKEN_SECONDS = 3600
# No contract yet, or none any more.
WITHOUT_CONTRACT = (OrderState.DRAFT, OrderState.EXPIRED, OrderState.CANCELLED)


def token(order: Order) -> str:
    return _signer.sign(order.number)


def order_for(token: str) -> Order | None:
    """The order of a token of ours, or of the link in a mail or on the order page."""
    try:
        return links.order_for(token)
    except Http404:
        pass
    try:
        return Order.objects.filter(number=_signer.unsign(token, max_age=TOKEN_SECONDS)).first()
    except BadSignature:
        return None


def is_order_link(token: str) -> bool:
    """Came it out of the buyer's mail or order page?"""
    try:
        links.order_for(token)
    except Http404:
        return False
    return True


def find(number: str, email: str) -> Order | None:
    """Both must be right: whether a number or an address alone exists stays unknown."""
    return Order.objects.filter(number__iexact=number, email__iexact=email).first()


def full_title(line: OrderLine) -> dict[str, str]:
    """Title and chosen options: two sizes of one thing are told apart. By language."""
    return {
        language: ", ".join([title, *(localized(option["value"], language) for option in line.options)])
        for language, title in line.title.items()
    }


def open_lines(order: Order) -> list[tuple[OrderLine, int]]:
    """Lines with a right of withdrawal and the quantity not withdrawn yet; empty where there is nothing to do.

    The day is not looked at: the period runs from a delivery that the shop may not know of, and a late statement is for
    a person to judge.
    """
    if order.state in WITHOUT_CONTRACT or not is_consumer(order) or not market(order.market).get("withdrawal"):
        return []
    done: Counter[int] = Counter()
    for lines in order.withdrawals.values_list("lines", flat=True):
        for line in lines:
            done[line["line"]] += line["quantity"]
    left = []
    for line in order.lines.select_related("variant__product"):
        excluded = line.variant is not None and is_excepted(order, line.variant.product)
        if not excluded and line.quantity > done[line.pk]:
            left.append((line, line.quantity - done[line.pk]))
    return left
