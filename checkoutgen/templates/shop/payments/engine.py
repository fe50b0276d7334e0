"""The one place where money moves an order.

Whatever anybody learns about a payment (webhook, return page, reconciler, back office) comes in as a `Fact` through
`apply`, which locks the order, counts each event once, compares amount and currency, and writes the mails to send in
the same transaction. Providers are only ever called outside transactions, with the attempt's key as idempotency key,
so that a crash or a time-out at any point is repaired by asking again.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.conf import settings
from django.db import transaction
from django.db.models import Q, Sum
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from orders import lifecycle
from orders.models import Order
from orders.states import ATTEMPT_MOVES, LIVE_ATTEMPT, UNPAID, AttemptState, OrderState

from . import captures, methods, saved
from .adapters import adapter, saving
from .facts import Create, Declined, Fact, ProviderDown, RefundAnswer
from .models import PaymentAttempt, PaymentEvent, Refund
from .saved import NOTHING, Wish

logger = logging.getLogger(__name__)
T = TypeVar("T")

# How long after a let-go attempt the provider is still asked whether money came (retries of webhooks end after 3 days).
WATCH_DAYS = 4


@dataclass(frozen=True)
class Start:
    """`redirect` is the provider's page, or None: go to orders:thanks.

    `browser` is what the provider's script on the payment page needs to go on.
    """

    redirect: str | None
    attempt: PaymentAttempt | None
    browser: dict[str, str] = field(default_factory=dict)


class NotStarted(Exception):
    """The payment could not begin; `failures.text(code)` says why. The order stands: try again or otherwise."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class OverRefund(ValueError):
    """More than what was paid and not yet given back."""


# -- starting -------------------------------------------------------------------------------------------------------


def start(
    order: Order,
    method_id: str,
    *,
    request: HttpRequest | None = None,
    create: Create | None = None,
    instead_of: str = "",
    wish: Wish = NOTHING,
) -> Start:
    """Begin to pay an order, as the buyer wishes: with what they saved, or saving what they pay with.

    A double click, a second tab and a retry after a crash get the same attempt; another method ends the attempt before
    it, and so does the same method `instead_of` that attempt (its key). `create` opens the payment in another way than
    the adapter's own, with what the buyer gave on the payment page or in a wallet. Raises NotStarted with a failure
    code.
    """
    method = methods.method(method_id)
    if method is None:
        raise NotStarted("method_unavailable")
    for _ in range(3):  # ending the attempt before may show that it was paid after all, or meet a second tab
        attempt, in_the_way = _open_attempt(order.pk, method, instead_of, wish)
        if in_the_way is None:
            break
        _let_go(in_the_way)
    if attempt is None or not attempt.provider:
        return Start(None, attempt)
    if attempt.provider_ref and (attempt.redirect_url or not attempt.saved_id):
        return Start(attempt.redirect_url or None, attempt)
    if attempt.saved_id:
        create = saving(attempt.provider).charge
    return _ask_provider(attempt, _base_url(request), create or adapter(attempt.provider).create)


def _open_attempt(
    order_pk: int, method: dict[str, Any], instead_of: str = "", wish: Wish = NOTHING
) -> tuple[PaymentAttempt | None, PaymentAttempt | None]:
    """The attempt to go on with (None when there is nothing to pay), and the attempt that must be ended first."""
    now = timezone.now()
    with transaction.atomic():
        order = lifecycle.lock(order_pk)
        if order.state not in UNPAID:
            return None, None
        if order.total_amount == 0:
            lifecycle.confirm(order, actor="shop", now=now)
            return None, None
        fresh = order.state == OrderState.DRAFT  # no payment begun
        live = None if fresh else order.attempts.filter(state__in=LIVE_ATTEMPT).first()
        if live and live.provider and live.state in (AttemptState.PENDING, AttemptState.AUTHORIZED):
            return None, None  # the money is on its way: nothing to do but wait
        if live and live.method == method["id"] and live.key != instead_of and saved.same(live, method, wish):
            return live, None
        if live:
            return None, live
        if wish.card and not saved.may_pay(wish.card, order, method):
            raise NotStarted("token_gone")

        provider = methods.provider_of(method)
        attempt = PaymentAttempt.objects.create(
            order=order,
            method=method["id"],
            provider=provider,
            amount=order.total_amount,
            currency=order.currency,
            state=AttemptState.REQUESTED if provider else AttemptState.PENDING,
            next_check_at=next_check(now, now) if provider else None,
            saved=wish.card,
        )
        saved.note(attempt, wish, now)
        order.payment_method = method["id"]
        order.expires_at = methods.expires_at(method, now)
        if method["kind"] in methods.PAID_LATER:
            lifecycle.confirm(order, actor="shop", now=now)
        elif order.state == OrderState.DRAFT:
            lifecycle.move(order, OrderState.PENDING_PAYMENT, actor="shop", method=method["id"])
        else:
            order.save(update_fields=["payment_method", "expires_at"])
        if not provider and order.state == OrderState.PENDING_PAYMENT:
            lifecycle.mail_buyer(order, "payment-pending", subject=attempt.key)
        return attempt, None


