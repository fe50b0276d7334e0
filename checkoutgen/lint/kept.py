"""Reports as text, a line each: what processes hand over, what the cache holds, and what waits to be printed."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from checkoutgen.lint.model import Finding, Place, Provision, Report

_LISTS = ("findings", "reviewed", "upcoming")


def text(report: Report) -> str:
    lists = {name: [vars(finding) for finding in getattr(report, name)] for name in _LISTS}
    return json.dumps({**vars(report), **lists}, separators=(",", ":"))


def report(text: str) -> Report:
    kept = json.loads(text)
    lists = {name: [_finding(data) for data in kept[name]] for name in _LISTS}
    return Report(**{**kept, **lists, "broken_rules": [tuple(pair) for pair in kept["broken_rules"]]})


def _finding(data: dict[str, Any]) -> Finding:
    return Finding(
        **{
            **data,
            "place": Place(*data["place"]),
            "provisions": tuple(Provision(*provision) for provision in data["provisions"]),
            "languages": tuple(data["languages"]),
        }
    )


class Reports(Collection[Report]):
    """Reports in a file without a name: those of 10,000 shops would take more memory than it takes to judge them."""

    def __init__(self, texts: Iterable[str]) -> None:
        import tempfile  # slow to import, and a few reports need none

        self.file = tempfile.TemporaryFile("w+", encoding="ascii", newline="\n")  # noqa: SIM115  closed with the last use
        self.count = 0
        for line in texts:
            self.file.write(f"{line}\n")
            self.count += 1

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[Report]:
        self.file.seek(0)
        return map(report, self.file)

    def __contains__(self, wanted: object) -> bool:
        return any(found == wanted for found in self)
