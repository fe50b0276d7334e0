"""`init` writes a repository that is in order from the first minute."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from copier import Settings, run_copy

from checkoutgen.spec import load
from checkoutgen.starter import TEMPLATE, presets, start

from .conftest import lint


@pytest.mark.parametrize("preset", presets())
def test_every_preset_renders_validates_and_lints_clean(preset: str, tmp_path: Path) -> None:
    path = start(tmp_path / "shop", preset)
    spec = load(path)
    assert len(spec.data["catalogue"]["products"]) == 3
    assert len(spec.data["shop"]["languages"]) == 1
    legal = tmp_path / "shop" / "legal" / spec.data["shop"]["languages"][0]
    assert {file.stem for file in legal.iterdir()} == set(spec.data["legal"]["pages"])
    found = lint(path)
    assert found.returncode == 0, found.stdout


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_copier_alone_copies_it_too_and_takes_the_texts_of_the_preset(tmp_path: Path) -> None:
    run_copy(str(TEMPLATE), tmp_path, data={"preset": "b2c-de"}, defaults=True, quiet=True, settings=Settings())
    assert "legal/de/terms.md" not in files(tmp_path)
    assert "Widerrufsbelehrung" in load(tmp_path / "checkout.yaml").data["legal"]["pages"]["withdrawal"]["body"]["de"]


def test_answers_reach_the_spec_and_nothing_that_runs(tmp_path: Path) -> None:
    answers = {"preset": "b2c-fr", "name": 'A "quoted": ${{ github.token }} #', "legal_name": "- [x] & {y} 'z' \\ é"}
    for folder, given in (("plain", {"preset": "b2c-fr"}), ("odd", answers)):
        run_copy(str(TEMPLATE), tmp_path / folder, data=given, defaults=True, quiet=True, settings=Settings())
    plain, odd = files(tmp_path / "plain"), files(tmp_path / "odd")
    assert {name for name in plain if plain[name] != odd[name]} == {"checkout.yaml"}
    data = load(tmp_path / "odd" / "checkout.yaml").data
    assert data["shop"]["name"] == answers["name"]
    assert data["seller"]["legal_name"] == answers["legal_name"]


@pytest.mark.parametrize(
    "answer",
    [{"url": "http://my-shop.example"}, {"email": "nobody"}, {"phone": "012"}, {"brand": "blue"}, {"name": " "}],
    ids=lambda answer: next(iter(answer)),
)
def test_an_answer_that_no_spec_takes_is_refused(answer: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=next(iter(answer))):
        run_copy(
            str(TEMPLATE), tmp_path, {"preset": "b2c-gb", **answer}, defaults=True, quiet=True, settings=Settings()
        )


def test_the_workflow_uses_nobody_else_and_checks_everything(tmp_path: Path) -> None:
    start(tmp_path / "shop", "b2c-se")
    workflow = (tmp_path / "shop" / ".github" / "workflows" / "checkout.yml").read_text(encoding="utf-8")
    assert "uses:" not in workflow
    assert re.findall(r"checkoutgen (validate|lint|build)", workflow) == ["validate", "lint", "build"]
    runs = workflow.partition("steps:")[2]
    assert re.findall(r"\$\{\{.*?\}\}", runs) == ["${{ github.token }}"]  # in env, never inside a command
