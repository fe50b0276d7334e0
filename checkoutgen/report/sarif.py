"""SARIF 2.1.0 for code scanning: compact, only rules that were triggered, silenced findings kept as suppressions.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from checkoutgen.lint.engine import fingerprint
from checkoutgen.lint.model import Finding, Report
from checkoutgen.lint.rulebook import prose, rules
from checkoutgen.report import Context

_LEVELS = {"error": "error", "warning": "warning", "info": "note"}


def render(reports: list[Report], context: Context) -> str:
    findings = [finding for report in reports for finding in report.findings]
    names = sorted({finding.rule for finding in findings})
    indexes = {name: index for index, name in enumerate(names)}
    broken = [(report, rule, why) for report in reports for rule, why in report.broken_rules]
    run: dict[str, Any] = {
        "tool": {
            "driver": {
                "name": "checkoutgen",
                "semanticVersion": context.version,
                "rules": [_rule(name) for name in names],
            }
        },
        "columnKind": "unicodeCodePoints",
        "results": [_result(finding, indexes[finding.rule]) for finding in findings],
        "invocations": [
            {
                "executionSuccessful": not broken,
                "toolExecutionNotifications": [
                    {"level": "error", "message": {"text": f"The rule {rule} failed on {report.file}: {why}"}}
                    for report, rule, why in broken
                ],
            }
        ],
    }
    document = {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]}
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n"


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
