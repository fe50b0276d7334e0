"""Adyen Pay by Link: the buyer pays on Adyen's page (https://docs.adyen.com/unified-commerce/pay-by-link/)."""

import json
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import Adyen
import requests
from Adyen import exceptions
from Adyen.util import is_valid_hmac_notification, is_valid_hmac_payload
from django.http import HttpRequest
from django.utils import timezone

from payments import saved
from payments.credentials import secret
from payments.facts import BadWebhook, CaptureAnswer, Created, Declined, Fact, ProviderDown, RefundAnswer
from payments.methods import captured_at_shipping, method
from payments.models import Capture, PaymentAttempt, PaymentEvent, Refund
from payments.units import iso_digits, rescale, unscale

logger = logging.getLogger(__name__)
TIMEOUT = 20  # seconds
TYPES = {
    "card": ["scheme"],
    "wallet": ["applepay", "googlepay"],
    "paypal": ["paypal"],
    "ideal": ["ideal"],
    "bancontact": ["bcmc"],
    "swish": ["swish"],
    "twint": ["twint"],
    "pay-later": ["klarna"],
    "sepa-debit": ["sepadirectdebit"],
}
RESERVED_DAYS = 7  # the shortest of the card schemes: https://docs.adyen.com/online-payments/capture
# https://docs.adyen.com/development-resources/currency-codes: where Adyen leaves ISO 4217.
DIGITS = {"CLP": 2, "CVE": 0, "IDR": 0, "ISK": 2}
LINKS = {"active": "action_required", "paymentPending": "pending", "completed": "captured", "expired": "expired"}


def _client() -> Adyen.Adyen:
    prefix = secret("adyen", "live_prefix")
    client = Adyen.Adyen()
    client.client.xapikey = secret("adyen", "api_key")
    client.client.platform = "live" if prefix else "test"
    client.client.live_endpoint_prefix = prefix or None
    client.client.http_timeout = TIMEOUT
    return client


def call(work: Callable[[Adyen.Adyen], Any]) -> dict[str, Any]:
    """Adyen's errors in the engine's words: nobody knows, or a definite no."""
    try:
        message: dict[str, Any] = work(_client()).message
        return message
    except exceptions.AdyenAPIResponseError as refused:
        status = int(refused.status_code or 0)
        if not 400 <= status < 500 or status in (408, 409, 429):
            raise ProviderDown(str(status)) from None
        logger.error("adyen refused a request: %s %s", status, refused.error_code)
        raise Declined("method_unavailable") from None
    except (exceptions.AdyenError, requests.RequestException, ValueError) as failed:
        raise ProviderDown(type(failed).__name__) from None


def _digits(currency: str) -> int:
    return DIGITS.get(currency, iso_digits(currency))


def amount_of(amount: int, currency: str) -> dict[str, Any]:
    return {"currency": currency, "value": rescale(amount, currency, _digits(currency))}


def read(amount: dict[str, Any]) -> tuple[int | None, str]:
    currency, value = amount.get("currency") or "", amount.get("value")
    return (unscale(value, currency, _digits(currency)) if currency and isinstance(value, int) else None), currency


def about(attempt: PaymentAttempt, return_url: str) -> dict[str, Any]:
    """What Adyen is told of a payment, by link or in the page."""
    order = attempt.order
    return {
        "merchantAccount": secret("adyen", "merchant_account"),
        "reference": attempt.key,
        "merchantOrderReference": order.number,
        "amount": amount_of(attempt.amount, attempt.currency),
        "countryCode": order.market,
        "shopperLocale": order.language,
        "shopperEmail": order.email,
        "returnUrl": return_url,
    }


def create(attempt: PaymentAttempt, return_url: str, webhook_url: str) -> Created:
    request: dict[str, Any] = {
        **about(attempt, return_url),
        # Of the attempt's age, not of now: the same key must come with the same request.
        "expiresAt": (attempt.created_at + timedelta(hours=24)).isoformat(timespec="seconds"),
    }
    kind = (method(attempt.method) or {}).get("kind", "")
    if kind in TYPES:
        request["allowedPaymentMethods"] = TYPES[kind]
    if captured_at_shipping(attempt.method):
        request["manualCapture"] = True
    if kept := saved.asked(attempt):  # a shopper for each card; the shop has asked for consent already
        request |= {
            "shopperReference": kept.key,
            "recurringProcessingModel": "CardOnFile",
            "storePaymentMethodMode": "enabled",
        }
    made = call(lambda client: client.checkout.payment_links_api.payment_links(request, idempotency_key=attempt.key))
    return Created(made["id"], made["url"])


