"""A plan in words: as text for a terminal, as JSON for programs, as Markdown for a comment on a pull request."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from itertools import accumulate
from typing import Any

from checkoutgen import __version__
from checkoutgen.build.changes import lines, summary
from checkoutgen.build.meaning import Meaning, meanings
from checkoutgen.build.plan import Plan
from checkoutgen.errors import printable

# Characters. GitHub takes 65,536 in a comment.
ROOM_OF_MEANINGS, ROOM_OF_FILES = 40_000, 20_000


def text(plan: Plan) -> list[str]:
    """What changes for buyers and seller, then what happens to each file."""
    return [*(_sentence(meaning) for meaning in meanings(plan)), *lines(plan.changes)]


def as_json(plan: Plan) -> str:
    """`format` 1. `legal_change`, `breaking_change` and `conflict` tell a pipeline what to ask a person for."""
    found = meanings(plan)
    content = {
        "format": 1,
        "tool": __version__,
        "pending": plan.pending,
        "legal_change": any(meaning.legal for meaning in found),
        "breaking_change": any(meaning.breaking for meaning in found),
        "conflict": bool(plan.conflicts),
        "meaning": [meaning._asdict() for meaning in found],
        "files": [change._asdict() for change in plan.changes],
    }
    return json.dumps(content, ensure_ascii=False, indent=2)


def markdown(plan: Plan) -> str:
    """For a comment on a pull request: what a value was and will be stands in code, where nothing in it can act.

    Legal and breaking changes come first; what is too much for a comment is counted.
    """
    found = meanings(plan)
    marks = [
        name
        for name, holds in (
            ("**legal change**", any(meaning.legal for meaning in found)),
            ("**breaking change**", any(meaning.breaking for meaning in found)),
            ("**conflict**", bool(plan.conflicts)),
        )
        if holds
    ]
    said = [f"### Shop: {summary(plan.changes, plan.pending)}" + (f" ({', '.join(marks)})" if marks else ""), ""]
    if found:
        rows = [
            f"| {meaning.kind}{_flags(meaning)} | {_code(meaning.path)} | {_code(before)} | {_code(after)} |"
            for meaning in sorted(found, key=lambda meaning: (not meaning.legal, not meaning.breaking))
            for before, after in [_sides(meaning)]
        ]
        said += ["| | Where | Before | After |", "|---|---|---|---|", *_within(ROOM_OF_MEANINGS, rows), ""]
    said += ["<details><summary>Files</summary>", ""]
    files = [f"- {change.action} {_code(change.path)} {change.note}".rstrip() for change in plan.changes]
    return "\n".join([*said, *_within(ROOM_OF_FILES, files), "", "</details>"])


def _within(room: int, lines: list[str]) -> list[str]:
    """As many of the lines as there is room for, and how many more there are."""
    fitting = sum(total <= room for total in accumulate(len(line) + 1 for line in lines))
    rest = len(lines) - fitting
    return [*lines[:fitting], *(["", f"and {rest:,} more, which `checkoutgen plan` lists"] if rest else [])]


def _sentence(meaning: Meaning) -> str:
    before, after = _sides(meaning)
    change = (
        f"new: {after}"
        if meaning.before is None
        else f"gone: {before}"
        if meaning.after is None
        else f"{before} → {after}"
    )
    return f"{meaning.kind:<9} {printable(meaning.path)}: {change}{_flags(meaning)}"


def _flags(meaning: Meaning) -> str:
    flags = [name for name, holds in (("legal", meaning.legal), ("breaking", meaning.breaking)) if holds]
    return f" [{', '.join(flags)}]" if flags and flags != [meaning.kind] else ""


def _sides(meaning: Meaning) -> tuple[str, str]:
    """Both values as a person reads them; of long texts, the first place where they differ."""
    before, after = meaning.before, meaning.after
    if isinstance(before, str) and isinstance(after, str):
        start = next(
            (i for i, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), min(len(before), len(after))
        )
        skip = max(0, start - 20) if max(len(before), len(after)) > 60 else 0
        return _short(before, skip), _short(after, skip)
    currency = re.search(r"\.([A-Z]{3})$", meaning.path)
    return _value(before, currency and currency[1]), _value(after, currency and currency[1])


def _value(value: Any, currency: str | None) -> str:
    if value is None:
        return ""
    if currency and isinstance(value, int):
        from checkoutgen.spec.money import digits

        return f"{Decimal(value).scaleb(-(digits(currency) or 0))} {currency}"
    if isinstance(value, dict) and (name := value.get("title") or value.get("name")):
        value = next(iter(name.values())) if isinstance(name, dict) else name
    return _short(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False), 0)


def _short(value: str, skip: int) -> str:
    cut = ("…" if skip else "") + value[skip : skip + 60] + ("…" if len(value) > skip + 60 else "")
    return "".join(c if c.isprintable() else " " for c in cut) or '""'


def _code(value: str) -> str:
    """A code span: longer than any run of backticks inside, with the table's own bar escaped."""
    if not value:
        return ""
    fence = "`" * (max((len(run) for run in re.findall("`+", value)), default=0) + 1)
    inside = "".join(c if c.isprintable() else " " for c in value).replace("|", "\\|")
    return f"{fence} {inside} {fence}" if "`" in inside else f"{fence}{inside}{fence}"
