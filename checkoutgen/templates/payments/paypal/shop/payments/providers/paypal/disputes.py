"""Disputes at PayPal, which its SDK does not know (https://developer.paypal.com/docs/api/customer-disputes/v1/).

A webhook only names a dispute. Which payment it is about and how it stands is asked from PayPal.
"""

import re
from typing import Any

import requests

from payments.facts import BadWebhook, Fact, ProviderDown
from payments.models import PaymentAttempt


def facts(dispute_id: str) -> list[Fact]:
    from .adapter import TIMEOUT, _client, call

    if not re.fullmatch(r"[A-Z0-9-]{3,60}", dispute_id):
        raise BadWebhook("names no dispute")
    client = _client()
    try:
        if not client.oauth_2.is_valid():  # asks for a token when there is none, or an old one
            raise ProviderDown("no token")
        address = f"{client.config.get_base_uri()}/v1/customer/disputes/{dispute_id}"
        headers = {"Authorization": f"Bearer {client.oauth_2._o_auth_token.access_token}"}  # noqa: SLF001  no other way
        answer = requests.get(address, headers=headers, timeout=TIMEOUT)
        if answer.status_code == 404:  # nobody's dispute: a forged message
            return []
        answer.raise_for_status()
        dispute: dict[str, Any] = answer.json()
    except (requests.RequestException, ValueError) as failed:
        raise ProviderDown(type(failed).__name__) from None
    found = []
    for each in dispute.get("disputed_transactions") or []:
        ref = {"capture_id": str(each.get("seller_transaction_id") or "")}
        capture = call(lambda client, ref=ref: client.payments.get_captured_payment(ref))
        attempt = PaymentAttempt.objects.filter(provider="paypal", key=capture.get("custom_id") or "-").first()
        if attempt:
            found.append(_fact(dispute, attempt))
    return found


def _fact(dispute: dict[str, Any], attempt: PaymentAttempt) -> Fact:
    """While a claim is open PayPal holds the money; won, it comes back. An inquiry moves nothing yet."""
    outcome = (dispute.get("dispute_outcome") or {}).get("outcome_code") or ""
    if dispute.get("status") == "RESOLVED":
        kind = "reversed" if outcome == "RESOLVED_BUYER_FAVOUR" else "captured"
    else:
        kind = "unknown" if dispute.get("dispute_life_cycle_stage") == "INQUIRY" else "reversed"
    return Fact(
        provider="paypal",
        event_id=f"{dispute['dispute_id']}:{dispute.get('status')}:{kind}",
        kind=kind,
        attempt_key=attempt.key,
        amount=attempt.amount if kind == "captured" else None,
        currency=attempt.currency if kind == "captured" else "",
        failure="dispute" if kind == "reversed" else "",
        payload={"id": dispute["dispute_id"], "status": dispute.get("status"), "outcome": outcome},
    )