def fetch(attempt: PaymentAttempt) -> Fact:
    if not attempt.provider_ref:  # the answer to `create` was lost, so no buyer has seen the page
        return Fact("adyen", f"fetch:{attempt.key}:unknown", "unknown", attempt.key)
    if not _is_link(attempt):  # Adyen cannot be asked about a payment: its answer, the way back and webhooks tell
        return Fact("adyen", f"fetch:{attempt.key}:unknown", "unknown", attempt.key)
    link = call(lambda client: client.checkout.payment_links_api.get_payment_link(attempt.provider_ref))
    kind = LINKS.get(link.get("status") or "", "unknown")
    amount, currency = read(link.get("amount") or {})
    if kind == "captured" and captured_at_shipping(attempt.method):
        # The link knows nothing of what comes after: webhooks tell whether it was collected or let go.
        told = attempt.events.filter(kind__in=("cancelled", "expired", "capture_done"), source="webhook")
        kind = "unknown" if told.exists() else "authorized"
    fact = Fact("adyen", f"{link['id']}:{kind}", kind, attempt.key, link["id"], amount, currency)
    return replace(fact, until=until()) if kind == "authorized" else fact


def _is_link(attempt: PaymentAttempt) -> bool:
    return attempt.provider_ref.startswith("PL")


def until() -> datetime:
    return timezone.now() + timedelta(days=RESERVED_DAYS)


def returned(attempt: PaymentAttempt, answer: dict[str, str]) -> Fact | None:
    """What the bank's page brought back, for payments of the fields in the page."""
    from . import fields  # which needs this module

    return fields.returned(attempt, answer)


def capture(capture: Capture) -> CaptureAnswer:
    """Adyen takes the order to collect, and tells by webhook how it went."""
    if capture.provider_ref:
        return CaptureAnswer(capture.provider_ref, "pending")
    return CaptureAnswer(_modified(capture, "capture_authorised_payment"), "pending")


def void(attempt: PaymentAttempt) -> None:
    psp = _payment_of(attempt)
    if psp and captured_at_shipping(attempt.method):
        account = {"merchantAccount": secret("adyen", "merchant_account"), "reference": attempt.key}
        call(
            lambda client: client.checkout.modifications_api.cancel_authorised_payment_by_psp_reference(
                account, psp, idempotency_key=f"{attempt.key}-cancel"
            )
        )
    elif _is_link(attempt):
        request = {"status": "expired"}
        call(lambda client: client.checkout.payment_links_api.update_payment_link(request, attempt.provider_ref))


def refund(refund: Refund) -> RefundAnswer:
    """Adyen takes a refund and tells by webhook how it went."""
    if refund.provider_ref:
        return RefundAnswer(refund.provider_ref, "pending")
    return RefundAnswer(_modified(refund, "refund_captured_payment"), "pending")


def _modified(row: Capture | Refund, name: str) -> str:
    """Ask Adyen to change a payment that it has, by the call of that name. Adyen's reference of the change."""
    psp = _payment_of(row.attempt)
    if not psp:  # only the webhook names the payment, and it has not come yet
        raise ProviderDown("no reference of the payment yet")
    request = {
        "merchantAccount": secret("adyen", "merchant_account"),
        "reference": row.key,
        "amount": amount_of(row.amount, row.attempt.currency),
    }
    made = call(lambda client: getattr(client.checkout.modifications_api, name)(request, psp, idempotency_key=row.key))
    return str(made["pspReference"])


def _payment_of(attempt: PaymentAttempt) -> str:
    for payload in attempt.events.order_by("pk").values_list("payload", flat=True):
        if payload.get("eventCode") == "AUTHORISATION" and payload.get("success") == "true":
            return str(payload["pspReference"])
    return ""


