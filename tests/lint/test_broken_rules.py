"""A rule that is broken, raises, hangs or answers nonsense is named; the others are judged, and the exit code is 70."""

from __future__ import annotations

import gc
import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sarif import sarif
from shops import good, printed

from checkoutgen.lint import checks, engine, rulebook
from checkoutgen.lint.case import Outcome
from checkoutgen.lint.command import Answer, Request, explain, lint
from checkoutgen.report import formats

PYTHON_RULE = "picture-without-alt"


def forget() -> None:
    for kept in (rulebook.rules, rulebook.broken, rulebook._book, rulebook.by_jurisdiction, rulebook._prose):
        kept.cache_clear()
    for kept in (checks.of_rule, engine.in_question, engine.duties):
        kept.cache_clear()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of some rules that a test may spoil."""
    copy = tmp_path / "rules"
    for name in ("eu", "fr"):
        shutil.copytree(rulebook.FOLDER / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(rulebook, "FOLDER", copy)
    monkeypatch.setattr(rulebook, "cache_folders", lambda: [tmp_path / "cache"])
    forget()
    yield copy
    forget()


def judged(tmp_path: Path, **arguments: Any) -> Answer:
    shop = good("FR")
    shop.patch({"legal.guarantee_notice": "none"})
    (tmp_path / "shop").mkdir(exist_ok=True)
    return lint(Request([shop.write(tmp_path / "shop")], as_of="2026-11-22", **arguments))


def only_its_own_fault(answer: Answer, rule: str, words: str) -> None:
    assert answer.code == 70
    assert f"the rule `{rule}` failed: " in printed(answer)
    assert words in printed(answer)
    assert "guarantee_notice" in printed(answer), "the others are judged"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("title: [unfinished", "ParserError"),
        ("just words", "a rule is a map"),
        ("title: A\naudience: b2c\nseverity: error\n", "`check` is missing"),
        ("title: A\naudience: b2c\nseverity: fatal\ncheck: []\n", "`severity` is one of"),
        ("title: A\naudience: b2c\nseverity: error\ncheck: [{guess: it}]\n", "a check is one of"),
        ("title: A\naudience: b2c\nseverity: error\napplies: {a: {maybe: 1}}\ncheck: []\n", "maybe"),
        ("title: A\naudience: b2c\nseverity: error\ncheck: [{need: x, when: {a: {maybe: 1}}}]\n", "maybe"),
        ("title: A\naudience: b2c\nseverity: error\nparent: eu-none\ncheck: []\n", "eu-none, is broken or not there"),
        ("title: A\naudience: b2c\nseverity: error\ncheck: [{need: 7}]\n", "TypeError"),
        ("title: A\naudience: b2c\nseverity: error\ncheck: [python]\n", "ModuleNotFoundError"),
        ("title: A\naudience: b2c\nseverity: error\ncheck: [{in_page: nowhere, at: x, has: {any: a}}]\n", "KeyError"),
    ],
)
def test_a_broken_file_is_named(folder: Path, tmp_path: Path, text: str, words: str) -> None:
    (folder / "eu" / "eu-zz-broken.yaml").write_text(text)
    only_its_own_fault(judged(tmp_path), "eu-zz-broken", words)
    only_its_own_fault(judged(tmp_path), "eu-zz-broken", words)  # and again from what is kept


def test_a_broken_rule_takes_those_that_refine_it_along(folder: Path, tmp_path: Path) -> None:
    (folder / "eu" / "eu-order-button.yaml").write_text("[")
    answer = judged(tmp_path)
    only_its_own_fault(answer, "eu-order-button", "ParserError")
    assert "the rule `fr-order-button` failed: the rule it refines, eu-order-button, is broken" in printed(answer)


def test_every_format_names_the_broken_rule(folder: Path, tmp_path: Path) -> None:
    (folder / "eu" / "eu-zz-broken.yaml").write_text("[")
    for name in formats():
        answer = judged(tmp_path, format=name)
        assert answer.code == 70
        assert "eu-zz-broken" in printed(answer), name
        if name == "sarif":
            sarif(printed(answer))
        if name in ("json", "gitlab"):
            json.loads(printed(answer))


def test_the_rules_that_are_whole_can_be_explained(folder: Path) -> None:
    (folder / "eu" / "eu-zz-broken.yaml").write_text("[")
    assert explain("eu-withdrawal-function").startswith("# eu-withdrawal-function")


def forever(case: Any) -> Iterator[Outcome]:
    while True:
        pass
    yield Outcome(True, "", "")


def endless(case: Any) -> Iterator[Outcome]:
    while True:
        yield Outcome(True, "", "")


def deaf(case: Any) -> Iterator[Outcome]:
    """Loses the error, as destructors and the collector's callbacks do (https://docs.python.org/3/library/sys.html#sys.unraisablehook)."""
    try:
        while True:
            pass
    except TimeoutError:
        yield from forever(case)


def collecting(case: Any) -> Iterator[Outcome]:
    """Spends its time in the collector's callbacks, where each error is lost: so does what only fills a list."""

    def burn(phase: str, info: dict[str, int]) -> None:
        until = time.process_time() + 0.3
        while time.process_time() < until:
            pass

    gc.callbacks.append(burn)
    try:
        for _ in range(8):
            gc.collect()
            yield Outcome(True, "", "")
    finally:
        gc.callbacks.remove(burn)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(
    ("check", "words"),
    [
        (lambda case: 1 / 0, "ZeroDivisionError"),
        (lambda case: None, "TypeError"),
        (lambda case: "broken", "a check gives outcomes"),
        (lambda case: [False], "a check gives outcomes"),
        (lambda case: [Outcome(False, None, "m")], "a check gives outcomes"),  # type: ignore[arg-type]
        (lambda case: [Outcome(False, "shop", None)], "a check gives outcomes"),  # type: ignore[arg-type]
        (lambda case: [Outcome(False, "shop", "m", "fatal")], "a check gives outcomes"),
        (lambda case: [Outcome(False, "shop", "m", line=-1)], "a check gives outcomes"),
        (lambda case: [Outcome("no", "shop", "m")], "a check gives outcomes"),  # type: ignore[arg-type]
        (forever, "TimeoutError: no answer within"),
        (endless, "TimeoutError: no answer within"),
        (deaf, "TimeoutError: no answer within"),
        (collecting, "TimeoutError: no answer within"),
    ],
)
def test_a_check_in_python_that_fails_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, check: Any, words: str
) -> None:
    import checkoutgen.lint.rules.accessibility.picture_without_alt as module

    monkeypatch.setattr(module, "check", check)
    monkeypatch.setattr(checks, "SECONDS", 0.2)
    only_its_own_fault(judged(tmp_path), PYTHON_RULE, words)