def _ask_provider(attempt: PaymentAttempt, base_url: str, create: Create) -> Start:
    return_url = base_url + reverse("payments:return", args=[attempt.key])
    webhook_url = base_url + reverse("payments:webhook", args=[attempt.provider])
    try:
        created = _ask_twice(lambda: create(attempt, return_url, webhook_url))
    except Declined as declined:
        saved.refused(attempt, declined.code)
        apply(
            Fact(
                attempt.provider, f"create:{attempt.key}", "failed", attempt.key, failure=declined.code, source="start"
            )
        )
        raise NotStarted(declined.code) from None
    except ProviderDown:
        raise NotStarted("provider_down") from None
    mine = PaymentAttempt.objects.filter(pk=attempt.pk)
    mine.update(provider_ref=created.provider_ref, redirect_url=created.redirect_url)
    mine.filter(state=AttemptState.REQUESTED).update(state=AttemptState.ACTION_REQUIRED)
    if created.known is not None:
        apply(created.known)
    attempt.refresh_from_db()
    if created.known is not None and attempt.state == AttemptState.FAILED:
        saved.refused(attempt, attempt.failure)
        raise NotStarted(attempt.failure)
    return Start(created.redirect_url or None, attempt, created.browser)


def ask(call: Callable[[], T]) -> T:
    """A call of an adapter. One that fails in a way nobody thought of counts as no answer: it must not stop others."""
    try:
        return call()
    except (ProviderDown, Declined):
        raise
    except Exception as broken:
        logger.exception("an adapter failed")
        raise ProviderDown(type(broken).__name__) from broken


def _ask_twice(call: Callable[[], T]) -> T:
    """Once more with the same key after no answer: most time-outs are over by then."""
    try:
        return ask(call)
    except ProviderDown:
        return ask(call)


def _base_url(request: HttpRequest | None) -> str:
    """Where provider and buyer reach the shop; never the Host header in production."""
    if settings.DEBUG and request is not None:
        return request.build_absolute_uri("/").rstrip("/")
    return settings.PUBLIC_URL


def _let_go(attempt: PaymentAttempt) -> None:
    """End a live attempt, unless the provider says that it was paid."""
    if attempt.provider:
        learn(attempt, "start")
        if attempt.state not in LIVE_ATTEMPT:
            return
        void(attempt)
    apply(Fact(attempt.provider, f"let-go:{attempt.key}", "cancelled", attempt.key, source="start"))


def void(attempt: PaymentAttempt) -> None:
    """Ask the provider to take no money any more. If that fails and money comes, `apply` gives it back."""
    try:
        ask(lambda: adapter(attempt.provider).void(attempt))
    except (ProviderDown, Declined):
        logger.warning("payment %s could not be voided at %s", attempt.key, attempt.provider)


def learn(attempt: PaymentAttempt, source: str) -> str:
    """Ask the provider how a payment stands and take it in. Returns the outcome, "" when it does not answer.

    A payment that is still open there although we let it go here is voided on the way.
    """
    try:
        fact = replace(ask(lambda: adapter(attempt.provider).fetch(attempt)), source=source)
    except (ProviderDown, Declined):
        logger.warning("payment %s could not be fetched from %s", attempt.key, attempt.provider)
        return ""
    attempt.refresh_from_db()
    outcome = apply(_anew(fact)) if fact.kind in ATTEMPT_MOVES[attempt.state] else "stale"
    attempt.refresh_from_db()
    closed = attempt.order.state in (OrderState.CANCELLED, OrderState.EXPIRED)
    if fact.kind in LIVE_ATTEMPT and (closed or attempt.state not in LIVE_ATTEMPT):
        void(attempt)
    return outcome


