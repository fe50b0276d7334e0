"""Every legal page in every language of the market: one text that serves two languages is no translation."""

from collections.abc import Iterator

from checkoutgen.lint.case import Case, Outcome


def check(case: Case) -> Iterator[Outcome]:
    for name in case.texts.pages:
        written: dict[str, list[str]] = {}
        for language in case.languages:
            written.setdefault(case.texts.page(name, language).plain, []).append(language)
        shared = [languages for text, languages in written.items() if len(languages) > 1 and len(text) > 20]
        for languages in shared:
            yield Outcome(
                False,
                f"legal.pages.{name}",
                "The page has one and the same text in several languages",
                languages=tuple(languages),
            )
        if not shared:
            yield Outcome(True, f"legal.pages.{name}", f"page `{name}` in {', '.join(case.languages)}")
