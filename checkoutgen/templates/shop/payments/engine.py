"""The one place where money moves an order."""

from dataclasses import dataclass

from orders.models import Order

from .facts import Fact
from .models import PaymentAttempt, Refund


@dataclass(frozen=True)
class Start:
    redirect: str | None  # the provider's page, or None: go to orders:thanks
    attempt: PaymentAttempt | None


class NotStarted(Exception):
    """The payment could not begin; `code` goes through `payments.failures.text`. The order stands, try again."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class OverRefund(ValueError):
    """More than what was paid and not yet given back."""


def start(order: Order, method_id: str, *, request=None) -> Start:
    """Begin to pay an order. A double click, a second tab and a retry after a crash get the same attempt."""
    raise NotImplementedError


def apply(fact: Fact) -> str:
    """Take in what somebody learnt about a payment. Returns the outcome: applied, stale, duplicate, unknown, review."""
    raise NotImplementedError


def received(order: Order, *, actor: str) -> str:
    """The seller saw the money of a transfer, cheque, invoice or delivery arrive."""
    raise NotImplementedError


def refund(order: Order, amount: int, reason: str, actor: str) -> Refund:
    """Give money back; OverRefund when it is more than what is left."""
    raise NotImplementedError


def cancel(order: Order, *, actor: str, reason: str = "") -> bool:
    """Cancel an order: payments stopped, money given back, stock freed. False when it is too late."""
    raise NotImplementedError


def paid_amount(order: Order) -> int: ...


def refunded_amount(order: Order) -> int: ...


def payment_status(order: Order) -> str:
    """unpaid, pending, paid, partly_refunded, refunded, reversed: for order pages and the back office."""
    raise NotImplementedError
