"""A crossed-out price needs the lowest price of the last 30 days, and a reduction is measured against that one."""

from collections.abc import Iterator

from checkoutgen.lint.case import Case, Outcome


def check(case: Case) -> Iterator[Outcome]:
    currency = case.facts.get("currency", "")
    for path, variant in case.each("catalogue.products[*].variants[*]"):
        if currency not in (variant.get("was") or {}):
            continue
        prior, price = ((variant.get(key) or {}).get(currency) for key in ("prior_price", "price"))
        if prior is None:
            yield Outcome(False, f"{path}.was", "A reduction is announced without the lowest price of the last 30 days")
        elif price is not None and price >= prior:
            yield Outcome(
                False,
                f"{path}.prior_price",
                "The price is not below the lowest price of the last 30 days, so there is no reduction",
            )
        else:
            yield Outcome(True, f"{path}.prior_price", "lowest price of the last 30 days given")
