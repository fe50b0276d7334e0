"""What the README and the guide promise exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from checkoutgen.starter import start

from .conftest import EXAMPLES, ROOT, checkoutgen

README = (ROOT / "README.md").read_text(encoding="utf-8")
GUIDE = (ROOT / "docs" / "getting-started.md").read_text(encoding="utf-8")


def test_the_shortest_spec_is_the_example() -> None:
    assert (EXAMPLES / "minimal.yaml").read_text(encoding="utf-8") in README


def test_the_table_lists_every_command_and_no_other() -> None:
    offered = re.findall(r"(?m)^  ([a-z][a-z-]*)  ", checkoutgen("--help").stdout.partition("Commands:")[2])
    assert sorted(re.findall(r"(?m)^\| `([a-z-]+)[ `]", README)) == sorted(offered)


@pytest.mark.parametrize("text", [README, GUIDE], ids=["README", "guide"])
def test_commands_and_options_exist(text: str) -> None:
    used = re.findall(r"(?m)(?:^|`)checkoutgen ([a-z]+)([^\n`#]*)", text)
    assert used
    for command, rest in used:
        offered = checkoutgen(command, "--help").stdout
        for option in re.findall(r"--[a-z-]+", rest):
            assert option in offered, f"{command} {option}"


def links(text: str) -> list[str]:
    return [link for link in re.findall(r"\]\(([^)#]+)", text) if not link.startswith("https://")]


def test_links_lead_somewhere() -> None:
    assert [link for link in links(README) if not (ROOT / link).exists()] == []
    assert [link for link in links(GUIDE) if not (ROOT / "docs" / link).exists()] == []


def test_the_guide_lists_what_init_writes(tmp_path: Path) -> None:
    start(tmp_path / "shop", "b2c-fr")
    for name in re.findall(r"(?m)^\| `([^`]+)`", GUIDE.partition("## 2.")[0]):
        assert (tmp_path / "shop" / name.replace("<language>", "fr")).exists(), name
