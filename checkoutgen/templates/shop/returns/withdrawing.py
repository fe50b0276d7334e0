"""Receiving a withdrawal: stored, recorded at the order and acknowledged in one transaction."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import override

from mails.outbox import enqueue
from mails.words import day
from orders import lifecycle
from orders.models import Order

from . import contracts
from .models import Withdrawal


def statement(order: Order) -> str:
    """The sentence of the model form (Directive 2011/83/EU annex I(B)) in the language of the order."""
    with override(order.language):
        return _(
            "I hereby give notice that I withdraw from my contract of sale of the goods listed here,"
            " ordered on %(date)s under number %(number)s."
        ) % {"date": day(order.placed_at, order, order.language), "number": order.number}


@transaction.atomic
def receive(draft: Mapping[str, Any], *, now: datetime) -> Withdrawal | None:
    """Store what the buyer confirmed. The same draft again gives the first receipt; None when nothing is left of it.

    Args:
        draft: key, order (number), name, email and quantities {order line: units}, as the buyer last saw them.
    """
    order = lifecycle.lock(Order.objects.get(number=draft["order"]).pk)
    known = Withdrawal.objects.filter(key=draft["key"]).first()
    if known:
        return known
    wanted = {int(key): number for key, number in draft["quantities"].items()}
    lines = [
        {"line": line.pk, "sku": line.sku, "title": contracts.full_title(line), "quantity": min(left, wanted[line.pk])}
        for line, left in contracts.open_lines(order)
        if line.pk in wanted
    ]
    if not lines:
        return None
    withdrawal = Withdrawal.objects.create(
        key=draft["key"],
        order=order,
        name=draft["name"],
        email=draft["email"],
        text=statement(order),
        lines=lines,
        at=now,
    )
    lifecycle.record(order, "withdrawal", actor="buyer", withdrawal=withdrawal.pk, lines=lines)
    _acknowledge(withdrawal)
    return withdrawal


def _acknowledge(withdrawal: Withdrawal) -> None:
    """Content, day and time on a durable medium (article 11a(4)) to the address that the buyer gave.

    The address of the order gets it too: nobody withdraws for somebody else unseen.
    """
    order = withdrawal.order
    content = {
        "name": withdrawal.name,
        "email": withdrawal.email,
        "text": withdrawal.text,
        "at": withdrawal.at.isoformat(),
        "lines": withdrawal.lines,
    }
    for to in dict.fromkeys([withdrawal.email, order.email]):
        key = f"withdrawal-received:{withdrawal.key}:{to}"
        enqueue("withdrawal-received", order=order, to=to, language=order.language, key=key, context=content)
    lifecycle.mail_seller(order, "new-withdrawal", subject=withdrawal.key, **content)
