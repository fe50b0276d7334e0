"""Where something else is offered, credit may stand neither first nor preselected; the shop preselects the first."""

from collections.abc import Iterator

from checkoutgen.lint.case import CREDIT_KINDS, Case, Outcome

CREDIT = (*CREDIT_KINDS, "invoice")


def check(case: Case) -> Iterator[Outcome]:
    methods = list(case.each("payment.methods[*]"))
    if not methods or all(method["kind"] in CREDIT for _, method in methods):
        return
    path, first = methods[0]
    if first["kind"] in CREDIT:
        yield Outcome(False, path, f"Credit (“{first['id']}”) is the first way to pay, though others are offered")
    else:
        yield Outcome(True, path, f"“{first['id']}” comes first and is no credit")
