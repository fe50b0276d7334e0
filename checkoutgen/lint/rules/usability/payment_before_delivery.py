"""Payment is asked for at the end."""

from collections.abc import Iterator

from checkoutgen.lint.case import Case, Outcome


def check(case: Case) -> Iterator[Outcome]:
    steps = case.get("checkout.steps") or []
    if "payment" in steps and "delivery" in steps and steps.index("payment") < steps.index("delivery"):
        yield Outcome(
            False, "checkout.steps", "Payment is asked for before the delivery, and so before the total is known"
        )
