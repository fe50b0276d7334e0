"""Cards that Adyen keeps for a buyer's next purchase (https://docs.adyen.com/online-payments/tokenization).

Each card has a shopper of its own, named by our key of the card: one buyer's card never stands beside another's.
"""

from collections.abc import Callable
from typing import Any

import Adyen
from Adyen import exceptions

from payments.credentials import secret
from payments.facts import Created, Declined, Fact, Token
from payments.models import PaymentAttempt, SavedMethod

from . import fields
from .adapter import call

NAME = "Adyen"
BRANDS = {"amex": "American Express", "bcmc": "Bancontact", "cartebancaire": "CB", "maestro": "Maestro",
          "mc": "Mastercard", "visa": "Visa"}  # fmt: skip
# https://docs.adyen.com/development-resources/error-codes: contract not found, payment detail not found.
GONE = {"800", "803"}


def save(attempt: PaymentAttempt) -> Token | None:
    """Adyen makes the token after the payment: there may be none yet."""
    return next(iter(_tokens(attempt.saving)), None)


def _tokens(row: SavedMethod) -> list[Token]:
    """What Adyen keeps for the shopper of this card."""
    known = call(
        lambda client: client.checkout.recurring_api.get_tokens_for_stored_payment_details(
            query_parameters=_shopper(row)
        )
    )
    return [
        Token(
            token=kept["id"],
            brand=BRANDS.get(kept.get("brand") or "", (kept.get("brand") or "").title()),
            last4=kept.get("lastFour") or "",
            exp_year=_number(kept.get("expiryYear")),
            exp_month=_number(kept.get("expiryMonth")),
            customer=row.key,
        )
        for kept in known.get("storedPaymentMethods") or []
    ]


def updated(token: str, event_id: str) -> Fact:
    """A token that the card network or somebody at Adyen changed: how it stands now is asked from Adyen."""
    row = SavedMethod.objects.filter(provider="adyen", token=token).first() if token else None
    if row is None:
        return Fact("adyen", event_id, "unknown")
    kept = next((each for each in _tokens(row) if each.token == token), None)
    return Fact("adyen", event_id, "token_updated" if kept else "token_gone", token=token, kept=kept)


def _shopper(row: SavedMethod) -> dict[str, str]:
    return {"merchantAccount": secret("adyen", "merchant_account"), "shopperReference": row.key}


def _number(text: Any) -> int | None:
    return int(text) if str(text or "").isdecimal() else None


def charge(attempt: PaymentAttempt, return_url: str, webhook_url: str) -> Created:
    if attempt.saved is None:
        raise Declined("token_gone")
    about = {
        "paymentMethod": {"type": "scheme", "storedPaymentMethodId": attempt.saved.token},
        "shopperReference": attempt.saved.key,
        "shopperInteraction": "ContAuth",
        "recurringProcessingModel": "CardOnFile",
    }
    return fields.pay(attempt, return_url, about, work=_unless_gone)


def _unless_gone(work: Callable[[Adyen.Adyen], Any]) -> dict[str, Any]:
    """Adyen refuses a token that it does not know any more as a wrong request."""

    def checked(client: Adyen.Adyen) -> Any:
        try:
            return work(client)
        except exceptions.AdyenAPIResponseError as refused:
            if str(refused.error_code) in GONE:
                raise Declined("token_gone") from None
            raise

    return call(checked)


def forget(saved: SavedMethod) -> None:
    try:
        _unless_gone(
            lambda client: client.checkout.recurring_api.delete_token_for_stored_payment_details(
                saved.token, query_parameters=_shopper(saved)
            )
        )
    except Declined as declined:
        if declined.code != "token_gone":
            raise
