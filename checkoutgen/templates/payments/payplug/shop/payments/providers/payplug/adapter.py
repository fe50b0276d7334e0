"""Payplug hosted payments (https://docs.payplug.com/api/apiref.html)."""

import json
import logging
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import requests
from django.http import HttpRequest
from payplug import exceptions, routes
from payplug.network import HttpClient, RequestsRequest

from payments import saved
from payments.credentials import secret
from payments.facts import BadWebhook, CaptureAnswer, Created, Declined, Fact, ProviderDown, RefundAnswer
from payments.methods import captured_at_shipping, method
from payments.models import Capture, PaymentAttempt, Refund
from payments.units import rescale, unscale

logger = logging.getLogger(__name__)
T = TypeVar("T")
TIMEOUT = 20  # seconds
RESERVED_DAYS = 7
BASE_URL = routes.API_BASE_URL
FAILURES = {
    "insufficient_funds": "insufficient_funds",
    "card_expired": "expired_card",
    "3ds_declined": "authentication_failed",
    "aborted": "cancelled",
    "timeout": "expired",
}


class _Patience(RequestsRequest):
    """The SDK's own client waits for ever."""

    def do_request(self, http_verb: str, url: str, headers: dict, data: Any = None) -> tuple[bytes, int, Any]:
        body = json.dumps(data) if data else None
        answer = requests.request(http_verb, url, headers=headers, data=body, timeout=TIMEOUT)
        return answer.content, answer.status_code, answer.headers


def call(work: Callable[[HttpClient], tuple[T, int]]) -> T:
    """Payplug's errors in the engine's words: nobody knows, or a definite no."""
    key = secret("payplug", "secret_key")
    if not key:
        raise Declined("method_unavailable")
    try:
        return work(HttpClient(key, _Patience))[0]
    except (exceptions.BadRequest, exceptions.Forbidden, exceptions.NotFound, exceptions.NotAllowed) as refused:
        logger.error("payplug refused a request: %s", refused.http_response_code)
        raise Declined("method_unavailable") from None
    except exceptions.Unauthorized as refused:
        logger.error("payplug refused the key: %s", refused.http_response_code)
        raise Declined("method_unavailable") from None
    except (exceptions.PayplugError, requests.RequestException) as failed:
        raise ProviderDown(type(failed).__name__) from None


def _url(route: str, resource: str = "", **values: str) -> str:
    return BASE_URL + routes.url(route, resource_id=resource or None, **values).removeprefix(routes.API_BASE_URL)


def address(ref: str) -> str:
    return _url(routes.PAYMENT_RESOURCE, ref)


def create(attempt: PaymentAttempt, return_url: str, webhook_url: str, *, in_page: bool = False) -> Created:
    """With `in_page` the buyer pays by Payplug's fields in the page, and there is no page of Payplug."""
    more: dict[str, Any] = {"integration": "INTEGRATED_PAYMENT"} if in_page else {}
    if saved.asked(attempt):
        more["save_card"] = True
    made = open_payment(attempt, return_url, webhook_url, more)
    if in_page:
        return Created(made["id"], browser={"ref": made["id"]})
    return Created(made["id"], page(made))


def page(payment: dict[str, Any]) -> str:
    return str((payment.get("hosted_payment") or {}).get("payment_url") or "")


def open_payment(
    attempt: PaymentAttempt,
    return_url: str,
    webhook_url: str,
    more: dict[str, Any],
    call: Callable[[Callable[[HttpClient], Any]], Any] = call,
) -> dict[str, Any]:
    if attempt.currency != "EUR":
        raise Declined("method_unavailable")
    order = attempt.order
    shipping = order.shipping_address or order.billing_address
    request: dict[str, Any] = {
        "amount": rescale(attempt.amount, "EUR", 2),
        "currency": "EUR",
        "billing": _person(order.billing_address or shipping, attempt),
        "shipping": _person(shipping, attempt) | {"delivery_type": "BILLING"},
        "hosted_payment": {"return_url": return_url, "cancel_url": return_url},
        "notification_url": webhook_url,
        "metadata": {"attempt": attempt.key, "order": order.number},
    }
    if captured_at_shipping(attempt.method):
        request["authorized_amount"] = request.pop("amount")
    if (method(attempt.method) or {}).get("kind") == "instalments":
        request |= {"payment_method": "oney_x3_with_fees", "auto_capture": True}
    made: dict[str, Any] = call(lambda client: client.post(_url(routes.PAYMENT_RESOURCE), request | more))
    return made


def _person(address: dict[str, str], attempt: PaymentAttempt) -> dict[str, str]:
    """Payplug wants first and last name apart; we ask for one name, as most of the world writes it."""
    first, _, last = (address.get("name") or "").partition(" ")
    return {
        "first_name": first or "-",
        "last_name": last or first or "-",
        "email": attempt.order.email,
        "address1": address.get("street") or "-",
        "postcode": address.get("postcode") or "-",
        "city": address.get("city") or "-",
        "country": address.get("country") or attempt.order.market,
        "language": attempt.order.language.split("-")[0],
    }


