"""What a build does to files, in lines. Imports next to nothing: an unchanged shop is checked without building."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Literal, NamedTuple

from checkoutgen.errors import printable

Action = Literal["create", "update", "merge", "conflict", "delete", "keep"]

# Each action with its participle, in the order in which they are listed.
ACTIONS: dict[Action, str] = {
    "create": "created",
    "update": "updated",
    "merge": "merged",
    "conflict": "in conflict",
    "delete": "deleted",
    "keep": "kept as you have them",
}
# So many files of one action are listed one by one; more are counted by folder.
LISTED = 40
DELETED, EDITED = "deleted by you", "edited by you"


class Change(NamedTuple):
    """One path that is not as the build would write it, and what the build does about it.

    keep: your version stays. conflict: both sides changed the same place; a text then holds both between markers.
    """

    path: str
    action: Action
    note: str = ""


def lines(changes: Sequence[Change]) -> list[str]:
    """One line a file: the action, the path, why."""
    result = []
    for action in ACTIONS:
        alike = [change for change in changes if change.action == action]
        if len(alike) > LISTED:
            folders = Counter(change.path.partition("/")[0] for change in alike)
            result += [f"{action:<9} {folder}  ({number} files)" for folder, number in sorted(folders.items())]
        else:
            result += [
                f"{action:<9} {printable(change.path)}" + (f"  ({change.note})" if change.note else "")
                for change in alike
            ]
    return result


def summary(changes: Sequence[Change], pending: bool) -> str:
    """One line: `312 created`, `2 updated, 1 merged, 3 kept as you have them`, `up to date`."""
    numbers = Counter(change.action for change in changes)
    parts = [f"{numbers[action]} {participle}" for action, participle in ACTIONS.items() if numbers[action]]
    return ", ".join(parts if pending else ["up to date", *parts])
