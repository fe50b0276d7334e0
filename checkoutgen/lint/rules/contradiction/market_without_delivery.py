"""Markets that no way of delivery serves."""

from collections.abc import Iterator

from checkoutgen.lint.case import Case, Outcome


def check(case: Case) -> Iterator[Outcome]:
    if case.facts and not any(True for _ in case.each("delivery.methods[*]")):
        yield Outcome(False, f"markets.{case.market}", f"Nothing can be delivered to {case.market}")
