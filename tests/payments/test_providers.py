"""The payment providers in a made shop: what they install, which secrets they need, and their own tests."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from checkoutgen.spec import load
from tests.build.conftest import build
from tests.payments.conftest import PROVIDERS, manage, written
from tests.ports import free_port

pytestmark = pytest.mark.xdist_group("providers")

ROOT = Path(__file__).resolve().parents[2]
PRODUCTION = {"SECRET_KEY": "not-a-secret-" * 5}


@pytest.fixture(scope="module")
def secrets(spec: Path) -> dict[str, str]:
    """Every variable that the spec names, with a value."""
    providers = load(spec).data["payment"]["providers"]
    values = [value for settings in providers.values() for value in (settings or {}).values()]
    return {value.removeprefix("env:"): "not-a-secret" for value in values if str(value).startswith("env:")}


def test_each_brings_what_it_runs_on_pinned_with_hashes(shop: Path) -> None:
    assert {path.name for path in shop.glob("requirements-*.lock")} == {f"requirements-{p}.lock" for p in PROVIDERS}
    for path in shop.glob("requirements-*.lock"):
        pins = re.findall(r"^([a-z0-9-]+)==\S+.*\\$", path.read_text(), flags=re.M)
        assert pins
        assert path.read_text().count("--hash=sha256:") >= len(pins)


def test_locks_agree_with_each_other(shop: Path) -> None:
    versions: dict[str, set[str]] = {}
    for path in shop.glob("requirements*.lock"):
        for name, version in re.findall(r"^([A-Za-z0-9._-]+)(?:\[.*\])?==(\S+)", path.read_text(), flags=re.M):
            versions.setdefault(name.lower(), set()).add(version)
    assert {name: found for name, found in versions.items() if len(found) > 1} == {}


def test_a_shop_has_nothing_of_providers_it_does_not_use(tmp_path: Path) -> None:
    build(load(written(tmp_path / "spec", [{"id": "card", "kind": "card", "provider": "stripe"}])), tmp_path / "shop")
    locks = {path.name for path in (tmp_path / "shop").glob("requirements*.lock")}
    assert locks == {"requirements.lock", "requirements-stripe.lock"}
    assert not [path for name in PROVIDERS if name != "stripe" for path in (tmp_path / "shop").rglob(f"*{name}*")]


def test_build_names_the_variables_that_the_shop_needs(spec: Path, secrets: dict[str, str], tmp_path: Path) -> None:
    command = [sys.executable, "-m", "checkoutgen", "build", str(spec), str(tmp_path / "out")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert set(re.findall(r"^note: the shop needs (\w+) in its environment", done.stdout, flags=re.M)) == set(secrets)


@pytest.mark.parametrize("command", [["check"], ["migrate", "--no-input"]])
def test_no_shop_starts_in_production_without_its_secrets(
    shop: Path, secrets: dict[str, str], command: list[str], tmp_path: Path
) -> None:
    """`migrate` is what the container runs before it serves anything."""
    where = {"VAR_DIR": str(tmp_path)}
    refused = manage(shop, *command, **PRODUCTION, **where)
    assert refused.returncode != 0
    for name in secrets:
        assert f"Set the environment variable {name} " in refused.stdout, refused.stdout
    started = manage(shop, *command, **PRODUCTION, **where, **secrets)
    assert started.returncode == 0, started.stdout


def test_no_server_starts_in_production_without_its_secrets(
    shop: Path, secrets: dict[str, str], tmp_path: Path
) -> None:
    """A server started by hand, without the container's `migrate` before it."""
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--blocking-threads", "1", "--port"]
    plain = {"PATH": os.environ["PATH"], "VAR_DIR": str(tmp_path), **PRODUCTION}
    command += [str(free_port()), "config.wsgi:application"]
    refused = subprocess.run(command, cwd=shop, env=plain, capture_output=True, text=True, timeout=120)
    assert refused.returncode != 0
    assert "This shop cannot be served." in refused.stderr
    assert "Traceback" not in refused.stderr
    for name in secrets:
        assert f"Set the environment variable {name} " in refused.stderr
    imported = [sys.executable, "-c", "import config.wsgi"]
    assert subprocess.run(imported, cwd=shop, env=plain | secrets, timeout=120).returncode == 0


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_tests_that_it_ships_pass_in_the_shop(shop: Path, provider: str) -> None:
    shipped = (ROOT / "checkoutgen/templates/payments" / provider / "shop/tests").glob("test_*.py")
    done = manage(shop, "test", *(f"tests.{path.stem}" for path in sorted(shipped)), DEBUG="1")
    assert done.returncode == 0, done.stdout[-6000:]
    assert re.search(r"^Ran [1-9]\d* tests? ", done.stdout, flags=re.M), done.stdout[-2000:]
