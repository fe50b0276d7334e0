"""How to pay and where the invoice goes. Card and account data are asked later, by the provider."""

from collections.abc import Mapping
from typing import Any

from django import forms as django_forms
from django.utils.translation import gettext_lazy as _

from checkout.address import AddressForm
from checkout.fields import LineField
from checkout.state import Checkout
from config.shop import SHOP
from payments import saved

slug = "payment"
title = _("Payment")
template = "checkout/steps/payment.html"


class PaymentForm(django_forms.Form):
    method = django_forms.ChoiceField(
        label=_("Way to pay"),
        error_messages={
            "required": _("Choose how you want to pay."),
            "invalid_choice": _("This way to pay is not open to this order: choose another one."),
        },
    )
    same = django_forms.BooleanField(label=_("Same as the delivery address"), required=False, initial=True)

    def __init__(self, *args: Any, checkout: Checkout, **kwargs: Any) -> None:
        super().__init__(*args, prefix=slug, **kwargs)
        methods = checkout.methods
        self.methods = {method["id"]: method for method in methods}
        self.fields["method"].choices = [(name, name) for name in _choices(checkout)]
        for method in methods:
            if saved.is_offered(method, checkout.user):
                self.fields[f"save-{method['id']}"] = django_forms.BooleanField(required=False)
        if any(method["kind"] == "purchase-order" for method in methods):
            self.fields["purchase_order"] = LineField(
                autocomplete="off",
                label=_("Purchase order number"),
                help_text=_("It stands on the invoice."),
                missing=_("Enter the number of your purchase order."),
            )

    def add_error(self, field: str | None, error: Any) -> None:
        """What belongs to one way to pay is only asked of those who chose it."""
        chosen = self.methods.get(self.cleaned_data.get("method", ""), {})
        if field != "purchase_order" or chosen.get("kind") == "purchase-order":
            super().add_error(field, error)


def _choices(checkout: Checkout) -> list[str]:
    """What may be chosen, what was saved first."""
    return [card.value for card in checkout.cards if card.usable] + [method["id"] for method in checkout.methods]


def forms(checkout: Checkout, data: Mapping[str, Any] | None) -> dict[str, django_forms.Form]:
    remembered = checkout.cart.data.get(slug) or {}
    draft = checkout.unchecked(slug, "payment")
    same = checkout.has_address and (("same" in draft) if draft else remembered.get("billing_same", True))
    if data is not None:
        same = checkout.has_address and "payment-same" in data
        data = (
            {**data, "payment-same": "on"} if same else {key: val for key, val in data.items() if key != "payment-same"}
        )
    number = (remembered.get("purchase_order") or {}).get("number", "")
    chosen = f"saved:{remembered['saved']}" if remembered.get("saved") else remembered.get("method")
    initial = {"method": chosen, "purchase_order": number} | draft | {"same": same}
    if remembered.get("save") and not draft:
        initial[f"save-{chosen}"] = True
    choices = _choices(checkout)
    if initial["method"] not in choices:
        initial["method"] = choices[0] if choices else ""
    billing = {"country": checkout.country, "name": (checkout.address or {}).get("name", "")}
    billing |= remembered.get("billing") or {} if not remembered.get("billing_same", True) else {}
    billing |= checkout.unchecked(slug, "billing")
    country = (data or billing).get("billing-country" if data else "country")
    return {
        "payment": PaymentForm(data, initial=initial, checkout=checkout),
        "billing": AddressForm(
            None if same else data,
            initial=billing,
            country=country if country in checkout.countries else checkout.country,
            part="billing",
            company="none" if SHOP["audience"] == "b2b" else None,
        ),
    }


def value(checkout: Checkout, forms: Mapping[str, django_forms.Form]) -> dict[str, Any]:
    cleaned, same = forms["payment"].cleaned_data, not forms["billing"].is_bound
    chosen = cleaned["method"]
    card = next((card for card in checkout.cards if card.value == chosen), None)
    # "Same as the delivery address" is kept as such: that address may still change.
    remembered = {
        "method": card.method if card else chosen,
        "billing_same": same,
        "billing": {} if same else forms["billing"].value(),
    }
    if card:
        remembered["saved"] = card.key
    elif cleaned.get(f"save-{chosen}"):
        remembered["save"] = True
    if cleaned.get("purchase_order"):
        remembered["purchase_order"] = {"number": cleaned["purchase_order"]}
    return remembered


def is_complete(checkout: Checkout) -> bool:
    remembered = checkout.cart.data.get(slug) or {}
    known = remembered.get("method") in [method["id"] for method in checkout.methods]
    if key := remembered.get("saved"):
        known = known and any(card.key == key and card.usable for card in checkout.cards)
    return known and (checkout.has_address or not remembered.get("billing_same"))


def context(checkout: Checkout, forms: Mapping[str, django_forms.Form]) -> dict[str, Any]:
    fields = forms["payment"]
    methods = [
        method | {"box": saved.box(method, checkout.user, ticked=bool(fields[name].value()))}
        if (name := f"save-{method['id']}") in fields.fields
        else checkout.marked(method)
        for method in checkout.methods
    ]
    return {"methods": methods, "cards": checkout.cards, "has_address": checkout.has_address}
