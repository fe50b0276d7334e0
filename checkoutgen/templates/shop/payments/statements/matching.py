"""From a booking to the order that it pays, and into the one entrance of the engine.

A booking counts once by the bank's own reference, however often its statement is read. Only one order whose reference
stands in the text is taken; whatever does not fit exactly is for a person to look at.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import IO, Any

from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from stdnum import iso11649

from orders import lifecycle
from orders.models import NumberSeries, Order
from orders.states import AttemptState
from payments import engine, references
from payments.facts import Fact
from payments.models import PaymentAttempt, Refund

from . import Entry, StatementError, camt, table

OUTCOMES: dict[str, Promise] = {
    "applied": _("matched"),
    "stale": _("marked as paid before"),
    "duplicate": _("counted before"),
    "review": _("order to review"),
    "unknown": _("unmatched"),
    "debit": _("money that left"),
    "pending": _("not booked yet"),
}


@dataclass(frozen=True)
class Line:
    entry: Entry
    outcome: str
    order: Order | None = None


def reconcile(file: IO[bytes], *, dry_run: bool = False) -> Iterator[Line]:
    """What became of each booking of a statement, CAMT.053 or CSV. Each is a transaction of its own.

    Raises StatementError, also in the middle: what came before stands, and reading the file again does no harm.
    """
    for entry in _entries(file):
        with transaction.atomic():
            line = _book(entry)
            if dry_run:
                transaction.set_rollback(True)
        yield line


def _entries(file: IO[bytes]) -> Iterable[Entry]:
    start = file.read(64)
    file.seek(0)
    # UTF-8 or UTF-16 with their marks: a bank's XML begins with nothing else.
    if start.lstrip(b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n").startswith(b"<"):
        return camt.entries(file)
    named = table.columns()
    if named is None:
        raise StatementError("no CAMT.053, and the specification names no columns of a CSV (payment.statements.csv)")
    return table.entries(file, named)


def paid_by_bank(order: Order) -> PaymentAttempt | None:
    """The attempt that a booking can pay: by transfer, cheque, invoice or cash."""
    return order.attempts.filter(provider="").last()


def _book(entry: Entry) -> Line:
    if not entry.booked:
        return Line(entry, "pending")
    order = find(entry.texts)
    if not entry.credit and not entry.returned:
        return Line(entry, _sent_back(entry, order), order)
    if order is not None:
        order = lifecycle.lock(order.pk)
    attempt = paid_by_bank(order) if order else None
    if order is None or attempt is None or entry.amount is None or (entry.credit and entry.returned):
        return Line(entry, engine.apply(_fact(entry, "unknown", None)), order)
    return Line(entry, take_in(entry, order, attempt), order)


def take_in(entry: Entry, order: Order, attempt: PaymentAttempt, payload: dict[str, Any] | None = None) -> str:
    """Money for the (locked) order came in; or the buyer's bank took it back, all of it or a part that a person has to
    look at. `payload` is kept beside what the bank says."""
    if entry.credit:
        return engine.apply(_fact(entry, "captured", attempt, payload))
    whole = (entry.amount, entry.currency) == (attempt.amount, attempt.currency)
    outcome = engine.apply(_fact(entry, "reversed" if whole else "unknown", attempt, payload))
    if outcome == "unknown" and attempt.state == AttemptState.CAPTURED:
        lifecycle.review(order, "payment_reversed", actor="statement", amount=entry.amount, currency=entry.currency)
        return "review"
    return outcome


def _sent_back(entry: Entry, order: Order | None) -> str:
    """Money that left: the refund of a transfer that waits to be sent, or nothing of ours."""
    waiting = order.refunds.filter(state=Refund.State.PENDING, attempt__provider="") if order else Refund.objects.none()
    row = waiting.filter(amount=entry.amount, attempt__currency=entry.currency).first()
    return engine.refund_sent(row, actor="statement") if row else "debit"


def _fact(entry: Entry, kind: str, attempt: PaymentAttempt | None, payload: dict[str, Any] | None = None) -> Fact:
    told: dict[str, Any] = {"day": entry.day.isoformat() if entry.day else ""}
    if kind == "unknown":  # what a person needs to find out whose it was, and what may be done with it
        text = " · ".join(dict.fromkeys(entry.texts))[:200]
        told |= {"text": text, "credit": entry.credit, "returned": entry.returned}
    return Fact(
        provider="",
        event_id=_event_id(entry),
        kind=kind,
        attempt_key=attempt.key if attempt else "",
        amount=entry.amount,
        currency=entry.currency,
        payload={key: value for key, value in told.items() if value} | (payload or {}),
        source="statement",
    )


def _event_id(entry: Entry) -> str:
    """The name that counts once; a longer one than is kept is told by its digest, for its start may not be its own."""
    name = entry.id if len(entry.id) <= 195 else hashlib.sha256(entry.id.encode()).hexdigest()
    return f"bank:{name}"


def find(texts: Iterable[str]) -> Order | None:
    """The one order whose reference or number stands in the texts; None for none or more than one."""
    known = series()
    numbers = {number for text in texts for number in numbers_in(text, known)}
    found = list(Order.objects.filter(number__in=numbers)[:2]) if numbers else []
    return found[0] if len(found) == 1 else None


def numbers_in(text: str, known: list[tuple[str, str]]) -> Iterator[str]:
    """Order numbers that a text names: as they are, as creditor reference (RF) or as Swiss QR reference.

    Banks print references in groups and cut lines anywhere, so the text is read as it is and without its blanks. A
    reference whose check digits are wrong is a slip of the pen and names nothing.
    """
    text = text.upper()
    for written in (text, re.sub(r"\s", "", text)):
        for prefix, year in known:
            for match in _pattern(prefix, year).finditer(written):
                if not match["check"] or iso11649.is_valid(f"RF{match['check']}{prefix}{year}{match['number']}"):
                    yield f"{prefix}-{year}-{match['number']}"
        for digits in re.findall(r"(?<![0-9])[0-9]{27}(?![0-9])", written):
            if (told := references.read_qr(digits)) is not None:
                yield from (f"{prefix}-{told[0]}-{told[1]}" for prefix, year in known if year == told[0])


def series() -> list[tuple[str, str]]:
    """Prefix and year of every series of order numbers there has been."""
    found = NumberSeries.objects.filter(name__regex=r"^[A-Z]+-[0-9]{4}$").values_list("name", flat=True)
    return [(prefix, year) for prefix, _, year in (name.partition("-") for name in found)]


@cache
def _pattern(prefix: str, year: str) -> re.Pattern[str]:
    return re.compile(
        rf"(?:(?<![A-Z0-9])|(?:(?<![A-Z0-9])|(?<=\+))RF[\s]?(?P<check>[0-9]{{2}})[\s]?)"
        rf"{prefix}[\s./-]?{year}[\s./-]?(?P<number>[0-9]{{6,12}})(?![0-9])"
    )
