"""A version 2 of the language, made up: what was written in version 1 is brought to it with every comment."""

from __future__ import annotations

from pathlib import Path

import pytest

from checkoutgen import spec
from checkoutgen.errors import SpecError
from checkoutgen.spec import migrate
from checkoutgen.spec import reader as readers

BLOCK = """\
# Ours since 2019.

shop:
  name: Lin   # not "Le Lin"
  tagline: "tagline: that" # the tagline: stays

delivery:
  methods:
    # The first is the usual one.
    - id: home
      days: [2, 3]
    - {id: far, "days": [4, 9]}   # as before
  days: 3
"""
NEWER = """\
# Ours since 2019.

version: 2
shop:
  name: Lin   # not "Le Lin"
  motto: "tagline: that" # the tagline: stays

delivery:
  methods:
    # The first is the usual one.
    - id: home
      working_days: [2, 3]
    - {id: far, "working_days": [4, 9]}   # as before
  days: 3
"""


@pytest.fixture(autouse=True)
def two(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spec, "VERSION", 2)
    monkeypatch.setattr(
        migrate, "RENAMED", {2: {"shop.tagline": "motto", "delivery.methods.*.days": "working_days", "gone.key": "x"}}
    )


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        (BLOCK, NEWER),
        (BLOCK.replace("\n", "\r\n"), NEWER.replace("\n", "\r\n").replace("version: 2\r\n", "version: 2\n")),
        (
            "version: 1 # the first\nshop: {name: a, tagline: b}\n",
            "version: 2 # the first\nshop: {name: a, motto: b}\n",
        ),
        ('{\n "version": 1,\n "shop": {"tagline": "b"}\n}', '{\n "version": 2,\n "shop": {"motto": "b"}\n}'),
        ('{"shop": {"tagline": {"tagline": 1}}}', '{"version": 2, "shop": {"motto": {"tagline": 1}}}'),
        ("shop:\n  'tagline': x", "version: 2\nshop:\n  'motto': x"),
    ],
    ids=["block", "CRLF", "flow", "JSON", "JSON on a line", "quoted"],
)
def test_nothing_but_the_keys_changes(older: str, newer: str, tmp_path: Path) -> None:
    path = tmp_path / "shop.yaml"
    path.write_bytes(older.encode())
    path.chmod(0o600)
    assert migrate.migrate(path) == [path]
    assert path.read_bytes().decode() == newer
    assert readers.read(path.read_bytes(), "x").value["version"] == 2
    assert path.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["shop.yaml"]
    assert migrate.migrate(path) == []


def test_what_a_spec_extends_comes_along_and_presets_stay(tmp_path: Path) -> None:
    preset = spec.layers.PRESETS / "b2c-fr.yaml"
    before = preset.read_bytes()
    (tmp_path / "shops").mkdir()
    shops = [tmp_path / f"shops/{name}.yaml" for name in ("one", "two")]
    for shop in shops:
        shop.write_text("extends: [preset:b2c-fr, ../agency.yaml]\nshop:\n  name: x\n")
    agency = tmp_path / "agency.yaml"
    agency.write_text("shop:\n  tagline: x  # ours\n")
    assert migrate.migrate(shops[0]) == [shops[0], agency]
    assert agency.read_text() == "shop:\n  motto: x  # ours\n"
    assert migrate.migrate(shops[1]) == [shops[1]]
    assert preset.read_bytes() == before


def test_an_older_spec_is_refused_with_the_remedy(tmp_path: Path) -> None:
    path = tmp_path / "shop.yaml"
    path.write_text(BLOCK)
    with pytest.raises(SpecError, match=r"version 1 of the language.* reads 2: run `checkoutgen migrate .*shop\.yaml`"):
        spec.load(path)


def test_a_broken_file_stops_it_before_anything_is_written(tmp_path: Path) -> None:
    (tmp_path / "agency.yaml").write_text("shop: [")
    path = tmp_path / "shop.yaml"
    path.write_text(f"extends: [agency.yaml]\n{BLOCK}")
    with pytest.raises(SpecError, match=r"agency\.yaml:2"):
        migrate.migrate(path)
    assert path.read_text() == f"extends: [agency.yaml]\n{BLOCK}"
