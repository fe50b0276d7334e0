"""Bookings that named no order: a person says which order one belongs to, or why to none. What was said is only ever
added, as payment events of their own; the booking stays as it came."""

from typing import Any

from django import forms
from django.db import transaction
from django.db.models import CharField, Exists, OuterRef, QuerySet, Value
from django.db.models.functions import Cast, Concat
from django.utils.translation import gettext as _text
from django.utils.translation import gettext_lazy as _

from backoffice.deeds import Deed, DeedForm
from orders import lifecycle
from orders.models import Order
from orders.states import AttemptState
from payments.models import PaymentAttempt, PaymentEvent

from . import Entry, matching

ASSIGNED, SET_ASIDE = "assigned", "set-aside"


def bookings() -> "QuerySet[PaymentEvent]":
    """All of them, each with `assigned` and `set_aside`: whether that was said of it."""
    kept = PaymentEvent.objects.filter(provider="", source="statement", outcome="unknown", attempt=None)
    return kept.annotate(assigned=_said(ASSIGNED), set_aside=_said(SET_ASIDE))


def waiting() -> "QuerySet[PaymentEvent]":
    return bookings().filter(assigned=False, set_aside=False)


def _said(what: str) -> Exists:
    about = Concat(Value(f"bank:{what}:"), Cast(OuterRef("pk"), CharField()))
    return Exists(PaymentEvent.objects.filter(provider="", event_id=about))


def said(booking: PaymentEvent, what: str) -> PaymentEvent | None:
    return PaymentEvent.objects.filter(provider="", event_id=f"bank:{what}:{booking.pk}").first()


@transaction.atomic
def assign(booking: PaymentEvent, order: Order, *, actor: str) -> str:
    """The booking belongs to this order, as if it had named it. Returns the outcome; the second time: duplicate."""
    booking = _lock(booking)
    order = lifecycle.lock(order.pk)
    attempt = matching.paid_by_bank(order)
    if attempt is None or not _is_assignable(booking):
        return "unknown"
    if said(booking, ASSIGNED):
        return "duplicate"
    told = booking.payload
    entry = Entry(
        id=f"{ASSIGNED}:{booking.pk}",
        day=None,
        amount=booking.amount,
        currency=booking.currency,
        credit=told.get("credit", False),
        returned=told.get("returned", False),
    )
    lifecycle.record(order, "transfer_assigned", actor=actor, booking=booking.pk, text=told.get("text", ""))
    return matching.take_in(entry, order, attempt, {"booking": booking.pk, "by": actor})


@transaction.atomic
def set_aside(booking: PaymentEvent, reason: str, *, actor: str) -> str:
    """The booking pays no order, for this reason. Returns the outcome; the second time: duplicate."""
    booking = _lock(booking)
    if said(booking, SET_ASIDE) or said(booking, ASSIGNED):
        return "duplicate"
    PaymentEvent.objects.create(
        provider="",
        event_id=f"bank:{SET_ASIDE}:{booking.pk}",
        kind="set_aside",
        amount=booking.amount,
        currency=booking.currency,
        payload={"booking": booking.pk, "by": actor, "reason": reason},
        source="backoffice",
        outcome="set_aside",
    )
    return "set_aside"


def _lock(booking: PaymentEvent) -> PaymentEvent:
    """Two people who look at the same booking come one after the other."""
    return PaymentEvent.objects.select_for_update().get(pk=booking.pk)


# -- the deeds of the back office -----------------------------------------------------------------------------------


class AssignForm(DeedForm):
    number = forms.CharField(label=_("Order number"), max_length=100)

    def __init__(self, *args: Any, about: PaymentEvent, **kwargs: Any) -> None:
        super().__init__(*args, about=about, **kwargs)
        number = self.fields["number"]
        number.widget.attrs |= {"autocomplete": "off", "spellcheck": "false"}
        if fitting := _fitting(about):
            number.help_text = _text("Orders that wait for exactly this amount: %(numbers)s") % {
                "numbers": ", ".join(fitting)
            }

    def clean_number(self) -> Order:
        order = matching.find([self.cleaned_data["number"]])
        if order is None:
            raise forms.ValidationError(_text("There is no order with this number."))
        if matching.paid_by_bank(order) is None:
            raise forms.ValidationError(
                _text("The buyer chose no transfer, cheque, invoice or cash: this order takes no booking of your bank.")
            )
        return order


def _fitting(booking: PaymentEvent) -> list[str]:
    """A few orders that wait for exactly this money, the oldest first."""
    open_ = PaymentAttempt.objects.filter(
        provider="", state=AttemptState.PENDING, amount=booking.amount, currency=booking.currency
    )
    return list(open_.order_by("pk").values_list("order__number", flat=True)[:5])


class SetAsideForm(DeedForm):
    reason = forms.CharField(label=_("Reason"), max_length=500, widget=forms.Textarea(attrs={"rows": 3}))


def is_booking(event: PaymentEvent) -> bool:
    unmatched = event.source == "statement" and event.outcome == "unknown" and event.attempt_id is None
    return unmatched and not event.provider


def _is_assignable(event: PaymentEvent) -> bool:
    """Money that came in, or was taken back by the buyer's bank; our own transfer that came back pays no order."""
    told = event.payload
    return is_booking(event) and event.amount is not None and bool(told.get("credit")) != bool(told.get("returned"))


def _assign(booking: PaymentEvent, data: dict[str, Any], actor: str) -> str:
    order = data["number"]
    outcome = assign(booking, order, actor=actor)
    if outcome == "review":
        return _text("Money and order %(number)s do not agree: it is to be reviewed now.") % {"number": order.number}
    return _text("This is not possible any more.") if outcome in ("duplicate", "unknown") else ""


def _set_aside(booking: PaymentEvent, data: dict[str, Any], actor: str) -> str:
    done = set_aside(booking, data["reason"], actor=actor) == "set_aside"
    return "" if done else _text("This is not possible any more.")


DEEDS: dict[str, Deed] = {
    "assign": Deed(
        _("Assign to an order"),
        _(
            "The money belongs to this order, as if the transfer had named it. When amount or currency are not those "
            "of the order, it goes to review."
        ),
        AssignForm,
        lambda event: _is_assignable(event) and not said(event, ASSIGNED),
        _assign,
    ),
    "set-aside": Deed(
        _("Set aside"),
        _("This booking pays no order, and needs no more attention. The reason is kept."),
        SetAsideForm,
        lambda event: is_booking(event) and not said(event, ASSIGNED) and not said(event, SET_ASIDE),
        _set_aside,
    ),
}
