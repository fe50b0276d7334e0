"""Wallets that order by themselves leave no room for declarations the buyer must make on the page."""

from collections.abc import Iterator

from checkoutgen.lint.case import Case, Outcome


def check(case: Case) -> Iterator[Outcome]:
    digital = "digital_content" in case.derived["kinds"] and case.facts.get("withdrawal")
    box = case.get("checkout.terms") == "checkbox"
    for path, method in case.each("payment.methods[*]"):
        if method["kind"] not in ("wallet", "paypal"):
            continue
        if digital:
            yield Outcome(
                False,
                path,
                f"“{method['id']}” would skip the two declarations that digital content needs before it is delivered",
            )
        elif box:
            yield Outcome(
                False,
                path,
                f"“{method['id']}” would skip the box for the terms (`checkout.terms: checkbox`)",
                "warning",
            )
