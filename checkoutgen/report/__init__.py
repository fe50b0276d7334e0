"""What a lint found, in one file per output format. Each has ``render(reports, context)`` and knows no other.

It gives the text in parts and keeps none of the reports, which may be more than fit in memory; it can go through them
several times."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
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


def render(name: str, reports: Collection[Report], context: Context) -> Iterator[str]:
    """The reports in a format, part by part. Raises UsageError for a format that is not there."""
    if name not in formats():
        raise UsageError(f"there is no format `{name}`; there are {', '.join(formats())}")
    parts: Iterator[str] = import_module(f"checkoutgen.report.{name}").render(reports, context)
    return parts


def separated(parts: Iterable[str], by: str) -> Iterator[str]:
    """The parts with something between them."""
    for number, part in enumerate(parts):
        yield f"{by}{part}" if number else part


def one_line(text: str) -> str:
    """Text from a spec as it can stand on one line of a terminal or a log."""
    return "".join(c if c.isprintable() else " " for c in text)


def plural(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"


__all__ = ["Context", "formats", "one_line", "plural", "printable", "render", "separated"]
