"""Everything once more, then the button that orders."""

from collections.abc import Mapping
from typing import Any

from django import forms as django_forms
from django.utils.translation import gettext_lazy as _

from checkout.address import lines
from checkout.fields import email_suggestion
from checkout.state import Checkout
from common.texts import localized
from config.shop import market, section
from payments.methods import method

slug = "review"
title = _("Review")
template = "checkout/steps/review.html"


class ReviewForm(django_forms.Form):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if section("checkout").get("terms") == "checkbox":
            self.fields["terms"] = django_forms.BooleanField(
                label=_("I accept the terms of sale"),
                error_messages={"required": _("Tick the box to accept the terms of sale, then order.")},
            )


def forms(checkout: Checkout, data: Mapping[str, Any] | None) -> dict[str, django_forms.Form]:
    return {"review": ReviewForm(data)}


def value(checkout: Checkout, forms: Mapping[str, django_forms.Form]) -> dict[str, Any]:
    return {}


def is_complete(checkout: Checkout) -> bool:
    """The last step is never behind the buyer: it ends in the order."""
    return False


def context(checkout: Checkout, forms: Mapping[str, django_forms.Form]) -> dict[str, Any]:
    data = checkout.cart.data
    contact, payment = data.get("contact") or {}, data.get("payment") or {}
    option = checkout.option
    stores = option.stores if option else ()
    words = section("checkout").get("order_button") or market(checkout.cart.market)["order_button"]
    return {
        "contact_data": contact,
        "suggestion": email_suggestion(contact.get("email", "")),
        "option": option,
        "store": next((store for store in stores if store.id == checkout.choice("store")), None),
        "shipping_lines": lines(checkout.address) if checkout.has_address else [],
        "billing_lines": lines(payment["billing"]) if payment.get("billing") else [],
        "payment_data": payment,
        "method": method(payment.get("method", "")),
        "order_button": localized(words),
        "terms": section("checkout").get("terms"),
    }
