"""GitLab's code quality report: https://docs.gitlab.com/ci/testing/code_quality/"""

from __future__ import annotations

import json
from typing import Any

from checkoutgen.lint.engine import digest, fingerprint
from checkoutgen.lint.model import Finding, Report
from checkoutgen.report import Context

_SEVERITIES = {"error": "major", "warning": "minor", "info": "info"}


def render(reports: list[Report], context: Context) -> str:
    entries = [_entry(finding) for report in reports for finding in report.open]
    return json.dumps(entries, ensure_ascii=False, indent=2) + "\n"


def _entry(finding: Finding) -> dict[str, Any]:
    return {
        "description": f"{finding.message}. {finding.remedy}".strip(),
        "check_name": finding.rule,
        "fingerprint": digest([finding.place.file, fingerprint(finding)]),
        "severity": _SEVERITIES[finding.severity],
        "location": {"path": finding.place.file, "lines": {"begin": finding.place.line}},
    }
