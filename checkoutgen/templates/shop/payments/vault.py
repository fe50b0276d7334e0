"""Talking to providers about what they keep for buyers: what it became, and that it shall be forgotten.

Every step may be repeated: the worker comes again until the provider has answered.
"""

import logging
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from orders.states import LIVE_ATTEMPT, AttemptState

from . import saved
from .adapters import saving
from .engine import WATCH_DAYS, ask, next_check
from .facts import Declined, ProviderDown, Token
from .models import PaymentAttempt, SavedMethod

logger = logging.getLogger(__name__)
State = SavedMethod.State
PAID = (AttemptState.CAPTURED, AttemptState.AUTHORIZED)


def work_due(now: datetime | None = None, limit: int = 50) -> int:
    """Collect tokens, and have those forgotten that were removed or that nobody claimed. Returns how many were seen."""
    now = now or timezone.now()
    rows = list(saved.due(now).select_related("attempt")[:limit])
    for row in rows:
        _later(row, now)  # before asking: one that kills the worker must not be the first again
        if row.state == State.ASKED:
            _collect(row, now)
        else:  # removed, or without an owner for too long
            forget(row)
    return len(rows)


def collect(attempt: PaymentAttempt) -> None:
    """Take in what the provider keeps, once the payment that it came with was made."""
    if row := saved.asked(attempt):
        _collect(row, timezone.now())


def _collect(row: SavedMethod, now: datetime) -> None:
    token = _token(row) if row.attempt.state in PAID else None
    if token:
        _keep(row, token)
    elif now - row.consented_at > timedelta(days=WATCH_DAYS) and row.attempt.state not in LIVE_ATTEMPT:
        forget(row)  # never paid, or nothing was kept


def _token(row: SavedMethod) -> Token | None:
    try:
        return ask(lambda: saving(row.provider).save(row.attempt))
    except (ProviderDown, Declined):
        logger.warning("%s did not say what it keeps of payment %s", row.provider, row.attempt.key)
        return None


def _keep(row: SavedMethod, token: Token) -> None:
    with transaction.atomic():
        row = SavedMethod.objects.select_for_update().get(pk=row.pk)
        if row.state != State.ASKED:  # collected or removed meanwhile
            return
        row.token, row.customer = token.token, token.customer
        for name, value in saved.shown(token).items():
            setattr(row, name, value)
        row.state = State.SAVED
        row.next_check_at = None if row.user_id else row.consented_at + saved.GUEST_PATIENCE
        row.save()
        if row.user_id:
            twins = SavedMethod.objects.filter(
                user=row.user_id, provider=row.provider, method=row.method, brand=row.brand, last4=row.last4
            ).exclude(pk=row.pk)
            twins.filter(token=row.token).delete()
            saved.remove(twins.filter(state__in=(State.SAVED, State.GONE)))  # the same card, saved once more


def forget(row: SavedMethod) -> bool:
    """Have the provider forget, then forget it here. False when it has to be tried again."""
    saved.remove(SavedMethod.objects.filter(pk=row.pk))
    if not row.token and row.attempt.state in PAID and (token := _token(row)):
        row.token, row.customer = token.token, token.customer
    if row.token or row.customer:
        try:
            ask(lambda: saving(row.provider).forget(row))
        except (ProviderDown, Declined):
            logger.warning("%s has not forgotten %s yet", row.provider, row.key)
            return False
    if row.charges.filter(state__in=LIVE_ATTEMPT).exists() or row.attempt.state in LIVE_ATTEMPT:
        return False  # what becomes of the open payment is still to be told
    row.delete()
    return True


def _later(row: SavedMethod, now: datetime) -> None:
    SavedMethod.objects.filter(pk=row.pk).update(next_check_at=next_check(row.consented_at, now))
