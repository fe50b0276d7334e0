"""Collecting what was reserved, and warning before a reservation ends: by the worker, or at once by the back office."""

import logging
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from orders import lifecycle
from orders.models import Order
from orders.states import AttemptState

from . import captures, engine
from .adapters import adapter
from .facts import CaptureAnswer, Declined, Fact, ProviderDown
from .models import Capture, PaymentAttempt

logger = logging.getLogger(__name__)
WARN_BEFORE = timedelta(days=2)


def collect(row: Capture) -> None:
    """Ask the provider for money that is written down as due, as often as it takes: its key makes it happen once."""
    try:
        answer = engine.ask(lambda: adapter(row.attempt.provider).capture(row))
    except ProviderDown:
        _later(row)
        return
    except Declined as declined:
        answer = CaptureAnswer("", "failed", declined.code)
        logger.warning("capture %s refused: %s", row.key, declined.code)
    if answer.state == "pending":
        mine = Capture.objects.filter(pk=row.pk, state__in=captures.OPEN)
        mine.update(state=Capture.State.PENDING, provider_ref=answer.provider_ref)
        _later(row)
        return
    kind = "capture_done" if answer.state == "done" else "capture_failed"
    engine.apply(
        Fact(
            row.attempt.provider,
            f"{kind}:{row.key}",
            kind,
            row.attempt.key,
            amount=row.amount,
            currency=row.attempt.currency,
            failure=answer.failure,
            capture_key=row.key,
            capture_ref=answer.provider_ref,
            source="reconciler",
        )
    )


def _later(row: Capture) -> None:
    mine = Capture.objects.filter(pk=row.pk, state__in=captures.OPEN)
    mine.update(next_check_at=engine.next_check(row.created_at))


def collect_due(now: datetime | None = None, limit: int = 100) -> int:
    """Collect for the parcels that left. Returns how many collections were asked for."""
    now = now or timezone.now()
    rows = list(Capture.objects.filter(next_check_at__lte=now, state__in=captures.OPEN)[:limit])
    for row in rows:
        # Before asking: one that kills the worker must not be the first again.
        later = engine.next_check(row.created_at, now)
        Capture.objects.filter(pk=row.pk, next_check_at__isnull=False).update(next_check_at=later)
        collect(row)
    return len(rows)


def collect_now(order: Order, *, actor: str) -> bool:
    """Collect all that is still reserved, before or without a parcel: the seller decides. False: nothing is."""
    with transaction.atomic():
        order = lifecycle.lock(order.pk)
        row = captures.owe(order, None, last=True)
        if row is None:
            return False
        lifecycle.record(order, "collected_by_hand", actor=actor, capture=row.key)
    collect(row)
    return True


def collectable(order: Order) -> bool:
    """Whether money is reserved that nobody is collecting."""
    live = order.attempts.filter(state=AttemptState.AUTHORIZED)
    return any(attempt.provider and captures.left(attempt) > 0 for attempt in live)


def ending(now: datetime) -> "list[PaymentAttempt]":
    """Reservations that the provider lets go within two days, the first to end first."""
    found = PaymentAttempt.objects.filter(state=AttemptState.AUTHORIZED, authorized_until__lte=now + WARN_BEFORE)
    return list(found.select_related("order").order_by("authorized_until"))


def warn_due(now: datetime | None = None) -> int:
    """Tell the seller, once, of each reservation that ends soon. What then ends uncollected goes to review."""
    now = now or timezone.now()
    told = 0
    for attempt in ending(now):
        if attempt.order.events.filter(kind="authorization_ends", data__attempt=attempt.key).exists():
            continue
        with transaction.atomic():
            order = lifecycle.lock(attempt.order_id)
            until = attempt.authorized_until.isoformat() if attempt.authorized_until else ""
            lifecycle.record(order, "authorization_ends", actor="clock", attempt=attempt.key, until=until)
            lifecycle.mail_seller(order, "order-review", subject=f"ends:{attempt.key}", reason="authorization_ends")
        told += 1
    return told
