"""Which lines of the spec made a file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from checkoutgen.build import manifest as manifests
from checkoutgen.build.changes import DELETED, EDITED
from checkoutgen.build.manifest import MANIFEST, digest
from checkoutgen.build.render import render
from checkoutgen.errors import UsageError, printable, quoted

if TYPE_CHECKING:
    from checkoutgen.spec import Spec


def lines(spec: Spec, path: str) -> list[str]:
    """`file:line:column: path` for every part of the spec that made the file; one sentence when none did.

    A path that leads into a built shop is looked up in what its last build wrote, any other in what a build would.
    """
    place = Path(os.path.abspath(path))  # noqa: PTH100 - links are not followed
    shop = next((folder for folder in place.parents if (folder / MANIFEST).is_file()), None)
    return _rendered(spec, path.removeprefix("./")) if shop is None else _built(spec, shop, place)


def _rendered(spec: Spec, path: str) -> list[str]:
    files = render(spec)
    if path not in files:
        from difflib import get_close_matches

        close = get_close_matches(path, files, n=1)
        meant = f"; did you mean {quoted(close[0])}?" if close else ""
        raise UsageError(f"{quoted(path)}: this spec makes no such file{meant}")
    file = files[path]
    return _said(spec, path, _owner(file.owner), file.sources)


def _built(spec: Spec, shop: Path, place: Path) -> list[str]:
    path = place.relative_to(shop).as_posix()
    entry = manifests.load((shop / MANIFEST).read_bytes()).files.get(path)
    if entry is None:
        if not place.exists():
            raise UsageError(f"{quoted(path)}: the shop has no such file, and its last build made none")
        return [f"{printable(path)}: yours; no build made it"]
    owner = _owner(entry.owner)
    if entry.owner == "generated" and not place.is_file():
        owner = f"{owner}, {DELETED}"
    elif entry.owner == "generated" and digest(place.read_bytes()) != entry.digest:
        owner = f"{owner}, {EDITED}"
    return _said(spec, path, owner, entry.sources)


def _owner(owner: str) -> str:
    return "written once, yours since" if owner == "seeded" else "generated"


def _said(spec: Spec, path: str, owner: str, sources: tuple[str, ...]) -> list[str]:
    if not sources:
        return [f"{path}: {owner}; part of every shop"]
    places = [(spec.place(source), source) for source in sources]
    return [f"{path}: {owner}, from"] + [
        f"  {printable(place.file)}:{place.line}:{place.column}: {printable(source)}"
        + ("" if spec.given(source) else " (a default)")
        for place, source in sorted(places)
    ]
