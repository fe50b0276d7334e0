"""The examples are in order in all of their markets."""

from __future__ import annotations

from pathlib import Path

import pytest
from shops import printed

from checkoutgen.lint.command import Request, lint

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.mark.parametrize(
    ("name", "markets"), [("b2c.yaml", "FR, BE, DE, SE"), ("b2b.yaml", "SE, DE"), ("minimal.yaml", "FR")]
)
def test_the_example_lints_clean(name: str, markets: str) -> None:
    answer = lint(Request([EXAMPLES / name], as_of="2026-11-22", fail_on="info"))
    assert printed(answer).startswith(f"{EXAMPLES / name}: in order on 2026-11-22 in {markets}")
    assert answer.code == 0
