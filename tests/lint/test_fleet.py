"""Many specs in one call."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from sarif import sarif
from shops import good, printed

from checkoutgen.errors import CheckoutgenError
from checkoutgen.lint import fleet
from checkoutgen.lint.command import Request, lint
from checkoutgen.lint.engine import Options
from checkoutgen.report import formats

JOB = fleet.Job(Options("2026-11-22"))
MINIMAL = Path(__file__).parents[2] / "examples" / "minimal.yaml"


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
    (shops / "large.yaml").write_text("- a line of something else\n" * 400_000)
    assert [path.name for path in fleet.specs([shops])] == ["shop.yaml"] * 20


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
@pytest.mark.timeout(60)
def test_a_pipe_in_the_folder_is_named_and_not_waited_for(shops: Path) -> None:
    os.mkfifo(shops / "shop-07" / "pipe.yaml")
    answer = lint(Request([shops], as_of="2026-11-22", cache=False))
    assert answer.code == 2
    assert f"{shops / 'shop-07' / 'pipe.yaml'}:1:1: error: is not a regular file [invalid-spec]" in printed(answer)


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


@pytest.mark.parametrize(
    "damage",
    [b"not a database", b"SQLite format 3\0" + b"\1" * 8000, None],
    ids=["other", "broken", "broken-inside"],
)
def test_a_damaged_cache_is_begun_anew(
    damage: bytes | None, shops: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    paths = fleet.specs([shops])
    first = list(fleet.run(paths, JOB))
    (cache,) = (tmp_path / "cache").rglob("*.sqlite")
    content = cache.read_bytes()
    cache.write_bytes(content[:4096] + b"\7" * (len(content) - 4096) if damage is None else damage)
    assert list(fleet.run(paths, JOB)) == first
    assert list(fleet.run(paths, JOB)) == first
    monkeypatch.setattr(fleet, "check", None)
    assert list(fleet.run(paths, JOB)) == first, "from the cache again"


def test_a_cache_that_another_command_writes_to_or_that_has_no_place_is_done_without(
    shops: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    paths = fleet.specs([shops])
    first = list(fleet.run(paths[:16], JOB))
    (cache,) = (tmp_path / "cache").rglob("*.sqlite")
    with contextlib.closing(sqlite3.connect(cache, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert list(fleet.run(paths, JOB))[:16] == first
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert list(fleet.run(paths, JOB))[:16] == first


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
    text = printed(answer)
    assert "20 shops: 16 without errors, 4 with" in text
    assert f"2027-02-01: 1 shop will break: {shops / 'shop-03' / 'shop.yaml'}" in text


CHECK = fleet.check


def killed(path: Path, job: fleet.Job, text: bytes | None = None) -> tuple[fleet.Report, dict[Path, bytes]]:
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


def failing(case: object) -> Iterator[object]:
    raise ZeroDivisionError("by nobody")


def test_a_rule_that_fails_in_another_process_names_itself_and_the_rest_is_judged(
    shops: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    with monkeypatch.context() as patched:
        patched.setattr("checkoutgen.lint.rules.accessibility.picture_without_alt.check", failing)
        answer = lint(Request([shops], as_of="2026-11-22"))
    text = printed(answer)
    assert answer.code == 70
    assert text.count("the rule `picture-without-alt` failed: ZeroDivisionError: by nobody") == 20
    assert text.count("[eu-harmonised-guarantee-notice]") == 4
    assert lint(Request([shops], as_of="2026-11-22")).code == 1, "not taken from the cache"


HOSTILE = {
    "empty": b"",
    "half": b"shop: {name: Half\n",
    "binary": b"shop:\n\x00\xff\xfe",
    "bomb": b"shop: &a [x,x,x,x]\n" + b"".join(b"%c: &%c [*%c,*%c]\n" % (n, n, n - 1, n - 1) for n in range(98, 110)),
    "deep": b"shop:\n" + b"[" * 5000,
    "twice": b"shop: {name: A}\nshop: {name: B}\n",
    "words": 'shop: {name: "<b>::error::%0A\u202e]]>"}\n'.encode(),
}


@pytest.mark.parametrize("name", formats())
def test_every_format_carries_many_specs_with_hostile_ones_among_them(
    name: str, shops: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for kind, content in HOSTILE.items():
        (shops / f"bad-{kind}").mkdir()
        (shops / f"bad-{kind}" / "shop.yaml").write_bytes(content)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    paths = [*fleet.specs([shops]), shops / "bad-empty" / "shop.yaml"]  # a folder has no spec without a `shop` section
    answer = lint(Request(paths, as_of="2026-11-22", format=name, cache=False))
    text = printed(answer)
    assert answer.code == 2
    assert "\u202e" not in text
    assert lint(Request(paths, as_of="2026-11-22", format=name, outputs=[f"{name}:{shops / 'written'}"])).code == 2
    assert (shops / "written").read_text(encoding="utf-8") == text, "two processes or one, printed or written"
    for kind in HOSTILE:
        assert f"bad-{kind}" in text
    if name == "json":
        assert [spec["file"] for spec in json.loads(text)["specs"]] == [str(path) for path in paths]
    if name == "gitlab":
        assert len({entry["location"]["path"] for entry in json.loads(text)}) == 4 + len(HOSTILE)
    if name == "sarif":
        (run,) = sarif(text)["runs"]
        assert {run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] for result in run["results"]} == {
            "invalid-spec",
            "eu-harmonised-guarantee-notice",
        }
    if name == "junit":
        assert len(ElementTree.fromstring(text)) == len(paths)
    if name == "html":
        assert text.count('class="signature"') == len(paths)


def peak(*command: str) -> float:
    """The memory of the largest process of a command, in MiB."""
    before = "import resource, subprocess, sys; subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL)"
    after = "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)"
    measured = subprocess.run([sys.executable, "-c", f"{before}; {after}", *command], capture_output=True, check=True)
    return float(measured.stdout)


@pytest.mark.parametrize("options", [["--no-cache"], []], ids=["judged", "from-the-cache"])
def test_more_specs_take_no_more_memory(options: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """To keep the reports of the added 300 in memory, six findings each, takes 15 MiB."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    picture = (MINIMAL.parent / "minimal" / "savon.svg").read_bytes()
    missing = ("  register:", "  vat_id:", "  share_capital:", "  publication_director:", "  host:", "  epr:")
    lines = MINIMAL.read_text(encoding="utf-8").splitlines(keepends=True)
    content = "".join(line for line in lines if not line.startswith(missing)).encode()
    for folder, count in (("few", 60), ("many", 360)):
        for number in range(count):
            shop = tmp_path / folder / f"{number:03}"
            (shop / "minimal").mkdir(parents=True)
            (shop / "shop.yaml").write_bytes(content)
            (shop / "minimal" / "savon.svg").write_bytes(picture)
    lint = [sys.executable, "-m", "checkoutgen", "lint", "--format", "sarif", *options]
    for folder in ("few", "many"):
        peak(*lint, str(tmp_path / folder))  # fills the cache
    assert peak(*lint, str(tmp_path / "many")) - peak(*lint, str(tmp_path / "few")) < 4


def test_one_broken_spec_does_not_stop_the_others(shops: Path) -> None:
    (shops / "shop-02" / "shop.yaml").write_text("shop: [\n")
    answer = lint(Request([shops], as_of="2026-11-22", format="json", cache=False))
    specs = json.loads(printed(answer))["specs"]
    assert answer.code == 2
    assert len(specs) == 20
    assert specs[2]["findings"][0]["rule"] == "invalid-spec"
