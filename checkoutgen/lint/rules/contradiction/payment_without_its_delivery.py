"""Payments that need a kind of delivery which the market does not have."""

from collections.abc import Iterator

from checkoutgen.lint.case import Case, Outcome


def check(case: Case) -> Iterator[Outcome]:
    kinds = {method["kind"] for _, method in case.each("delivery.methods[*]")}
    if not kinds:
        return  # said by market-without-delivery
    for path, method in case.each("payment.methods[*]"):
        if method["kind"] == "cash-on-delivery" and not kinds - {"click-and-collect", "digital"}:
            yield Outcome(
                False,
                path,
                f"“{method['id']}” is paid at the door, but {case.market} has only click and collect or downloads",
            )
        if method["kind"] == "cash-at-pickup" and "click-and-collect" not in kinds:
            yield Outcome(
                False, path, f"“{method['id']}” is paid in the store, but {case.market} has no click and collect"
            )
        if (
            method["kind"] in ("invoice", "pay-later", "instalments")
            and kinds == {"click-and-collect"}
            and case.consumers
        ):
            yield Outcome(
                False, path, f"“{method['id']}” needs an address, which click and collect does not ask for", "warning"
            )
