"""What is installed is pinned with hashes, comes from no address of its own, and is listed with its licence."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = sorted([*ROOT.glob("requirements/*.lock"), *ROOT.glob("checkoutgen/templates/**/requirements*.lock")])
PINNED = re.compile(r"^([a-z0-9][a-z0-9.-]*)(?:\[[a-z0-9,-]*\])?==([^ ;\\]+)", re.MULTILINE)


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_every_package_has_a_version_and_hashes_and_no_address(lock: Path) -> None:
    text = lock.read_text()
    assert "://" not in text
    assert "--index" not in text
    packages = re.split(r"\n(?=[a-z0-9])", text.strip())
    assert len(packages) > 3
    for package in packages:
        assert PINNED.match(package), package
        assert "--hash=sha256:" in package


def test_tool_and_shop_run_on_the_versions_that_are_tested() -> None:
    tested = set(PINNED.findall((ROOT / "requirements/dev.lock").read_text()))
    for lock in LOCKS:
        assert set(PINNED.findall(lock.read_text())) <= tested, lock


def test_the_list_of_licences_is_up_to_date() -> None:
    """`make lock` writes it."""
    lines = runpy.run_path(str(ROOT / "requirements/licences.py"))["lines"]()
    assert (ROOT / "THIRD-PARTY.md").read_text() == "\n".join(lines)


def test_what_the_package_asks_for_is_what_is_locked() -> None:
    import tomllib

    asked = {
        re.split(r"[<>=!~\[ ]", line)[0]
        for line in tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    }
    written = {
        re.split(r"[<>=!~\[ ]", line)[0].replace("_", "-")
        for line in (ROOT / "requirements/tool.in").read_text().splitlines()
        if line and not line.startswith("#")
    }
    assert asked == written
