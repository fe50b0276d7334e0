"""Alma: instalments and pay later on Alma's page (https://docs.almapay.com/reference)."""

import logging
import re
from collections.abc import Callable
from typing import Any

import httpx
from alma_client import Client
from alma_client.entities.payment import PaymentState
from alma_client.request import RequestError
from django.http import HttpRequest

from payments.credentials import options, secret
from payments.facts import BadWebhook, Created, Declined, Fact, ProviderDown, RefundAnswer
from payments.methods import method
from payments.models import PaymentAttempt, Refund
from payments.units import rescale, unscale

logger = logging.getLogger(__name__)
WEBHOOK_METHODS = ("GET", "POST")  # Alma's notifications are GET requests
REFUSED = (PaymentState.SCORED_NO,)
# From the first instalment on the seller has the money, whatever becomes of the later ones.
ACCEPTED = (
    PaymentState.IN_PROGRESS,
    PaymentState.PAID,
    PaymentState.LATE_DUNNING,
    PaymentState.LATE_CONTACT_CUSTOMER,
    PaymentState.DEFAULT,
    PaymentState.COLLECTION_DONE,
)


def _client() -> Client:
    return Client.with_api_key(secret("alma", "api_key"))


def _call(work: Callable[[Client], Any]) -> Any:
    """Alma's errors in the engine's words: nobody knows, or a definite no."""
    try:
        return work(_client())
    except RequestError as refused:
        status = refused.response.status_code
        if not 400 <= status < 500 or status in (408, 409, 429):
            raise ProviderDown(str(status)) from None
        logger.error("alma refused a request: %s", status)
        raise Declined("method_unavailable") from None
    except (httpx.HTTPError, ValueError) as failed:
        raise ProviderDown(type(failed).__name__) from None


def create(attempt: PaymentAttempt, return_url: str, webhook_url: str) -> Created:
    if attempt.currency != "EUR":
        raise Declined("method_unavailable")
    order = attempt.order
    shipping = order.shipping_address or order.billing_address
    plan: dict[str, Any] = {"installments_count": options("alma").get("instalments", 3)}
    if (method(attempt.method) or {}).get("kind") == "pay-later":
        plan = {"installments_count": 1, "deferred_days": options("alma").get("deferred_days", 30)}
    first, _, last = ((order.billing_address or shipping).get("name") or "").partition(" ")
    request = {
        "payment": {
            "purchase_amount": rescale(attempt.amount, "EUR", 2),
            "return_url": return_url,
            "customer_cancel_url": return_url,
            "failure_return_url": return_url,
            "ipn_callback_url": webhook_url,
            "locale": order.language.split("-")[0],
            "billing_address": _address(order.billing_address or shipping),
            "shipping_address": _address(shipping),
            "custom_data": {"attempt": attempt.key},
            **plan,
        },
        "customer": {"first_name": first, "last_name": last or first, "email": order.email, "phone": order.phone},
        "order": {"merchant_reference": order.number},
    }
    made = _call(lambda client: client.payments.create(request))
    return Created(made.id, made.url)


def _address(address: dict[str, str]) -> dict[str, str]:
    return {
        "line1": address.get("street") or "",
        "line2": address.get("line2") or "",
        "postal_code": address.get("postcode") or "",
        "city": address.get("city") or "",
        "country": address.get("country") or "",
    }


def fetch(attempt: PaymentAttempt) -> Fact:
    if not attempt.provider_ref:  # the answer to `create` was lost, so no buyer has seen the page
        return Fact("alma", f"fetch:{attempt.key}:unknown", "unknown", attempt.key)
    payment = _call(lambda client: client.payments.fetch(attempt.provider_ref))
    kind = _kind(payment)
    return Fact(
        provider="alma",
        event_id=f"{payment.id}:{kind}",
        kind=kind,
        attempt_key=attempt.key,
        provider_ref=payment.id,
        amount=unscale(payment.purchase_amount, "EUR", 2),
        currency="EUR",
        failure="declined" if kind == "failed" else "",
        payload={"id": payment.id},
    )


def _kind(payment: Any) -> str:
    state = getattr(payment, "state", None)
    if state in ACCEPTED:
        return "captured"
    if state in REFUSED:
        return "failed"
    return "expired" if payment.raw_data.get("expired_at") else "action_required"


def void(attempt: PaymentAttempt) -> None:
    """Alma cannot take back a page; a payment that is made on it after all is given back by the engine."""


def refund(refund: Refund) -> RefundAnswer:
    attempt = refund.attempt
    payment = _call(lambda client: client.payments.fetch(attempt.provider_ref))
    known = next((each for each in payment.refunds if each.raw_data.get("merchant_reference") == refund.key), None)
    if known is None:
        amount = rescale(refund.amount, attempt.currency, 2)
        payment = _call(
            lambda client: client.payments.refund(attempt.provider_ref, amount, merchant_reference=refund.key)
        )
        known = next((each for each in payment.refunds if each.raw_data.get("merchant_reference") == refund.key), None)
    return RefundAnswer(known.raw_data.get("id", "") if known else "", "done")


def parse_webhook(request: HttpRequest) -> list[Fact]:
    """A notification only names a payment: how it stands is asked from Alma, unless it is none of ours."""
    ref = request.GET.get("pid", "")
    if not re.fullmatch(r"payment_[A-Za-z0-9]{1,60}", ref):
        raise BadWebhook("names no payment")
    attempt = PaymentAttempt.objects.filter(provider="alma", provider_ref=ref).first()
    return [fetch(attempt)] if attempt else []
