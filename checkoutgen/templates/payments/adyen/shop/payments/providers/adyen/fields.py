"""Adyen's Card component in a page of the shop (https://docs.adyen.com/payment-methods/cards/web-component).

Adyen's script encrypts what is typed; only Adyen can read it. 3-D Secure is a way to Adyen's page and back, because the
frames of banks could not be listed in the policy of the page.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from django.conf import settings as django_settings
from django.utils.translation import gettext as _

from orders.models import Order
from payments.credentials import secret
from payments.facts import Created, Declined, Fact
from payments.methods import captured_at_shipping
from payments.models import PaymentAttempt

from .adapter import about, amount_of, call, read, until

# https://docs.adyen.com/api-explorer/Checkout/72/post/payments
CARD = {
    "type",
    "brand",
    "holderName",
    "encryptedCardNumber",
    "encryptedExpiryMonth",
    "encryptedExpiryYear",
    "encryptedSecurityCode",
    "checkoutAttemptId",
    "sdkData",
}
BROWSER = {
    "acceptHeader",
    "colorDepth",
    "javaEnabled",
    "language",
    "screenHeight",
    "screenWidth",
    "timeZoneOffset",
    "userAgent",
}
DONE = {"Authorised": "captured", "Pending": "pending", "Received": "pending", "Cancelled": "cancelled"}
# https://docs.adyen.com/development-resources/refusal-reasons
REFUSED = {
    "6": "expired_card",
    "11": "authentication_failed",
    "12": "insufficient_funds",
    "38": "authentication_failed",
}


def places(currency: str) -> dict[str, str]:
    return {"environment": _environment()}


def _environment() -> str:
    return "live" if secret("adyen", "live_prefix") else "test"


def settings(order: Order, method: dict[str, Any]) -> dict[str, Any]:
    return {
        "key": secret("adyen", "client_key"),
        "environment": _environment(),
        "country": order.market,
        "locale": order.language,
        "amount": amount_of(order.total_amount, order.currency),
        "wrong": _("Check what you entered."),
    }


def _read(typed: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The encrypted card and the browser's data. Declined for anything else, above all for a card in clear."""
    try:
        brought = json.loads(typed)
        card = {key: brought["card"][key] for key in CARD & set(brought["card"])}
        browser = {key: value for key, value in (brought.get("browser") or {}).items() if key in BROWSER}
        number = str(card["encryptedCardNumber"])
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise Declined("method_unavailable") from None
    if card.get("type") != "scheme" or re.fullmatch(r"[\d\s-]*", number):
        raise Declined("method_unavailable")
    return card, browser


def create(typed: str, attempt: PaymentAttempt, return_url: str, webhook_url: str) -> Created:
    card, browser = _read(typed)
    way = {"paymentMethod": card, "browserInfo": browser, "shopperInteraction": "Ecommerce"}
    return pay(attempt, return_url, way)


def pay(
    attempt: PaymentAttempt, return_url: str, way: dict[str, Any], work: Callable[[Any], dict[str, Any]] = call
) -> Created:
    """A payment without Adyen's page, unless the bank wants to ask on one."""
    request: dict[str, Any] = {
        **about(attempt, return_url),
        "channel": "Web",
        "origin": django_settings.PUBLIC_URL,
        "redirectToIssuerMethod": "GET",
        "redirectFromIssuerMethod": "GET",
        **way,
    }
    if captured_at_shipping(attempt.method):
        request["additionalData"] = {"manualCapture": "true"}
    made = work(lambda client: client.checkout.payments_api.payments(request, idempotency_key=attempt.key))
    ref = made.get("pspReference") or attempt.key
    if made.get("resultCode") == "RedirectShopper":
        return Created(ref, made["action"]["url"])
    if made.get("resultCode") not in DONE:
        raise Declined(REFUSED.get(str(made.get("refusalReasonCode")), "declined"))
    return Created(ref, known=_fact(attempt, made))


def returned(attempt: PaymentAttempt, answer: Mapping[str, str]) -> Fact | None:
    """The buyer comes back from the bank with what Adyen asked of it; Adyen says what it means."""
    result = answer.get("redirectResult", "")
    if not result or len(result) > 10_000:
        return None
    request = {"details": {"redirectResult": result}}
    made = call(lambda client: client.checkout.payments_api.payments_details(request))
    if made.get("merchantReference", attempt.key) != attempt.key:  # of another payment: an address proves nothing
        return None
    return _fact(attempt, made)


def _fact(attempt: PaymentAttempt, made: dict[str, Any]) -> Fact:
    """In the words of the webhook about the same, so that it counts once."""
    psp, kind = made.get("pspReference") or "", DONE.get(made.get("resultCode") or "", "failed")
    paid = kind == "captured"
    if paid and captured_at_shipping(attempt.method):
        kind = "authorized"
    amount, currency = read(made.get("amount") or amount_of(attempt.amount, attempt.currency))
    return Fact(
        provider="adyen",
        event_id=f"AUTHORISATION:{psp}:true" if paid else f"answer:{attempt.key}:{kind}",
        kind=kind,
        attempt_key=attempt.key,
        provider_ref=psp,
        amount=amount if paid else None,
        currency=currency,
        failure=REFUSED.get(str(made.get("refusalReasonCode")), "declined") if kind == "failed" else "",
        until=until() if kind == "authorized" else None,
        payload={"eventCode": "AUTHORISATION", "success": "true", "pspReference": psp} if paid else {},
        source="start",
    )
