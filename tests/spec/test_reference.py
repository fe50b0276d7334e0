from __future__ import annotations

from pathlib import Path

from checkoutgen.spec.reference import reference

DOCS = Path(__file__).parents[2] / "docs"


def test_the_page_is_that_of_the_schema() -> None:
    made = "python -m checkoutgen.spec.reference > docs/spec.md"
    assert (DOCS / "spec.md").read_text(encoding="utf-8") == reference(), f"out of date: {made}"
