"""PayPal Orders v2: the buyer approves on PayPal's page, the shop captures (https://developer.paypal.com/docs/api/orders/v2/)."""

import json
import logging
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import cache
from typing import Any

import requests
from django.http import HttpRequest
from paypalserversdk.configuration import Environment
from paypalserversdk.exceptions.api_exception import ApiException
from paypalserversdk.http.auth.o_auth_2 import ClientCredentialsAuthCredentials
from paypalserversdk.paypal_serversdk_client import PaypalServersdkClient

from config.shop import SHOP
from orders.states import LIVE_ATTEMPT
from payments import saved
from payments.credentials import options, secret
from payments.facts import BadWebhook, CaptureAnswer, Created, Declined, Fact, ProviderDown, RefundAnswer
from payments.methods import captured_at_shipping
from payments.models import Capture, PaymentAttempt, Refund
from payments.units import decimal_text, from_text

from . import disputes, saving
from .secure import refused

logger = logging.getLogger(__name__)
TIMEOUT = 20  # seconds
ENVIRONMENTS = {"live": Environment.PRODUCTION, "sandbox": Environment.SANDBOX}
CAPTURES = {
    "COMPLETED": "captured",
    "PARTIALLY_REFUNDED": "captured",
    "REFUNDED": "captured",
    "PENDING": "pending",
    "DECLINED": "failed",
    "FAILED": "failed",
}
AUTHORIZATIONS = {
    "CREATED": "authorized",
    "PARTIALLY_CAPTURED": "authorized",
    "CAPTURED": "captured",
    "PENDING": "pending",
    "VOIDED": "cancelled",
    "DENIED": "failed",
    "EXPIRED": "expired",
}
CAPTURES_IN_PARTS = ("paypal",)
REFUNDS = {"COMPLETED": "done", "FAILED": "failed", "CANCELLED": "failed"}


@cache  # keeps its access token until it runs out
def _client() -> PaypalServersdkClient:
    return PaypalServersdkClient(
        client_credentials_auth_credentials=ClientCredentialsAuthCredentials(
            o_auth_client_id=secret("paypal", "client_id"), o_auth_client_secret=secret("paypal", "client_secret")
        ),
        environment=ENVIRONMENTS[options("paypal").get("environment", "live")],
        timeout=TIMEOUT,
    )


def call(work: Callable[[PaypalServersdkClient], Any]) -> dict[str, Any]:
    """The answer as plain JSON; PayPal's errors in the engine's words: nobody knows, or a definite no."""
    try:
        answer: dict[str, Any] = json.loads(work(_client()).text or "{}")
        return answer
    except ApiException as refused:
        status, text = refused.response_code, refused.response.text or ""
        if not 400 <= status < 500 or status in (408, 409, 429):
            raise ProviderDown(str(status)) from None
        if "INSTRUMENT_DECLINED" in text or "PAYER_CANNOT_PAY" in text:
            raise Declined("declined") from None
        logger.error("paypal refused a request: %s", status)
        raise Declined("method_unavailable") from None
    except (requests.RequestException, ValueError) as failed:
        raise ProviderDown(type(failed).__name__) from None


# https://developer.paypal.com/docs/checkout/save-payment-methods/: a token of its own for each account of the shop,
# even where two of them share an account of PayPal.
VAULT = {
    "store_in_vault": "ON_SUCCESS",
    "usage_type": "MERCHANT",
    "customer_type": "CONSUMER",
    "permit_multiple_payment_tokens": True,
}


