"""docs/payments.md names a test for every failure case; here it is looked up that they exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TABLE = (ROOT / "docs/payments.md").read_text("utf-8").split("<!-- failures -->")[1].split("<!-- end -->")[0]
CASES = re.findall(r"^\| ([^|]+) \| (`[^|]+) \|$", TABLE, flags=re.M)
TESTS = {
    name
    for path in (ROOT / "checkoutgen/templates").rglob("test_*.py")
    for name in re.findall(r"^    def (test_\w+)\(", path.read_text("utf-8"), flags=re.M)
}


@pytest.mark.parametrize(("case", "names"), CASES, ids=[case for case, _ in CASES])
def test_case_has_a_test(case: str, names: str) -> None:
    named = re.findall(r"`(\w+)`", names)
    assert named
    assert [name for name in named if name not in TESTS] == []


def test_no_case_is_forgotten() -> None:
    assert len(CASES) == 24
