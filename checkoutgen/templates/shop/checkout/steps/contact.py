"""Who orders: as a guest, with an account, for a company."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from django import forms as django_forms
from django.utils.translation import gettext_lazy as _

from checkout.fields import EmailField, LineField, NoteField, PhoneField, email_suggestion, note, vat_id
from checkout.state import Checkout
from common.texts import localized
from config.shop import SHOP, section

slug = "contact"
title = _("Contact")
template = "checkout/steps/contact.html"


class ContactForm(django_forms.Form):
    def __init__(self, *args: Any, country: str, account: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        asked = section("checkout").get("fields") or {}
        self.fields["email"] = EmailField(help_text=_("For the order confirmation and news of the delivery."))
        if SHOP["audience"] in ("b2b", "mixed"):
            self._add_company(country, required=SHOP["audience"] == "b2b")
        if asked.get("phone", "optional") != "none":
            self.fields["phone"] = PhoneField(
                country=country,
                label=_("Phone"),
                required=asked.get("phone") == "required",
                help_text=localized(asked.get("phone_reason")) or _("Only for questions about this delivery."),
            )
        if asked.get("order_note", "none") != "none":
            self.fields["note"] = NoteField(
                autocomplete="off",
                clean=note,
                label=_("Note to the shop"),
                required=asked["order_note"] == "required",
                missing=_("Write a note, for example a delivery hint."),
                attrs={"rows": 3},
            )
        if account == "optional":
            self.fields["as"] = django_forms.ChoiceField(
                choices=[("guest", _("Order as a guest")), ("account", _("Create an account after paying"))],
                initial="guest",
                required=False,
            )

    def _add_company(self, country: str, *, required: bool) -> None:
        vat = section("business").get("vat_id") or "optional"
        self.fields["company"] = LineField(
            autocomplete="organization",
            label=_("Company"),
            required=required,
            missing=_("Enter the name of the company."),
        )
        if vat != "none":
            self.fields["vat_id"] = LineField(
                autocomplete="off",
                label=_("VAT number"),
                required=required and vat == "required",
                clean=partial(vat_id, country=country),
                missing=_("Enter the VAT number with the letters of its country in front, like FR or DE."),
                help_text=_("With the letters of the country in front. Spaces do not matter."),
                attrs={"autocapitalize": "characters"},
            )


def ways() -> dict[str, Any]:
    """Which of guest order, sign-in and account the specification offers."""
    wanted = {"guest": True, "sign_in": True, "account": "after-payment"} | (
        section("checkout").get("identification") or {}
    )
    if SHOP["audience"] == "b2b" and not wanted["guest"]:
        wanted["account"] = "required"
    return wanted


def forms(checkout: Checkout, data: Mapping[str, Any] | None) -> dict[str, django_forms.Form]:
    initial: dict[str, Any] = {}
    if checkout.user is not None:
        initial = {"email": checkout.user.email, "phone": checkout.user.phone}
    remembered = checkout.cart.data.get(slug) or {}
    initial |= (
        remembered | (remembered.get("company") or {}) | {"company": (remembered.get("company") or {}).get("name", "")}
    )
    initial |= checkout.unchecked(slug)
    return {"contact": ContactForm(data, initial=initial, country=checkout.country, account=ways()["account"])}


def value(checkout: Checkout, forms: Mapping[str, django_forms.Form]) -> dict[str, Any]:
    cleaned = forms["contact"].cleaned_data
    company = {"name": cleaned["company"], "vat_id": cleaned.get("vat_id", "")} if cleaned.get("company") else {}
    return {
        "email": cleaned["email"],
        "phone": cleaned.get("phone", ""),
        "as": "account" if checkout.user or cleaned.get("as") == "account" else "guest",
        "company": company,
        "note": cleaned.get("note", ""),
    }


def may_enter(checkout: Checkout) -> bool:
    """Whether the buyer may go on without signing in first."""
    return checkout.user is not None or (ways()["guest"] and ways()["account"] != "required")


def is_complete(checkout: Checkout) -> bool:
    return bool(checkout.cart.data.get(slug)) and may_enter(checkout)


def context(checkout: Checkout, forms: Mapping[str, django_forms.Form]) -> dict[str, Any]:
    remembered = checkout.cart.data.get(slug) or {}
    return {
        "ways": ways(),
        "may_enter": may_enter(checkout),
        "suggestion": email_suggestion(remembered.get("email", "")),
    }
