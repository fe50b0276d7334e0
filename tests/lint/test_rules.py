"""Each rule: its good example is silent, its bad one is found, at the right line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sarif import sarif
from shops import Shop, good, place_in

from checkoutgen import schema
from checkoutgen.lint import rulebook
from checkoutgen.lint.command import kind_of
from checkoutgen.lint.model import Finding, Report, Rule
from checkoutgen.report import Context, render

RULES = rulebook.rules()
JUDGED = [name for name, rule in RULES.items() if kind_of(rule) in ("declarative", "Python")]


def written(rule: Rule) -> dict[str, Any]:
    return rulebook.read(rulebook.FOLDER / rule.jurisdiction / f"{rule.id}.yaml")


def source(rule: Rule) -> Rule:
    """The rule whose examples count: its own, or its parent's when it only refines."""
    return rule if rule.checks else RULES[rule.parent]


def market_of(rule: Rule) -> str:
    own = {"eu": "", "us-ca": "US"}.get(rule.jurisdiction, rule.jurisdiction.upper())
    return own if len(own) == 2 else written(source(rule)).get("base", {}).get("market", "FR")


def example(rule: Rule) -> Shop:
    shop = good(market_of(rule))
    shop.patch(written(source(rule)).get("base", {}))
    return shop


def bad_example(rule: Rule) -> tuple[Shop, str]:
    """The shop that breaks the rule, and the path it must be found at ("" when a text is at fault)."""
    shop, bad = example(rule), written(source(rule)).get("bad")
    assert bad, f"{source(rule).id} has no bad example"
    if bad.get("texts") == "unsaid":
        shop.unsay(list(source(rule).checks))
    elif bad.get("texts") == "said":
        shop.say(list(source(rule).checks))
    shop.patch(bad.get("spec", {}))
    shop.resolved |= bad.get("resolved", {})
    at = bad.get("at", "").replace("{M}", shop.market)
    return shop, at


def speaks(finding: Finding, rule: Rule) -> bool:
    return rule.id in (finding.rule, finding.root) or any(provision.rule == rule.id for provision in finding.provisions)


@pytest.mark.parametrize("name", JUDGED)
def test_good_example_is_in_order(name: str, tmp_path: Path) -> None:
    rule = RULES[name]
    assert [f.message for f in example(rule).lint(tmp_path) if speaks(f, rule)] == []


@pytest.mark.parametrize("name", JUDGED)
def test_bad_example_is_found(name: str, tmp_path: Path) -> None:
    rule = RULES[name]
    shop, at = bad_example(rule)
    found = [finding for finding in shop.lint(tmp_path) if speaks(finding, rule)]
    assert found, f"{name} did not fire"
    if at:
        at_path = [finding for finding in found if finding.path == at]
        assert at_path, f"found at {[finding.path for finding in found]}, not at {at}"
        if not shop.resolved:
            text = (tmp_path / "shop.yaml").read_text(encoding="utf-8")
            assert (at_path[0].place.line, at_path[0].place.column) == place_in(text, at)
    for finding in found:
        assert Path(finding.place.file).is_file()
        assert finding.place.line <= len(Path(finding.place.file).read_text(encoding="utf-8").splitlines())
        assert finding.remedy, "a finding says what to do"
    report = Report(str(tmp_path / "shop.yaml"), shop.day, found)
    assert len(sarif("".join(render("sarif", [report], Context("1.0.0"))))["runs"][0]["results"]) == len(found)


@pytest.mark.parametrize("market", ["FR", "DE", "AT", "SE", "NL", "ES", "IT", "BE", "GB", "CH", "US"])
def test_the_good_shop_is_in_order_everywhere(market: str, tmp_path: Path) -> None:
    assert [(f.rule, f.message) for f in good(market).lint(tmp_path)] == []


def test_every_rule_can_be_read() -> None:
    for rule in RULES.values():
        assert rulebook.prose(rule.id).title
        assert rule.severity in ("error", "warning", "info")
        assert rule.audience in ("b2c", "b2b", "both")
        assert not rule.parent or (rule.parent in RULES and not RULES[rule.parent].parent)
        read = rulebook.prose(rule.id)
        assert read.remedy, f"{rule.id} says no remedy"
        assert rule.checks or rule.parent
        assert rulebook.prose(rule.id).statute or rule.jurisdiction in (
            "usability",
            "accessibility",
            "security",
            "mail",
            "privacy",
            "contradiction",
        )


def test_every_rule_of_law_shows_how_well_it_is_founded() -> None:
    levels = {rule.evidence for rule in RULES.values()}
    assert levels == {
        "from knowledge only", "secondary source (EU: or national transposition read)", "primary text read",
        "primary text, older version", "primary text partly read", "good practice",
    }  # fmt: skip
    assert sum(rule.evidence == "from knowledge only" for rule in RULES.values()) == 148


CLAIMS = [
    (rule.id, proof)
    for rule in RULES.values()
    for item in rule.checks
    if isinstance(item, dict) and "shop" in item
    for proof in item.get("proof", [])
]
TEMPLATES = rulebook.FOLDER.parents[1] / "templates"


def schema_keys(schema: Any) -> set[str]:
    if isinstance(schema, list):
        return set().union(*map(schema_keys, schema))
    if not isinstance(schema, dict):
        return set()
    return set(schema.get("properties", {})).union(*map(schema_keys, schema.values()))


@pytest.mark.parametrize(("name", "proof"), CLAIMS)
def test_what_the_shop_is_said_to_do_it_does(name: str, proof: str) -> None:
    """A proof names a template and words in it, or a word that no key of the schema has."""
    file, _, words = proof.partition(": ")
    if file == "schema without":
        assert not [key for key in schema_keys(schema.load()) if words in key]
    else:
        assert words in (TEMPLATES / file).read_text(encoding="utf-8"), f"{name} relies on {file}"


def test_every_claim_about_the_shop_has_a_proof() -> None:
    without = [
        rule.id
        for rule in RULES.values()
        for item in rule.checks
        if isinstance(item, dict) and "shop" in item and not item.get("proof")
    ]
    assert without == ["gb-no-eu-withdrawal-function"], "nothing is asked there"
