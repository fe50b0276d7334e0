"""What a person may do with an order in the back office: each deed with its form, when it is open, and what it does."""

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext as _text
from django.utils.translation import gettext_lazy as _

from backoffice.deeds import Deed, DeedForm
from common.money import exponent, to_decimal
from common.texts import localized
from payments import engine, settlement
from payments.models import Capture, new_key

from . import lifecycle
from .models import Order
from .states import UNPAID, IllegalMove, OrderState


class ShipForm(DeedForm):
    carrier = forms.CharField(label=_("Carrier"), max_length=80, required=False)
    tracking_number = forms.CharField(label=_("Parcel number"), max_length=80, required=False)

    def __init__(self, *args: Any, about: Order, **kwargs: Any) -> None:
        super().__init__(*args, about=about, **kwargs)
        self.initial["carrier"] = about.delivery.get("carrier", "")
        self.rest = {} if lifecycle.is_collected(about) else lifecycle.unsent(about)
        if sum(self.rest.values()) < 2:
            return
        titles = {line.sku: localized(line.title) for line in about.lines.all()}
        for sku, quantity in self.rest.items():
            self.fields[f"quantity-{sku}"] = forms.IntegerField(
                label=_text("In this parcel: %(title)s") % {"title": f"{titles[sku]} ({sku})"},
                min_value=0,
                max_value=quantity,
                initial=quantity,
            )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        given = {sku: data.pop(f"quantity-{sku}", None) for sku in self.rest if f"quantity-{sku}" in self.fields}
        if None in given.values():  # one of them is no number: its field says so
            return data
        if given and not any(given.values()):
            raise forms.ValidationError(_text("Nothing is in this parcel."))
        return data | {"quantities": given or None}


class RefundForm(DeedForm):
    amount = forms.DecimalField(label=_("Amount"), min_value=Decimal(0))
    reason = forms.CharField(label=_("Reason"), max_length=200, required=False)
    key = forms.RegexField(r"\A[0-9a-f]{32}\Z", widget=forms.HiddenInput)  # a double click is one refund

    def __init__(self, *args: Any, about: Order, **kwargs: Any) -> None:
        super().__init__(*args, about=about, **kwargs)
        self.currency, self.most = about.currency, engine.refundable_amount(about)
        amount = self.fields["amount"]
        amount.decimal_places = exponent(about.currency)
        amount.label = f"{amount.label} ({about.currency})"
        self.initial |= {"amount": to_decimal(self.most, about.currency), "key": new_key()}

    def clean_amount(self) -> int:
        value = self.cleaned_data["amount"].scaleb(exponent(self.currency))
        if value != value.to_integral_value() or not 0 < value <= self.most:
            most = to_decimal(self.most, self.currency)
            raise forms.ValidationError(
                _text("At most %(most)s can be given back.") % {"most": f"{most} {self.currency}"}
            )
        return int(value)


class CancelForm(DeedForm):
    note = forms.CharField(label=_("Words to the buyer"), max_length=500, required=False, widget=forms.Textarea)


def _ship(order: Order, data: dict[str, Any], actor: str) -> str:
    try:
        lifecycle.ship(order, **data, actor=actor)
    except IllegalMove:
        return _text("The order is not confirmed any more.")
    for row in order.captures.filter(state=Capture.State.REQUESTED):
        settlement.collect(row)
    failed = order.captures.filter(state=Capture.State.FAILED).exists()
    return _text("The parcel is noted, but the money could not be collected.") if failed else ""


def _collect(order: Order, data: dict[str, Any], actor: str) -> str:
    if not settlement.collect_now(order, actor=actor):
        return _text("Nothing is reserved any more.")
    failed = order.captures.last().state == Capture.State.FAILED
    return _text("The money could not be collected.") if failed else ""


def _ready(order: Order, data: dict[str, Any], actor: str) -> str:
    try:
        lifecycle.make_ready(order, actor=actor)
    except IllegalMove:
        return _text("The order is not confirmed any more.")
    return ""