def _anew(fact: Fact) -> Fact:
    """An answer that was given before may be news again: an old message can have been taken in since."""
    before = PaymentEvent.objects.filter(provider=fact.provider, event_id__startswith=fact.event_id).count()
    return replace(fact, event_id=f"{fact.event_id}:{before}") if before else fact


def returned(attempt: PaymentAttempt, answer: dict[str, str]) -> None:
    """The buyer is back: ask the provider, with what its address brought where the provider wants that."""
    bring = getattr(adapter(attempt.provider), "returned", None)
    if bring and answer:
        try:
            fact = ask(lambda: bring(attempt, answer))
        except (ProviderDown, Declined):
            fact = None
        if fact:
            apply(replace(fact, source="return"))
    learn(attempt, "return")


# -- taking in ------------------------------------------------------------------------------------------------------


def apply(fact: Fact) -> str:
    """Take in what somebody learnt about a payment; safe to call any number of times, in any order, from anywhere.

    Returns the outcome: applied, stale (nothing new), duplicate (the event was counted before), unknown (no such
    payment; kept for people to look at), review (a person must decide).
    """
    if fact.kind == "token_gone":
        return _keep(fact, "applied" if saved.gone(fact.provider, fact.token) else "unknown")
    if fact.kind == "token_updated" and fact.kept:
        return _keep(fact, "applied" if saved.renewed(fact.provider, fact.kept) else "unknown")
    with transaction.atomic():
        attempt = _find(fact)
        if attempt is None:
            return _keep(fact, "unknown")
        order = lifecycle.lock(attempt.order_id)
        attempt.refresh_from_db()
        if PaymentEvent.objects.filter(provider=fact.provider, event_id=fact.event_id).exists():
            return "duplicate"
        if fact.kind in ("refunded", "refund_failed"):
            outcome = _take_in_refund(order, attempt, fact)
        elif fact.kind in ("capture_done", "capture_failed"):
            outcome = captures.take_in(order, attempt, fact)
            if order.state == OrderState.CANCELLED:  # collected in the moment of cancelling
                _give_back(order, attempt, "order cancelled")
        else:
            outcome = _take_in(order, attempt, fact)
        PaymentEvent.objects.create(
            provider=fact.provider, event_id=fact.event_id, attempt=attempt, outcome=outcome, **_as_received(fact)
        )
        return outcome


def _find(fact: Fact) -> PaymentAttempt | None:
    attempts = PaymentAttempt.objects.filter(provider=fact.provider)
    if fact.attempt_key:
        return attempts.filter(key=fact.attempt_key).first()
    if fact.provider_ref:
        return attempts.filter(provider_ref=fact.provider_ref).first()
    return None


def _keep(fact: Fact, outcome: str) -> str:
    """No order to lock, so two copies of the event may arrive at once: the constraint keeps one."""
    _, new = PaymentEvent.objects.get_or_create(
        provider=fact.provider, event_id=fact.event_id, defaults=_as_received(fact) | {"outcome": outcome}
    )
    return outcome if new else "duplicate"


def _as_received(fact: Fact) -> dict[str, Any]:
    return {
        "kind": fact.kind,
        "amount": fact.amount,
        "currency": fact.currency,
        "payload": fact.payload,
        "source": fact.source,
    }


