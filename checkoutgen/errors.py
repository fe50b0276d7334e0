"""What can go wrong, and the exit code of each.

CheckoutgenError (70)
├── UsageError (2)      the command was given something it cannot use
└── SpecError (2)       the spec is unreadable or invalid; carries every problem found
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

SHOWN = 50


class CheckoutgenError(Exception):
    """An error with an exit code. Raised as it is, it means that checkoutgen itself is at fault."""

    exit_code = 70


class UsageError(CheckoutgenError):
    exit_code = 2


class Problem(NamedTuple):
    """One thing wrong with a spec, where it stands (1-based) and how to put it right."""

    file: str
    line: int
    column: int
    path: str
    message: str

    def __str__(self) -> str:
        where = f"{printable(self.file)}:{self.line}:{self.column}: "
        return where + (f"{self.path}: " if self.path else "") + self.message


class SpecError(CheckoutgenError):
    exit_code = 2

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        super().__init__("\n".join(self.lines()))

    def lines(self, shown: int = SHOWN) -> list[str]:
        """One line a problem, at most `shown` of them, and how many more there are."""
        rest = len(self.problems) - shown
        return [str(problem) for problem in self.problems[:shown]] + ([f"and {rest:,} more"] if rest > 0 else [])


def printable(name: str) -> str:
    """A file name as it can stand at the start of a line of a terminal or CI log.

    A line that begins with `::` is a command to GitHub Actions
    (https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands).
    """
    text = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in name)
    return "./" + text if text.startswith(":") else text


def quoted(value: object, limit: int = 80) -> str:
    """A wrong value for a message: ASCII, on one line, cut."""
    text = ascii(value[:limit] if isinstance(value, str) else value)
    return text if len(text) <= limit else text[:limit] + "..."
