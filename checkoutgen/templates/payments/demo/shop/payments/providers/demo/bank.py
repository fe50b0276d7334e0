"""What the demo provider does: keep books, take money that does not exist, tell the shop about it, and fail on demand.

DEMO_FAULTS in the environment makes it fail by chance, as JSON of probabilities: timeout_before, timeout_after, error
(calls of the shop), wrong_amount (charges), copies (of each webhook: a number), delay (of a webhook, at most so many
seconds), forged, stale, unheard, lost (webhooks).
"""

import hashlib
import hmac
import json
import os
import random
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache
from typing import Any, TypeVar

from django.conf import settings
from django.db import close_old_connections, transaction
from django.db.models import F, Sum
from django.utils import timezone

from payments import credentials
from payments.facts import Declined, ProviderDown

from .cards import Account
from .models import DemoCapture, DemoEvent, DemoPayment, DemoRefund, DemoToken

State = DemoPayment.State
T = TypeVar("T")
SLOW = timedelta(seconds=float(os.environ.get("DEMO_SLOW") or 30))  # what "30 seconds later" means to its accounts
RESERVED = timedelta(days=7)  # how long an authorisation lasts
LEASE = timedelta(seconds=30)
MAX_TRIES = 20
_chance = random.Random()  # noqa: S311  chance of faults, not of secrets


def allowed() -> bool:
    """Play money is for development and test systems."""
    return settings.DEVELOPMENT or os.environ.get("ALLOW_DEMO_PROVIDER") == "1"


def secret() -> bytes:
    """Of the webhooks. Without a variable, development makes one of SECRET_KEY."""
    given = credentials.secret("demo", "webhook_secret")
    return given.encode() if given else hmac.digest(settings.SECRET_KEY.encode(), b"demo provider", "sha256")


@cache
def faults() -> dict[str, float]:
    return json.loads(os.environ.get("DEMO_FAULTS") or "{}")


def _happens(fault: str) -> bool:
    return _chance.random() < faults().get(fault, 0)


def call(work: Callable[[], T]) -> T:
    """A call of the shop as it goes over a network: it may time out before or after it took effect."""
    if _happens("timeout_before") or _happens("error"):
        raise ProviderDown("timed out before")
    result = work()
    if _happens("timeout_after"):
        raise ProviderDown("timed out after")
    return result


# -- what the shop may ask ------------------------------------------------------------------------------------------


def open_payment(key: str, **terms: Any) -> DemoPayment:
    """The same key opens the same payment, whatever the terms of the second call."""
    return DemoPayment.objects.get_or_create(key=key, defaults=terms)[0]


@transaction.atomic
def charge(key: str, token_ref: str, **terms: Any) -> DemoPayment:
    """Pay with a card that is kept. The same key pays once, whatever the second call says."""
    payment = DemoPayment.objects.select_for_update().get(pk=open_payment(key, **terms).pk)
    if payment.state != State.OPEN:
        return payment
    token = DemoToken.objects.filter(ref=token_ref).exclude(scenario="revoked").first()
    if token is None:
        raise Declined("token_gone")
    payment.token, payment.account, payment.scenario = token, token.last4, token.scenario
    if token.scenario == "always-challenge":
        payment.state = State.CHALLENGE
        payment.save()
    elif token.scenario == "declined-later":
        _decline(payment, "declined")
    else:
        _take(payment)
    return payment


def forget(token_ref: str) -> None:
    DemoToken.objects.filter(ref=token_ref).delete()


def void(key: str) -> None:
    """Take no money any more: an open page is closed, a reservation let go. What was collected stays collected."""
    DemoPayment.objects.filter(key=key, state__in=(State.OPEN, State.CHALLENGE)).update(state=State.CANCELLED)
    DemoPayment.objects.filter(key=key, state=State.AUTHORIZED, taken=0).update(state=State.CANCELLED)
    DemoPayment.objects.filter(key=key, state=State.AUTHORIZED).update(state=State.PAID)


def capture(key: str, payment_key: str, amount: int) -> DemoCapture:
    """Collect a part or all of a reservation. The same key collects once; more than is left is refused."""
    with transaction.atomic():
        payment = DemoPayment.objects.select_for_update().filter(key=payment_key).first()
        if payment is None:
            raise Declined("not_paid")
        if same := DemoCapture.objects.filter(key=key).first():
            return same
        if payment.state != State.AUTHORIZED:
            raise Declined("authorization_gone")
        if payment.scenario == "uncollectable" or amount > payment.amount - payment.taken:
            raise Declined("declined")
        made = DemoCapture.objects.create(payment=payment, key=key, amount=amount)
        payment.taken += amount
        if payment.taken == payment.amount:
            payment.state = State.PAID
        payment.save()
        data = {"capture_key": key, "capture_ref": made.ref, "amount": amount, "currency": payment.currency}
        _tell(payment, "capture.done", f"ca-{made.ref}", data)
        return made