def _take_in(order: Order, attempt: PaymentAttempt, fact: Fact) -> str:
    if fact.kind not in AttemptState.values:
        return "unknown"
    if not attempt.provider and fact.kind == attempt.state == AttemptState.CAPTURED:
        return _more_money(order, attempt, fact)
    if fact.kind not in ATTEMPT_MOVES[attempt.state]:
        return "stale"
    money = fact.kind in (AttemptState.AUTHORIZED, AttemptState.CAPTURED)
    others = order.attempts.exclude(pk=attempt.pk)
    if fact.kind == AttemptState.AUTHORIZED and others.filter(state__in=("authorized", "captured")).exists():
        return _reserved_beside(order, attempt, fact)
    if money:  # another try may still be open somewhere: with money here it must not go on, and only one may live
        idle = others.filter(state__in=LIVE_ATTEMPT).exclude(captures__state__in=captures.COUNTED)
        idle.update(state=AttemptState.CANCELLED, next_check_at=timezone.now())
    was, attempt.state = attempt.state, AttemptState(fact.kind)
    attempt.failure = fact.failure
    attempt.provider_ref = fact.provider_ref or attempt.provider_ref
    attempt.authorized_until = fact.until if attempt.state == AttemptState.AUTHORIZED else None
    if attempt.state in (AttemptState.CAPTURED, AttemptState.FAILED, AttemptState.REVERSED):
        attempt.next_check_at = None
    attempt.save()
    if attempt.state == AttemptState.CAPTURED:
        captures.settle(attempt)
    lifecycle.record(order, f"payment_{fact.kind}", actor=fact.source, attempt=attempt.key, failure=fact.failure)

    if money and (fact.amount, fact.currency) != (attempt.amount, attempt.currency):
        given = {"amount": fact.amount, "currency": fact.currency, "attempt": attempt.key}
        lifecycle.review(order, "amount_mismatch", actor=fact.source, **given)
        return "review"
    if money:
        return _money_came(order, attempt, fact)
    if fact.kind == AttemptState.PENDING:
        if order.state in UNPAID:  # there is nothing left to do for the buyer, but the bank takes its time
            lifecycle.mail_buyer(order, "order-received")
    elif fact.kind == AttemptState.REVERSED:
        if order.state != OrderState.CANCELLED:
            lifecycle.review(order, "payment_reversed", actor=fact.source, attempt=attempt.key)
            if (methods.method(attempt.method) or {}).get("kind") == "sepa-debit":
                # A buyer who disputes a card payment knows of it; a debit that fails weeks later is news.
                lifecycle.mail_buyer(order, "payment-returned", subject=attempt.key)
            return "review"
    else:
        _no_money(order, attempt, was)
    return "applied"


def _reserved_beside(order: Order, attempt: PaymentAttempt, fact: Fact) -> str:
    """A second tab, an old payment page: the order has its money, so the worker has this let go (`learn`)."""
    attempt.state, attempt.next_check_at = AttemptState.CANCELLED, timezone.now()
    attempt.provider_ref = fact.provider_ref or attempt.provider_ref
    attempt.save()
    lifecycle.record(order, "payment_cancelled", actor=fact.source, attempt=attempt.key, failure="")
    return "applied"


def _money_came(order: Order, attempt: PaymentAttempt, fact: Fact) -> str:
    captured = fact.kind == AttemptState.CAPTURED
    collected = Q(state=AttemptState.AUTHORIZED, captures__state__in=captures.COUNTED)
    others = order.attempts.filter(Q(state=AttemptState.CAPTURED) | collected).exclude(pk=attempt.pk)
    if captured and others.exists():
        _give_back(
            order, attempt, "paid twice", fact.amount
        )  # a second tab, an old payment page: keep the first, return this one
        return "applied"
    if order.state in UNPAID:
        lifecycle.confirm(order, actor=fact.source)
    elif order.state == OrderState.EXPIRED:
        if lifecycle.take_stock_again(order):
            lifecycle.confirm(order, actor=fact.source)
        else:
            lifecycle.move(order, OrderState.CANCELLED, actor=fact.source, reason="sold-out")
            lifecycle.mail_buyer(order, "cancelled", reason="sold-out", refund=fact.amount)
            _give_back(order, attempt, "sold out", fact.amount)
    elif order.state == OrderState.CANCELLED:
        _give_back(order, attempt, "order cancelled", fact.amount)
    elif captured and not attempt.provider:
        lifecycle.mail_buyer(order, "payment-received", subject=attempt.key)
    return "applied"


def _more_money(order: Order, attempt: PaymentAttempt, fact: Fact) -> str:
    """A further transfer for the same order; or, once, the bank's word for what the seller had marked as received."""
    exact = (fact.amount, fact.currency) == (attempt.amount, attempt.currency)
    if exact and not attempt.events.filter(kind="captured", source="statement").exists():
        return "stale"
    given = {"amount": fact.amount, "currency": fact.currency, "attempt": attempt.key}
    lifecycle.review(order, "more_money", actor=fact.source, **given)
    return "review"


