"""The shops of both examples pass the checks and tests that an agency runs on them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from checkoutgen.spec import load
from tests.build.conftest import build

ROOT = Path(__file__).parents[2]
SECRETS = {"SECRET_KEY": "not-a-secret-" * 5, "DEMO_WEBHOOK_SECRET": "not-a-secret", "ALLOW_DEMO_PROVIDER": "1"}

pytestmark = pytest.mark.xdist_group("made-shop")


@pytest.fixture(scope="module", params=["b2c", "b2b"])
def shop(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp(request.param) / "shop"
    build(load(ROOT / f"examples/{request.param}.yaml"), out)
    return out


def manage(shop: Path, *command: str, **environment: str) -> str:
    """What a command prints, on both channels; it has to succeed."""
    plain = {key: value for key, value in os.environ.items() if key not in ("DEBUG", "DATABASE_URL", "PUBLIC_URL")}
    done = subprocess.run(
        [sys.executable, *command],
        cwd=shop,
        env={**plain, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=800,
    )
    assert done.returncode == 0, done.stdout[-6000:]
    return done.stdout


def test_ruff_finds_nothing(shop: Path) -> None:
    manage(shop, "-m", "ruff", "check", "--no-cache")


def test_the_deployment_check_finds_nothing(shop: Path) -> None:
    said = manage(shop, "manage.py", "check", "--deploy", "--fail-level", "WARNING", **SECRETS)
    # What the shop says of an old SQLite is about this machine.
    assert set(re.findall(r"\((\w+\.[A-Z]\d+)\)", said)) <= {"common.I001"}, said


def test_no_migration_is_missing(shop: Path) -> None:
    assert "No changes" in manage(shop, "manage.py", "makemigrations", "--check", "--dry-run", DEBUG="1")


def test_every_translation_is_compiled(shop: Path) -> None:
    sources = {path.with_suffix("") for path in shop.glob("locale/*/LC_MESSAGES/*.po")}
    assert sources
    assert sources == {path.with_suffix("") for path in shop.glob("locale/*/LC_MESSAGES/*.mo")}


def test_its_own_tests_pass(shop: Path) -> None:
    assert "\nOK" in manage(shop, "manage.py", "test", DEBUG="1")
