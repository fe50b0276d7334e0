"""Credit for consumers without a page that informs about it."""

from collections.abc import Iterator

from checkoutgen.lint.case import CREDIT_KINDS, Case, Outcome


def check(case: Case) -> Iterator[Outcome]:
    for path, method in case.each("payment.methods[*]"):
        if method["kind"] in CREDIT_KINDS and not case.get("legal.pages.payment"):
            yield Outcome(False, path, f"“{method['id']}” is credit, and no page on payment informs about it")
