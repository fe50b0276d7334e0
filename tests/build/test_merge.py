"""No edit is ever lost: random edits of random files, then a rebuild after the spec and the templates changed."""

from __future__ import annotations

import copy
import random
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checkoutgen.build import plan as plans
from checkoutgen.build.manifest import is_text
from checkoutgen.build.merge import merge, moves
from checkoutgen.build.render import File, render
from checkoutgen.spec import Spec, load
from tests.build.conftest import build

ROOT = Path(__file__).parents[2]
EDITS_A_SHOP = 20

Data = dict[str, Any]

line = st.sampled_from([b"a\n", b"b\n", b"c\n", b"\n", b"=======\n", b"d"])
text = st.lists(line, max_size=8).map(b"".join)


@given(text, text)
def test_one_side_that_did_not_change_gives_the_other(base: bytes, changed: bytes) -> None:
    assert merge("x.py", base, changed, base) == (changed, False)
    assert merge("x.py", base, base, changed) == (changed, False)
    assert merge("x.py", base, changed, changed) == (changed, False)


@given(text, text, text)
def test_every_line_that_only_you_wrote_is_in_the_merge(base: bytes, yours: bytes, new: bytes) -> None:
    mine = yours + b"\nmine, and nobody else's\n"
    merged = merge("x.py", base, mine, new)
    assert b"mine, and nobody else's\n" in merged.content


@given(text, text, text)
def test_a_conflict_holds_all_three_sides(base: bytes, yours: bytes, new: bytes) -> None:
    merged = merge("x.py", base, b"yours 1\n" + yours, b"new 1\n" + new)
    assert merged.conflict
    for marker in (b"<<<<<<< yours\n", b"||||||| last build\n", b"=======\n", b">>>>>>> this build\n"):
        assert marker in merged.content
    assert b"yours 1\n" in merged.content
    assert b"new 1\n" in merged.content


def lines(*names: str) -> bytes:
    return "".join(f"{name}\n" for name in names).encode()


def test_a_file_is_found_at_its_new_place_and_not_at_another_s() -> None:
    gone = {"a/one.html": lines("x", "y", "z", "one"), "b/two.html": lines("x", "y", "z", "two")}
    came = {"c/two.html": lines("x", "y", "z", "two", "more")}
    assert moves(gone, came) == {"b/two.html": "c/two.html"}
    assert moves(gone, {"c/one.html": gone["a/one.html"], **came}) == {
        "a/one.html": "c/one.html",
        "b/two.html": "c/two.html",
    }
    assert moves(gone, {"c/two.txt": gone["b/two.html"], "c/other.html": lines("q", "r", "s", "t")}) == {}
    assert moves({"a/__init__.py": b""}, {"b/__init__.py": b""}) == {}


@cache
def example(name: str) -> tuple[Spec, dict[str, File]]:
    spec = load(ROOT / f"examples/{name}.yaml")
    return spec, render(spec)


@dataclass(frozen=True)
class Edit:
    """What somebody did to a file, and the line that shows it: there when it was written, gone when it was removed."""

    path: str
    kind: str
    line: bytes = b""


def _edited(chance: random.Random, content: bytes, number: int) -> tuple[bytes, str, bytes]:
    """A line inserted, changed or removed at a random place; the last only where the text has such a line once."""
    lines = content.splitlines(True)
    at = chance.randrange(len(lines) + 1)
    mine = f"edit {number} of mine\n".encode()
    kind = chance.choice(["insert", "change", "remove"])
    if kind == "remove" and at < len(lines) and lines.count(lines[at]) == 1 and lines[at].strip():
        return b"".join(lines[:at] + lines[at + 1 :]), "remove", lines[at]
    if kind == "change" and at < len(lines):
        return b"".join([*lines[:at], mine, *lines[at + 1 :]]), "insert", mine
    return b"".join([*lines[:at], mine, *lines[at:]]), "insert", mine


def _edit(chance: random.Random, out: Path, files: dict[str, File]) -> list[Edit]:
    """Edits and deletions by hand; at most one a file, so that each can be looked for on its own."""
    texts = [path for path, file in files.items() if is_text(file.content)]
    edits = []
    for number, path in enumerate(chance.sample(texts, EDITS_A_SHOP)):
        if chance.random() < 0.1:
            (out / path).unlink()
            edits.append(Edit(path, "delete"))
            continue
        content, kind, mine = _edited(chance, (out / path).read_bytes(), number)
        (out / path).write_bytes(content)
        edits.append(Edit(path, kind, mine))
    return edits


