"""Stripe's Payment Element in a page of the shop (https://docs.stripe.com/payments/accept-a-payment-deferred).

Stripe's script turns what was typed into a confirmation token; the shop pays with that, with the attempt's key as
idempotency key. When the bank wants to see the buyer, Stripe's script or Stripe's page shows it.
"""

import re
from typing import Any

import stripe

from orders.models import Order
from payments.credentials import secret
from payments.facts import Created, Declined, ProviderDown
from payments.methods import captured_at_shipping, method
from payments.models import PaymentAttempt
from payments.units import rescale

from .adapter import FAILURES, TYPES, call, client, digits

TOKEN = re.compile(r"ctoken_[A-Za-z0-9]{1,80}")


def places(currency: str) -> dict[str, str]:
    return {}


def settings(order: Order, method: dict[str, Any]) -> dict[str, Any]:
    address = order.billing_address or order.shipping_address
    return {
        "key": secret("stripe", "publishable_key"),
        "types": [TYPES[method["kind"]]],
        "amount": rescale(order.total_amount, order.currency, digits(order.currency)),
        "currency": order.currency.lower(),
        "locale": order.language.split("-")[0],
        "capture": "manual" if method.get("capture") == "at-shipping" else "automatic",
        "person": {
            "name": address.get("name") or "",
            "email": order.email,
            "address": {
                "country": address.get("country") or order.market,
                "postal_code": address.get("postcode") or "",
            },
        },
    }


def create(typed: str, attempt: PaymentAttempt, return_url: str, webhook_url: str) -> Created:
    """Pay with a confirmation token, of the fields or of a wallet."""
    if not TOKEN.fullmatch(typed):
        raise Declined("method_unavailable")
    params: Any = {
        "amount": rescale(attempt.amount, attempt.currency, digits(attempt.currency)),
        "currency": attempt.currency.lower(),
        "confirm": True,
        "confirmation_token": typed,
        "payment_method_types": [TYPES[(method(attempt.method) or {"kind": "card"})["kind"]]],
        "return_url": return_url,
        "metadata": {"attempt": attempt.key, "order": attempt.order.number},
    }
    if captured_at_shipping(attempt.method):
        params["capture_method"] = "manual"
    intent = call(lambda: _made(params, attempt.key)).to_dict()
    action = intent.get("next_action") or {}
    if intent.get("status") == "requires_payment_method":
        error = intent.get("last_payment_error") or {}
        raise Declined(FAILURES.get(error.get("decline_code") or error.get("code") or "", "declined"))
    if action.get("type") == "redirect_to_url":
        return Created(intent["id"], action["redirect_to_url"]["url"])
    # The secret is good for this one payment of this buyer: Stripe's script shows the bank's question with it.
    return Created(intent["id"], browser={"secret": intent["client_secret"]} if action else {})


def _made(params: Any, key: str) -> stripe.PaymentIntent:
    try:
        return client().v1.payment_intents.create(params, {"idempotency_key": key})
    except stripe.IdempotencyError:  # the first call got no answer, and this one brings another token: it may be paid
        raise ProviderDown("another token with the same key") from None
