"""Money reserved at the order and collected when the goods leave: what is due, and what became of it.

Everything here works on an order locked by `lifecycle.lock`. Providers are asked by `settlement`.
"""

from django.db.models import Q, Sum
from django.utils import timezone

from orders import lifecycle
from orders.models import Fulfilment, Order
from orders.states import ATTEMPT_MOVES, CAPTURE_MOVES, AttemptState, OrderState

from . import methods
from .adapters import adapter
from .facts import Fact
from .models import Capture, PaymentAttempt

OPEN = (Capture.State.REQUESTED, Capture.State.PENDING)
COUNTED = (*OPEN, Capture.State.DONE)


def collected(attempt: PaymentAttempt) -> int:
    return attempt.captures.filter(state=Capture.State.DONE).aggregate(sum=Sum("amount"))["sum"] or 0


def left(attempt: PaymentAttempt) -> int:
    """What is reserved and neither collected nor about to be."""
    asked = attempt.captures.exclude(state=Capture.State.FAILED).aggregate(sum=Sum("amount"))["sum"] or 0
    return attempt.amount - asked


def in_parts(attempt: PaymentAttempt) -> bool:
    """Whether the provider lets this kind of payment be collected more than once."""
    kinds = getattr(adapter(attempt.provider), "CAPTURES_IN_PARTS", ())
    return (methods.method(attempt.method) or {}).get("kind") in kinds


def owe(order: Order, fulfilment: Fulfilment | None, *, last: bool) -> Capture | None:
    """Write down what a parcel makes due, next to the parcel itself; None where nothing is reserved for it.

    The last parcel takes all that is left. One before it takes its share of the total (delivery and discount too) when
    the provider collects in parts, and everything when it does not: the rest would be let go.
    """
    attempt = order.attempts.filter(state=AttemptState.AUTHORIZED).first()
    if attempt is None or not methods.captured_at_shipping(attempt.method):
        return None
    rest = left(attempt)
    whole = last or fulfilment is None or not in_parts(attempt)
    amount = rest if whole else min(rest, share(order, fulfilment))
    if amount <= 0:
        return None
    row = Capture.objects.create(
        order=order,
        attempt=attempt,
        fulfilment=fulfilment,
        amount=amount,
        final=amount == rest,
        next_check_at=timezone.now(),
    )
    lifecycle.record(order, "capture_requested", actor="shop", amount=amount, capture=row.key)
    return row


def share(order: Order, fulfilment: Fulfilment) -> int:
    """The part of the order's total that the goods of a parcel stand for, rounded down."""
    lines = list(order.lines.all())
    goods = sum(line.total_amount for line in lines)
    sent = {each["sku"]: each["quantity"] for each in fulfilment.lines}
    value = sum(line.total_amount * min(sent.get(line.sku, 0), line.quantity) // line.quantity for line in lines)
    return order.total_amount * value // goods if goods else 0


def take_in(order: Order, attempt: PaymentAttempt, fact: Fact) -> str:
    """What the provider said about one collection. A failed one that comes after all is money, so it counts."""
    rows = Capture.objects.filter(attempt=attempt)
    row = rows.filter(Q(key=fact.capture_key) | Q(provider_ref=fact.capture_ref, provider_ref__gt="")).first()
    if row is None:
        return "unknown"
    state = Capture.State.DONE if fact.kind == "capture_done" else Capture.State.FAILED
    if state not in CAPTURE_MOVES[row.state]:
        return "stale"
    undone = row.state == Capture.State.DONE  # the bank took it back after saying yes
    row.state, row.failure, row.next_check_at = state, fact.failure, None
    row.provider_ref = fact.capture_ref or row.provider_ref
    row.save()
    lifecycle.record(order, fact.kind, actor=fact.source, amount=row.amount, capture=row.key, failure=fact.failure)
    if state == Capture.State.FAILED:
        if undone:
            _move(attempt, AttemptState.REVERSED)
        if order.state != OrderState.CANCELLED:
            lifecycle.review(order, "capture_failed", actor=fact.source, amount=row.amount, capture=row.key)
        return "review"
    if order.state == OrderState.CANCELLED or collected(attempt) >= attempt.amount:
        _move(attempt, AttemptState.CAPTURED)
    if (fact.amount, fact.currency) != (row.amount, attempt.currency):
        given = {"amount": fact.amount, "currency": fact.currency, "capture": row.key}
        lifecycle.review(order, "amount_mismatch", actor=fact.source, **given)
        return "review"
    return "applied"


def _move(attempt: PaymentAttempt, state: AttemptState) -> None:
    if state in ATTEMPT_MOVES[attempt.state]:
        attempt.state, attempt.authorized_until, attempt.next_check_at = state, None, None
        attempt.save()


def stop(attempt: PaymentAttempt) -> None:
    """The order is called off: nothing more is collected, and what was collected, also before the reservation ended, is
    to be given back."""
    if collected(attempt):
        _move(attempt, AttemptState.CAPTURED)


def settle(attempt: PaymentAttempt) -> None:
    """The provider reports the whole payment as taken: what we still meant to collect is in it."""
    attempt.captures.filter(state__in=OPEN).update(state=Capture.State.DONE, next_check_at=None)