def fetch(attempt: PaymentAttempt) -> Fact:
    if not attempt.provider_ref:  # the answer to `create` was lost, so no buyer has seen the page
        return Fact("payplug", f"fetch:{attempt.key}:unknown", "unknown", attempt.key)
    if attempt.provider_ref == ASKED:
        found = find(attempt)
        return fact(attempt, found) if found else Fact("payplug", f"fetch:{attempt.key}:asked", "unknown", attempt.key)
    url = _url(routes.PAYMENT_RESOURCE, attempt.provider_ref)
    payment: dict[str, Any] = call(lambda client: client.get(url))
    return fact(attempt, payment)


# Payplug has no idempotency keys: what takes money at once is asked for once only, and then searched for.
ASKED = "asked"
PAGES = 5


def find(attempt: PaymentAttempt) -> dict[str, Any] | None:
    """The payment of an attempt whose answer was lost, among the newest hundred."""
    for number in range(PAGES):
        url = _url(routes.PAYMENT_RESOURCE) + f"?per_page=20&page={number}"
        listed: dict[str, Any] = call(lambda client, url=url: client.get(url))
        for payment in listed.get("data") or []:
            if (payment.get("metadata") or {}).get("attempt") == attempt.key:
                return dict(payment)
        if not listed.get("has_more"):
            break
    return None


def fact(attempt: PaymentAttempt, payment: dict[str, Any]) -> Fact:
    kind, failure = _state(payment)
    currency = payment.get("currency") or ""
    return Fact(
        provider="payplug",
        event_id=f"{payment['id']}:{kind}",
        kind=kind,
        attempt_key=attempt.key,
        provider_ref=payment["id"],
        amount=unscale(_cents(payment, kind), currency, 2) if currency else None,
        currency=currency,
        failure=failure,
        until=_until(payment, attempt) if kind == "authorized" else None,
        payload={"id": payment["id"]},
    )


def _cents(payment: dict[str, Any], kind: str) -> int:
    reserved = (payment.get("authorization") or {}).get("authorized_amount")
    return int(reserved if kind == "authorized" and reserved else payment["amount"])


def _until(payment: dict[str, Any], attempt: PaymentAttempt) -> datetime:
    ends = (payment.get("authorization") or {}).get("expires_at")
    return datetime.fromtimestamp(ends, UTC) if ends else attempt.created_at + timedelta(days=RESERVED_DAYS)


def _state(payment: dict[str, Any]) -> tuple[str, str]:
    if payment.get("is_paid"):
        return "captured", ""
    code = (payment.get("failure") or {}).get("code") or ""
    if not code and (payment.get("authorization") or {}).get("authorized_at"):
        return "authorized", ""
    if not code:
        pending = (payment.get("payment_method") or {}).get("is_pending")
        return ("pending", "") if pending else ("action_required", "")
    failure = FAILURES.get(code, "declined")
    return {"aborted": "cancelled", "timeout": "expired"}.get(code, "failed"), failure


def capture(capture: Capture) -> CaptureAnswer:
    """All at once. Payplug has no idempotency keys, but a payment is collected only once whoever asks."""
    url = _url(routes.PAYMENT_RESOURCE, capture.attempt.provider_ref)
    payment: dict[str, Any] = call(lambda client: client.get(url))
    if _state(payment)[0] == "authorized":
        payment = call(lambda client: client.patch(url, {"captured": True}))
    kind, failure = _state(payment)
    state = {"captured": "done", "authorized": "pending", "pending": "pending"}.get(kind, "failed")
    return CaptureAnswer(capture.attempt.provider_ref, state, failure)


def void(attempt: PaymentAttempt) -> None:
    ref = attempt.provider_ref
    if ref == ASKED:
        ref = (find(attempt) or {}).get("id") or ""
    if ref:
        url = _url(routes.PAYMENT_RESOURCE, ref)
        call(lambda client: client.patch(url, {"abort": True}))


def refund(refund: Refund) -> RefundAnswer:
    attempt = refund.attempt
    url = _url(routes.REFUND_RESOURCE, payment_id=attempt.provider_ref)
    known: dict[str, Any] = call(lambda client: client.get(url))
    for each in known.get("data") or []:
        if (each.get("metadata") or {}).get("refund") == refund.key:
            return RefundAnswer(each["id"], "done")
    request = {"amount": rescale(refund.amount, attempt.currency, 2), "metadata": {"refund": refund.key}}
    made: dict[str, Any] = call(lambda client: client.post(url, request))
    return RefundAnswer(made["id"], "done")


def parse_webhook(request: HttpRequest) -> list[Fact]:
    """A notification only names a payment: what it is worth is asked from Payplug. One that is none of ours is not even
    asked for."""
    try:
        told = json.loads(request.body)
        ref = str(told.get("payment_id") or told.get("id") or "")
        key = str((told.get("metadata") or {}).get("attempt") or "-")
    except (ValueError, AttributeError, RecursionError):
        raise BadWebhook("unreadable") from None
    if not re.fullmatch(r"pay_[A-Za-z0-9]{1,60}", ref):
        raise BadWebhook("names no payment")
    mine = PaymentAttempt.objects.filter(provider="payplug")
    attempt = mine.filter(provider_ref=ref).first() or mine.filter(provider_ref=ASKED, key=key).first()
    return [fetch(attempt)] if attempt else []
