"""docs/payments.md names a test for every failure case; here it is looked up that they exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SECTION = (ROOT / "docs/payments.md").read_text("utf-8").split("## The failure cases")[1].split("<!-- end -->")[0]
INTRODUCTION, TABLE = SECTION.split("<!-- failures -->")
CASES = re.findall(r"^\| ([^|]+) \| (`[^|]+) \|$", TABLE, flags=re.M)
FILES = re.findall(r"`tests/(test_\w+\.py)`", INTRODUCTION)
TESTS = [
    name
    for path in (ROOT / "checkoutgen/templates").rglob("test_*.py")
    if path.name in FILES
    for name in re.findall(r"^    def (test_\w+)\(", path.read_text("utf-8"), flags=re.M)
]
# What a shop has to survive, whatever the table says: taken from the reports about shops that did not.
REQUIRED = (
    "kill -9 between charge and order",
    "duplicate webhook",
    "concurrent webhooks",
    "webhook before the redirect",
    "webhook before the commit",
    "webhook after shipping",
    "time-out of the provider, before and after it took effect",
    "5xx, then again with the same key",
    "wrong amount",
    "wrong currency; yen and dinar",
    "race for the last piece",
    "price change in the checkout",
    "double click",
    "two tabs",
    "back after paying",
    "cart edited after the provider's page was opened",
    "session expired at the provider",
    "expired order paid late",
    "partial refund, more than what is left",
    "refund of a pending payment",
    "bad signature, old signature",
    "SEPA failure after success",
    "chargeback",
    "3-D Secure abandoned",
)


@pytest.mark.parametrize(("case", "names"), CASES, ids=[case for case, _ in CASES])
def test_case_has_a_test(case: str, names: str) -> None:
    named = re.findall(r"`(\w+)`", names)
    assert named
    assert [name for name in named if name not in TESTS] == []


def test_no_case_is_forgotten() -> None:
    assert [case for case in REQUIRED if case not in dict(CASES)] == []
    rows = [line for line in TABLE.splitlines() if line.startswith("|")]
    assert len(CASES) == len(rows) - 2, "a row that is no case with its tests"


def test_a_test_stands_for_one_case() -> None:
    named = re.findall(r"`(test_\w+)`", TABLE)
    assert sorted(named) == sorted(set(named))
