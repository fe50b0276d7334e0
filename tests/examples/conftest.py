from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from checkoutgen.spec import Spec, load

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"


def checkoutgen(*arguments: str | Path, day: str = "2026-11-22") -> subprocess.CompletedProcess[str]:
    """The tool as a user runs it; `lint` judges by the law of a fixed day."""
    fixed = ["--as-of", day, "--fail-on", "info"] if arguments[0] == "lint" else []
    command = [sys.executable, "-m", "checkoutgen", *map(str, arguments), *fixed]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env={**os.environ, "NO_COLOR": "1"})


@pytest.fixture(scope="session")
def b2c() -> Spec:
    return load(EXAMPLES / "b2c.yaml")


@pytest.fixture(scope="session")
def b2b() -> Spec:
    return load(EXAMPLES / "b2b.yaml")
