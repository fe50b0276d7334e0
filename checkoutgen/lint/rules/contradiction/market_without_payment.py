"""Markets in which nobody could pay, for one of the audiences sold to."""

from collections.abc import Iterator

from checkoutgen.lint.case import Case, Outcome


def check(case: Case) -> Iterator[Outcome]:
    audience = case.data.get("audience", "b2c")
    for consumers in {"b2c": (True,), "b2b": (False,), "mixed": (True, False)}[audience]:
        case.consumers = consumers
        if case.facts and not any(True for _ in case.each("payment.methods[*]")):
            who = "consumers" if consumers else "businesses"
            yield Outcome(False, f"markets.{case.market}", f"Nobody can pay in {case.market}: no method serves {who}")
