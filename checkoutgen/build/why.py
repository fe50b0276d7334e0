"""Which lines of the spec made a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checkoutgen.build.render import render
from checkoutgen.errors import UsageError, printable, quoted

if TYPE_CHECKING:
    from checkoutgen.spec import Spec


def lines(spec: Spec, path: str) -> list[str]:
    """`file:line:column: path` for every part of the spec that made the file; one sentence when none did."""
    files = render(spec)
    path = path.removeprefix("./")
    if path not in files:
        from difflib import get_close_matches

        close = get_close_matches(path, files, n=1)
        meant = f"; did you mean {quoted(close[0])}?" if close else ""
        raise UsageError(f"{quoted(path)}: this spec makes no such file{meant}")
    file = files[path]
    written = "written once, yours since" if file.owner == "seeded" else "generated"
    if not file.sources:
        return [f"{path}: {written}; part of every shop"]
    places = [(spec.place(source), source) for source in file.sources]
    return [f"{path}: {written}, from"] + [
        f"  {printable(place.file)}:{place.line}:{place.column}: {source}"
        + ("" if spec.given(source) else " (a default)")
        for place, source in sorted(places)
    ]
