"""Everything once more, then the button that orders."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms as django_forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from cart.summary import active
from catalogue import guarantees
from checkout.address import lines
from checkout.fields import email_suggestion
from checkout.state import Checkout
from common.texts import localized
from config.shop import market, section
from orders.declarations import Box, boxes, declared
from payments.methods import method

slug = "review"
title = _("Review")
template = "checkout/steps/review.html"


class ReviewForm(django_forms.Form):
    """Only boxes to tick: the declarations that this cart needs, and the terms where the specification wants that."""

    def __init__(self, *args: Any, boxes: Sequence[Box] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for box in boxes:
            self.fields[box.name] = django_forms.BooleanField(
                label=box.statement, error_messages={"required": box.missing}
            )
        if section("checkout").get("terms") == "checkbox":
            self.fields["terms"] = django_forms.BooleanField(
                label=_("I accept the terms of sale"),
                error_messages={"required": _("Tick the box to accept the terms of sale, then order.")},
            )


def _boxes(checkout: Checkout) -> list[Box]:
    company = (checkout.cart.data.get("contact") or {}).get("company")
    bought = [(str(line), line.variant.product) for line in active(checkout.cart) if line.variant]
    return boxes(bought, checkout.cart.market, company)


def forms(checkout: Checkout, data: Mapping[str, Any] | None) -> dict[str, django_forms.Form]:
    return {"review": ReviewForm(data, boxes=_boxes(checkout))}


def value(checkout: Checkout, forms: Mapping[str, django_forms.Form]) -> dict[str, Any]:
    """What was declared, in the words that stood beside the boxes."""
    return {"declarations": declared(_boxes(checkout))}


def is_complete(checkout: Checkout) -> bool:
    """The last step is never behind the buyer: it ends in the order."""
    return False


def context(checkout: Checkout, forms: Mapping[str, django_forms.Form]) -> dict[str, Any]:
    data = checkout.cart.data
    contact, payment = data.get("contact") or {}, data.get("payment") or {}
    option = checkout.option
    stores = option.stores if option else ()
    chosen = method(payment.get("method", ""))
    words = section("checkout").get("order_button") or market(checkout.cart.market)["order_button"]
    return {
        "contact_data": contact,
        "suggestion": email_suggestion(contact.get("email", "")),
        "option": option,
        "store": next((store for store in stores if store.id == checkout.choice("store")), None),
        "shipping_lines": lines(checkout.address) if checkout.has_address else [],
        "billing_lines": lines(payment["billing"]) if payment.get("billing") else [],
        "payment_data": payment,
        "method": checkout.marked(chosen) if chosen else None,
        "card": next((card for card in checkout.cards if card.key == payment.get("saved")), None),
        "order_button": localized(words),
        "terms": section("checkout").get("terms"),
        "durable": _durable(checkout),
    }


def _durable(checkout: Checkout) -> list[tuple[str, int]]:
    """Title and years of what has a producer's guarantee of durability: article 8(2) wants it here."""
    today = timezone.localdate(checkout.now)
    found = [(str(line), line.variant.product) for line in active(checkout.cart) if line.variant]
    years = [(title, guarantees.durability(product, checkout.cart.market, today)) for title, product in found]
    return [pair for pair in years if pair[1]]
