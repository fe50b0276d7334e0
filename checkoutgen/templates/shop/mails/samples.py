"""Every mail filled with a made-up order of this shop, to look at and to test."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from cart.models import Cart
from catalogue.models import Variant
from catalogue.prices import price
from common.texts import localized
from config.shop import HOME, SHOP, market
from delivery.methods import options
from orders.models import Order
from orders.placing import place

from .messages import Message, build

FOLDER = settings.BASE_DIR / "templates" / "mails"


def kinds() -> list[str]:
    return sorted(path.parent.name for path in FOLDER.glob("*/sample.json"))


def message(kind: str, language: str, *, name: str = "Ana Müller") -> Message:
    """A mail of a kind as it would read in a language. Nothing of what it is about stays in the database."""
    sample = json.loads((FOLDER / kind / "sample.json").read_text(encoding="utf-8"))
    with transaction.atomic():
        order = order_for(sample["order"], language, name) if "order" in sample else None
        context = sample["context"]
        if "text" in context:  # what the buyer wrote, in the buyer's language
            context["text"] = localized(context["text"], language)
        written = build(kind, order, language, context)
        transaction.set_rollback(True)
    return written


def order_for(wanted: Mapping[str, Any], language: str, name: str) -> Order:
    """An order of three products in a state; `delivery` and `payment` name kinds, the shop's first ones by default."""
    now = timezone.now()
    currency = market(HOME)["currency"]
    seller = SHOP["seller"]["address"]
    address = {"name": name, "country": HOME} | {key: seller[key] for key in ("street", "postcode", "city")}
    methods = SHOP["payment"]["methods"]
    paid_by = next((method for method in methods if method["kind"] == wanted.get("payment")), methods[0])
    cart = Cart.objects.create(
        market=HOME,
        language=language,
        currency=currency,
        data={"contact": {"email": "ana@example.org"}, "payment": {"method": paid_by["id"]}},
    )
    in_stock = Variant.objects.filter(Q(stock=None) | Q(stock__gte=3)).select_related("product")
    first_of_each = in_stock.filter(position=0).order_by("product__position")[:3]
    for quantity, variant in enumerate(first_of_each, start=1):
        cost = price(variant, HOME)
        if cost is None:
            continue
        cart.lines.create(
            variant=variant,
            sku=variant.sku,
            title=variant.product.title,
            quantity=quantity,
            unit_amount=cost.amount,
        )
    ways = options(cart, HOME, now)
    way = next((each for each in ways if each.kind == wanted.get("delivery")), ways[0])
    store = way.stores[0].id if way.stores else None
    cart.data["delivery"] = {"address": address, "method": way.id, "store": store}
    cart.save()
    order = place(cart, now=now)
    order.state = wanted["state"]
    if "expires_in_days" in wanted:
        order.expires_at = now + timedelta(days=wanted["expires_in_days"])
    order.save()
    if "fulfilment" in wanted:
        order.fulfilments.create(**wanted["fulfilment"])
    return order