def _no_money(order: Order, attempt: PaymentAttempt, was: str) -> None:
    if order.state in (OrderState.CONFIRMED, OrderState.FULFILLED) and was == AttemptState.AUTHORIZED:
        lifecycle.review(order, "authorization_lost", attempt=attempt.key)
    elif order.state in UNPAID and was == AttemptState.PENDING and attempt.provider:
        # The buyer has left long ago: say so by mail, and leave time for another try.
        again = timezone.now() + timedelta(hours=24)
        order.expires_at = max(order.expires_at or again, again)
        order.save(update_fields=["expires_at"])
        lifecycle.mail_buyer(order, "payment-failed", subject=attempt.key, failure=attempt.failure)


# -- paying back ----------------------------------------------------------------------------------------------------


def _give_back(order: Order, attempt: PaymentAttempt, reason: str, captured: int | None = None) -> None:
    """Write down a refund of all that is left, for the worker to carry out. A mere authorisation is voided instead."""
    if attempt.state == AttemptState.CAPTURED and (left := _refundable(attempt, captured)) > 0:
        row = Refund.objects.create(
            order=order, attempt=attempt, amount=left, reason=reason, next_check_at=timezone.now()
        )
        lifecycle.record(order, "refund_requested", actor="shop", amount=left, refund=row.key, reason=reason)


def _captured(attempt: PaymentAttempt) -> int:
    """What the provider last said it took, in the attempt's currency: a payment that was reversed can come back.

    Of a payment that is collected by the parcel, the parts that were; of transfers, all that arrived.
    """
    if attempt.state == AttemptState.REVERSED:
        return 0
    if attempt.state != AttemptState.CAPTURED:
        return captures.collected(attempt)
    taken = attempt.events.filter(kind="captured", outcome__in=("applied", "review"), currency=attempt.currency)
    if not attempt.provider:
        return taken.aggregate(sum=Sum("amount"))["sum"] or 0
    return taken.values_list("amount", flat=True).last() or captures.collected(attempt)


def _refundable(attempt: PaymentAttempt, captured: int | None = None) -> int:
    given = attempt.refunds.exclude(state=Refund.State.FAILED).aggregate(sum=Sum("amount"))["sum"] or 0
    return (_captured(attempt) if captured is None else captured) - given


def refundable_amount(order: Order) -> int:
    """The most that one refund of this order can give back."""
    return max((0, *(_refundable(attempt) for attempt in order.attempts.all())))


def refund(order: Order, amount: int, reason: str, actor: str, *, key: str = "") -> Refund:
    """Give money back: the row first, then the provider. A second call with the same key returns the first refund.

    Raises OverRefund when it is more than what was paid and not yet given back.
    """
    with transaction.atomic():
        order = lifecycle.lock(order.pk)
        if key and (same := Refund.objects.filter(key=key, order=order).first()):
            return same
        attempt = next((each for each in order.attempts.all() if 0 < amount <= _refundable(each)), None)
        if attempt is None:
            raise OverRefund(f"{amount} is not between 1 and {refundable_amount(order)}")
        row = Refund(order=order, attempt=attempt, amount=amount, reason=reason, next_check_at=timezone.now())
        row.key = key or row.key
        row.save()
        lifecycle.record(order, "refund_requested", actor=actor, amount=amount, refund=row.key, reason=reason)
    carry_out(row)
    row.refresh_from_db()
    return row


def carry_out(row: Refund) -> None:
    """Ask the provider for a refund that is written down, as often as it takes: its key makes it happen once."""
    if not row.attempt.provider:  # the seller sends the money and says so in the back office
        Refund.objects.filter(pk=row.pk, state=Refund.State.REQUESTED).update(
            state=Refund.State.PENDING, next_check_at=None
        )
        return
    try:
        answer = ask(lambda: adapter(row.attempt.provider).refund(row))
    except ProviderDown:
        Refund.objects.filter(pk=row.pk).update(next_check_at=next_check(row.created_at))
        return
    except Declined as declined:
        answer = RefundAnswer("", "failed")
        logger.warning("refund %s refused: %s", row.key, declined.code)
    if answer.state == "pending":
        Refund.objects.filter(pk=row.pk, state__in=("requested", "pending")).update(
            state=Refund.State.PENDING, provider_ref=answer.provider_ref, next_check_at=next_check(row.created_at)
        )
        return
    kind = "refunded" if answer.state == "done" else "refund_failed"
    apply(
        Fact(
            row.attempt.provider,
            f"{kind}:{row.key}",
            kind,
            row.attempt.key,
            amount=row.amount,
            currency=row.attempt.currency,
            refund_key=row.key,
            refund_ref=answer.provider_ref,
            source="backoffice",
        )
    )