def create(attempt: PaymentAttempt, return_url: str, webhook_url: str) -> Created:
    order = attempt.order
    experience = {
        "return_url": return_url,
        "cancel_url": return_url,
        "brand_name": SHOP["shop"]["name"],
        "user_action": "PAY_NOW",
        "shipping_preference": "NO_SHIPPING",  # the address is known and frozen
    }
    body: dict[str, Any] = {
        "intent": "AUTHORIZE" if captured_at_shipping(attempt.method) else "CAPTURE",
        "purchase_units": [
            {
                "custom_id": attempt.key,
                "description": f"{SHOP['shop']['name']} {order.number}"[:127],
                "amount": {"currency_code": attempt.currency, "value": decimal_text(attempt.amount, attempt.currency)},
            }
        ],
        "payment_source": {"paypal": {"experience_context": experience}},
    }
    if saved.asked(attempt):
        body["payment_source"]["paypal"]["attributes"] = {"vault": VAULT}
    made = call(lambda client: client.orders.create_order({"body": body, "paypal_request_id": attempt.key}))
    links = {link["rel"]: link["href"] for link in made.get("links", [])}
    return Created(made["id"], links.get("payer-action") or links.get("approve") or "")


def fetch(attempt: PaymentAttempt) -> Fact:
    """How the payment stands. What the buyer has approved is collected on the way, with a key of its own, so once."""
    if not attempt.provider_ref:  # the answer to `create` was lost, so no buyer has seen the page
        return Fact("paypal", f"fetch:{attempt.key}:unknown", "unknown", attempt.key)
    ref, later = attempt.provider_ref, captured_at_shipping(attempt.method)
    order = call(lambda client: client.orders.get_order({"id": ref}))
    if order.get("status") == "APPROVED" and refused(order):
        return Fact("paypal", f"{ref}:failed", "failed", attempt.key, ref, failure="authentication_failed")
    if order.get("status") == "APPROVED" and attempt.state in LIVE_ATTEMPT:
        deed = "authorize" if later else "capture"
        asked = {"id": ref, "paypal_request_id": f"{attempt.key}-{deed}", "prefer": "return=representation"}
        try:
            order = call(lambda client: getattr(client.orders, f"{deed}_order")(asked))
        except Declined as declined:
            return Fact("paypal", f"{ref}:failed", "failed", attempt.key, ref, failure=declined.code)
    authorization = _authorization(order) if later else None
    if authorization:
        return _of_authorization(attempt, authorization, order)
    capture = next(_captures(order), None)
    amount = (capture or {}).get("amount") or {}
    currency = amount.get("currency_code") or ""
    kind = _kind(order, capture)
    return Fact(
        provider="paypal",
        event_id=f"{ref}:{kind}",
        kind=kind,
        attempt_key=attempt.key,
        provider_ref=ref,
        amount=from_text(amount["value"], currency) if currency else None,
        currency=currency,
        failure="declined" if kind == "failed" else "",
        payload={"id": ref, "status": order.get("status")},
    )


def _of_authorization(attempt: PaymentAttempt, authorization: dict[str, Any], order: dict[str, Any]) -> Fact:
    kind = AUTHORIZATIONS.get(authorization.get("status") or "", "unknown")
    amount, currency = _read(authorization.get("amount") or {})
    if kind == "captured":
        parts = [_read(each.get("amount") or {})[0] or 0 for each in _captures(order)]
        amount = sum(parts) or amount
    until = authorization.get("expiration_time")
    return Fact(
        provider="paypal",
        event_id=f"{attempt.provider_ref}:{kind}",
        kind=kind,
        attempt_key=attempt.key,
        provider_ref=attempt.provider_ref,
        amount=amount,
        currency=currency,
        failure="declined" if kind == "failed" else "",
        until=datetime.fromisoformat(until) if until and kind == "authorized" else None,
        payload={"id": attempt.provider_ref, "status": authorization.get("status")},
    )


def _read(amount: dict[str, Any]) -> tuple[int | None, str]:
    currency = amount.get("currency_code") or ""
    return (from_text(amount["value"], currency) if currency else None), currency


def _authorization(order: dict[str, Any]) -> dict[str, Any] | None:
    units = order.get("purchase_units") or []
    return next((each for unit in units for each in (unit.get("payments") or {}).get("authorizations") or []), None)


