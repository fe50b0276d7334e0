"""Cards that Mollie's page remembers for a returning buyer (https://docs.mollie.com/docs/hosted-checkout).

The page remembers by customer, so the customer is the token. The buyer chooses the card in the shop, and confirms with
one click on Mollie's page, where the bank may ask as well: Mollie stores a card for payments without its page only with
fields of its own in the page of the shop.
"""

from collections.abc import Callable
from datetime import date
from typing import TypeVar

import mollie

from payments.facts import Created, Declined, Token
from payments.models import PaymentAttempt, SavedMethod

from . import adapter

NAME = "Mollie"
T = TypeVar("T")
NOT_THERE = (404, 410)


def save(attempt: PaymentAttempt) -> Token | None:
    payment = adapter.call(lambda client: client.payments.get(payment_id=attempt.provider_ref, retries=None))
    customer, details = payment.customer_id, payment.details
    if not customer or not details or not details.card_number:
        return None
    year, month = _expiry(details.card_expiry_date or "")
    brand = adapter.word(details.card_label or "")
    return Token(customer, brand, details.card_number[-4:], year, month, customer)


def _expiry(text: str) -> tuple[int | None, int | None]:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None, None
    return day.year, day.month


def charge(attempt: PaymentAttempt, return_url: str, webhook_url: str) -> Created:
    customer = attempt.saved.customer if attempt.saved else ""
    if not customer or not _exists(customer):
        raise Declined("token_gone")
    return adapter.create(attempt, return_url, webhook_url, customer=customer)


def _exists(customer: str) -> bool:
    return _unless_gone(lambda client: client.customers.get(customer_id=customer, retries=None)) is not None


def forget(saved: SavedMethod) -> None:
    _unless_gone(lambda client: client.customers.delete(customer_id=saved.customer, retries=None))


def _unless_gone(work: Callable[[mollie.ClientSDK], T]) -> T | None:
    def checked(client: mollie.ClientSDK) -> T | None:
        try:
            return work(client)
        except mollie.ClientError as refused:
            if refused.status_code in NOT_THERE:
                return None
            raise

    return adapter.call(checked)