def refund_sent(row: Refund, *, actor: str) -> str:
    """The seller sent back the money of a transfer, cheque or cash order."""
    attempt = row.attempt
    fact = Fact("", f"refunded:{row.key}", "refunded", attempt.key, amount=row.amount, refund_key=row.key, source=actor)
    return apply(fact)


def _take_in_refund(order: Order, attempt: PaymentAttempt, fact: Fact) -> str:
    rows = Refund.objects.filter(attempt=attempt)
    row = rows.filter(Q(key=fact.refund_key) | Q(provider_ref=fact.refund_ref, provider_ref__gt="")).first()
    if row is None and fact.kind == "refund_failed":
        return "unknown"
    if row is None:  # made on the provider's own pages
        row = Refund(order=order, attempt=attempt, amount=fact.amount or attempt.amount, reason="made at the provider")
    undone = row.state == Refund.State.DONE and fact.kind == "refund_failed"  # the buyer's bank sent the money back
    if row.state == Refund.State.FAILED or (row.state == Refund.State.DONE and not undone):
        return "stale"
    row.state = Refund.State.DONE if fact.kind == "refunded" else Refund.State.FAILED
    row.provider_ref = fact.refund_ref or row.provider_ref
    row.next_check_at = None
    row.save()
    lifecycle.record(order, fact.kind, actor=fact.source, amount=row.amount, refund=row.key)
    if row.state == Refund.State.FAILED:
        lifecycle.mail_seller(order, "order-review", subject=row.key, reason="refund_failed", amount=row.amount)
        return "review"
    lifecycle.mail_buyer(order, "refunded", subject=row.key, amount=row.amount, currency=attempt.currency)
    return "applied"


# -- the back office and the clock ----------------------------------------------------------------------------------


def received(order: Order, *, actor: str) -> str:
    """The seller saw the money of a transfer, cheque, invoice or delivery arrive."""
    attempt = order.attempts.filter(provider="").exclude(state=AttemptState.CAPTURED).last()
    if attempt is None:
        return "unknown"
    event = f"received:{attempt.key}:{attempt.events.count()}"
    return apply(
        Fact("", event, "captured", attempt.key, amount=attempt.amount, currency=attempt.currency, source=actor)
    )


def cancel(order: Order, *, actor: str, reason: str = "seller", note: str = "") -> bool:
    """Cancel an order: payments stopped, money given back, stock freed. False when it is too late for that.

    `reason` is "buyer" or "seller", `note` a person's words to the buyer.
    """
    with transaction.atomic():
        order = lifecycle.lock(order.pk)
        if order.state not in (*UNPAID, OrderState.CONFIRMED, OrderState.REVIEW):
            return order.state == OrderState.CANCELLED
        if order.state == OrderState.CONFIRMED and order.fulfilments.exists():  # a part is on its way already
            return False
        stopped = list(order.attempts.filter(state__in=LIVE_ATTEMPT))
        for attempt in order.attempts.exclude(state=AttemptState.REVERSED):
            captures.stop(attempt)
        given = sum(_refundable(each) for each in order.attempts.filter(state=AttemptState.CAPTURED))
        order.attempts.filter(state__in=LIVE_ATTEMPT).update(state=AttemptState.CANCELLED)
        for attempt in order.attempts.filter(state=AttemptState.CAPTURED):
            _give_back(order, attempt, "order cancelled")
        lifecycle.give_back_stock(order)
        order.expires_at = None
        lifecycle.move(order, OrderState.CANCELLED, actor=actor, reason=reason)
        lifecycle.mail_buyer(order, "cancelled", reason=reason, refund=given, note=note)
    for attempt in stopped:
        if attempt.provider:
            void(attempt)
    for row in order.refunds.filter(state=Refund.State.REQUESTED):
        carry_out(row)
    return True


