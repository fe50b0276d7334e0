"""The output folder as it stands: what may be built into, and which entries are whose.

A folder that holds none of the build's files (`var/`, `.git/`, `media/`, an agency's own app) is *foreign*: it
is listed, never entered.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from checkoutgen.build.manifest import FOLDER, MANIFEST
from checkoutgen.errors import UsageError, quoted

# A database that is open, outside of a foreign folder: its files would be moved apart under it.
OPEN_DATABASE = ("-wal", "-journal")
DROPPED = {"__pycache__"}


class Tree(NamedTuple):
    """`files`: path -> (inode, modified in ns, size, mode). `special`: links, sockets, pipes. `folders`: the foreign
    ones, `entered`: those that the build has files in."""

    files: dict[str, tuple[int, int, int, int]]
    special: frozenset[str]
    folders: frozenset[str]
    entered: frozenset[str]


NONE = Tree({}, frozenset(), frozenset(), frozenset())


def refuse(out: Path, spec_root: Path) -> None:
    """Raises UsageError unless `out` is absent, empty, or a shop made by checkoutgen."""
    name = quoted(str(out))
    if out.is_symlink():
        raise UsageError(f"{name} is a symbolic link; name the folder itself")
    real = out.resolve()
    if real in (Path("/"), Path.home()) or ".git" in real.parts:
        raise UsageError(
            f"{name} is no place for a shop; name a folder of its own, such as {quoted(str(out / 'shop'))}"
        )
    if real == spec_root.resolve():
        raise UsageError(f"{name} is the folder of the spec; name another, such as {quoted(str(out / 'shop'))}")
    if not out.exists():
        return
    if not out.is_dir():
        raise UsageError(f"{name} is not a folder")
    if not (out / MANIFEST).is_file() and any(out.iterdir()):
        raise UsageError(f"{name} is not empty and was not made by checkoutgen; name a new or empty folder")


def scan(out: Path, ours: Iterable[str]) -> Tree:
    """The tree below `out`, entering only the folders that one of the paths in `ours` is in."""
    entered = {FOLDER}
    for path in ours:
        while path := path.rpartition("/")[0]:
            entered.add(path)
    return _scan(out, frozenset(entered))


def is_still(tree: Tree, out: Path) -> bool:
    """Whether nothing below `out` changed since it was scanned."""
    return _scan(out, tree.entered) == tree


def _scan(out: Path, entered: frozenset[str]) -> Tree:
    files: dict[str, tuple[int, int, int, int]] = {}
    special: set[str] = set()
    folders: set[str] = set()
    waiting = [""]
    while waiting:
        below = waiting.pop()
        with os.scandir(out / below) as entries:
            for entry in entries:
                path = f"{below}/{entry.name}" if below else entry.name
                if entry.is_symlink():
                    if path in entered:
                        raise UsageError(
                            f"{quoted(path)} is a symbolic link; a build does not write through it: remove it first"
                        )
                    special.add(path)
                elif entry.is_dir():
                    if path in entered:
                        waiting.append(path)
                    elif entry.name not in DROPPED:
                        folders.add(path)
                elif entry.is_file():
                    found = entry.stat()
                    files[path] = (found.st_ino, found.st_mtime_ns, found.st_size, stat.S_IMODE(found.st_mode))
                else:
                    special.add(path)
    return Tree(files, frozenset(special), frozenset(folders), entered)


def refuse_open_database(tree: Tree, ours: Iterable[str]) -> None:
    for path in sorted(set(tree.files) - set(ours)):
        if path.endswith(OPEN_DATABASE):
            database = quoted(path.rpartition("-")[0])
            raise UsageError(
                f"{database} is in use beside the shop's files; stop the shop, or keep the database in var/"
            )
