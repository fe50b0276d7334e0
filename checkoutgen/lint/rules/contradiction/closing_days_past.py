"""Closing days that are all over: the next ones are not entered yet."""

from collections.abc import Iterator

from checkoutgen.lint.case import Case, Outcome


def check(case: Case) -> Iterator[Outcome]:
    closed = case.get("delivery.closed") or []
    if closed and max(closed) < case.day:
        yield Outcome(False, "delivery.closed", f"The last closing day entered, {max(closed)}, is over")
