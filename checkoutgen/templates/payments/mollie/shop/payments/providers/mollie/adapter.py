"""Mollie Payments: the buyer pays on Mollie's page (https://docs.mollie.com/reference/create-payment)."""

import json
import logging
import os
import re
from collections.abc import Callable
from decimal import Decimal
from ipaddress import ip_address
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx
import mollie
from django.conf import settings
from django.http import HttpRequest
from mollie.utils.webhooks import InvalidSignatureException, SignatureValidator

from config.shop import SHOP
from payments.credentials import secret
from payments.facts import BadWebhook, Created, Declined, Fact, ProviderDown, RefundAnswer
from payments.methods import method
from payments.models import PaymentAttempt, Refund
from payments.units import decimal_text, from_text

logger = logging.getLogger(__name__)
logging.getLogger("httpx").setLevel(logging.WARNING)  # a line for every request
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
# The codes of mollie.models.StatusReason; all others are a plain no.
FAILURES = {
    "insufficient_funds": "insufficient_funds",
    "card_expired": "expired_card",
    "expired_card": "expired_card",
    "authentication_abandoned": "authentication_failed",
    "authentication_failed": "authentication_failed",
    "authentication_required": "authentication_failed",
    "authentication_unavailable_acs": "authentication_failed",
    "card_authentication_failed": "authentication_failed",
}
PAYMENT = re.compile(r"tr_[A-Za-z0-9]{1,60}")


def _client() -> mollie.ClientSDK:
    """MOLLIE_API_BASE leads to a pretended Mollie, in development only."""
    base = os.environ.get("MOLLIE_API_BASE") if settings.DEVELOPMENT else None
    security = mollie.Security(api_key=secret("mollie", "api_key"))
    return mollie.ClientSDK(security=security, server_url=base, timeout_ms=TIMEOUT)


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
    charged_back = payment.amount_charged_back  # back to nothing when the chargeback is lifted; the status stays "paid"
    reversed_ = bool(charged_back and Decimal(charged_back.value) > 0)
    status = _word(payment.status)
    kind = "reversed" if reversed_ else KINDS.get(status, "unknown")
    reason = _word(payment.status_reason.code) if payment.status_reason else ""
    return Fact(
        provider="mollie",
        # The number tells a payment that was reversed and came back from the first time it came.
        event_id=f"{payment.id}:{kind}:{attempt.events.count()}",
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
    if same := next((each for each in _refunds(attempt) if _refund_key(each) == refund.key), None):
        return RefundAnswer(same.id, REFUNDS.get(_word(same.status), "pending"))
    request: Any = {
        "amount": _amount(refund.amount, attempt.currency),
        "description": attempt.order.number,
        "metadata": {"refund": refund.key},
    }
    made = _call(
        lambda client: client.refunds.create(
            payment_id=attempt.provider_ref, refund_request=request, idempotency_key=refund.key, retries=None
        )
    )
    return RefundAnswer(made.id, REFUNDS.get(_word(made.status), "pending"))


def _refunds(attempt: PaymentAttempt) -> list[Any]:
    found = _call(lambda client: client.refunds.list(payment_id=attempt.provider_ref, limit=250, retries=None))
    return list(found.result.embedded.refunds) if found else []


def _refund_key(made: Any) -> str:
    return str(made.metadata.get("refund", "")) if isinstance(made.metadata, dict) else ""


def parse_webhook(request: HttpRequest) -> list[Fact]:
    """Classic webhooks (https://docs.mollie.com/reference/webhooks) and next-generation ones
    (https://docs.mollie.com/reference/webhooks-new) only name a payment here: what it is worth is asked from Mollie.

    One that is none of ours is not even asked for, so that nobody can make the shop ask about anything they like.
    """
    signature = request.headers.get(SignatureValidator.SIGNATURE_HEADER)
    ref = request.POST.get("id", "") if signature is None else _named_by_event(request.body, signature)
    if not PAYMENT.fullmatch(ref):
        raise BadWebhook("names no payment")
    attempt = PaymentAttempt.objects.filter(provider="mollie", provider_ref=ref).first()
    if attempt is None:
        return []
    facts = [fetch(attempt)]
    if attempt.state in ("captured", "reversed"):  # refunds that are over, those made in Mollie's dashboard too
        facts += [_of_refund(attempt, each) for each in _refunds(attempt) if _word(each.status) in REFUNDS]
    return facts


def _named_by_event(body: bytes, signature: str) -> str:
    """The payment that a signed event is about, itself or by its refund or chargeback."""
    signing_secret = secret("mollie", "webhook_secret")
    if not signing_secret:  # anybody can sign with an empty secret
        raise BadWebhook("the shop has no webhook_secret")
    try:
        if not SignatureValidator.validate(body.decode(), signing_secret, signature):  # False when it is empty
            raise BadWebhook("no signature")
        event = json.loads(body)
        entity = (event.get("_embedded") or {}).get("entity") or {}
        return str(entity.get("paymentId") or event["entityId"])
    except InvalidSignatureException:
        raise BadWebhook("wrong signature") from None
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as broken:
        raise BadWebhook(f"unreadable: {type(broken).__name__}") from None


def _of_refund(attempt: PaymentAttempt, made: Any) -> Fact:
    kind = "refunded" if REFUNDS[_word(made.status)] == "done" else "refund_failed"
    return Fact(
        provider="mollie",
        event_id=f"{made.id}:{kind}",
        kind=kind,
        attempt_key=attempt.key,
        provider_ref=attempt.provider_ref,
        amount=from_text(made.amount.value, made.amount.currency),
        currency=made.amount.currency,
        refund_key=_refund_key(made),
        refund_ref=made.id,
        payload={"id": made.id, "status": _word(made.status)},
    )
