"""PayPal's card fields in a page of the shop (https://developer.paypal.com/v5/expanded/card-fields/).

The order is opened first; PayPal's script puts the card to it, with 3-D Secure where the law wants it, and the shop
collects. No wallet of PayPal is in it.
"""

from typing import Any

from django.utils.translation import gettext as _

from config.shop import SHOP
from orders.models import Order
from payments.credentials import secret
from payments.facts import Created
from payments.methods import captured_at_shipping
from payments.models import PaymentAttempt
from payments.units import decimal_text

from .adapter import call


def places(currency: str) -> dict[str, str]:
    return {"client_id": secret("paypal", "client_id"), "currency": currency}


def settings(order: Order, method: dict[str, Any]) -> dict[str, Any]:
    return {
        "labels": {
            "NameField": _("Name on the card"),
            "NumberField": _("Card number"),
            "ExpiryField": _("Expiry (month/year)"),
            "CVVField": _("Security code"),
        },
        "wrong": _("Check what you entered."),
    }


def create(typed: str, attempt: PaymentAttempt, return_url: str, webhook_url: str) -> Created:
    experience = {"return_url": return_url, "cancel_url": return_url}
    card = {"attributes": {"verification": {"method": "SCA_WHEN_REQUIRED"}}, "experience_context": experience}
    body = {
        "intent": "AUTHORIZE" if captured_at_shipping(attempt.method) else "CAPTURE",
        "purchase_units": [
            {
                "custom_id": attempt.key,
                "description": f"{SHOP['shop']['name']} {attempt.order.number}"[:127],
                "amount": {"currency_code": attempt.currency, "value": decimal_text(attempt.amount, attempt.currency)},
            }
        ],
        "payment_source": {"card": card},
    }
    made = call(lambda client: client.orders.create_order({"body": body, "paypal_request_id": attempt.key}))
    return Created(made["id"], browser={"ref": made["id"]})
