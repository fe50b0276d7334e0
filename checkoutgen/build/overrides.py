"""Files of yours in `custom/` that stand in front of the shop's own, and whether those changed since."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from checkoutgen.build.changes import Change
from checkoutgen.build.manifest import Manifest, Override, digest

FOLDERS = ("templates", "static")


def overrides(out: Path, last: Manifest) -> dict[str, Override]:
    """Each file in front of one of the last build's, by the path of that one.

    Yours was written for the file that stood there when you last changed yours.
    """
    found = {}
    for path in _paths(out / "custom"):
        if path in last.files:
            yours, before = digest((out / "custom" / path).read_bytes()), last.overrides.get(path)
            found[path] = before if before and before.yours == yours else Override(yours, last.files[path].digest)
    return found


def outdated(found: Mapping[str, Override], now: Manifest) -> list[Change]:
    """Those in front of a file that is now another one, or gone."""
    return [
        Change(f"custom/{path}", "keep", f"stands in front of {path}, which changed: compare them, then change yours")
        for path, override in found.items()
        if path not in now.files or now.files[path].digest != override.ours
    ]


def _paths(custom: Path) -> list[str]:
    """Of regular files: what a link in the shop's repository leads to is not read."""
    found = (Path(above, name) for folder in FOLDERS for above, _, names in os.walk(custom / folder) for name in names)
    return sorted(path.relative_to(custom).as_posix() for path in found if path.is_file() and not path.is_symlink())
