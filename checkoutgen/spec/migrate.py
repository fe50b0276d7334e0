"""An older spec in the words of this version of the language: keys are renamed where they stand, and every other byte,
comments and layout among them, stays as it was.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from checkoutgen import spec
from checkoutgen.spec import layers, reader

# What each version of the language calls otherwise than the one before: path of the older key (`*` for any key or
# item), new name of its last part. Version 1 is the first.
RENAMED: dict[int, dict[str, str]] = {}

_KEY = re.compile(r"""(["']?)[^"':\s]+\1""")
_NUMBER = re.compile(r"""(["']?version["']?\s*:\s*)[0-9]+""")


def migrate(path: Path) -> list[Path]:
    """Brings a spec and the files it extends to this version; gives those that changed.

    Everything is read before anything is written. Raises SpecError and UsageError as `load` does.
    """
    written = layers.read(path)
    spec.refuse_newer(written)
    before = spec.version(written)
    if before == spec.VERSION:
        return []
    presets = layers.PRESETS.resolve()
    older = {file: text.decode("utf-8-sig") for file, text in written.inputs.items() if presets not in file.parents}
    newer = {file: _migrated(text, str(file), before) for file, text in older.items()}
    newer[path.resolve()] = _numbered(newer[path.resolve()], str(path))
    changed = [file for file in newer if newer[file] != older[file]]
    for file in changed:
        _replace(file, newer[file].encode())
    return changed


def _migrated(text: str, file: str, before: int) -> str:
    for version in range(before + 1, spec.VERSION + 1):
        text = _renamed(text, file, RENAMED.get(version, {}))
    return text


def _renamed(text: str, file: str, names: dict[str, str]) -> str:
    lines = text.splitlines(keepends=True)
    places = reader.read(text.encode(), file).places
    for path, (line, column) in sorted(places.items(), key=lambda item: item[1], reverse=True):  # columns before stay
        name = next((name for old, name in names.items() if _is_at(path, old)), None)
        if name is not None:
            start = lines[line - 1][: column - 1]
            lines[line - 1] = start + _KEY.sub(rf"\g<1>{name}\g<1>", lines[line - 1][column - 1 :], count=1)
    return "".join(lines)


def _is_at(path: reader.Path, pattern: str) -> bool:
    parts = pattern.split(".")
    return len(path) == len(parts) and all(part in ("*", found) for part, found in zip(parts, path, strict=True))


def _numbered(text: str, file: str) -> str:
    """With the number of this version: in place of the older one, or before the first key."""
    lines = text.splitlines(keepends=True)
    places = reader.read(text.encode(), file).places
    first = min(place for path, place in places.items() if path)
    line, column = places.get(("version",), first)
    before, rest = lines[line - 1][: column - 1], lines[line - 1][column - 1 :]
    if ("version",) in places:
        rest = _NUMBER.sub(rf"\g<1>{spec.VERSION}", rest, count=1)
    elif first == places[()]:
        rest = f"version: {spec.VERSION}\n{before}{rest}"
    else:  # between braces
        rest = f'"version": {spec.VERSION}, {rest}'
    lines[line - 1] = before + rest
    return "".join(lines)


def _replace(path: Path, content: bytes) -> None:
    """The whole new content or the old one, whatever happens meanwhile."""
    beside = path.with_name(f".{path.name}.checkoutgen")
    beside.write_bytes(content)
    shutil.copymode(path, beside)
    beside.replace(path)
