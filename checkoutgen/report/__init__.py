"""What a lint found, in one file per output format. Each has ``render(reports, context) -> str`` and knows no other."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import NamedTuple

from checkoutgen.errors import UsageError, printable
from checkoutgen.lint.model import Report


class Context(NamedTuple):
    """What a format may need beside the findings."""

    version: str
    colour: bool = False
    until: str = ""  # the last day of `--upcoming`


def formats() -> list[str]:
    """The names of the formats: the modules beside this one."""
    return sorted(path.stem for path in Path(__file__).parent.glob("*.py") if path.stem[0] != "_")


def render(name: str, reports: list[Report], context: Context) -> str:
    """The reports in a format. Raises UsageError for a format that is not there."""
    if name not in formats():
        raise UsageError(f"there is no format `{name}`; there are {', '.join(formats())}")
    text: str = import_module(f"checkoutgen.report.{name}").render(reports, context)
    return text


def one_line(text: str) -> str:
    """Text from a spec as it can stand on one line of a terminal or a log."""
    return "".join(c if c.isprintable() else " " for c in text)


def plural(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"


__all__ = ["Context", "formats", "one_line", "plural", "printable", "render"]
