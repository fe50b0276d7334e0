"""The demo provider as the engine sees it: the same functions as of any other provider."""

import hmac
import json
import re
import time
from datetime import datetime
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from payments import saved
from payments.facts import BadWebhook, CaptureAnswer, Created, Declined, Fact, RefundAnswer
from payments.methods import captured_at_shipping, method
from payments.models import Capture, PaymentAttempt, Refund

from . import bank
from .models import DemoPayment

REPLAY_WINDOW = 300  # seconds
_SIGNATURE = re.compile(r"t=([0-9]{1,12}),v1=([0-9a-f]{64})\Z")
_KINDS = {
    "open": "action_required",
    "challenge": "action_required",
    "processing": "pending",
    "authorized": "authorized",
    "paid": "captured",
    "declined": "failed",
    "cancelled": "cancelled",
    "reversed": "reversed",
    "expired": "expired",
}
CAPTURES_IN_PARTS = ("card", "wallet", "paypal", "pay-later")


def create(attempt: PaymentAttempt, return_url: str, webhook_url: str) -> Created:
    if not bank.allowed():
        raise Declined("method_unavailable")
    payment = bank.call(
        lambda: bank.open_payment(
            attempt.key, **terms(attempt, return_url, webhook_url), keep=saved.asked(attempt) is not None
        )
    )
    return Created(payment.ref, page(payment, "page"))


def terms(attempt: PaymentAttempt, return_url: str, webhook_url: str) -> dict[str, Any]:
    return {
        "reference": attempt.order.number,
        "kind": (method(attempt.method) or {}).get("kind", "card"),
        "language": attempt.order.language,
        "amount": attempt.amount,
        "currency": attempt.currency,
        "capture_later": captured_at_shipping(attempt.method),
        "return_url": return_url,
        "webhook_url": webhook_url,
    }


def page(payment: DemoPayment, name: str) -> str:
    """A page of the provider, where it reached the shop."""
    base = payment.webhook_url.removesuffix(reverse("payments:webhook", args=["demo"]))
    return (base or settings.PUBLIC_URL) + reverse(f"demo:{name}", args=[payment.ref])


def fetch(attempt: PaymentAttempt) -> Fact:
    return fact(attempt, bank.call(lambda: DemoPayment.objects.filter(key=attempt.key).first()))


def fact(attempt: PaymentAttempt, payment: DemoPayment | None) -> Fact:
    kind = _KINDS[payment.state] if payment else "unknown"
    return Fact(
        provider="demo",
        event_id=f"fetch:{attempt.key}:{kind}",
        kind=kind,
        attempt_key=attempt.key,
        provider_ref=payment.ref if payment else "",
        amount=_amount(payment, kind) if payment else None,
        currency=payment.currency if payment else "",
        failure=payment.failure if payment else "",
        until=payment.authorized_until if payment else None,
    )


def _amount(payment: DemoPayment, kind: str) -> int | None:
    return {"captured": payment.taken, "authorized": payment.amount}.get(kind)


def capture(capture: Capture) -> CaptureAnswer:
    made = bank.call(lambda: bank.capture(capture.key, capture.attempt.key, capture.amount))
    return CaptureAnswer(made.ref, "done")


def void(attempt: PaymentAttempt) -> None:
    bank.call(lambda: bank.void(attempt.key))


def refund(refund: Refund) -> RefundAnswer:
    made = bank.call(lambda: bank.refund(refund.key, refund.attempt.key, refund.amount))
    return RefundAnswer(made.ref, "done")


def parse_webhook(request: HttpRequest) -> list[Fact]:
    match = _SIGNATURE.match(request.headers.get("Demo-Signature", ""))
    if match is None:
        raise BadWebhook("no signature")
    stamp, signature = int(match[1]), match[2]
    if not hmac.compare_digest(bank.sign(bank.secret(), stamp, request.body), signature):
        raise BadWebhook("wrong signature")
    if abs(time.time() - stamp) > REPLAY_WINDOW:
        raise BadWebhook("outside the replay window")
    try:
        event = json.loads(request.body)
        data = event["data"]
        return [
            Fact(
                provider="demo",
                event_id=str(event["id"])[:200],
                kind=_kind(str(event["type"])),
                attempt_key=str(data.get("key", ""))[:64],
                provider_ref=str(data.get("ref", ""))[:200],
                amount=data.get("amount"),
                currency=str(data.get("currency", ""))[:3],
                failure=str(data.get("failure", ""))[:60],
                refund_key=str(data.get("refund_key", ""))[:32],
                refund_ref=str(data.get("refund_ref", ""))[:200],
                capture_key=str(data.get("capture_key", ""))[:32],
                capture_ref=str(data.get("capture_ref", ""))[:200],
                until=datetime.fromisoformat(data["until"]) if data.get("until") else None,
                token=str(data.get("token", ""))[:200],
                payload=event,
            )
        ]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as broken:
        raise BadWebhook(f"unreadable: {type(broken).__name__}") from None


_OTHERS = {
    "refund.done": "refunded",
    "refund.failed": "refund_failed",
    "capture.done": "capture_done",
    "token.gone": "token_gone",
}


def _kind(type_: str) -> str:
    prefix, _, kind = type_.partition(".")
    return _OTHERS.get(type_) or (kind if prefix == "payment" and kind in _KINDS.values() else "unknown")


work = bank.deliver_due  # the worker does this every round
