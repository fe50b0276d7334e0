"""The pages in `docs/rules/` are those that the rule files make."""

from __future__ import annotations

from pathlib import Path

from checkoutgen.lint import rulebook
from checkoutgen.lint.pages import pages, unjudged

DOCS = Path(__file__).parents[2] / "docs" / "rules"


def test_docs_are_in_step() -> None:
    wanted = pages()
    assert {path.name for path in DOCS.glob("*.md")} == set(wanted)
    stale = [name for name, text in wanted.items() if (DOCS / name).read_text(encoding="utf-8") != text]
    assert not stale, "run python -m checkoutgen.lint.pages docs/rules"


def test_what_cannot_be_judged_has_a_reason() -> None:
    assert all(len(reason) > 20 for _, reason in unjudged())


def test_every_researched_rule_has_a_page() -> None:
    assert len(pages()) == len(rulebook.rules()) + 1
