"""PayPal Orders v2: the buyer approves on PayPal's page, the shop captures (https://developer.paypal.com/docs/api/orders/v2/)."""

import json
import logging
import re
from collections.abc import Callable, Iterator
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
from payments.credentials import options, secret
from payments.facts import BadWebhook, Created, Declined, Fact, ProviderDown, RefundAnswer
from payments.models import PaymentAttempt, Refund
from payments.units import decimal_text, from_text

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


def _call(work: Callable[[PaypalServersdkClient], Any]) -> dict[str, Any]:
    """The answer as plain JSON; PayPal's errors in the engine's words: nobody knows, or a definite no."""
    try:
        answer: dict[str, Any] = json.loads(work(_client()).text)
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


def create(attempt: PaymentAttempt, return_url: str, webhook_url: str) -> Created:
    order = attempt.order
    experience = {
        "return_url": return_url,
        "cancel_url": return_url,
        "brand_name": SHOP["shop"]["name"],
        "user_action": "PAY_NOW",
        "shipping_preference": "NO_SHIPPING",  # the address is known and frozen
    }
    body = {
        "intent": "CAPTURE",
        "purchase_units": [
            {
                "custom_id": attempt.key,
                "description": f"{SHOP['shop']['name']} {order.number}"[:127],
                "amount": {"currency_code": attempt.currency, "value": decimal_text(attempt.amount, attempt.currency)},
            }
        ],
        "payment_source": {"paypal": {"experience_context": experience}},
    }
    made = _call(lambda client: client.orders.create_order({"body": body, "paypal_request_id": attempt.key}))
    links = {link["rel"]: link["href"] for link in made.get("links", [])}
    return Created(made["id"], links.get("payer-action") or links.get("approve") or "")


def fetch(attempt: PaymentAttempt) -> Fact:
    """How the payment stands. What the buyer has approved is collected on the way, with a key of its own, so once."""
    if not attempt.provider_ref:  # the answer to `create` was lost, so no buyer has seen the page
        return Fact("paypal", f"fetch:{attempt.key}:unknown", "unknown", attempt.key)
    ref = attempt.provider_ref
    order = _call(lambda client: client.orders.get_order({"id": ref}))
    if order.get("status") == "APPROVED" and attempt.state in LIVE_ATTEMPT:
        asked = {"id": ref, "paypal_request_id": f"{attempt.key}-capture", "prefer": "return=representation"}
        try:
            order = _call(lambda client: client.orders.capture_order(asked))
        except Declined as declined:
            return Fact("paypal", f"{ref}:failed", "failed", attempt.key, ref, failure=declined.code)
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


def _captures(order: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for unit in order.get("purchase_units") or []:
        yield from (unit.get("payments") or {}).get("captures") or []


def _kind(order: dict[str, Any], capture: dict[str, Any] | None) -> str:
    if capture:
        return CAPTURES.get(capture.get("status") or "", "unknown")
    return {"VOIDED": "cancelled", "COMPLETED": "pending"}.get(order.get("status") or "", "action_required")


def void(attempt: PaymentAttempt) -> None:
    """Nothing to do: PayPal takes only what the shop collects, and `fetch` collects for live attempts only."""


def refund(refund: Refund) -> RefundAnswer:
    if refund.provider_ref:
        return _answer(_call(lambda client: client.payments.get_refund({"refund_id": refund.provider_ref})))
    attempt = refund.attempt
    order = _call(lambda client: client.orders.get_order({"id": attempt.provider_ref}))
    capture = next(_captures(order), None)
    if capture is None:
        raise Declined("not_paid")
    amount = {"currency_code": attempt.currency, "value": decimal_text(refund.amount, attempt.currency)}
    asked = {
        "capture_id": capture["id"],
        "paypal_request_id": refund.key,
        "prefer": "return=representation",
        "body": {"amount": amount, "custom_id": refund.key},
    }
    return _answer(_call(lambda client: client.payments.refund_captured_payment(asked)))


def _answer(made: dict[str, Any]) -> RefundAnswer:
    return RefundAnswer(made["id"], REFUNDS.get(made.get("status") or "", "pending"))


def parse_webhook(request: HttpRequest) -> list[Fact]:
    """A webhook only names an order: how it stands is asked from PayPal, unless it is none of ours."""
    try:
        thing = json.loads(request.body)["resource"]
        related = (thing.get("supplementary_data") or {}).get("related_ids") or {}
        ref = str(related.get("order_id") or thing.get("id") or "")
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise BadWebhook("unreadable") from None
    if not re.fullmatch(r"[A-Z0-9]{5,40}", ref):
        raise BadWebhook("names no order")
    attempt = PaymentAttempt.objects.filter(provider="paypal", provider_ref=ref).first()
    return [fetch(attempt)] if attempt else []
