"""Alternative texts that are missing or are a file's name."""

import re
from collections.abc import Iterator

from checkoutgen.lint.case import Case, Outcome

_FILE_NAME = re.compile(r"(?i)^[\w-]*\.(svg|png|jpe?g|webp)$|^(img|dsc|image|picture|photo)[_ -]?\d*$")


def check(case: Case) -> Iterator[Outcome]:
    for path, picture in case.each("catalogue.products[*].pictures[*]"):
        alt = picture.get("alt") or {}
        lacking = tuple(language for language in case.languages if not (alt.get(language) or "").strip())
        if lacking:
            yield Outcome(False, f"{path}.alt", "The picture has no alternative text", languages=lacking)
        elif any(_FILE_NAME.match(alt[language].strip()) for language in case.languages):
            yield Outcome(False, f"{path}.alt", "The alternative text is a file's name")
