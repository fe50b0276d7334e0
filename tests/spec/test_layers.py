"""Specs that build on others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from checkoutgen.errors import SpecError
from checkoutgen.spec import Spec, layers, load

from .conftest import Problems, minimal, written


def write(folder: Path, **documents: Any) -> None:
    for name, document in documents.items():
        (folder / f"{name}.yaml").write_bytes(written(document))


def test_maps_merge_and_the_rest_is_replaced(load_with: Callable[..., Spec], tmp_path: Path) -> None:
    write(
        tmp_path,
        base={
            "shop": {"tagline": "base", "name": "Base"},
            "seller": {"vat_id": "FR32123456789"},
            "trust": {"badges": [{"id": "a", "kind": "seal", "name": "A"}]},
        },
        middle={"shop": {"tagline": "middle"}},
    )
    spec = load_with({"extends": ["base.yaml", "middle.yaml"], "trust": {"badges": []}})
    assert spec.data["shop"]["name"] == "Maison Lin"
    assert spec.data["shop"]["tagline"] == {"en": "middle"}
    assert spec.data["seller"]["vat_id"] == "FR32123456789"
    assert spec.data["trust"]["badges"] == []
    assert Path(spec.place("shop.tagline").file).name == "middle.yaml"
    assert Path(spec.place("seller.vat_id").file).name == "base.yaml"
    assert spec.given("seller.vat_id")
    assert not spec.given("trust.badges[0].id")
    assert {path.name for path in spec.inputs} == {"spec.yaml", "base.yaml", "middle.yaml"}


def test_the_first_market_is_that_of_the_spec_itself(load_with: Callable[..., Spec], tmp_path: Path) -> None:
    write(tmp_path, base={"markets": {"DE": {"languages": ["en"]}}})
    assert list(load_with({"extends": ["base.yaml"]}).data["markets"]) == ["FR", "DE"]


def test_an_empty_section_changes_nothing(tmp_path: Path) -> None:
    write(tmp_path, base=minimal() | {"checkout": {"layout": "one-page"}})
    (tmp_path / "spec.yaml").write_text("extends: [base.yaml]\ncheckout:\n")
    assert load(tmp_path / "spec.yaml").data["checkout"]["layout"] == "one-page"


def test_problems_stand_in_the_file_they_come_from(problems_with: Callable[..., Problems], tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text("checkout:\n  layout: pages\n  steps: no\n")
    problems = problems_with({"extends": ["base.yaml"]})
    assert [(Path(problem.file).name, problem.line) for problem in problems] == [("base.yaml", 2), ("base.yaml", 3)]


def test_files_above_are_found(tmp_path: Path) -> None:
    (tmp_path / "shops").mkdir()
    write(tmp_path, agency={"shop": {"tagline": "x"}})
    write(tmp_path / "shops", spec=minimal() | {"extends": ["../agency.yaml"]})
    assert load(tmp_path / "shops" / "spec.yaml").data["shop"]["tagline"] == {"en": "x"}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("spec.yaml", "extends this file in turn"),
        ("none.yaml", "does not exist"),
        ("folder.yaml", "folder"),
        ("http://evil.example/x.yaml", "nothing is fetched"),
        ("/etc/passwd.yaml", "relative"),
        ("preset:none", "does not exist; there are:"),
        ("preset:../x", "preset:NAME"),
        ("/etc/passwd", "ends in .yaml"),
        ("a/../../x.yaml", "`..`"),
    ],
)
def test_h39_what_cannot_be_extended(
    problems_with: Callable[..., Problems], tmp_path: Path, name: str, words: str
) -> None:
    (tmp_path / "folder.yaml").mkdir()
    (problem,) = problems_with({"extends": [name]})
    assert problem.path == "extends[0]"
    assert words in problem.message


def test_h39_loops_over_two_files_are_found(problems_with: Callable[..., Problems], tmp_path: Path) -> None:
    write(tmp_path, base={"extends": ["spec.yaml"]})
    (problem,) = problems_with({"extends": ["base.yaml"]})
    assert Path(problem.file).name == "base.yaml"
    assert "in turn" in problem.message


def test_h39_thousands_of_files_are_refused(problems_with: Callable[..., Problems], tmp_path: Path) -> None:
    for n in range(layers.MAX_FILES):
        write(tmp_path, **{f"f{n}": {"extends": [f"f{n + 1}.yaml"] * 8}})
    write(tmp_path, **{f"f{layers.MAX_FILES}": {}})
    (problem,) = problems_with({"extends": ["f0.yaml"]})
    assert "more than 64 files" in problem.message


@pytest.mark.parametrize("text", [b"", b"# nothing\n", b"[]", b"just text", b"12"])
def test_h11_a_spec_is_a_map(text: bytes) -> None:
    with pytest.raises(SpecError) as caught:
        load(None, text=text)
    (problem,) = caught.value.problems
    assert (problem.file, problem.line, problem.column) == ("-", 1, 1)


@pytest.mark.parametrize("preset", sorted(path.stem for path in layers.PRESETS.glob("*.yaml")))
def test_every_preset_can_be_extended(load_with: Callable[..., Spec], preset: str) -> None:
    seller = minimal()["seller"] | {"country": "FR"}
    document = {"extends": [f"preset:{preset}"], "shop": {"name": "A", "url": "https://a.example"}, "seller": seller}
    document |= {
        "catalogue": {"products": [{"id": "a", "title": "A", "price": {"EUR": 1, "SEK": 1, "GBP": 1, "USD": 1}}]}
    }
    assert load_with(document=document).data["audience"] in preset.split("-")
