"""PayPal from the cart (https://developer.paypal.com/docs/checkout/standard/customize/shipping-module/).

The buyer agrees on PayPal's page, which asks the shop what delivery to the address costs, and comes back; the order is
given its final amount and collected when the buyer orders on the review page.
"""

import re
import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from django.utils import timezone

from cart.models import Cart
from common.texts import localized
from config.shop import SHOP, market
from payments.facts import Created, Wallet
from payments.models import PaymentAttempt
from payments.units import decimal_text
from payments.wallets import Quote, quote

from .adapter import call

UNIT = "/purchase_units/@reference_id=='default'"


def _money(amount: int, currency: str) -> dict[str, str]:
    return {"currency_code": currency, "value": decimal_text(amount, currency)}


def _amount(found: Quote, country: str) -> dict[str, Any]:
    """The sum and what it is made of, as PayPal adds up: goods + delivery + tax - discount."""
    sums, currency = found.totals, found.totals.currency
    tax = 0 if market(country)["prices"] == "gross" else sums.tax
    parts = {"item_total": sums.goods, "shipping": sums.delivery, "tax_total": tax, "discount": sums.discount}
    return _money(sums.total, currency) | {"breakdown": {key: _money(each, currency) for key, each in parts.items()}}


def _options(found: Quote) -> list[dict[str, Any]]:
    currency = found.totals.currency
    return [
        {
            "id": each.id,
            "label": localized(each.name)[:127],
            "type": "SHIPPING",
            "selected": each.id == found.chosen.id,
            "amount": _money(each.amount, currency),
        }
        for each in found.options
    ]


def begin(cart: Cart, method: dict[str, Any], return_url: str, quote_url: str) -> tuple[str, str]:
    found = quote(cart, cart.market, "", timezone.now())
    experience: dict[str, Any] = {
        "return_url": return_url,
        "cancel_url": return_url,
        "brand_name": SHOP["shop"]["name"],
        "user_action": "CONTINUE",  # to the review page of the shop, where the buyer orders
        "shipping_preference": "GET_FROM_FILE",
    }
    if urlsplit(quote_url).scheme == "https":  # PayPal asks no other
        events = ["SHIPPING_ADDRESS", "SHIPPING_OPTIONS"]
        experience["order_update_callback_config"] = {"callback_events": events, "callback_url": quote_url}
    unit: dict[str, Any] = {"reference_id": "default", "description": SHOP["shop"]["name"][:127]}
    if found:
        unit |= {"amount": _amount(found, cart.market), "shipping": {"options": _options(found)}}
    else:
        from cart.summary import summarize

        unit["amount"] = _money(summarize(cart).totals.total, cart.currency)
    body = {
        "intent": "AUTHORIZE" if method.get("capture") == "at-shipping" else "CAPTURE",
        "purchase_units": [unit],
        "payment_source": {"paypal": {"experience_context": experience}},
    }
    asked = {"body": body, "paypal_request_id": secrets.token_hex(16)}
    made = call(lambda client: client.orders.create_order(asked))
    links = {link["rel"]: link["href"] for link in made.get("links", [])}
    return made["id"], links.get("payer-action") or links.get("approve") or ""


def asked(body: dict[str, Any]) -> tuple[str, str]:
    """Country and way of delivery in PayPal's question."""
    return body["shipping_address"]["country_code"], (body.get("shipping_option") or {}).get("id") or ""


def quoted(body: dict[str, Any], cart: Cart, found: Quote | None) -> tuple[int, dict[str, Any]]:
    if found is None:
        return 422, {"name": "UNPROCESSABLE_ENTITY", "details": [{"issue": "COUNTRY_ERROR"}]}
    country = str(body["shipping_address"]["country_code"]).upper()
    unit = {"reference_id": "default", "amount": _amount(found, country), "shipping_options": _options(found)}
    return 200, {"id": body.get("id"), "purchase_units": [unit]}


def wallet(cart: Cart, ref: str, answer: Mapping[str, str]) -> Wallet | None:
    if not re.fullmatch(r"[A-Z0-9]{5,40}", ref):
        return None
    order = call(lambda client: client.orders.get_order({"id": ref}))
    if order.get("status") != "APPROVED":
        return None
    unit = next(iter(order.get("purchase_units") or []), {})
    shipping, payer = unit.get("shipping") or {}, order.get("payer") or {}
    place = shipping.get("address") or payer.get("address") or {}
    name = payer.get("name") or {}
    options = shipping.get("options") or []
    return Wallet(
        token=ref,
        email=payer.get("email_address") or "",
        phone=((payer.get("phone") or {}).get("phone_number") or {}).get("national_number") or "",
        address={
            "country": place.get("country_code") or "",
            "name": (shipping.get("name") or {}).get("full_name")
            or " ".join(filter(None, (name.get("given_name"), name.get("surname")))),
            "street": place.get("address_line_1") or "",
            "line2": place.get("address_line_2") or "",
            "postcode": place.get("postal_code") or "",
            "city": place.get("admin_area_2") or "",
            "region": place.get("admin_area_1") or "",
        },
        option=next((each["id"] for each in options if each.get("selected")), ""),
        currency=(unit.get("amount") or {}).get("currency_code") or "",
    )


def create(token: str, attempt: PaymentAttempt, return_url: str, webhook_url: str) -> Created:
    """The order that the buyer approved gets the amount that the buyer ordered for; `fetch` collects it."""
    patch = [
        {"op": "replace", "path": f"{UNIT}/amount", "value": _money(attempt.amount, attempt.currency)},
        {"op": "add", "path": f"{UNIT}/custom_id", "value": attempt.key},
    ]
    call(lambda client: client.orders.patch_order({"id": token, "body": patch}))
    return Created(token)
