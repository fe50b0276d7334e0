"""A plan in words: as text for a terminal, as JSON for programs, as Markdown for a comment on a pull request."""

from __future__ import annotations

from collections import Counter

from checkoutgen.build.plan import ACTIONS, Plan

# So many files of one action are listed one by one; more are counted by folder.
LISTED = 40
PAST = {
    "create": "created",
    "update": "updated",
    "merge": "merged",
    "conflict": "in conflict",
    "delete": "deleted",
    "keep": "kept as you have them",
}


def lines(plan: Plan) -> list[str]:
    """One line a file: the action, the path, why."""
    result = []
    for action in ACTIONS:
        changes = [change for change in plan.changes if change.action == action]
        if len(changes) > LISTED:
            folders = Counter(change.path.partition("/")[0] for change in changes)
            result += [f"{action:<9} {folder}  ({number} files)" for folder, number in sorted(folders.items())]
        else:
            result += [
                f"{action:<9} {change.path}" + (f"  ({change.note})" if change.note else "") for change in changes
            ]
    return result


def summary(plan: Plan) -> str:
    """One line: `312 created`, `2 updated, 1 merged, 3 kept as you have them`, `up to date`."""
    numbers = Counter(change.action for change in plan.changes)
    parts = [f"{numbers[action]} {PAST[action]}" for action in ACTIONS if numbers[action]]
    return ", ".join(parts) if plan.pending else ", ".join(["up to date", *parts])
