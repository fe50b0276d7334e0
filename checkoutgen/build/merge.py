"""Three-way merge of one text: what the last build wrote, what stands there now, what this build would write."""

from __future__ import annotations

import json
from pathlib import PurePosixPath
from typing import Any, NamedTuple

START, BASE, MIDDLE, END = b"<<<<<<< yours", b"||||||| last build", b"=======", b">>>>>>> this build"

ALIKE = 0.5


class _Matcher:
    """difflib for what is left between equal beginnings and equal ends: most edits are a few lines of a long file."""

    def __init__(self, isjunk: Any = None, a: Any = "", b: Any = "", autojunk: bool = True) -> None:  # noqa: ARG002
        self.a, self.b = a, b

    def get_matching_blocks(self) -> list[tuple[int, int, int]]:
        from difflib import SequenceMatcher

        a, b = self.a, self.b
        shorter = min(len(a), len(b))
        start = next((i for i in range(shorter) if a[i] != b[i]), shorter)
        end = next((i for i in range(shorter - start) if a[-1 - i] != b[-1 - i]), shorter - start)
        middle = SequenceMatcher(None, a[start : len(a) - end], b[start : len(b) - end]).get_matching_blocks()
        blocks = [(0, 0, start), *((i + start, j + start, n) for i, j, n in middle), (len(a) - end, len(b) - end, end)]
        return [*(block for block in blocks if block[2]), (len(a), len(b), 0)]


class Merged(NamedTuple):
    content: bytes
    conflict: bool


def merge(path: str, base: bytes, yours: bytes, new: bytes) -> Merged:
    """Both sides' changes in one text; where they touch the same lines, all three versions between markers."""
    from merge3 import Merge3

    lines: list[bytes] = []
    conflict = False
    lines_of = (base.splitlines(True), yours.splitlines(True), new.splitlines(True))
    for group in Merge3(*lines_of, sequence_matcher=_Matcher).merge_groups():
        if group[0] == "conflict":
            conflict = True
            lines += _marked(b"".join(group[2]), b"".join(group[1]), b"".join(group[3]))
        else:
            lines += group[1]
    merged = b"".join(lines)
    if not conflict and path.endswith(".json") and _parses(yours) and _parses(new) and not _parses(merged):
        return Merged(b"".join(_marked(yours, base, new)), True)
    return Merged(merged, conflict)


def moves(gone: dict[str, bytes], came: dict[str, bytes]) -> dict[str, str]:
    """Which of the files that are gone stand at another path now: those alike in most lines, the most alike first.

    All files that are gone take part, edited or not, so that none is taken for the new place of another.
    """
    pairs = [
        (_likeness(content, other), path.rpartition("/")[2] == to.rpartition("/")[2], path, to)
        for path, content in gone.items()
        for to, other in came.items()
        if PurePosixPath(path).suffix == PurePosixPath(to).suffix
    ]
    found: dict[str, str] = {}
    for likeness, _, path, to in sorted(pairs, reverse=True):
        if likeness >= ALIKE and path not in found and to not in found.values():
            found[path] = to
    return found


def _likeness(one: bytes, other: bytes) -> float:
    """From 0 to 1: the share of lines that two texts have in common. Those of a line or two are alike when equal."""
    if one == other:
        return 1.0 if one.strip() else 0.0
    lines, others = set(one.split(b"\n")), set(other.split(b"\n"))
    return 2 * len(lines & others) / (len(lines) + len(others)) if len(lines) > 3 else 0.0


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
