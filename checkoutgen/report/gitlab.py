"""GitLab's code quality report: https://docs.gitlab.com/ci/testing/code_quality/"""

from __future__ import annotations

import json

from checkoutgen.lint.engine import digest, fingerprint
from checkoutgen.lint.model import Report
from checkoutgen.report import Context

_SEVERITIES = {"error": "major", "warning": "minor", "info": "info"}


def render(reports: list[Report], context: Context) -> str:
    entries = []
    for report in reports:
        for finding in report.open:
            entries.append(
                {
                    "description": f"{finding.message}. {finding.remedy}".strip(),
                    "check_name": finding.rule,
                    "fingerprint": digest([finding.place.file, fingerprint(finding)]),
                    "severity": _SEVERITIES[finding.severity],
                    "location": {"path": finding.place.file, "lines": {"begin": finding.place.line}},
                }
            )
    return json.dumps(entries, ensure_ascii=False, indent=2) + "\n"
