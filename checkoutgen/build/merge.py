"""Three-way merge of one text: what the last build wrote, what stands there now, what this build would write."""

from __future__ import annotations

import json
from typing import NamedTuple

START, BASE, MIDDLE, END = b"<<<<<<< yours", b"||||||| last build", b"=======", b">>>>>>> this build"


class Merged(NamedTuple):
    content: bytes
    conflict: bool


def merge(path: str, base: bytes, yours: bytes, new: bytes) -> Merged:
    """Both sides' changes in one text; where they touch the same lines, all three versions between markers."""
    from merge3 import Merge3

    lines: list[bytes] = []
    conflict = False
    for group in Merge3(base.splitlines(True), yours.splitlines(True), new.splitlines(True)).merge_groups():
        if group[0] == "conflict":
            conflict = True
            lines += _marked(b"".join(group[2]), b"".join(group[1]), b"".join(group[3]))
        else:
            lines += group[1]
    merged = b"".join(lines)
    if not conflict and path.endswith(".json") and _parses(yours) and _parses(new) and not _parses(merged):
        return Merged(b"".join(_marked(yours, base, new)), True)
    return Merged(merged, conflict)


def moved(path: str, base: bytes, candidates: dict[str, bytes]) -> str | None:
    """Where a file of an earlier build stands now: the candidate of its kind that shares most lines, at least half."""
    kind = path.rpartition(".")[2]
    lines = set(base.split(b"\n"))

    def shared(content: bytes) -> float:
        others = set(content.split(b"\n"))
        return 2 * len(lines & others) / (len(lines) + len(others))

    rated = [(shared(content), to) for to, content in candidates.items() if to.rpartition(".")[2] == kind]
    likeness, target = max(rated, default=(0.0, ""))
    return target if (likeness >= 0.5 and len(lines) > 3) or candidates.get(target) == base != b"" else None


def has_markers(content: bytes) -> bool:
    return any(line.rstrip() in (START, END) for line in content.splitlines())


def _marked(yours: bytes, base: bytes, new: bytes) -> list[bytes]:
    return [START, b"\n", _ended(yours), BASE, b"\n", _ended(base), MIDDLE, b"\n", _ended(new), END, b"\n"]


def _ended(text: bytes) -> bytes:
    """A marker must stand at the beginning of a line."""
    return text if not text or text.endswith(b"\n") else text + b"\n"


def _parses(content: bytes) -> bool:
    try:
        json.loads(content)
    except ValueError:
        return False
    return True
