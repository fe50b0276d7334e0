"""The fault campaign in its short form: 500 buyers on each database while processes die and everybody else fails.

`make slow` has 1,000 on each and planted bugs, `make campaign` 10,000 on each. It kills by buyers, not by the clock, so
that a slow machine takes longer and finds the same.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.campaign.seeded import BUGS

ROOT = Path(__file__).resolve().parents[2]

# One after the other: each has nine processes of its own.
pytestmark = [pytest.mark.xdist_group("campaign"), pytest.mark.timeout(1900)]


def campaign(*options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks.campaign", *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=1800)


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
@pytest.mark.parametrize("buyers", [500, pytest.param(1000, marks=pytest.mark.slow)])
def test_nothing_is_lost_doubled_or_invented(database: str, buyers: int) -> None:
    done = campaign("--database", database, "--checkouts", str(buyers), "--seed", "11")
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
    assert f"  {buyers} buyers in " in done.stdout
    assert "all 19 invariants hold" in done.stdout
    assert "kill -9 web" in done.stdout
    assert "kill -9 worker" in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("bug", sorted(BUGS))
def test_planted_bug_is_found(bug: str) -> None:
    done = campaign("--checkouts", "90", "--bug", bug)
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
    assert "VIOLATED" in done.stdout
