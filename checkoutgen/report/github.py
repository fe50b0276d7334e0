"""Annotations of GitHub Actions: https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from checkoutgen.lint.model import Report
from checkoutgen.report import Context

_COMMANDS = {"error": "error", "warning": "warning", "info": "notice"}


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _command(name: str, text: str, **properties: object) -> str:
    said = ",".join(f"{key}={_property(str(value))}" for key, value in properties.items())
    return f"::{name} {said}::{_data(text)}"


def render(reports: Collection[Report], context: Context) -> Iterator[str]:
    for report in reports:
        lines = []
        for found in report.open:
            place, statutes = found.place, f" ({'; '.join(found.statutes)})" if found.statutes else ""
            text = f"{found.message}{statutes} {found.remedy}"
            where = {"file": place.file, "line": place.line, "col": place.column, "title": found.rule}
            lines.append(_command(_COMMANDS[found.severity], text, **where))
        lines += [_command("error", f"The rule failed: {why}", title=rule) for rule, why in report.broken_rules]
        lines += [
            _command("warning", f"From {found.since}: {found.message}", file=report.file, title=found.rule)
            for found in report.upcoming
        ]
        yield "".join(f"{line}\n" for line in lines)
