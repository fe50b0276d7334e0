"""Keys of well-known services written into the spec. `validate` refuses most; this looks at what it resolves to."""

import re
from collections.abc import Iterator
from typing import Any

from checkoutgen.lint.case import Case, Outcome

_SECRET = re.compile(
    r"\b(sk|rk|pk)_(live|test)_\w{8,}|\bwhsec_\w{8,}|\bAKIA[0-9A-Z]{16}\b|-----BEGIN [A-Z ]*PRIVATE KEY|\bghp_\w{20,}|\bxox[abp]-\w{8,}"
)


def _texts(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _texts(item, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _texts(item, f"{path}[{index}]")


def check(case: Case) -> Iterator[Outcome]:
    for section in ("shop", "seller", "payment", "support", "mails", "insights"):
        for path, text in _texts(case.data.get(section), section):
            if _SECRET.search(text):
                yield Outcome(False, path, "This looks like a secret key written in the clear")
