"""A spec and those it extends, merged into one document. Maps merge deeply; of all else, the later one wins."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from checkoutgen.errors import Problem, SpecError, UsageError, printable
from checkoutgen.spec import reader
from checkoutgen.spec.files import UnusableFileError, read_regular
from checkoutgen.spec.formats import extends as check_name

PRESETS = Path(__file__).parent.parent / "presets"
MAX_FILES = 64

_Place = tuple[str, int, int]


@dataclass
class Merged:
    """The merged document. `places` holds the place of each key and list item in the file it came from."""

    file: str
    root: Path
    value: dict[str, Any]
    places: dict[reader.Path, _Place]
    problems: list[Problem] = field(default_factory=list)
    inputs: dict[Path, bytes] = field(default_factory=dict)  # each file that was read, as it was read
    columns: dict[str, list[str]] = field(default_factory=dict)  # the columns of each CSV file, by its name

    def place(self, path: reader.Path) -> _Place:
        """Place of the key or item, or of the nearest part of the path that was written."""
        for end in range(len(path), 0, -1):
            if found := self.places.get(path[:end]):
                return found
        return self.file, 1, 1


def read(path: Path | None, text: bytes | None = None) -> Merged:
    """Reads a spec and everything it extends. Raises SpecError, or UsageError when the spec itself cannot be opened."""
    name = "-" if path is None else str(path)
    if text is None:
        if path is None:
            raise UsageError("no spec given")
        try:
            text = read_regular(path, reader.MAX_BYTES)
        except UnusableFileError as problem:
            raise UsageError(f"{printable(name)}: {problem}") from None
    folder = Path.cwd() if path is None else path.parent
    return _Layers(name, folder).merge(name, folder, text, () if path is None else (path.resolve(),))


class _Layers:
    def __init__(self, file: str, root: Path) -> None:
        self.file = file
        self.root = root
        self.count = 0
        self.inputs: dict[Path, bytes] = {}

    def merge(self, name: str, folder: Path, text: bytes, chain: tuple[Path, ...]) -> Merged:
        """One file on top of those it extends. `chain` holds the files that are being read, to find loops."""
        self.count += 1
        self.inputs.update(dict.fromkeys(chain[-1:], text))
        document = (_read_preset if folder == PRESETS else reader.read)(text, name)
        if document.value is None:
            raise SpecError(
                [Problem(name, 1, 1, "", "the file is empty; `checkoutgen init` writes a spec to start from")]
            )
        if not isinstance(document.value, dict):
            raise SpecError([Problem(name, 1, 1, "", "must be a map of sections such as shop, seller and markets")])
        places = {path: (name, line, column) for path, (line, column) in (document.values | document.keys).items()}
        top = Merged(self.file, self.root, document.value, places, document.problems)
        bases = top.value.get("extends", [])
        result = Merged(self.file, self.root, {}, {})
        if not bases:
            return replace(top, inputs=self.inputs)
        for index, base in enumerate(bases if isinstance(bases, list) else []):
            if isinstance(base, str) and check_name(base) is None:
                result = _on_top(result, self.base(base, top.place(("extends", index)), index, folder, chain))
        result = _on_top(result, top)
        result.inputs = self.inputs
        return result

    def base(self, name: str, place: _Place, index: int, folder: Path, chain: tuple[Path, ...]) -> Merged:
        path = PRESETS / f"{name.removeprefix('preset:')}.yaml" if name.startswith("preset:") else folder / name

        def refuse(message: str) -> SpecError:
            return SpecError([Problem(*place, f"extends[{index}]", message)])

        if path.resolve() in chain:
            raise refuse(f"{name} extends this file in turn; take one of the two out")
        if self.count >= MAX_FILES:
            raise refuse(f"more than {MAX_FILES} files are extended in all")
        try:
            text = read_regular(path, reader.MAX_BYTES)
        except UnusableFileError as problem:
            hint = (
                f"; there are: {', '.join(sorted(p.stem for p in PRESETS.glob('*.yaml')))}"
                if path.parent == PRESETS
                else ""
            )
            raise refuse(f"{name} {problem}{hint}") from None
        shown = name if path.parent == PRESETS else os.path.normpath(path)
        return self.merge(shown, path.parent, text, (*chain, path.resolve()))


@lru_cache(maxsize=16)
def _read_preset(text: bytes, name: str) -> reader.Document:
    """A preset as read: merging and resolving copy what they change, so all specs of a run can share it."""
    return reader.read(text, name)


def _on_top(base: Merged, top: Merged) -> Merged:
    hidden: set[reader.Path] = set()
    value = _merge(base.value, top.value, (), hidden)
    places = {}
    for path, place in base.places.items():  # what holds something comes before it
        if path in hidden or path[:-1] in hidden:
            hidden.add(path)
        else:
            places[path] = place
    return Merged(top.file, top.root, value, places | top.places, base.problems + top.problems)


def _merge(base: Any, top: Any, path: reader.Path, hidden: set[reader.Path]) -> Any:
    """`top` over `base`; the paths of `base` that no longer count go to `hidden`."""
    if not (isinstance(base, dict) and isinstance(top, dict)):
        if isinstance(base, dict) and top is None:
            return base  # an empty section on top changes nothing
        hidden.add(path)
        return top
    # The keys of `top` come first: the first market is home.
    merged = {
        key: _merge(base[key], value, (*path, key), hidden) if key in base else value for key, value in top.items()
    }
    return merged | {key: value for key, value in base.items() if key not in top}