def refund(key: str, payment_key: str, amount: int) -> DemoRefund:
    """Give back a part or all. The same key gives it back once; more than was taken is refused."""
    with transaction.atomic():
        payment = DemoPayment.objects.select_for_update().filter(key=payment_key).first()
        if payment is None or payment.state not in (State.PAID, State.AUTHORIZED, State.EXPIRED, State.REVERSED):
            raise Declined("not_paid")
        if same := DemoRefund.objects.filter(key=key).first():
            return same
        if payment.state == State.REVERSED or amount > payment.taken - refunded(payment):
            raise Declined("over_refund")
        made = DemoRefund.objects.create(payment=payment, key=key, amount=amount)
        data = {"refund_key": key, "refund_ref": made.ref, "amount": amount, "currency": payment.currency}
        _tell(payment, "refund.done", f"re-{made.ref}", data)
        return made


def refunded(payment: DemoPayment) -> int:
    return payment.refunds.aggregate(sum=Sum("amount"))["sum"] or 0


# -- what the buyer does on the page --------------------------------------------------------------------------------


@transaction.atomic
def pay(ref: str, account: Account, expiry: str = "") -> DemoPayment:
    """The buyer gives an account. A second click finds the payment already decided."""
    payment = DemoPayment.objects.select_for_update().get(ref=ref)
    if payment.state != State.OPEN:
        return payment
    payment.account, payment.scenario = account.number[-4:], account.scenario
    if payment.keep and payment.kind == "card":
        payment.token = _keep(account, expiry)
    if account.scenario in ("challenge", "always-challenge"):
        payment.state = State.CHALLENGE
        payment.save()
    elif account.scenario in ("late", "late-return"):
        payment.state = State.PROCESSING
        payment.save()
        _tell(payment, "payment.pending", f"pending-{payment.ref}")
        _tell(payment, "payment.captured", f"captured-{payment.ref}", after=SLOW, becomes=State.PAID)
        if account.scenario == "late-return":
            charge_back(payment, SLOW * 2)
    elif account.scenario in ("declined", "insufficient_funds", "expired_card"):
        _decline(payment, account.scenario)
    else:
        _take(payment)
    return payment


def _keep(account: Account, expiry: str) -> DemoToken:
    """`expiry` as it is typed, like 12/30; without one the card lasts three more years."""
    month, _, year = expiry.partition("/")
    known = year.isascii() and year.isdigit() and month.isascii() and month.isdigit() and 1 <= int(month) <= 12
    return DemoToken.objects.create(
        brand=account.brand,
        last4=account.number[-4:],
        exp_month=int(month) if known else 12,
        exp_year=2000 + int(year) % 100 if known else timezone.localdate().year + 3,
        scenario=account.scenario,
    )


@transaction.atomic
def answer_challenge(ref: str, passed: bool) -> DemoPayment:
    payment = DemoPayment.objects.select_for_update().get(ref=ref)
    if payment.state == State.CHALLENGE:
        _take(payment) if passed else _decline(payment, "authentication_failed")
    return payment


@transaction.atomic
def leave(ref: str) -> DemoPayment:
    """The buyer goes back without paying."""
    payment = DemoPayment.objects.select_for_update().get(ref=ref)
    if payment.state in (State.OPEN, State.CHALLENGE):
        payment.state = State.CANCELLED
        payment.save()
        _tell(payment, "payment.cancelled", f"cancelled-{payment.ref}")
    return payment


def charge_back(payment: DemoPayment, after: timedelta = timedelta(0)) -> None:
    _tell(payment, "payment.reversed", f"reversed-{payment.ref}", after=after, becomes=State.REVERSED)


def _reserve(payment: DemoPayment) -> None:
    lasts = SLOW if payment.scenario == "short-reserve" else RESERVED
    payment.state, payment.authorized_until = State.AUTHORIZED, timezone.now() + lasts
    payment.save()
    data = {"amount": payment.amount, "until": payment.authorized_until.isoformat()}
    _tell(payment, "payment.authorized", f"authorized-{payment.ref}", data)
    _tell(payment, "payment.expired", f"expired-{payment.ref}", after=lasts, becomes=State.EXPIRED)


def _take(payment: DemoPayment) -> None:
    if payment.capture_later:
        _reserve(payment)
        return
    wrong = payment.scenario == "short" or _happens("wrong_amount")
    payment.taken = max(payment.amount - 1, 0) if wrong else payment.amount
    payment.state = State.PAID
    payment.save()
    noisy = payment.scenario == "noisy"
    if noisy:
        _tell(payment, "payment.captured", f"captured-{payment.ref}", trick="forged")
    _tell(payment, "payment.captured", f"captured-{payment.ref}")
    if noisy:
        _tell(payment, "payment.captured", f"captured-{payment.ref}", after=timedelta(seconds=2))
        _tell(payment, "payment.pending", f"pending-{payment.ref}", after=timedelta(seconds=3))
        _tell(payment, "payment.captured", f"captured-{payment.ref}", after=timedelta(seconds=4), trick="stale")
    if payment.scenario == "chargeback":
        charge_back(payment, SLOW)
    if payment.scenario == "revoked" and payment.keep and payment.token:
        _tell(payment, "token.gone", f"gone-{payment.token.ref}", {"token": payment.token.ref}, after=SLOW)


