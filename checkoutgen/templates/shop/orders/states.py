"""The life of an order and of a payment attempt, as data. The diagrams in docs/ are drawn from these tables."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class OrderState(TextChoices):
    DRAFT = "draft", _("Draft")  # placed and stock taken, no payment begun
    PENDING_PAYMENT = "pending_payment", _("Waiting for payment")
    CONFIRMED = "confirmed", _("Confirmed")
    FULFILLED = "fulfilled", _("Shipped")
    CANCELLED = "cancelled", _("Cancelled")
    EXPIRED = "expired", _("Expired")  # never paid in time, stock given back
    REVIEW = "review", _("To be reviewed")  # the money and the order disagree: a person decides


ORDER_MOVES: dict[str, dict[str, str]] = {
    "draft": {
        "pending_payment": "a payment began",
        "confirmed": "nothing to pay, or paid later by agreement",
        "cancelled": "cancelled before paying",
        "expired": "no payment in time",
        "review": "wrong amount or currency",
    },
    "pending_payment": {
        "confirmed": "paid, or payable later by agreement",
        "cancelled": "cancelled before paying",
        "expired": "no payment in time",
        "review": "wrong amount or currency",
    },
    "confirmed": {
        "fulfilled": "everything shipped or handed over",
        "cancelled": "cancelled by the seller or the buyer",
        "review": "payment reversed or disputed",
    },
    "fulfilled": {"review": "payment reversed or disputed"},
    "expired": {
        "confirmed": "paid late, stock taken again",
        "cancelled": "paid late, sold out meanwhile, paid back",
        "review": "paid late with a wrong amount",
    },
    "cancelled": {"review": "money arrived that cannot be matched"},
    "review": {
        "confirmed": "accepted by the seller",
        "fulfilled": "accepted by the seller, already shipped",
        "cancelled": "refused by the seller",
    },
}

UNPAID = ("draft", "pending_payment")  # may still be paid, may still expire


class AttemptState(TextChoices):
    REQUESTED = "requested", _("Requested")  # the provider may or may not know it yet
    ACTION_REQUIRED = "action_required", _("Waiting for the buyer")
    PENDING = "pending", _("On its way")
    AUTHORIZED = "authorized", _("Authorised")
    CAPTURED = "captured", _("Paid")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")
    EXPIRED = "expired", _("Expired")
    REVERSED = "reversed", _("Reversed")  # the money was taken back: chargeback, returned direct debit


LIVE_ATTEMPT = ("requested", "action_required", "pending", "authorized")

# What a provider may tell of an attempt in each state; anything else is old news and changes nothing.
# A failed, cancelled or expired attempt can still turn out to be paid: money is never looked away from.
ATTEMPT_MOVES: dict[str, tuple[str, ...]] = {
    "requested": ("action_required", "pending", "authorized", "captured", "failed", "cancelled", "expired"),
    "action_required": ("pending", "authorized", "captured", "failed", "cancelled", "expired"),
    "pending": ("authorized", "captured", "failed", "cancelled", "expired"),
    "authorized": ("captured", "failed", "cancelled", "expired"),
    "captured": ("reversed",),
    "failed": ("authorized", "captured"),
    "cancelled": ("authorized", "captured"),
    "expired": ("authorized", "captured"),
    "reversed": ("captured",),
}


# A collection of reserved money. One that was refused may come after all, one that was done may be taken back.
CAPTURE_MOVES: dict[str, tuple[str, ...]] = {
    "requested": ("pending", "done", "failed"),
    "pending": ("done", "failed"),
    "done": ("failed",),
    "failed": ("done",),
}


class IllegalMove(Exception):
    """An order was asked to go where `ORDER_MOVES` does not lead."""


def check_move(old: str, new: str) -> None:
    if new not in ORDER_MOVES.get(old, {}):
        raise IllegalMove(f"an order cannot go from {old} to {new}")