def _captures(order: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for unit in order.get("purchase_units") or []:
        yield from (unit.get("payments") or {}).get("captures") or []


def _kind(order: dict[str, Any], capture: dict[str, Any] | None) -> str:
    if capture:
        return CAPTURES.get(capture.get("status") or "", "unknown")
    return {"VOIDED": "cancelled", "COMPLETED": "pending"}.get(order.get("status") or "", "action_required")


def capture(capture: Capture) -> CaptureAnswer:
    """A part or all of what the buyer authorised, with the row's key, which PayPal keeps for 45 days."""
    if capture.provider_ref:
        ref = {"capture_id": capture.provider_ref}
        return _capture_answer(call(lambda client: client.payments.get_captured_payment(ref)))
    attempt = capture.attempt
    authorization = _authorization(call(lambda client: client.orders.get_order({"id": attempt.provider_ref})))
    if authorization is None:
        raise Declined("expired")
    amount = {"currency_code": attempt.currency, "value": decimal_text(capture.amount, attempt.currency)}
    asked = {
        "authorization_id": authorization["id"],
        "paypal_request_id": capture.key,
        "prefer": "return=representation",
        "body": {"amount": amount, "final_capture": capture.final},
    }
    return _capture_answer(call(lambda client: client.payments.capture_authorized_payment(asked)))


def _capture_answer(made: dict[str, Any]) -> CaptureAnswer:
    kind = CAPTURES.get(made.get("status") or "", "pending")
    state = {"captured": "done", "failed": "failed"}.get(kind, "pending")
    return CaptureAnswer(made["id"], state, "declined" if state == "failed" else "")


def void(attempt: PaymentAttempt) -> None:
    """A reservation is let go. Else PayPal takes only what `fetch` collects, for live attempts only."""
    if not (attempt.provider_ref and captured_at_shipping(attempt.method)):
        return
    authorization = _authorization(call(lambda client: client.orders.get_order({"id": attempt.provider_ref})))
    if authorization:
        asked = {"authorization_id": authorization["id"], "prefer": "return=representation"}
        call(lambda client: client.payments.void_payment(asked))


def refund(refund: Refund) -> RefundAnswer:
    if refund.provider_ref:
        return _answer(call(lambda client: client.payments.get_refund({"refund_id": refund.provider_ref})))
    attempt = refund.attempt
    order = call(lambda client: client.orders.get_order({"id": attempt.provider_ref}))
    # Of several parcels the first whose collection is large enough: a refund across two is made in two.
    large = [each for each in _captures(order) if (_read(each.get("amount") or {})[0] or 0) >= refund.amount]
    capture = next(iter(large), None)
    if capture is None:
        raise Declined("not_paid")
    amount = {"currency_code": attempt.currency, "value": decimal_text(refund.amount, attempt.currency)}
    asked = {
        "capture_id": capture["id"],
        "paypal_request_id": refund.key,
        "prefer": "return=representation",
        "body": {"amount": amount, "custom_id": refund.key},
    }
    return _answer(call(lambda client: client.payments.refund_captured_payment(asked)))


def _answer(made: dict[str, Any]) -> RefundAnswer:
    return RefundAnswer(made["id"], REFUNDS.get(made.get("status") or "", "pending"))


def parse_webhook(request: HttpRequest) -> list[Fact]:
    """A webhook only names an order or a dispute: how it stands is asked from PayPal, unless it is none of ours."""
    try:
        event = json.loads(request.body)
        thing = event["resource"]
        if str(event.get("event_type") or "").startswith("CUSTOMER.DISPUTE."):
            return disputes.facts(str(thing.get("dispute_id") or ""))
        if str(event.get("event_type") or "").startswith("VAULT.PAYMENT-TOKEN."):
            return saving.facts(str(thing.get("id") or ""))
        related = (thing.get("supplementary_data") or {}).get("related_ids") or {}
        ref = str(related.get("order_id") or thing.get("id") or "")
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise BadWebhook("unreadable") from None
    if not re.fullmatch(r"[A-Z0-9]{5,40}", ref):
        raise BadWebhook("names no order")
    attempt = PaymentAttempt.objects.filter(provider="paypal", provider_ref=ref).first()
    return [fetch(attempt)] if attempt else []
