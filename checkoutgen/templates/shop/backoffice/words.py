"""What fields and codes are called in the back office. Models keep Django's automatic names, so that a better word
is no migration; codes stay as they are in the database, and a code without a word is shown as it is."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import models
from django.utils.functional import Promise, lazy
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from common.texts import localized
from orders.states import AttemptState, OrderState
from payments.methods import methods

Words = Mapping[str, str | Promise]

# By name of a field, or of an entry of its JSON.
NAMES: Words = {
    "accepted_at": _("accepted at"),
    "actor": _("done by"),
    "amount": _("amount"),
    "at": _("when"),
    "attempt": _("payment attempt"),
    "authorized_until": _("reserved until"),
    "booking": _("booking"),
    "brand": _("brand"),
    "by": _("done by"),
    "capture": _("collection of money"),
    "carrier": _("carrier"),
    "category": _("category"),
    "city": _("town"),
    "company": _("company"),
    "confirmed_at": _("confirmed at"),
    "consent_text": _("wording of the consent"),
    "consent_version": _("version of the consent"),
    "consented_at": _("consent given at"),
    "context": _("contents"),
    "country": _("country"),
    "coupon_code": _("discount code"),
    "created_at": _("created at"),
    "credit": _("money came in"),
    "currency": _("currency"),
    "day": _("day"),
    "declarations": _("declarations"),
    "dispatch_days": _("days until dispatch"),
    "due_at": _("due at"),
    "earliest": _("at the earliest"),
    "email": _("e-mail address"),
    "error": _("error"),
    "event_id": _("identifier of the event"),
    "exp_month": _("month of expiry"),
    "exp_year": _("year of expiry"),
    "expires_at": _("expires at"),
    "failure": _("reason of the failure"),
    "fulfilment": _("shipment"),
    "handle": _("name in the address"),
    "height": _("height"),
    "key": _("key"),
    "kind": _("kind"),
    "language": _("language"),
    "last4": _("last four digits"),
    "latest": _("at the latest"),
    "line2": _("addition to the address"),
    "lines": _("lines"),
    "market": _("market"),
    "message_id": _("identifier of the message"),
    "method": _("way to pay"),
    "name": _("name"),
    "next_check_at": _("next query at"),
    "note": _("note of the buyer"),
    "number": _("number"),
    "order": _("order"),
    "outcome": _("outcome"),
    "path": _("file"),
    "payload": _("contents"),
    "payment_method": _("way to pay"),
    "phone": _("phone"),
    "placed_at": _("placed at"),
    "position": _("position"),
    "postcode": _("postcode"),
    "product": _("product"),
    "provider": _("provider"),
    "provider_ref": _("reference of the provider"),
    "published": _("on sale"),
    "quantity": _("quantity"),
    "reason": _("reason"),
    "received_at": _("received at"),
    "redirect_url": _("address of the payment page"),
    "refund": _("refund"),
    "region": _("region"),
    "returned": _("money came back"),
    "sent_at": _("sent at"),
    "sha256": _("digest (SHA-256)"),
    "shipped_at": _("shipped at"),
    "sku": _("article number"),
    "source": _("source"),
    "state": _("state"),
    "stock": _("stock"),
    "stock_taken": _("taken from stock"),
    "store": _("store"),
    "street": _("street"),
    "tax": _("rate of tax"),
    "tax_rate": _("rate of tax"),
    "text": _("text"),
    "to": _("recipient"),
    "tracking_number": _("parcel number"),
    "tracking_url": _("address of the tracking"),
    "tries": _("tries"),
    "until": _("until"),
    "updated_at": _("changed at"),
    "used_at": _("last used at"),
    "user": _("customer"),
    "vat_id": _("VAT number"),
    "vendor": _("brand"),
    "version": _("version"),
    "was": _("state before"),
    "weight": _("weight (g)"),
    "width": _("width"),
    "withdrawal": _("withdrawal"),
}

_ATTEMPT_STATES = {state.value: state.label for state in AttemptState}

PAYMENT_EVENTS: Words = _ATTEMPT_STATES | {
    "refunded": _("Paid back"),
    "refund_failed": _("Refund failed"),
    "capture_done": _("Collected"),
    "capture_failed": _("Collection failed"),
    "token_gone": _("Saved way to pay ended"),
    "token_updated": _("Saved way to pay renewed"),
    "set_aside": _("Booking set aside"),
    "unknown": _("Other message"),
}

ORDER_EVENTS: Words = {
    **{state.value: state.label for state in OrderState},
    **{f"payment_{code}": format_lazy("{} · {}", _("Payment"), label) for code, label in _ATTEMPT_STATES.items()},
    "placed": _("Order placed"),
    "ready": _("Ready for collection"),
    "shipped_in_part": _("Shipped in part"),
    "delivered": _("Arrived at the buyer"),
    "withdrawal": _("Withdrawal received"),
    "authorization_ends": _("Reservation ends soon"),
    "capture_requested": _("Collection requested"),
    "capture_done": _("Collected"),
    "capture_failed": _("Collection failed"),
    "collected_by_hand": _("Collected by hand"),
    "refund_requested": _("Refund requested"),
    "refunded": _("Paid back"),
    "refund_failed": _("Refund failed"),
    "transfer_assigned": _("Transfer assigned"),
}

MAILS: Words = {
    "account-created": _("Account created"),
    "cancelled": _("Order cancelled"),
    "delivered": _("Parcel delivered"),
    "new-order": _("New order"),
    "new-withdrawal": _("New withdrawal"),
    "order-confirmation": _("Order confirmation"),
    "order-received": _("Order received"),
    "order-review": _("Order to be reviewed"),
    "password-reset": _("Password forgotten"),
    "payment-failed": _("Payment failed"),
    "payment-pending": _("Payment expected"),
    "payment-received": _("Payment arrived"),
    "payment-returned": _("Debit returned"),
    "ready-for-pickup": _("Ready for collection"),
    "refunded": _("Money given back"),
    "shipped": _("Parcel sent"),
    "verify-email": _("Confirm the address"),
    "withdrawal-received": _("Withdrawal received"),
}

# Who said or did something; a person of the staff stands there with an e-mail address.
ACTORS: Words = {
    "backoffice": _("Back office"),
    "buyer": _("buyer"),
    "clock": _("deadline"),
    "reconciler": _("query to the provider"),
    "return": _("buyer’s way back"),
    "seller": _("seller"),
    "shop": _("shop"),
    "start": _("start of the payment"),
    "statement": _("bank statement"),
    "webhook": _("message of the provider"),
}

OUTCOMES: Words = {
    "applied": _("taken in"),
    "duplicate": _("counted before"),
    "review": _("order to review"),
    "set_aside": _("set aside"),
    "stale": _("nothing new"),
    "unknown": _("unmatched"),
}

# In the seller's words; payments.failures has the buyer's.
FAILURES: Words = {
    "authentication_failed": _("buyer not authenticated"),
    "authorization_gone": _("reservation ended"),
    "cancelled": _("called off"),
    "chargeback": _("charged back"),
    "declined": _("declined"),
    "dispute": _("disputed"),
    "expired": _("not finished in time"),
    "expired_card": _("card expired"),
    "insufficient_funds": _("balance too low"),
    "method_unavailable": _("way to pay not available"),
    "not_paid": _("not paid"),
    "over_refund": _("more than was paid"),
    "provider_down": _("provider does not answer"),
    "token_gone": _("saved way to pay no longer valid"),
}

REASONS: Words = {
    "amount_mismatch": _("amount or currency differs"),
    "authorization_lost": _("reservation ended"),
    "buyer": _("buyer"),
    "capture_failed": _("Collection failed"),
    "made at the provider": _("made at the provider"),
    "more_money": _("more money than ordered for"),
    "order cancelled": _("order cancelled"),
    "paid twice": _("paid twice"),
    "payment_reversed": _("payment taken back"),
    "seller": _("seller"),
    "sold out": _("sold out"),
    "sold-out": _("sold out"),
}

METHODS: Words = {each["id"]: lazy(localized, str)(each["name"]) for each in methods() if each.get("name")}

# By the field that holds the codes.
CODES: dict[str, Words] = {
    "mails.OutboxMail.kind": MAILS,
    "orders.Order.payment_method": METHODS,
    "orders.OrderEvent.actor": ACTORS,
    "orders.OrderEvent.kind": ORDER_EVENTS,
    "payments.Capture.failure": FAILURES,
    "payments.PaymentAttempt.failure": FAILURES,
    "payments.PaymentAttempt.method": METHODS,
    "payments.PaymentEvent.kind": PAYMENT_EVENTS,
    "payments.PaymentEvent.outcome": OUTCOMES,
    "payments.PaymentEvent.source": ACTORS,
    "payments.Refund.reason": REASONS,
    "payments.SavedMethod.method": METHODS,
}
# The same in the JSON of an event.
_DETAILS: dict[str, Words] = {"failure": FAILURES, "method": METHODS, "reason": REASONS, "was": ORDER_EVENTS}


def name_fields(named: Iterable[type[models.Model]], names: Words = NAMES) -> None:
    """Give the fields that have no name of their own their word. Migrations look at `_verbose_name`, not at this."""
    for model in named:
        for field in model._meta.local_fields:
            if field._verbose_name is None and field.name in names:
                field.verbose_name = names[field.name]


def detail(key: str, value: Any) -> tuple[str | Promise, Any]:
    """An entry of a JSON in words; what is no code stays as it is."""
    said = _DETAILS.get(key, {}).get(value, value) if isinstance(value, str) else value
    return NAMES.get(key, key), said
