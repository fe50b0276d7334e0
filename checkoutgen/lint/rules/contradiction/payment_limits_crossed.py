"""Methods whose minimum lies above their maximum."""

from collections.abc import Iterator

from checkoutgen.lint.case import Case, Outcome


def check(case: Case) -> Iterator[Outcome]:
    currency = case.facts.get("currency", "")
    for path, method in case.each("payment.methods[*]"):
        least, most = ((method.get(key) or {}).get(currency) for key in ("minimum", "maximum"))
        if least is not None and most is not None and least > most:
            yield Outcome(False, f"{path}.minimum", f"“{method['id']}” starts above where it ends")
