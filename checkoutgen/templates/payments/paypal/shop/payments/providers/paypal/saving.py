"""PayPal accounts that PayPal keeps for a buyer's next purchase
(https://developer.paypal.com/docs/checkout/save-payment-methods/)."""

import json
import re
from collections.abc import Callable
from typing import Any

from paypalserversdk.exceptions.api_exception import ApiException

from config.shop import SHOP
from payments.facts import Created, Declined, Fact, Token
from payments.methods import captured_at_shipping
from payments.models import PaymentAttempt, SavedMethod
from payments.units import decimal_text

from . import adapter

NAME = "PayPal"
# What PayPal's answers say of a token that is not there any more.
GONE = re.compile(r"(TOKEN|VAULT)[A-Z_]*NOT_FOUND|INVALID_VAULT_ID")


def save(attempt: PaymentAttempt) -> Token | None:
    """PayPal may make the token a while after the payment. Nothing of the account is shown but whose name it bears."""
    order = adapter.call(lambda client: client.orders.get_order({"id": attempt.provider_ref}))
    wallet = (order.get("payment_source") or {}).get("paypal") or {}
    kept = (wallet.get("attributes") or {}).get("vault") or {}
    if not kept.get("id") or kept.get("status") != "VAULTED":
        return None
    return Token(kept["id"], NAME, customer=(kept.get("customer") or {}).get("id") or "")


def charge(attempt: PaymentAttempt, return_url: str, webhook_url: str) -> Created:
    """In two steps, so that the payment can be found again when the answer about the money is lost."""
    token = attempt.saved.token if attempt.saved else ""
    if not token:
        raise Declined("token_gone")
    deed = "authorize" if captured_at_shipping(attempt.method) else "capture"
    body = {
        "intent": deed.upper(),
        "purchase_units": [
            {
                "custom_id": attempt.key,
                "description": f"{SHOP['shop']['name']} {attempt.order.number}"[:127],
                "amount": {"currency_code": attempt.currency, "value": decimal_text(attempt.amount, attempt.currency)},
            }
        ],
    }
    made = adapter.call(lambda client: client.orders.create_order({"body": body, "paypal_request_id": attempt.key}))
    PaymentAttempt.objects.filter(pk=attempt.pk).update(provider_ref=made["id"])
    wallet = {
        "vault_id": token,
        "stored_credential": {"payment_initiator": "CUSTOMER", "usage": "SUBSEQUENT"},
        "experience_context": {"return_url": return_url, "cancel_url": return_url},
    }
    asked = {
        "id": made["id"],
        "paypal_request_id": f"{attempt.key}-saved",
        "prefer": "return=representation",
        "body": {"payment_source": {"paypal": wallet}},
    }
    page: list[str] = []

    def collect(client: Any) -> Any:
        try:
            return getattr(client.orders, f"{deed}_order")(asked)
        except ApiException as refused:
            text = refused.response.text or ""
            if GONE.search(text):
                raise Declined("token_gone") from None
            if "PAYER_ACTION_REQUIRED" in text:
                page.append(_page(text))
                return refused.response
            raise

    adapter.call(collect)
    return Created(made["id"], page[0] if page else "")  # how it stands is asked from PayPal


def _page(text: str) -> str:
    """Where PayPal wants to ask the buyer."""
    links = {link.get("rel"): link.get("href") for link in json.loads(text).get("links") or []}
    return str(links.get("payer-action") or "")


def forget(saved: SavedMethod) -> None:
    _unless_gone(lambda client: client.vault.delete_payment_token(saved.token))


def facts(token: str) -> list[Fact]:
    """A webhook about a token proves nothing: PayPal is asked whether it is still there."""
    row = SavedMethod.objects.filter(provider="paypal", token=token).first() if token else None
    if row is None or _unless_gone(lambda client: client.vault.get_payment_token(token)) is not None:
        return []
    return [Fact("paypal", f"token-gone:{token}", "token_gone", token=token)]


def _unless_gone(work: Callable[[Any], Any]) -> dict[str, Any] | None:
    gone: list[bool] = []

    def checked(client: Any) -> Any:
        try:
            return work(client)
        except ApiException as refused:
            if refused.response_code != 404:
                raise
            gone.append(True)
            return refused.response

    answer = adapter.call(checked)
    return None if gone else answer