def _decline(payment: DemoPayment, code: str) -> None:
    payment.state, payment.failure = State.DECLINED, code
    payment.save()
    _tell(payment, "payment.failed", f"failed-{payment.ref}")


# -- telling the shop -----------------------------------------------------------------------------------------------


def _tell(
    payment: DemoPayment,
    kind: str,
    event_id: str,
    data: dict[str, Any] | None = None,
    *,
    after: timedelta = timedelta(0),
    becomes: str = "",
    trick: str = "",
) -> None:
    copies = _chance.randint(1, max(1, int(faults().get("copies", 1))))
    rows = [trick] * copies + [each for each in ("forged", "stale") if _happens(each)]
    now = timezone.now()
    DemoEvent.objects.bulk_create(
        DemoEvent(
            payment=payment,
            event_id=event_id,
            kind=kind,
            data=data or {},
            becomes=becomes,
            trick=each or ("unheard" if _happens("unheard") else ""),
            due_at=None if not becomes and _happens("lost") else now + after + _delay(),
        )
        for each in rows
    )


def _delay() -> timedelta:
    return timedelta(seconds=_chance.uniform(0, faults().get("delay", 0)))


def deliver_due(now: datetime | None = None, limit: int = 20) -> int:
    """Send the webhooks that are due, each by real HTTP with a signature made now. Returns how many were tried."""
    now = now or timezone.now()
    waiting = DemoEvent.objects.filter(due_at__lte=now)
    if not waiting.exists():
        return 0
    with transaction.atomic():  # for this worker alone, until the lease is over
        rows = waiting.select_for_update(skip_locked=True, of=("self",)).select_related("payment")
        events = list(rows.order_by("due_at")[:limit])
        mine = DemoEvent.objects.filter(pk__in=[event.pk for event in events])
        mine.update(due_at=now + LEASE, tries=F("tries") + 1)
    for event in events:
        event.tries += 1
        _deliver(event, now)
    return len(events)


def _deliver(event: DemoEvent, now: datetime) -> None:
    _become(event)
    if _overtaken(event):
        DemoEvent.objects.filter(pk=event.pk).update(due_at=None, answer="overtaken")
        return
    body = json.dumps(_payload(event)).encode()
    stamp = int(time.time()) - (3600 if event.trick == "stale" else 0)
    key = b"not the secret" if event.trick == "forged" else secret()
    headers = {"Content-Type": "application/json", "Demo-Signature": f"t={stamp},v1={sign(key, stamp, body)}"}
    heard, answer = _post(event.payment.webhook_url, body, headers)
    if event.trick == "unheard":  # the shop's answer is lost on the way: the same webhook comes again
        heard, event.trick = False, ""
    again = (
        None if heard or event.trick or event.tries >= MAX_TRIES else now + timedelta(seconds=2 ** min(event.tries, 10))
    )
    DemoEvent.objects.filter(pk=event.pk).update(
        due_at=again, trick=event.trick, answer=answer[:200], sent_at=timezone.now() if heard else None
    )


def _become(event: DemoEvent) -> None:
    if not event.becomes:
        return
    with transaction.atomic():
        payment = DemoPayment.objects.select_for_update().get(pk=event.payment_id)
        if payment.state == _BEFORE[event.becomes]:
            payment.state = event.becomes
            payment.taken = payment.amount if event.becomes == State.PAID else payment.taken
            payment.save()
        event.payment = payment


_BEFORE = {State.PAID: State.PROCESSING, State.REVERSED: State.PAID, State.EXPIRED: State.AUTHORIZED}


def _overtaken(event: DemoEvent) -> bool:
    """A reservation that was collected or let go in time does not expire."""
    return event.becomes == State.EXPIRED and event.payment.state != State.EXPIRED


def _payload(event: DemoEvent) -> dict[str, Any]:
    payment = event.payment
    data = {"ref": payment.ref, "key": payment.key, "amount": payment.taken, "currency": payment.currency}
    return {"id": event.event_id, "type": event.kind, "data": data | {"failure": payment.failure} | event.data}


def _post(url: str, body: bytes, headers: dict[str, str]) -> tuple[bool, str]:
    if not url.startswith(("http://", "https://")):
        return False, "not an address"
    request = urllib.request.Request(url, body, headers, method="POST")  # noqa: S310  scheme checked above
    try:
        with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310
            return True, f"{response.status} {response.read(150).decode(errors='replace').strip()}"
    except urllib.error.HTTPError as refused:
        return False, str(refused)
    except OSError as failed:
        return False, type(failed).__name__


def sign(key: bytes, stamp: int, body: bytes) -> str:
    return hmac.new(key, f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()


def deliver_soon() -> None:
    """In development webhooks also come without a worker, a moment after the page was answered."""
    if settings.DEBUG:
        threading.Timer(1.0, _deliver_in_thread).start()


def _deliver_in_thread() -> None:
    try:
        deliver_due()
    finally:
        close_old_connections()
