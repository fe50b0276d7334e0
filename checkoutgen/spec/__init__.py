"""The spec: text -> document with places -> validated -> Spec, with every default filled in."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from checkoutgen.errors import Problem, SpecError, printable
from checkoutgen.spec import layers, reader

if TYPE_CHECKING:
    from checkoutgen.spec import standard

__all__ = ["Place", "Spec", "load"]

VERSION = 1  # of the spec language


class Place(NamedTuple):
    """Where something was written; line and column are 1-based."""

    file: str
    line: int
    column: int


class Spec(NamedTuple):
    """A valid spec with every default filled in. Read-only to everybody.

    A key that has neither a value nor a default is absent from `data`; products and variants alone carry every key,
    None where there is nothing. Amounts are whole minor units by currency, texts are maps by language, decimals are
    text. `inputs` holds each file that was read, as it was read: on disk it may be another one by now. `legal` says of
    each legal text, by page and language, how it was put together.
    """

    file: str
    root: Path
    data: dict[str, Any]
    source: dict[str, Any]
    files: dict[str, bytes]
    inputs: dict[Path, bytes]
    legal: dict[tuple[str, str], standard.Filled]
    merged: layers.Merged

    def place(self, path: str) -> Place:
        """Where a path such as "markets.FR.languages[0]" was written, or else the nearest part of it that was."""
        return Place(*self.merged.place(parse_path(path)))

    def given(self, path: str) -> bool:
        """Whether the author wrote it, here or in a spec that this one extends."""
        found: Any = self.merged.value
        for part in parse_path(path):
            if isinstance(found, dict):
                is_there = part in found
            else:
                is_there = isinstance(found, list) and isinstance(part, int) and part < len(found)
            if not is_there:
                return False
            found = found[part]
        return True


def load(path: Path | None, *, text: bytes | None = None) -> Spec:
    """Reads, validates and resolves a spec.

    `text` stands for the content of the file; without a path it came from standard input and its files are looked up
    in the current folder. Raises SpecError with every problem found.
    """
    from checkoutgen.spec.resolve import resolve
    from checkoutgen.spec.validate import validate

    written = layers.read(path, text)
    refuse_newer(written)
    _refuse_older(written)
    merged = _with_files(written)
    problems = list(merged.problems)
    taken = {(problem.file, problem.path) for problem in problems}

    def report(at: reader.Path, message: str) -> None:
        place = merged.place(at)
        if names := merged.columns.get(place[0]):
            message = f"{message} (column {names[place[2] - 1]})"
        if (place[0], reader.dotted(at)) not in taken:
            problems.append(Problem(*place, reader.dotted(at), message))

    if not validate(merged.value, report):
        raise SpecError(problems)
    resolved = resolve(merged, report)
    if problems:
        raise SpecError(problems)
    return Spec(
        file=merged.file,
        root=merged.root,
        data=resolved.data,
        source=written.value,
        files=resolved.files,
        inputs=merged.inputs | resolved.inputs,
        legal=resolved.legal,
        merged=merged,
    )


def version(written: layers.Merged) -> int:
    """The version of the language that a spec is written in: the first, unless it says another."""
    found = written.value.get("version", 1)
    return found if type(found) is int and found > 0 else VERSION  # what is no version the schema refuses


def refuse_newer(written: layers.Merged) -> None:
    """A spec of a later version may say anything: nothing else of it is judged."""
    if version(written) > VERSION:
        raise _of_another_version(written, "update checkoutgen")


def _refuse_older(written: layers.Merged) -> None:
    if version(written) < VERSION:
        raise _of_another_version(written, f"run `checkoutgen migrate {printable(written.file)}`")


def _of_another_version(written: layers.Merged, remedy: str) -> SpecError:
    found = f"this spec is written in version {version(written)} of the language, and this checkoutgen reads {VERSION}"
    return SpecError([Problem(*written.place(("version",)), "version", f"{found}: {remedy}")])


def _with_files(written: layers.Merged) -> layers.Merged:
    catalogue = written.value.get("catalogue")
    if not isinstance(catalogue, dict) or not isinstance(catalogue.get("files"), list):
        return written
    from checkoutgen.spec.catalogue import expand

    return expand(written, catalogue)


@lru_cache(maxsize=4096)
def parse_path(path: str) -> reader.Path:
    """ "markets.FR.languages[0]" as ("markets", "FR", "languages", 0)."""
    return tuple(
        int(index) if index else key for key, index in re.findall(r"([^.\[\]]+)(?![^\[]*\])|\[([0-9]+)\]", path)
    )
