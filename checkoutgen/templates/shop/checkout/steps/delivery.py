"""Where to and how: the country decides the fields, the way of delivery decides whether an address is needed."""

from collections.abc import Mapping
from typing import Any

from django import forms as django_forms
from django.utils.translation import gettext_lazy as _

from checkout.address import AddressForm
from checkout.state import Checkout
from config.shop import SHOP
from delivery.methods import Option

slug = "delivery"
title = _("Delivery")
template = "checkout/steps/delivery.html"


class DeliveryForm(django_forms.Form):
    """The way of delivery and, where the goods are collected, the store."""

    method = django_forms.ChoiceField(
        label=_("Way of delivery"),
        error_messages={
            "required": _("Choose a way of delivery."),
            "invalid_choice": _("This way of delivery is no longer open to your cart: choose another one."),
        },
    )
    store = django_forms.ChoiceField(
        label=_("Store"),
        required=False,
        error_messages={"invalid_choice": _("This store is not open to your cart: choose another one.")},
    )

    def __init__(self, *args: Any, options: list[Option], **kwargs: Any) -> None:
        super().__init__(*args, prefix=slug, **kwargs)
        self.options = {option.id: option for option in options}
        self.fields["method"].choices = [(option.id, option.id) for option in options]
        self.fields["store"].choices = [(store.id, store.name) for option in options for store in option.stores]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        option = self.options.get(cleaned.get("method", ""))
        stores = [store.id for store in option.stores] if option else []
        if not stores:
            cleaned["store"] = ""
        elif cleaned.get("store") not in stores:
            if len(stores) == 1:
                cleaned["store"] = stores[0]
            elif "store" not in self.errors:
                self.add_error("store", _("Choose the store where you collect your order."))
        return cleaned


def forms(checkout: Checkout, data: Mapping[str, Any] | None) -> dict[str, django_forms.Form]:
    remembered = checkout.cart.data.get(slug) or {}
    saved = checkout.user.address if checkout.user is not None else {}
    address = dict(saved) if saved.get("country") == checkout.country else {}
    address |= remembered.get("address") or {}
    address |= checkout.unchecked(slug, "shipping") | {"country": checkout.country}
    chosen = checkout.option
    initial = {"method": chosen.id if chosen else "", "store": checkout.choice("store")}
    # The country of the page decides the form: a posted one is taken by "update" before (checkout.views).
    if data is not None:
        data = {**data, "shipping-country": checkout.country}
    business = SHOP["audience"] == "b2b"
    return {
        "address": AddressForm(
            data,
            initial=address,
            country=checkout.country,
            part="shipping",
            reduced=bool(chosen) and not chosen.needs_address,
            company="none" if business else None,
        ),
        "delivery": DeliveryForm(data, initial=initial, options=checkout.options),
    }


def value(checkout: Checkout, forms: Mapping[str, django_forms.Form]) -> dict[str, Any]:
    address = forms["address"].value()
    address["company"] = address["company"] or ((checkout.cart.data.get("contact") or {}).get("company") or {}).get(
        "name", ""
    )
    cleaned = forms["delivery"].cleaned_data
    return {"address": address, "method": cleaned["method"], "store": cleaned["store"]}


def is_complete(checkout: Checkout) -> bool:
    remembered = checkout.cart.data.get(slug) or {}
    address = remembered.get("address") or {}
    option = next((option for option in checkout.options if option.id == remembered.get("method")), None)
    return (
        option is not None
        and address.get("country") == checkout.country
        and (not option.needs_address or bool(address.get("street")))
        and (not option.stores or remembered.get("store") in {store.id for store in option.stores})
    )


def context(checkout: Checkout, forms: Mapping[str, django_forms.Form]) -> dict[str, Any]:
    return {
        "options": checkout.options,
        "chosen": checkout.option,
        "chosen_store": forms["delivery"]["store"].value(),
        "no_options": not checkout.options,
        "delivery_note": SHOP["delivery"].get("note"),
    }
