"""Payplug's integrated payment in a page of the shop (https://docs.payplug.com/integratedref.html).

The payment is opened first; Payplug's script then takes the money for it, from fields in frames of its own.
"""

from typing import Any

from django.utils.translation import gettext as _

from orders.models import Order
from payments.credentials import secret
from payments.facts import Created
from payments.models import PaymentAttempt

from . import adapter


def places(currency: str) -> dict[str, str]:
    return {}


def settings(order: Order, method: dict[str, Any]) -> dict[str, Any]:
    return {
        "test": secret("payplug", "secret_key").startswith("sk_test_"),
        "labels": {
            "cardHolder": _("Name on the card"),
            "cardNumber": _("Card number"),
            "expiration": _("Expiry (month/year)"),
            "cvv": _("Security code"),
        },
        "brand": _("Card brand"),  # the buyer's choice: article 8(6), Regulation (EU) 2015/751
        "wrong": _("Check what you entered."),
    }


def create(typed: str, attempt: PaymentAttempt, return_url: str, webhook_url: str) -> Created:
    return adapter.create(attempt, return_url, webhook_url, in_page=True)
