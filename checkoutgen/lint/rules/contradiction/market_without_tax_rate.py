"""Products whose rate a market does not have."""

from collections.abc import Iterator

from checkoutgen.lint.case import Case, Outcome


def check(case: Case) -> Iterator[Outcome]:
    rates = case.facts.get("tax") or {}
    for path, product in case.each("catalogue.products[*]"):
        if case.facts and product.get("tax", "standard") not in rates:
            yield Outcome(
                False,
                f"{path}.tax",
                f"{case.market} has no tax rate `{product.get('tax')}`; it has {', '.join(rates) or 'none'}",
            )
