"""A spec and those it extends, merged into one document. Maps merge deeply; of all else, the later one wins."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import cached_property, lru_cache, reduce
from pathlib import Path
from typing import Any

from checkoutgen.errors import Problem, SpecError, UsageError, printable
from checkoutgen.spec import reader
from checkoutgen.spec.files import UnusableFileError, read_regular
from checkoutgen.spec.formats import extends as check_name

PRESETS = Path(__file__).parent.parent / "presets"
MAX_FILES = 64

_Place = tuple[str, int, int]
Places = dict[reader.Path, _Place]


class Merged:
    """The merged document. `inputs` holds each file that was read, as it was read; `columns` those of each CSV file."""

    def __init__(self, file: str, root: Path, value: dict[str, Any], find: Callable[[], Places]) -> None:
        self.file = file
        self.root = root
        self.value = value
        self.problems: list[Problem] = []
        self.inputs: dict[Path, bytes] = {}
        self.columns: dict[str, list[str]] = {}
        self._find = find

    @cached_property
    def places(self) -> Places:
        """The place of each key and list item in the file it came from. Most specs are never asked for one."""
        return self._find()

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
    layers = _Layers(name, folder)
    merged = layers.merge(name, folder, text, () if path is None else (path.resolve(),))
    merged.inputs = layers.inputs
    return merged


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
        merged = Merged(
            self.file, self.root, document.value, lambda: {path: (name, *at) for path, at in document.places.items()}
        )
        merged.problems += document.problems
        bases = merged.value.get("extends")
        below = [
            self.base(base, index, merged, folder, chain)
            for index, base in enumerate(bases if isinstance(bases, list) else [])
            if isinstance(base, str) and check_name(base) is None
        ]
        return reduce(_on_top, [*below, merged])

    def base(self, name: str, index: int, top: Merged, folder: Path, chain: tuple[Path, ...]) -> Merged:
        path = PRESETS / f"{name.removeprefix('preset:')}.yaml" if name.startswith("preset:") else folder / name
        is_preset = path.parent == PRESETS

        def refuse(message: str) -> SpecError:
            return SpecError([Problem(*top.place(("extends", index)), f"extends[{index}]", message)])

        resolved = _resolved_preset(path) if is_preset else path.resolve()
        if resolved in chain:
            raise refuse(f"{name} extends this file in turn; take one of the two out")
        if self.count >= MAX_FILES:
            raise refuse(f"more than {MAX_FILES} files are extended in all")
        try:
            text = _preset(path) if is_preset else read_regular(path, reader.MAX_BYTES)
        except UnusableFileError as problem:
            known = ", ".join(sorted(preset.stem for preset in PRESETS.glob("*.yaml")))
            raise refuse(f"{name} {problem}{f'; there are: {known}' if is_preset else ''}") from None
        return self.merge(name if is_preset else os.path.normpath(path), path.parent, text, (*chain, resolved))


# Presets as found and read once: merging and resolving copy what they change, so all specs of a run can share them.


@lru_cache(maxsize=64)
def _resolved_preset(path: Path) -> Path:
    return path.resolve()


@lru_cache(maxsize=64)
def _preset(path: Path) -> bytes:
    return read_regular(path, reader.MAX_BYTES)


@lru_cache(maxsize=64)
def _read_preset(text: bytes, name: str) -> reader.Document:
    return reader.read(text, name)


def _on_top(base: Merged, top: Merged) -> Merged:
    def find() -> Places:
        hidden = set(_hidden(base.value, top.value, ()))
        places = {}
        for path, place in base.places.items():  # what holds something comes before it
            if path in hidden or path[:-1] in hidden:
                hidden.add(path)
            else:
                places[path] = place
        return places | top.places

    merged = Merged(top.file, top.root, _merge(base.value, top.value), find)
    merged.problems += base.problems + top.problems
    return merged


def _merge(base: Any, top: Any) -> Any:
    if not (isinstance(base, dict) and isinstance(top, dict)):
        return base if isinstance(base, dict) and top is None else top  # an empty section on top changes nothing
    # The keys of `top` come first: the first market is home.
    merged = {key: _merge(base[key], value) if key in base else value for key, value in top.items()}
    return merged | {key: value for key, value in base.items() if key not in top}


def _hidden(base: Any, top: Any, path: reader.Path) -> Iterator[reader.Path]:
    """The paths of `base` that no longer count under `top`."""
    if isinstance(base, dict) and isinstance(top, dict):
        for key in top.keys() & base.keys():
            yield from _hidden(base[key], top[key], (*path, key))
    elif not (isinstance(base, dict) and top is None):
        yield path
