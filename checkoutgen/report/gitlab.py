"""GitLab's code quality report: https://docs.gitlab.com/ci/testing/code_quality/"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from typing import Any

from checkoutgen.lint.engine import digest, fingerprint
from checkoutgen.lint.model import Finding, Report
from checkoutgen.report import Context, separated

_SEVERITIES = {"error": "major", "warning": "minor", "info": "info"}


def render(reports: Collection[Report], context: Context) -> Iterator[str]:
    yield "["
    yield from separated((f"\n  {_text(entry)}" for report in reports for entry in _entries(report)), ",")
    yield "\n]\n"


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2).replace("\n", "\n  ")


def _entries(report: Report) -> Iterator[dict[str, Any]]:
    yield from map(_entry, report.open)
    yield from (_broken(report, rule, why) for rule, why in report.broken_rules)


def _entry(finding: Finding) -> dict[str, Any]:
    return {
        "description": f"{finding.message}. {finding.remedy}".strip(),
        "check_name": finding.rule,
        "fingerprint": digest([finding.place.file, fingerprint(finding)]),
        "severity": _SEVERITIES[finding.severity],
        "location": {"path": finding.place.file, "lines": {"begin": finding.place.line}},
    }


def _broken(report: Report, rule: str, why: str) -> dict[str, Any]:
    return {
        "description": f"The rule failed and was not judged: {why}",
        "check_name": rule,
        "fingerprint": digest([report.file, rule, why]),
        "severity": "blocker",
        "location": {"path": report.file, "lines": {"begin": 1}},
    }
