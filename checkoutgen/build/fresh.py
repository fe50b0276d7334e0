"""Whether a build would change anything, found out without building.

The manifest has a digest of everything that the last build read: the spec with its files, and checkoutgen itself. Where
all of that is the same, a build renders the same, so that only the shop's own files are left to look at.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from checkoutgen import __version__
from checkoutgen.build import manifest as manifests
from checkoutgen.build.changes import DELETED, EDITED, Change
from checkoutgen.build.manifest import BASE, MANIFEST, digest
from checkoutgen.build.overrides import outdated, overrides
from checkoutgen.build.select import LEFT_BEHIND_ENDINGS, PACKAGE, UNREAD, package, read
from checkoutgen.errors import CheckoutgenError

if TYPE_CHECKING:
    from checkoutgen.spec import Spec

RECORD = PACKAGE.parent / f"checkoutgen-{__version__}.dist-info" / "RECORD"


@cache
def tool() -> str:
    """A digest of all that checkoutgen builds with. CheckoutgenError when it is not what was installed."""
    digests = {path: digest(content) for path, content in package().items()}
    packed = _packed()
    if packed and (wrong := sorted(path for path, _ in digests.items() ^ packed.items())):
        raise CheckoutgenError(f"the installation is damaged ({wrong[0]}): install checkoutgen again")
    return digest("".join(f"{path}\0{known}\n" for path, known in digests.items()).encode())


def _packed() -> dict[str, str]:
    """The digest of each file of an installed package, as the wheel lists them; empty for a checkout.

    https://packaging.python.org/en/latest/specifications/recording-installed-packages/#the-record-file
    """
    if not RECORD.is_file():
        return {}
    import base64
    import csv

    top = PACKAGE.name + "/"
    with RECORD.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.reader(file) if row[0].startswith(top) and row[1].startswith("sha256=")]
    known = {path.removeprefix(top): value.removeprefix("sha256=") for path, value, _ in rows}
    return {
        path: base64.urlsafe_b64decode(value + "=").hex()
        for path, value in known.items()
        if not path.startswith(UNREAD) and not path.endswith(LEFT_BEHIND_ENDINGS)
    }


def inputs(spec: Spec) -> dict[str, str]:
    """The digest of each file of a spec, as it was read, by its path from the spec's folder; presets are the tool's."""
    package, root = f"{PACKAGE}/", os.path.abspath(spec.root)  # noqa: PTH100 - pathlib takes many times as long
    paths = {os.path.abspath(path): content for path, content in spec.inputs.items()}  # noqa: PTH100
    return {
        Path(os.path.relpath(path, root)).as_posix(): digest(content)
        for path, content in sorted(paths.items())
        if not path.startswith(package)
    }


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
            content = read(f"{out}/{path}", os.O_NOFOLLOW)
        except FileNotFoundError:
            changes.append(Change(path, "keep", DELETED))
            continue
        if digest(content) != entry.digest:
            if b"<<<<<<< " in content:  # perhaps an unresolved conflict
                return None
            changes.append(Change(path, "keep", EDITED))
    changes += outdated(overrides(out, last), last)
    return sorted(changes, key=lambda change: change.path)