def parse_webhook(request: HttpRequest) -> list[Fact]:
    """Standard webhooks are signed item by item, those about tokens as a whole, in a header
    (https://docs.adyen.com/development-resources/webhooks/secure-webhooks/verify-hmac-signatures)."""
    key = secret("adyen", "hmac_key")
    if not key:  # anybody can sign with an empty key
        raise BadWebhook("the shop has no hmac_key")
    try:
        told = json.loads(request.body)
        if "notificationItems" not in told:
            if not is_valid_hmac_payload(request.headers.get("HmacSignature", ""), key, request.body):
                raise BadWebhook("wrong signature")
            return [_of_token(told)]
        items = [each["NotificationRequestItem"] for each in told["notificationItems"]]
        if not items or not all(is_valid_hmac_notification(item, key) for item in items):
            raise BadWebhook("wrong signature")
        return [_fact(item) for item in items]
    except (ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError) as broken:
        raise BadWebhook(f"unreadable: {type(broken).__name__}") from None


def _of_token(told: dict[str, Any]) -> Fact:
    """https://docs.adyen.com/api-explorer/Tokenization-webhooks/1/overview"""
    from . import saving  # which needs this module

    type_, token = str(told["type"]), str(told["data"]["storedPaymentMethodId"])
    event_id = f"{type_}:{told['eventId']}"[:200]
    if type_ == "recurring.token.updated":
        fact = saving.updated(token, event_id)
    else:
        fact = Fact("adyen", event_id, "token_gone" if type_ == "recurring.token.disabled" else "unknown", token=token)
    return replace(fact, payload={"type": type_, "eventId": told["eventId"]})


def _fact(item: dict[str, Any]) -> Fact:
    code, success, psp = item["eventCode"], item["success"], item["pspReference"]
    kept = {key: item.get(key) for key in ("eventCode", "success", "pspReference", "originalReference")}
    amount, currency = read(item.get("amount") or {})
    about = {"amount": amount, "currency": currency, "payload": kept}
    event_id = f"{code}:{psp}:{success}"
    key = item.get("merchantReference") or ""
    if code == "AUTHORISATION":
        # A refused try leaves the link open for another one: only money is news.
        attempt = PaymentAttempt.objects.filter(provider="adyen", key=key).first()
        later = attempt is not None and captured_at_shipping(attempt.method)
        kind = ("authorized" if later else "captured") if success == "true" else "unknown"
        return Fact("adyen", event_id, kind, key, until=until() if kind == "authorized" else None, **about)
    if code in ("CAPTURE", "CAPTURE_FAILED"):
        done = code == "CAPTURE" and success == "true"
        kind = "capture_done" if done else "capture_failed"
        row = Capture.objects.filter(attempt__provider="adyen", key=key).select_related("attempt").first()
        owner = row.attempt.key if row else _attempt_of(item)
        return Fact("adyen", event_id, kind, owner, capture_key=key, failure="" if done else "declined", **about)
    if code in ("CANCELLATION", "EXPIRE") and success == "true":
        kind = "cancelled" if code == "CANCELLATION" else "expired"
        return Fact("adyen", event_id, kind, _attempt_of(item), **about)
    if code in ("REFUND", "REFUND_FAILED", "REFUNDED_REVERSED"):
        kind = "refunded" if code == "REFUND" and success == "true" else "refund_failed"
        return Fact("adyen", event_id, kind, _attempt_of(item), refund_ref=psp, **about)
    if code == "CHARGEBACK":
        return Fact("adyen", event_id, "reversed", _attempt_of(item), failure="chargeback", **about)
    return Fact("adyen", event_id, "unknown", payload=kept)


def _attempt_of(item: dict[str, Any]) -> str:
    """The attempt behind a modification: it names the payment, which the event of the money named as well."""
    refunds = Refund.objects.filter(attempt__provider="adyen", provider_ref=item["pspReference"])
    if found := refunds.select_related("attempt").first():
        return found.attempt.key
    event_id = f"AUTHORISATION:{item.get('originalReference')}:true"
    events = PaymentEvent.objects.filter(provider="adyen", event_id=event_id)
    paid = events.select_related("attempt").first()
    return paid.attempt.key if paid and paid.attempt else ""
