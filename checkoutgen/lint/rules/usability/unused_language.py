"""Languages that the shop is written in and no market uses."""

from collections.abc import Iterator

from checkoutgen.lint.case import Case, Outcome


def check(case: Case) -> Iterator[Outcome]:
    used = {
        language for facts in (case.data.get("markets") or {}).values() for language in facts.get("languages") or ()
    }
    for language in case.get("shop.languages") or ():
        if language not in used:
            yield Outcome(False, "shop.languages", f"No market uses the language `{language}`")
