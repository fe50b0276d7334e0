"""Annotations of GitHub Actions: https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands"""

from __future__ import annotations

from checkoutgen.lint.model import Report
from checkoutgen.report import Context

_COMMANDS = {"error": "error", "warning": "warning", "info": "notice"}


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def render(reports: list[Report], context: Context) -> str:
    lines = []
    for report in reports:
        for finding in report.open:
            place = finding.place
            where = f"file={_property(place.file)},line={place.line},col={place.column},title={_property(finding.rule)}"
            statutes = f" ({'; '.join(finding.statutes)})" if finding.statutes else ""
            lines.append(
                f"::{_COMMANDS[finding.severity]} {where}::{_data(finding.message + statutes + ' ' + finding.remedy)}"
            )
        for rule, why in report.broken_rules:
            lines.append(f"::error title={_property(rule)}::{_data(f'The rule failed: {why}')}")
        for finding in report.upcoming:
            lines.append(
                f"::warning file={_property(report.file)},title={_property(finding.rule)}::{_data(f'From {finding.since}: {finding.message}')}"
            )
    return "\n".join(lines) + ("\n" if lines else "")