def expire_due(now: datetime | None = None, limit: int = 100) -> int:
    """Let go of orders whose payment did not come in time. Returns how many."""
    now = now or timezone.now()
    on_its_way = Q(attempts__state__in=(AttemptState.PENDING, AttemptState.AUTHORIZED)) & ~Q(attempts__provider="")
    due = Order.objects.filter(state__in=UNPAID, expires_at__lte=now).exclude(
        pk__in=Order.objects.filter(on_its_way).values("pk")
    )
    return sum(expire(order, now) for order in due.order_by("expires_at")[:limit])


def expire(order: Order, now: datetime) -> bool:
    """Let one unpaid order go, after asking the provider a last time; its stock is freed exactly once."""
    for attempt in order.attempts.filter(state__in=LIVE_ATTEMPT).exclude(provider=""):
        learn(attempt, "reconciler")
    with transaction.atomic():
        order = lifecycle.lock(order.pk)
        if order.state not in UNPAID or order.expires_at is None or order.expires_at > now:
            return False
        live = list(order.attempts.filter(state__in=LIVE_ATTEMPT))
        if any(each.provider and each.state in (AttemptState.PENDING, AttemptState.AUTHORIZED) for each in live):
            return False
        order.attempts.filter(state__in=LIVE_ATTEMPT).update(state=AttemptState.EXPIRED)
        lifecycle.give_back_stock(order)
        lifecycle.move(order, OrderState.EXPIRED, actor="clock")
        if any(not each.provider for each in live):  # a transfer or cheque that never came: the buyer was asked to pay
            lifecycle.mail_buyer(order, "cancelled", reason="unpaid")
    for attempt in live:
        if attempt.provider:
            void(attempt)
    return True


def reconcile_due(now: datetime | None = None, limit: int = 100) -> int:
    """Ask the providers about payments and refunds that nobody has told us the end of. Returns how many were asked."""
    now = now or timezone.now()
    asked = 0
    for attempt in list(PaymentAttempt.objects.filter(next_check_at__lte=now).exclude(provider="")[:limit]):
        watched = attempt.state in LIVE_ATTEMPT or now - attempt.created_at < timedelta(days=WATCH_DAYS)
        if _schedule(attempt, next_check(attempt.created_at, now) if watched else None):
            learn(attempt, "reconciler")
            asked += 1
    for row in list(Refund.objects.filter(next_check_at__lte=now, state__in=("requested", "pending"))[:limit]):
        if _schedule(row, next_check(row.created_at, now)):
            carry_out(row)
            asked += 1
    return asked


def _schedule(row: PaymentAttempt | Refund, later: datetime | None) -> bool:
    """Before asking: what kills the worker must not be the first again. False: another worker is asking already."""
    due = type(row).objects.filter(pk=row.pk, next_check_at=row.next_check_at)
    return due.update(next_check_at=later) == 1


def next_check(since: datetime, now: datetime | None = None) -> datetime:
    """When to ask again about what began then: soon at first, then less and less often, at least four times a day."""
    now = now or timezone.now()
    first = timedelta(seconds=settings.PAYMENTS_CHECK_AFTER)
    return now + min(max(first, (now - since) / 4), timedelta(hours=6))


# -- how an order stands --------------------------------------------------------------------------------------------


def paid_amount(order: Order) -> int:
    """What was taken for the order and not reversed, in its currency; refunds are not subtracted."""
    return sum(_captured(each) for each in order.attempts.filter(currency=order.currency))


def refunded_amount(order: Order) -> int:
    """What was given back or is on its way back."""
    return order.refunds.exclude(state=Refund.State.FAILED).aggregate(sum=Sum("amount"))["sum"] or 0


def payment_status(order: Order) -> str:
    """unpaid, pending, authorized, paid, partly_refunded, refunded or reversed: for order pages and the back office."""
    states = set(order.attempts.values_list("state", flat=True))
    if AttemptState.AUTHORIZED in states:
        return "authorized"
    if AttemptState.CAPTURED in states:
        given = refunded_amount(order)
        if not given:
            return "paid"
        return "refunded" if given >= paid_amount(order) else "partly_refunded"
    if AttemptState.REVERSED in states:
        return "reversed"
    return "pending" if AttemptState.PENDING in states else "unpaid"
