"""Mollie Payments: the buyer pays on Mollie's page (https://docs.mollie.com/reference/create-payment)."""

import logging
import re
from collections.abc import Callable
from ipaddress import ip_address
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx
import mollie
from django.http import HttpRequest

from config.shop import SHOP
from payments.credentials import secret
from payments.facts import BadWebhook, Created, Declined, Fact, ProviderDown, RefundAnswer
from payments.methods import method
from payments.models import PaymentAttempt, Refund
from payments.units import decimal_text, from_text

logger = logging.getLogger(__name__)
T = TypeVar("T")
TIMEOUT = 20_000  # milliseconds
METHODS = {
    "card": "creditcard",
    "wallet": "applepay",
    "paypal": "paypal",
    "ideal": "ideal",
    "bancontact": "bancontact",
    "swish": "swish",
    "twint": "twint",
}
LOCALES = {
    **{
        code: f"{code}_{code.upper()}"
        for code in ("de", "es", "fi", "fr", "hu", "is", "it", "lt", "lv", "nl", "pl", "pt")
    },
    **{"ca": "ca_ES", "da": "da_DK", "en": "en_GB", "nb": "nb_NO", "sv": "sv_SE"},
}
KINDS = {
    "open": "action_required",
    "pending": "pending",
    "authorized": "authorized",
    "paid": "captured",
    "canceled": "cancelled",
    "expired": "expired",
    "failed": "failed",
}
REFUNDS = {"refunded": "done", "failed": "failed", "canceled": "failed"}
FAILURES = {"insufficient_funds": "insufficient_funds", "card_expired": "expired_card"}


def _client() -> mollie.ClientSDK:
    return mollie.ClientSDK(security=mollie.Security(api_key=secret("mollie", "api_key")), timeout_ms=TIMEOUT)


def _call(work: Callable[[mollie.ClientSDK], T]) -> T:
    """Mollie's errors in the engine's words: nobody knows, or a definite no."""
    try:
        with _client() as client:
            return work(client)
    except mollie.ClientError as refused:
        if not 400 <= refused.status_code < 500 or refused.status_code in (408, 409, 429):
            raise ProviderDown(str(refused.status_code)) from None  # 2xx: an answer that the SDK cannot read
        logger.error("mollie refused a request: %s", refused.status_code)
        raise Declined("method_unavailable") from None
    except (httpx.HTTPError, mollie.NoResponseError) as failed:
        raise ProviderDown(type(failed).__name__) from None


def _amount(amount: int, currency: str) -> dict[str, str]:
    return {"currency": currency, "value": decimal_text(amount, currency)}


def create(attempt: PaymentAttempt, return_url: str, webhook_url: str) -> Created:
    order = attempt.order
    kind = (method(attempt.method) or {}).get("kind", "card")
    if kind not in METHODS:
        raise Declined("method_unavailable")
    request: Any = {
        "amount": _amount(attempt.amount, attempt.currency),
        "description": f"{SHOP['shop']['name']} {order.number}",
        "redirect_url": return_url,
        "method": METHODS[kind],
        "metadata": {"attempt": attempt.key, "order": order.number},
    }
    if locale := LOCALES.get(order.language.split("-")[0]):
        request["locale"] = locale
    if not _is_local(webhook_url):  # Mollie refuses addresses that it cannot reach
        request["webhook_url"] = webhook_url
    made = _call(
        lambda client: client.payments.create(payment_request=request, idempotency_key=attempt.key, retries=None)
    )
    return Created(made.id, made.links.checkout.href if made.links.checkout else "")


def _is_local(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return not ip_address(host).is_global
    except ValueError:
        return host == "localhost" or host.endswith((".localhost", ".test", ".example"))


def fetch(attempt: PaymentAttempt) -> Fact:
    if not attempt.provider_ref:  # the answer to `create` was lost, so no buyer has seen the page
        return Fact("mollie", f"fetch:{attempt.key}:unknown", "unknown", attempt.key)
    payment = _call(lambda client: client.payments.get(payment_id=attempt.provider_ref, retries=None))
    charged_back = payment.amount_charged_back
    reversed_ = bool(charged_back and float(charged_back.value) > 0)
    status = _word(payment.status)
    kind = "reversed" if reversed_ else KINDS.get(status, "unknown")
    reason = _word(payment.status_reason.code) if payment.status_reason else ""
    return Fact(
        provider="mollie",
        event_id=f"{payment.id}:{kind}",
        kind=kind,
        attempt_key=attempt.key,
        provider_ref=payment.id,
        amount=from_text(payment.amount.value, payment.amount.currency),
        currency=payment.amount.currency,
        failure="chargeback" if reversed_ else FAILURES.get(reason, "declined") if kind == "failed" else "",
        payload={"id": payment.id, "status": status},
    )


def _word(value: Any) -> str:
    """The SDK gives enums for the words that it knows, and texts for newer ones."""
    return str(getattr(value, "value", value))


def void(attempt: PaymentAttempt) -> None:
    if attempt.provider_ref:
        _call(lambda client: client.payments.cancel(payment_id=attempt.provider_ref, retries=None))


def refund(refund: Refund) -> RefundAnswer:
    attempt = refund.attempt
    # Mollie forgets idempotency keys after an hour; a refund may be asked for again much later.
    known = _call(lambda client: client.refunds.list(payment_id=attempt.provider_ref, retries=None))
    for each in known.result.embedded.refunds if known else ():
        if isinstance(each.metadata, dict) and each.metadata.get("refund") == refund.key:
            return _answer(each)
    request: Any = {
        "amount": _amount(refund.amount, attempt.currency),
        "description": attempt.order.number,
        "metadata": {"refund": refund.key},
    }
    return _answer(
        _call(
            lambda client: client.refunds.create(
                payment_id=attempt.provider_ref, refund_request=request, idempotency_key=refund.key, retries=None
            )
        )
    )


def _answer(made: Any) -> RefundAnswer:
    return RefundAnswer(made.id, REFUNDS.get(_word(made.status), "pending"))


def parse_webhook(request: HttpRequest) -> list[Fact]:
    """A classic webhook only names a payment: what it is worth is asked from Mollie. One that is none of ours is not
    even asked for (https://docs.mollie.com/reference/webhooks)."""
    ref = request.POST.get("id", "")
    if not re.fullmatch(r"tr_[A-Za-z0-9]{1,60}", ref):
        raise BadWebhook("names no payment")
    attempt = PaymentAttempt.objects.filter(provider="mollie", provider_ref=ref).first()
    if attempt is None:
        return []
    facts = [fetch(attempt)]
    for row in attempt.refunds.filter(state="pending"):
        answer = refund(row)
        if answer.state != "pending":
            kind = "refunded" if answer.state == "done" else "refund_failed"
            facts.append(
                Fact(
                    "mollie",
                    f"{answer.provider_ref}:{kind}",
                    kind,
                    attempt.key,
                    amount=row.amount,
                    currency=attempt.currency,
                    refund_key=row.key,
                    refund_ref=answer.provider_ref,
                )
            )
    return facts
