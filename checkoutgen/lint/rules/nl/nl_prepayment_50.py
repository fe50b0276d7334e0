"""General terms may not make consumers pay more than half in advance: one way to pay later is needed."""

from collections.abc import Iterator

from checkoutgen.lint.case import Case, Outcome

LATER = ("invoice", "pay-later", "instalments", "cash-on-delivery", "cash-at-pickup")


def check(case: Case) -> Iterator[Outcome]:
    methods = list(case.each("payment.methods[*]"))
    later = [path for path, method in methods if method["kind"] in LATER]
    if later:
        yield Outcome(True, later[0], "a way to pay later is offered")
    elif methods:
        yield Outcome(False, "payment.methods", "Every way to pay takes the whole price in advance")
