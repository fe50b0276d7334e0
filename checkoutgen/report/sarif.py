"""SARIF 2.1.0 for code scanning: compact, only rules that were triggered, silenced findings kept as suppressions.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from typing import Any
from urllib.parse import quote

from checkoutgen.lint.engine import fingerprint
from checkoutgen.lint.model import Finding, Report
from checkoutgen.lint.rulebook import prose, rules
from checkoutgen.report import Context, separated

_LEVELS = {"error": "error", "warning": "warning", "info": "note"}


def render(reports: Collection[Report], context: Context) -> Iterator[str]:
    names = sorted({finding.rule for report in reports for finding in report.findings})
    indexes = {name: index for index, name in enumerate(names)}
    broken = [(report.file, rule, why) for report in reports for rule, why in report.broken_rules]
    driver = {
        "name": "checkoutgen",
        "semanticVersion": context.version,
        "rules": [_rule(name) for name in names],
    }
    invocation = {
        "executionSuccessful": not broken,
        "toolExecutionNotifications": [
            {"level": "error", "message": {"text": f"The rule {rule} failed on {file}: {why}"}}
            for file, rule, why in broken
        ],
    }
    yield '{"$schema":"https://json.schemastore.org/sarif-2.1.0.json","version":"2.1.0","runs":[{'
    yield f'"tool":{_text({"driver": driver})},"columnKind":"unicodeCodePoints","results":['
    yield from separated(
        (_text(_result(finding, indexes[finding.rule])) for report in reports for finding in report.findings), ","
    )
    yield f'],"invocations":[{_text(invocation)}]}}]}}\n'


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _rule(name: str) -> dict[str, Any]:
    rule = rules().get(name)
    entry: dict[str, Any] = {"id": name}
    if rule is None:
        return entry
    read = prose(name)
    if read.sources:
        entry["helpUri"] = read.sources[0]  # the authority itself
    entry["shortDescription"] = {"text": read.title}
    if read.why:
        entry["fullDescription"] = {"text": read.why}
    entry["help"] = {
        "text": read.remedy or read.title,
        "markdown": "\n\n".join(filter(None, [read.statute, read.why, read.remedy])) or read.title,
    }
    entry["defaultConfiguration"] = {"level": _LEVELS[rule.severity]}
    entry["properties"] = {"tags": [rule.jurisdiction, *([rule.evidence] if rule.evidence else [])]}
    return entry


def _result(finding: Finding, index: int) -> dict[str, Any]:
    text = finding.message + (f" {finding.remedy}" if finding.remedy else "")
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": _LEVELS[finding.severity],
        "message": {"text": text},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": quote(finding.place.file, safe="/:")},
                    "region": {"startLine": finding.place.line, "startColumn": finding.place.column},
                },
                **({"logicalLocations": [{"fullyQualifiedName": finding.path}]} if finding.path else {}),
            }
        ],
        "partialFingerprints": {"rulePathMessage/v1": fingerprint(finding)},
        "properties": {
            "markets": list(finding.markets),
            "statutes": [
                f"{p.market}: {p.statute}" if p.market else p.statute for p in finding.provisions if p.statute
            ],
            "evidence": finding.evidence,
        },
    }
    if finding.status == "ignored":
        result["suppressions"] = [{"kind": "inSource", "status": "accepted", "justification": finding.reason}]
    elif finding.status == "baseline":
        result["suppressions"] = [{"kind": "external", "status": "accepted", "justification": finding.reason}]
        result["baselineState"] = "unchanged"
    return result