def _arrived(order: Order, data: dict[str, Any], actor: str) -> str:
    try:
        lifecycle.arrived(order, actor=actor)
    except IllegalMove:
        return _text("The order is not on its way any more.")
    return ""


def _on_its_way(order: Order) -> bool:
    sent = order.state == OrderState.FULFILLED and not lifecycle.is_collected(order)
    return sent and order.delivery.get("kind") != "digital" and not order.events.filter(kind="delivered").exists()


def _waits_for_collection(order: Order) -> bool:
    confirmed = order.state == OrderState.CONFIRMED and lifecycle.is_collected(order)
    return confirmed and not order.events.filter(kind="ready").exists()


def _received(order: Order, data: dict[str, Any], actor: str) -> str:
    return "" if engine.received(order, actor=actor) in ("applied", "review") else _text("There is no open payment.")


def _refund(order: Order, data: dict[str, Any], actor: str) -> str:
    try:
        row = engine.refund(order, data["amount"], data["reason"], actor, key=data["key"])
    except engine.OverRefund:
        return _text("More than what was paid cannot be given back.")
    return _text("The provider refused the refund.") if row.state == "failed" else ""


def _cancel(order: Order, data: dict[str, Any], actor: str) -> str:
    done = engine.cancel(order, actor=actor, reason="seller", note=data["note"])
    return "" if done else _text("It is too late to cancel this order.")


def _accept(order: Order, data: dict[str, Any], actor: str) -> str:
    return "" if lifecycle.accept(order, actor=actor) else _text("The stock was sold to somebody else meanwhile.")


def _owes(order: Order) -> bool:
    waiting = order.state in (*UNPAID, OrderState.CONFIRMED, OrderState.FULFILLED, OrderState.EXPIRED)
    return waiting and order.attempts.filter(provider="").exclude(state="captured").exists()


DEEDS: dict[str, Deed] = {
    "paid": Deed(
        _("Money received"),
        _("The transfer, cheque, invoice or cash has arrived in full."),
        DeedForm,
        lambda order: _owes(order) and engine.paid_amount(order) == 0,
        _received,
    ),
    "ready": Deed(
        _("Ready for collection"),
        _("The goods wait in the store. The buyer gets a mail with the address and the opening hours."),
        DeedForm,
        _waits_for_collection,
        _ready,
    ),
    "ship": Deed(
        _("Ship"),
        _(
            "The goods are on their way, or were handed over: all of them, or a part. The buyer gets a mail with the "
            "parcel number, and money that was reserved is collected."
        ),
        ShipForm,
        lambda order: order.state == OrderState.CONFIRMED,
        _ship,
    ),
    "delivered": Deed(
        _("Mark as delivered"),
        _("The carrier says that the last parcel has arrived. The buyer gets a mail with the last day to withdraw."),
        DeedForm,
        _on_its_way,
        _arrived,
    ),
    "collect": Deed(
        _("Collect the money"),
        _("All that is reserved for this order is collected now. Shipping does so by itself."),
        DeedForm,
        lambda order: (
            order.state in (OrderState.CONFIRMED, OrderState.FULFILLED, OrderState.REVIEW)
            and settlement.collectable(order)
        ),
        _collect,
    ),
    "refund": Deed(
        _("Refund"),
        _("All or a part of the money goes back the way it came. The buyer gets a mail."),
        RefundForm,
        lambda order: engine.refundable_amount(order) > 0,
        _refund,
    ),
    "accept": Deed(
        _("Let it stand"),
        _("Money and order disagreed; you have looked at it and the order stands as it is."),
        DeedForm,
        lambda order: order.state == OrderState.REVIEW,
        _accept,
    ),
    "cancel": Deed(
        _("Cancel"),
        _("The order is called off, its stock is free again, and what was paid goes back. The buyer gets a mail."),
        CancelForm,
        lambda order: (
            order.state in (*UNPAID, OrderState.REVIEW)
            or (order.state == OrderState.CONFIRMED and not order.fulfilments.exists())
        ),
        _cancel,
    ),
}
