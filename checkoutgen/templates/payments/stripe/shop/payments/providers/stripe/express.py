"""Stripe's Express Checkout Element (Apple Pay, Google Pay, Link) before the checkout
(https://docs.stripe.com/elements/express-checkout-element).

The wallet gives e-mail, address and a confirmation token; it is redeemed when the buyer orders on the review page.
"""

import json
from collections.abc import Mapping
from typing import Any

from django.utils import timezone
from django.utils.translation import get_language

from cart.models import Cart
from cart.summary import summarize
from config.shop import HOME, SHOP
from payments.credentials import secret
from payments.facts import Wallet
from payments.units import rescale
from payments.wallets import quote

from . import fields
from .adapter import call, client, digits

places = fields.places
create = fields.create


def settings(cart: Cart, method: dict[str, Any]) -> dict[str, Any]:
    found = quote(cart, cart.market, "", timezone.now())
    total = found.totals.total if found else summarize(cart).totals.total
    return {
        "key": secret("stripe", "publishable_key"),
        "name": SHOP["shop"]["name"],
        "country": SHOP["seller"].get("country") or HOME,
        "amount": rescale(total, cart.currency, digits(cart.currency)),
        "currency": cart.currency.lower(),
        "locale": (get_language() or "en").split("-")[0],
    }


def asked(body: dict[str, Any]) -> tuple[str, str]:
    return body["country"], body.get("option") or ""


def quoted(body: dict[str, Any], cart: Cart, found: Any) -> tuple[int, dict[str, Any]]:
    """In Stripe's units and with its names: https://docs.stripe.com/js/elements_object/express_checkout_element_shippingaddresschange_event"""  # noqa: E501
    if found is None:
        return 422, {"error": "country"}

    def units(amount: int) -> int:
        return rescale(amount, cart.currency, digits(cart.currency))

    from common.texts import localized

    # The first one is the one that is counted with.
    ways = sorted(found.options, key=lambda each: each.id != found.chosen.id)
    rates = [{"id": each.id, "displayName": localized(each.name), "amount": units(each.amount)} for each in ways]
    return 200, {"shippingRates": rates, "amount": units(found.totals.total)}


def wallet(cart: Cart, ref: str, answer: Mapping[str, str]) -> Wallet | None:
    """Who agreed, as Stripe says: the browser only brings the token and the way of delivery that was chosen."""
    try:
        brought = json.loads(answer.get("typed", ""))
        token, option = str(brought["token"]), str(brought.get("option") or "")[:60]
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
    if not fields.TOKEN.fullmatch(token):
        return None
    found = call(lambda: client().v1.confirmation_tokens.retrieve(token)).to_dict()
    billing = (found.get("payment_method_preview") or {}).get("billing_details") or {}
    shipping = found.get("shipping") or {}
    address = shipping.get("address") or billing.get("address") or {}
    country = address.get("country") or ""
    there = quote(cart, country, option, timezone.now())
    return Wallet(
        token=token,
        email=billing.get("email") or "",
        phone=shipping.get("phone") or billing.get("phone") or "",
        address={
            "country": country,
            "name": shipping.get("name") or billing.get("name") or "",
            "street": address.get("line1") or "",
            "line2": address.get("line2") or "",
            "postcode": address.get("postal_code") or "",
            "city": address.get("city") or "",
            "region": address.get("state") or "",
        },
        option=option,
        amount=there.totals.total if there else 0,  # what the wallet showed; nothing where it showed nothing
        currency=cart.currency,
    )