def _newer(chance: random.Random, files: dict[str, File], edits: list[Edit]) -> dict[str, File]:
    """The files as a newer version of templates and spec might have them: changed, moved, gone and new ones."""
    newer = dict(files)
    touched = [edit.path for edit in edits] + chance.sample(sorted(files), 20)
    for path in dict.fromkeys(touched):
        file = newer.get(path)
        if file is None or not is_text(file.content):
            continue
        lines = file.content.splitlines(True)
        roll = chance.random()
        if roll < 0.6:
            at = chance.randrange(len(lines) + 1)
            newer[path] = file._replace(
                content=b"".join([*lines[:at], b"a newer line\n", *lines[at + chance.randrange(2) :]])
            )
        elif roll < 0.7:
            del newer[path]
        elif roll < 0.8 and file.content.strip():  # one empty file is like any other
            folder, _, name = path.rpartition("/")
            newer[f"{folder}/moved/{name}" if folder else f"moved/{name}"] = newer.pop(path)
    newer["common/brand_new.py"] = File(b"new = 1\n")
    return dict(sorted(newer.items()))


def _without_one(chance: random.Random, entries: list[Any]) -> None:
    if len(entries) > 1:
        del entries[chance.randrange(len(entries))]


def _another_audience(data: Data) -> None:
    """Which takes away the withdrawal function with its app, or brings it."""
    data["audience"] = "b2c" if data["audience"] == "b2b" else "b2b"


def _other_words(chance: random.Random, data: Data) -> None:
    page = chance.choice(sorted(data["legal"]["pages"]))
    bodies = data["legal"]["pages"][page]["body"]
    language = chance.choice(sorted(bodies))
    bodies[language] = f"Other words at the beginning.\n\n{bodies[language]}\nAnd at the end.\n"


SPEC_CHANGES: tuple[Callable[[random.Random, Data], object], ...] = (
    lambda chance, data: data["shop"].update(name=f"Another name {chance.random()}"),
    lambda chance, data: chance.choice(data["catalogue"]["products"])["title"].update(fr="Autre chose", de="Anderes"),
    lambda chance, data: _without_one(chance, data["catalogue"]["products"]),
    lambda chance, data: _without_one(chance, data["shop"]["languages"]),
    lambda chance, data: _without_one(chance, data["mails"]["send"]),
    lambda chance, data: _without_one(chance, data["payment"]["methods"]),
    lambda chance, data: data["legal"]["pages"].pop(chance.choice(sorted(data["legal"]["pages"]))),
    _other_words,
    lambda chance, data: _another_audience(data),
)


def _with_another_spec(chance: random.Random, spec: Spec) -> dict[str, File]:
    """The files of the spec after one to three changes."""
    data = copy.deepcopy(spec.data)
    for change in chance.sample(SPEC_CHANGES, chance.randint(1, 3)):
        change(chance, data)
    return render(spec._replace(data=data))


@contextmanager
def rendering(files: dict[str, File]) -> Iterator[None]:
    with patch.object(plans, "render", lambda spec: files):
        yield


def _is_kept(out: Path, edit: Edit, conflicts: set[str]) -> bool:
    """The edit is where it was made, or else where the file moved to, or in a conflict that was reported."""
    folder, _, name = edit.path.rpartition("/")
    moved = f"{folder}/moved/{name}" if folder else f"moved/{name}"
    place = next((place for place in (edit.path, moved) if (out / place).exists()), None)
    if edit.kind == "delete" or place is None:
        return edit.kind == "delete" and place is None
    lines = (out / place).read_bytes().splitlines(True)
    if edit.kind == "insert":
        return edit.line in lines
    return edit.line not in lines or place in conflicts


def _search(name: str, seed: int, out: Path) -> tuple[int, int]:
    """One shop, edited by hand, built again from another spec, then by a newer version.

    Gives how many edits there were, and how many of them ended in a reported conflict.
    """
    chance = random.Random(seed)
    spec, files = example(name)
    shutil.rmtree(out, ignore_errors=True)
    with rendering(files):
        build(spec, out)
    edits = _edit(chance, out, {path: file for path, file in files.items() if file.owner == "generated"})
    changed = _with_another_spec(chance, spec)
    conflicts: set[str] = set()
    for rendered in (changed, _newer(chance, changed, edits)):
        left = [edit for edit in edits if edit.path not in conflicts]
        with rendering(rendered):
            planned = build(spec, out, restore=conflicts & rendered.keys())
        assert [edit for edit in left if not _is_kept(out, edit, {*planned.conflicts})] == [], f"seed {seed}"
        conflicts |= {*planned.conflicts}
    return len(edits), len(conflicts)


@pytest.mark.parametrize("name", ["b2c", "b2b"])
def test_no_edit_is_lost(name: str, tmp_path: Path) -> None:
    results = [_search(name, seed, tmp_path / "shop") for seed in range(4)]
    assert sum(edits for edits, _ in results) == 4 * EDITS_A_SHOP


@pytest.mark.slow
@pytest.mark.parametrize("name", ["b2c", "b2b"])
@settings(max_examples=50)
@given(seed=st.integers(min_value=0))
def test_none_of_a_thousand_edits_is_lost(name: str, seed: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    _search(name, seed, tmp_path_factory.getbasetemp() / f"merge-{name}")
