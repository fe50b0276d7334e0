"""Many specs in one call."""

from __future__ import annotations

import json
import os
import shutil
import signal
from pathlib import Path

import pytest
from shops import good

from checkoutgen.errors import CheckoutgenError
from checkoutgen.lint import fleet
from checkoutgen.lint.command import Request, lint
from checkoutgen.lint.engine import Options

JOB = fleet.Job(Options("2026-11-22"))


@pytest.fixture
def shops(tmp_path: Path) -> Path:
    """Twenty shops, every fifth with its guarantee notice switched off, one no spec at all."""
    for number in range(20):
        shop = good("FR")
        if number % 5 == 0:
            shop.patch({"legal.guarantee_notice": "none"})
        folder = tmp_path / f"shop-{number:02}"
        folder.mkdir()
        shop.write(folder)
        (folder / "notes.yaml").write_text("title: not a spec\n")
    return tmp_path


def test_a_folder_gives_every_spec_in_it_and_nothing_else(shops: Path) -> None:
    assert [path.name for path in fleet.specs([shops])] == ["shop.yaml"] * 20


def test_cores_and_cache_change_nothing_in_the_answer(shops: Path) -> None:
    paths = fleet.specs([shops])
    alone = list(fleet.run(paths, JOB, cached=False, cores=1))
    assert [len(report.findings) for report in alone] == [1, 0, 0, 0, 0] * 4
    assert list(fleet.run(paths, JOB, cached=False, cores=2)) == alone
    assert list(fleet.run(paths, JOB)) == alone
    assert list(fleet.run(paths, JOB)) == alone, "from the cache"


def test_the_cache_sees_a_changed_text(shops: Path) -> None:
    paths = fleet.specs([shops])
    assert not list(fleet.run(paths, JOB))[1].findings
    terms = shops / "shop-01" / "legal" / "fr" / "terms.md"
    terms.write_text(terms.read_text() + "https://ec.europa.eu/consumers/odr\n")
    assert [finding.rule for finding in list(fleet.run(paths, JOB))[1].findings] == ["eu-odr-link-removed"]


def test_the_cache_sees_a_file_that_was_missing(shops: Path) -> None:
    paths = fleet.specs([shops])
    picture = shops / "shop-01" / "sheet.svg"
    content = picture.read_bytes()
    picture.unlink()
    assert [finding.rule for finding in list(fleet.run(paths, JOB))[1].findings] == [fleet.INVALID]
    picture.write_bytes(content)
    assert list(fleet.run(paths, JOB))[1].findings == []


def test_the_cache_knows_where_it_stands(shops: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = [Path(f"shop-{number:02}", "shop.yaml") for number in range(20)]
    shutil.copytree(shops, shops / "copy")
    shop = good("FR")
    shop.patch({"legal.guarantee_notice": "none"})
    shop.write(shops / "copy" / "shop-01")
    for folder, wanted in ((shops, 0), (shops / "copy", 1)):
        monkeypatch.chdir(folder)
        assert len(list(fleet.run(paths, JOB))[1].findings) == wanted


def test_unchanged_specs_are_not_read_again(shops: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = fleet.specs([shops])
    first = list(fleet.run(paths, JOB))
    monkeypatch.setattr(fleet, "check", None)
    assert list(fleet.run(paths, JOB)) == first


def test_the_end_says_which_shops_break_on_which_date(shops: Path) -> None:
    seal = {
        "id": "seal",
        "kind": "seal",
        "name": "Guild",
        "url": "https://guild.example/1",
        "issuer": "Guild",
        "valid_until": "2027-01-31",
    }
    shop = good("FR")
    shop.patch({"trust.badges": [seal]})
    shop.write(shops / "shop-03")
    answer = lint(Request([shops], as_of="2026-11-22", upcoming=180))
    assert answer.code == 1
    assert "20 shops: 16 without errors, 4 with" in answer.printed
    assert f"2027-02-01: 1 shop will break: {shops / 'shop-03' / 'shop.yaml'}" in answer.printed


CHECK = fleet.check


def killed(path: Path, job: fleet.Job, text: bytes | None = None) -> tuple[fleet.Report, fleet.Digests]:
    if path.parent.name == "shop-07":
        os.kill(os.getpid(), signal.SIGKILL)
    return CHECK(path, job, text)


def test_a_process_that_is_killed_gives_an_error_and_no_part_of_a_report(
    shops: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fleet, "check", killed)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    sarif = tmp_path / "lint.sarif"
    with pytest.raises(CheckoutgenError, match="nothing is reported") as error:
        lint(Request([shops], as_of="2026-11-22", cache=False, outputs=[f"sarif:{sarif}"]))
    assert error.value.exit_code == 70
    assert not sarif.exists()


def test_one_broken_spec_does_not_stop_the_others(shops: Path) -> None:
    (shops / "shop-02" / "shop.yaml").write_text("shop: [\n")
    answer = lint(Request([shops], as_of="2026-11-22", format="json", cache=False))
    specs = json.loads(answer.printed)["specs"]
    assert answer.code == 2
    assert len(specs) == 20
    assert specs[2]["findings"][0]["rule"] == "invalid-spec"
