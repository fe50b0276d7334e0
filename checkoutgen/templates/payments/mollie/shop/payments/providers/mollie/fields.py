"""Mollie Components in a page of the shop (https://docs.mollie.com/docs/embedding-a-card-form).

Mollie's script makes a token of the card. The payment is opened with it, and leads on to the bank where that asks.
"""

import re
from typing import Any

from django.utils.translation import gettext as _

from orders.models import Order
from payments.credentials import secret
from payments.facts import Created, Declined
from payments.models import PaymentAttempt

from . import adapter

TOKEN = re.compile(r"tkn_[A-Za-z0-9]{1,80}")


def places(currency: str) -> dict[str, str]:
    return {}


def settings(order: Order, method: dict[str, Any]) -> dict[str, Any]:
    return {
        "profile": secret("mollie", "profile_id"),
        "test": secret("mollie", "api_key").startswith("test_"),
        "locale": adapter.LOCALES.get(order.language.split("-")[0], "en_GB"),
        "labels": {
            "cardHolder": _("Name on the card"),
            "cardNumber": _("Card number"),
            "expiryDate": _("Expiry (month/year)"),
            "verificationCode": _("Security code"),
        },
    }


def create(typed: str, attempt: PaymentAttempt, return_url: str, webhook_url: str) -> Created:
    if not TOKEN.fullmatch(typed):
        raise Declined("method_unavailable")
    return adapter.create(attempt, return_url, webhook_url, card_token=typed)
