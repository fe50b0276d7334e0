# ruff: noqa: E501  tables read better whole
"""`lint`, `explain` and `rules` as a person or a CI server meets them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema_rs
import pytest
import yaml
from sarif import sarif
from shops import Shop, good, printed

from checkoutgen.errors import UsageError
from checkoutgen.lint import rulebook
from checkoutgen.lint.command import Answer, Request, explain, lint, rules_table
from checkoutgen.report import formats

TODAY = "2026-11-22"


def written(shop: Shop, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return shop.write(folder)


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    """A shop with one error (guarantee notice off), on a line of its own."""
    shop = good("FR")
    shop.patch({"legal.guarantee_notice": "none"})
    return written(shop, tmp_path)


def run(*paths: Path, **arguments: Any) -> Answer:
    return lint(Request(list(paths), as_of=arguments.pop("as_of", TODAY), **arguments))


def cli(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "NO_COLOR": "1", **options.pop("env", {})}
    return subprocess.run(
        [sys.executable, "-m", "checkoutgen", *arguments],
        capture_output=True,
        text=True,
        env=environment,
        timeout=60,
        **options,
    )


# exit codes


def test_exit_codes(tmp_path: Path, bad: Path) -> None:
    clean = written(good("FR"), tmp_path / "clean")
    assert run(clean).code == 0
    assert run(bad).code == 1
    assert run(bad, exit_zero=True).code == 0
    assert run(bad, fail_on="never").code == 0
    (tmp_path / "broken.yaml").write_text("shop: [\n")
    assert run(tmp_path / "broken.yaml").code == 2
    (tmp_path / "empty").mkdir()
    assert run(tmp_path / "empty").code == 3


def test_warnings_fail_only_when_asked(tmp_path: Path) -> None:
    shop = good("FR")
    shop.patch({"checkout.cart": {"expires_after_hours": 2}})
    path = written(shop, tmp_path)
    assert run(path).code == 0
    assert run(path, fail_on="warning").code == 1


@pytest.mark.parametrize(
    "arguments",
    [
        {"as_of": "19 June"}, {"as_of": "2026-02-30"}, {"format": "sarf"}, {"outputs": ["sarif"]}, {"outputs": ["pdf:x"]}, {"fail_on": "fatal"},
        {"select": ["eu-order-buton"]}, {"unverified": "low"}, {"upcoming": -1}, {"baseline": Path("/nowhere.json")},
    ],
)  # fmt: skip
def test_wrong_arguments_are_usage_errors(bad: Path, arguments: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        run(bad, **arguments)


def test_a_missing_file_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file"):
        run(tmp_path / "none.yaml")


def test_a_rule_that_fails_names_itself_and_the_rest_still_runs(bad: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import checkoutgen.lint.rules.accessibility.picture_without_alt as module

    def fail(case: Any) -> Any:
        raise ZeroDivisionError("by nobody")

    monkeypatch.setattr(module, "check", fail)
    answer = run(bad)
    assert answer.code == 70
    assert "the rule `picture-without-alt` failed: ZeroDivisionError: by nobody" in printed(answer)
    assert "eu-harmonised-guarantee-notice" in printed(answer) or "guarantee_notice" in printed(answer)


# text


def test_text_shows_the_line_with_a_caret(bad: Path) -> None:
    lines = printed(run(bad)).splitlines()
    number = next(n for n, line in enumerate(bad.read_text().splitlines(), 1) if "guarantee_notice" in line)
    assert lines[0].startswith(
        f"{bad}:{number}:3: error: The harmonised notice on the legal guarantee is switched off ["
    )
    assert lines[1].endswith("|   guarantee_notice: none")
    assert lines[2].index("^") == lines[1].index("guarantee_notice")
    assert any(line.strip().startswith("do: Set `legal.guarantee_notice: harmonised`") for line in lines)
    assert "\x1b" not in printed(run(bad))


def test_a_finding_in_a_legal_text_points_into_its_file(tmp_path: Path) -> None:
    shop = good("FR")
    shop.texts["fr"]["terms"] += "Plateforme : https://ec.europa.eu/consumers/odr\n"
    path = written(shop, tmp_path)
    terms = tmp_path / "legal" / "fr" / "terms.md"
    assert printed(run(path)).startswith(f"{terms}:{len(terms.read_text().splitlines())}:1: error:")


# formats


def as_json(path: Path, **arguments: Any) -> Any:
    return json.loads(printed(run(path, format="json", **arguments)))["specs"][0]


def test_json_is_versioned_and_one_based(bad: Path) -> None:
    document = json.loads(printed(run(bad, format="json")))
    assert document["version"] == 1
    (finding,) = document["specs"][0]["findings"]
    assert finding["line"] >= 1
    assert finding["column"] == 3
    assert finding["path"] == "legal.guarantee_notice"
    assert finding["markets"] == ["FR"]
    assert finding["evidence"]
    assert finding["provisions"][0]["statute"]


def test_sarif_keeps_to_the_standard_and_lists_only_what_was_triggered(bad: Path) -> None:
    text = bad.read_text().replace(
        "guarantee_notice: none", "guarantee_notice: none # checkoutgen: ignore[eu-harmonised-guarantee-notice] printed"
    )
    bad.write_text(text.replace("- 2\n", "- 12\n").replace("- 3\n", "- 31\n"))
    (found,) = sarif(printed(run(bad, format="sarif")))["runs"]
    assert {rule["id"] for rule in found["tool"]["driver"]["rules"]} == {
        result["ruleId"] for result in found["results"]
    }
    suppressed = [result for result in found["results"] if "suppressions" in result]
    assert [result["suppressions"][0]["justification"] for result in suppressed] == ["printed"]
    assert len(found["results"]) > len(suppressed)
    for result in found["results"]:
        assert found["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]


def test_sarif_of_every_kind_of_report_is_valid(bad: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import checkoutgen.lint.rules.accessibility.picture_without_alt as module

    clean, broken = written(good("DE"), tmp_path / "a clean & säker"), tmp_path / "broken.yaml"
    broken.write_text("shop: [\n")
    kept = tmp_path / "kept.json"
    run(bad, write_baseline=kept)
    assert sarif(printed(run(clean, format="sarif")))["runs"][0]["results"] == []
    (old,) = sarif(printed(run(bad, format="sarif", baseline=kept)))["runs"][0]["results"]
    assert (old["baselineState"], old["suppressions"][0]["kind"]) == ("unchanged", "external")
    every = sarif(printed(run(clean, bad, broken, format="sarif", upcoming=400)))["runs"][0]
    assert len({r["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for r in every["results"]}) == 2
    monkeypatch.setattr(module, "check", lambda case: 1 / 0)
    failed = sarif(printed(run(clean, format="sarif")))["runs"][0]["invocations"][0]
    assert failed["executionSuccessful"] is False
    assert "picture-without-alt" in failed["toolExecutionNotifications"][0]["message"]["text"]


@pytest.mark.parametrize(
    "fault",
    [
        {"level": "fatal"}, {"message": {}}, {"message": {"text": 1}}, {"ruleIndex": -2}, {"colour": "red"},
        {"locations": [{"physicalLocation": {"region": {"startLine": 0}}}]}, {"suppressions": [{"kind": "comment"}]},
        {"suppressions": [{"kind": "inSource"}] * 2}, {"baselineState": "old"}, {"partialFingerprints": {"a": 1}},
        {"properties": {"tags": ["eu", "eu"]}}, {"locations": [{"physicalLocation": {"artifactLocation": {}, "region": {"startColumn": 1}}}]},
    ],
)  # fmt: skip
def test_the_schema_of_sarif_finds_a_planted_fault(bad: Path, fault: dict[str, Any]) -> None:
    document = json.loads(printed(run(bad, format="sarif")))
    document["runs"][0]["results"][0] |= fault
    with pytest.raises(jsonschema_rs.ValidationError):
        sarif(json.dumps(document))


def test_github_annotations_are_chosen_inside_actions(bad: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not printed(run(bad)).startswith("::")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    assert printed(run(bad)).startswith(f"::error file={bad},line=")


def test_gitlab_and_junit(bad: Path) -> None:
    (entry,) = json.loads(printed(run(bad, format="gitlab")))
    assert entry["severity"] == "major"
    assert len(entry["fingerprint"]) >= 16
    assert entry["location"]["lines"]["begin"] > 1
    suite = ElementTree.fromstring(printed(run(bad, format="junit")))[0]
    assert suite.attrib["failures"] == "1"
    assert suite.find("testcase/failure") is not None


def test_several_outputs_at_once(bad: Path, tmp_path: Path) -> None:
    names = formats()
    assert names == ["github", "gitlab", "html", "json", "junit", "sarif", "text"]
    answer = run(bad, outputs=[f"{name}:{tmp_path / name}" for name in names])
    assert printed(answer)
    assert all((tmp_path / name).read_text() for name in names)
    sarif((tmp_path / "sarif").read_text())


HOSTILE = "<script>alert(1)</script>\u202e::error::%0A\x1b[31m"


@pytest.mark.parametrize("name", ["github", "gitlab", "html", "json", "junit", "sarif", "text"])
def test_hostile_words_of_a_spec_stay_words(name: str, tmp_path: Path) -> None:
    shop = good("FR")
    shop.patch({"checkout.order_button": {"fr": "<script>alert(1)</script> ::error::%0A"}, "shop.name": "::error::<b>"})
    text = printed(run(written(shop, tmp_path), format=name))
    assert "alert" in text
    if name == "sarif":
        sarif(text)
    assert "\x1b" not in text
    if name == "html":
        assert "<script" not in text
        assert "&lt;script&gt;" in text
    if name == "github":
        assert all(
            line.startswith(("::error file=", "::warning file=", "::notice file=")) for line in text.splitlines()
        )
    if name == "junit":
        ElementTree.fromstring(text)


def test_the_reviewers_page_says_what_is_fulfilled_missing_ignored_and_not_judged(bad: Path) -> None:
    bad.write_text(
        bad.read_text()
        + "mails: # checkoutgen: ignore[mail-nobody-sends] the till does it\n  send: [order-confirmation, withdrawal-received]\n"
    )
    page = printed(run(bad, format="html"))
    for caption in ("Missing or wrong", "Fulfilled", "Could not be judged"):
        assert f"<caption>{caption}</caption>" in page
    assert "L221-14" in page
    assert "Reviewed by" in page
    assert "src=" not in page
    assert "<script" not in page
    assert 'lang="en"' in page


def test_the_signature_stands_for_each_file_once_whatever_the_spec_is_called(
    bad: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def digest(path: Path) -> str:
        return re.findall(r"SHA-256 of its (\d+ files: <code>[0-9a-f]{64}</code>)", printed(run(path, format="html")))[
            0
        ]

    monkeypatch.chdir(bad.parent)
    files = [path for path in bad.parent.rglob("*") if path.is_file()]
    first = digest(bad)
    assert first.startswith(f"{len(files)} files")
    assert digest(Path(bad.name)) == first
    for path in (bad, next(bad.parent.rglob("*.md")), next(bad.parent.rglob("*.svg"))):
        content = path.read_bytes()
        path.write_bytes(content + b"\n")
        assert digest(bad) != first, path
        path.write_bytes(content)
    assert digest(bad) == first


# ignores


def ignored(path: Path, line: str, comment: str, **arguments: Any) -> Any:
    path.write_text(path.read_text().replace(line, line + "  " + comment))
    return as_json(path, **arguments)["findings"]


NOTICE = "guarantee_notice: none"


def test_an_ignore_with_a_reason_silences_one_rule(bad: Path) -> None:
    (finding,) = ignored(bad, NOTICE, "# checkoutgen: ignore[eu-harmonised-guarantee-notice] printed on paper")
    assert (finding["status"], finding["reason"]) == ("ignored", "printed on paper")
    assert run(bad).code == 0
    assert run(bad, ignores=False).code == 1


def test_an_ignore_above_the_line_and_by_the_national_name(tmp_path: Path) -> None:
    shop = good("DE")
    shop.patch({"legal.guarantee_notice": "none"})
    path = written(shop, tmp_path)
    path.write_text(
        path.read_text().replace(
            "  guarantee_notice", "  # checkoutgen: ignore[de-legal-guarantee] printed\n  guarantee_notice"
        )
    )
    assert [f["status"] for f in as_json(path)["findings"]] == ["ignored"]


@pytest.mark.parametrize(
    ("comment", "rule"),
    [
        ("# checkoutgen: ignore[eu-harmonised-guarantee-notice]", "ignore-without-reason"),
        ("# checkoutgen: ignore because", "ignore-without-rule"),
        ("# checkoutgen: ignore[] because", "ignore-without-rule"),
        ("# checkoutgen: ignore[eu-no-such-rule] because", "ignore-of-unknown-rule"),
        ("# checkoutgen: ignore[eu-order-button] because", "unused-ignore"),
    ],
)
def test_ignores_that_do_not_count_are_findings(bad: Path, comment: str, rule: str) -> None:
    findings = ignored(bad, NOTICE, comment)
    assert rule in {finding["rule"] for finding in findings}
    assert any(finding["severity"] == "error" and finding["status"] == "missing" for finding in findings)


# baseline


def test_a_baseline_holds_on_to_rule_path_and_value_not_to_lines(bad: Path, tmp_path: Path) -> None:
    kept = tmp_path / "baseline.json"
    assert run(bad, write_baseline=kept).code == 0
    assert run(bad, baseline=kept).code == 0
    bad.write_text("# a new first line\n" + bad.read_text())
    assert [f["status"] for f in as_json(bad, baseline=kept)["findings"]] == ["baseline"]
    shop = yaml.safe_load(bad.read_text())
    shop["checkout"]["identification"] = {"account": "required"}
    bad.write_text(yaml.safe_dump(shop, sort_keys=False))
    assert run(bad, baseline=kept, fail_on="warning").code == 1, "what is new still fails"
    shop["legal"].pop("guarantee_notice")
    bad.write_text(yaml.safe_dump(shop, sort_keys=False))
    assert "stale-baseline-entry" in {f["rule"] for f in as_json(bad, baseline=kept)["findings"]}


# fixes


def test_fixes_keep_comments_and_leave_legal_texts_alone(bad: Path) -> None:
    text = (
        bad.read_text()
        .replace("guarantee_notice: none", "guarantee_notice: none   # until the printer is back")
        .replace("audience: b2c", "audience: b2c # consumers")
    )
    text += "mails:\n  send: [order-confirmation, payment-failed, payment-pending, payment-received, cancelled, refunded, account-created, verify-email, password-reset, new-order, new-withdrawal] # all\n"
    bad.write_text(text)
    terms = bad.parent / "legal" / "fr" / "terms.md"
    terms.write_text(terms.read_text() + "https://ec.europa.eu/consumers/odr\n")
    before = terms.read_text()
    answer = run(bad, fix=True)
    fixed = bad.read_text()
    assert "guarantee_notice: harmonised   # until the printer is back" in fixed
    assert "new-withdrawal, shipped] # all" in fixed
    assert "audience: b2c # consumers" in fixed
    assert terms.read_text() == before
    assert len(answer.notes) == 2
    assert answer.code == 1, "the legal text is left to a person"


def test_a_fix_removes_a_banned_fee_and_a_refused_label(tmp_path: Path) -> None:
    shop = good("FR")
    shop.patch({"payment.methods[0].fee": "1.00", "checkout.order_button": {"fr": "Valider"}})
    path = written(shop, tmp_path)
    run(path, fix=True)
    left = yaml.safe_load(path.read_text())
    assert "fee" not in left["payment"]["methods"][0]
    assert "order_button" not in left["checkout"]
    assert left["payment"]["methods"][1] == shop.spec["payment"]["methods"][1]
    assert run(path, fail_on="info").code == 0


# switches


def test_rules_that_rest_on_knowledge_alone_can_be_lowered(tmp_path: Path) -> None:
    shop = good("FR")
    shop.patch({"legal.pages.privacy": None})
    path = written(shop, tmp_path)
    assert run(path).code == 1
    (finding,) = as_json(path, unverified="warning")["findings"]
    assert finding["evidence"] == "from knowledge only"
    assert finding["severity"] == "warning"
    assert run(path, unverified="warning").code == 0


def test_one_market_and_one_rule(tmp_path: Path) -> None:
    shop = good("FR")
    shop.patch({"legal.guarantee_notice": "none", "mails.send": ["order-confirmation"]})
    path = written(shop, tmp_path)
    assert {f["rule"] for f in as_json(path, select=["eu-harmonised-guarantee-notice"])["findings"]} == {
        "eu-harmonised-guarantee-notice"
    }
    assert as_json(path, markets=["de"])["findings"] == []


def test_national_rules_are_not_reported_twice(tmp_path: Path) -> None:
    shop = good("FR")
    shop.patch(
        {
            "shop.languages": ["fr", "de"],
            "markets.DE": {"languages": ["de"]},
            "checkout.order_button": {"fr": "Valider", "de": "Bestellen"},
        }
    )
    findings = [f for f in as_json(written(shop, tmp_path))["findings"] if "order-button" in f["rule"]]
    assert {(f["rule"], tuple(f["markets"])) for f in findings} == {
        ("fr-order-button", ("FR",)),
        ("de-order-button", ("DE",)),
    }
    shop.patch({"checkout.order_button": None, "legal.guarantee_notice": "none"})
    (finding,) = [f for f in as_json(written(shop, tmp_path))["findings"] if f["path"] == "legal.guarantee_notice"]
    assert finding["rule"] == "eu-harmonised-guarantee-notice"
    assert {p["market"]: p["rule"] for p in finding["provisions"]} == {
        "FR": "eu-harmonised-guarantee-notice",
        "DE": "de-legal-guarantee",
    }


# the command line


def test_the_command_reads_standard_input(tmp_path: Path) -> None:
    path = written(good("FR"), tmp_path)
    done = cli("lint", "-", "--as-of", TODAY, input=path.read_text(), cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("-: in order on 2026-11-22 in FR")


def test_the_command_never_shows_a_traceback(tmp_path: Path) -> None:
    for number, content in enumerate(
        [b"\xff\xfe", b"\x00" * 100, b"a: " * 5000, b"[" * 3000, b"shop: !!python/object:os.system x", b"", b"shop:\n"]
    ):
        path = tmp_path / f"{number}.yaml"
        path.write_bytes(content)
        done = cli("lint", str(path))
        assert done.returncode == 2, done.stdout
        assert "Traceback" not in done.stdout + done.stderr
        assert done.stdout.startswith(str(path))


def test_explain_and_rules() -> None:
    page = explain("eu-withdrawal-function")
    for words in ("# eu-withdrawal-function", "CRD art 11a", "from 2026-06-19", "## What to write", "<https://"):
        assert words in page
    with pytest.raises(UsageError, match="did you mean `eu-withdrawal-function`"):
        explain("eu-withdrawal-functon")
    listed = json.loads(rules_table(["DE"], "json"))["rules"]
    assert {rule["jurisdiction"] for rule in listed} == {"", "DE", "EU"}
    assert any(rule["rule"] == "de-impressum" and rule["statute"] for rule in listed)
    assert len(json.loads(rules_table([], "json"))["rules"]) == len(rulebook.rules())
    assert cli("explain", "no-such-rule").returncode == 2
    assert "de-impressum" in cli("rules", "--market", "DE").stdout
