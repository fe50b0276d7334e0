"""The order mail carries terms, withdrawal instruction and form in full; Gmail clips at about 102 KB."""

from collections.abc import Iterator

from checkoutgen.lint.case import Case, Outcome

MOST = 70_000  # bytes of text: with markup and order lines it stays below 100,000


def check(case: Case) -> Iterator[Outcome]:
    for language in case.languages:
        size = sum(
            len(case.texts.page(page, language).raw.encode()) for page in ("terms", "withdrawal", "withdrawal-form")
        )
        if size > MOST:
            yield Outcome(
                False,
                "legal.pages.terms",
                f"The texts of the order mail hold {size:,} bytes and would be clipped",
                languages=(language,),
            )
