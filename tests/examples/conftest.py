from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from checkoutgen.spec import Spec, load

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"


def checkoutgen(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """The tool as a user runs it."""
    command = [sys.executable, "-m", "checkoutgen", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env={**os.environ, "NO_COLOR": "1"})


def lint(spec: Path) -> subprocess.CompletedProcess[str]:
    """Every finding counts, by the law of a fixed day."""
    return checkoutgen("lint", spec, "--as-of", "2026-11-22", "--fail-on", "info", "--format", "text")


@pytest.fixture(scope="session")
def b2c() -> Spec:
    return load(EXAMPLES / "b2c.yaml")


@pytest.fixture(scope="session")
def b2b() -> Spec:
    return load(EXAMPLES / "b2b.yaml")
