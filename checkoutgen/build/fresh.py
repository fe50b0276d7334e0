"""Whether a build would change anything, found out without building.

The manifest has a digest of everything that the last build read: the spec with its files, and checkoutgen itself. Where
all of that is the same, a build renders the same, so that only the shop's own files are left to look at.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from checkoutgen import __version__
from checkoutgen.build import manifest as manifests
from checkoutgen.build.changes import DELETED, EDITED, Change
from checkoutgen.build.manifest import BASE, MANIFEST, digest
from checkoutgen.build.select import PACKAGE, read, walk

if TYPE_CHECKING:
    from checkoutgen.spec import Spec

# Parts of checkoutgen that no build reads.
UNREAD = ("lint/", "report/", "templates/starter/", "cli.py", "__main__.py")


def tool() -> str:
    """A digest of all that checkoutgen builds with: code, templates, markets, words."""
    whole = hashlib.sha256()
    for path in walk(PACKAGE):
        if not path.startswith(UNREAD):
            whole.update(f"{path}\0{digest(read(PACKAGE / path))}\n".encode())
    return whole.hexdigest()


def inputs(spec: Spec) -> dict[str, str]:
    """The digest of each file of a spec by its path from the spec's folder; presets belong to the tool."""
    paths = [path for path in map(Path.absolute, spec.inputs) if not path.is_relative_to(PACKAGE)]
    named = {Path(os.path.relpath(path, spec.root.absolute())).as_posix(): path for path in paths}
    return {name: digest(path.read_bytes()) for name, path in sorted(named.items()) if path.is_file()}


def untouched(spec: Path, out: Path) -> list[Change] | None:
    """What you changed in a shop that a build would leave as it is; None when only a build can tell."""
    try:
        last = manifests.load((out / MANIFEST).read_bytes())
        if spec.name not in last.inputs or not (out / BASE).is_file():
            return None
        if not all(_is(spec.parent / name, known) for name, known in last.inputs.items()):
            return None
        if last.tool != __version__ or last.made_by != tool():
            return None
        return _yours(last, out)
    except OSError:
        return None


def _is(path: Path, known: str) -> bool:
    """The manifest comes with the shop's repository: a device or a pipe that it names is not read."""
    return path.is_file() and digest(path.read_bytes()) == known


def _yours(last: manifests.Manifest, out: Path) -> list[Change] | None:
    changes = []
    for path, entry in last.files.items():
        if entry.owner == "seeded":
            continue
        try:
            handle = os.open(f"{out}/{path}", os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            changes.append(Change(path, "keep", DELETED))
            continue
        with open(handle, "rb", buffering=0) as file:
            content = file.read()
        if digest(content) != entry.digest:
            if b"<<<<<<< " in content:  # perhaps an unresolved conflict
                return None
            changes.append(Change(path, "keep", EDITED))
    return sorted(changes, key=lambda change: change.path)
