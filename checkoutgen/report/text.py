"""For people at a terminal: place, message, the line itself with a caret, statutes, remedy."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from checkoutgen.lint.model import Finding, Report
from checkoutgen.report import Context, one_line, plural, printable

_COLOURS = {"error": "31", "warning": "33", "info": "36", "dim": "2", "bold": "1"}
WIDEST = 140


def render(reports: list[Report], context: Context) -> str:
    lines: list[str] = []
    for report in reports:
        for finding in report.open:
            lines += [*_finding(finding, context), ""]
        lines += [
            f"{printable(report.file)}: the rule `{rule}` failed: {one_line(why)}" for rule, why in report.broken_rules
        ]
        if report.upcoming:
            lines += [*_upcoming(report, context), ""]
        lines.append(_summary(report))
    if len(reports) > 1:
        lines += ["", *_fleet(reports)]
    return "\n".join(lines) + "\n"


def _paint(text: str, colour: str, context: Context) -> str:
    return f"\x1b[{_COLOURS[colour]}m{text}\x1b[0m" if context.colour else text


def _finding(finding: Finding, context: Context) -> list[str]:
    place = finding.place
    head = f"{printable(place.file)}:{place.line}:{place.column}: "
    severity = _paint(finding.severity, finding.severity, context)
    lines = [f"{head}{severity}: {one_line(finding.message)} [{finding.rule}]"]
    if source := _line(place.file, place.line):
        number = f"{place.line:>5}"
        lines.append(_paint(f"{number} | ", "dim", context) + source[:WIDEST])
        if place.column <= WIDEST:
            lines.append(
                " " * 5
                + _paint(" | ", "dim", context)
                + " " * (place.column - 1)
                + _paint("^", finding.severity, context)
            )
    lines += [f"      {line}" for line in _statutes(finding)]
    if finding.path:
        lines.append(
            f"      at: {one_line(finding.path)}" + (f"   evidence: {finding.evidence}" if finding.evidence else "")
        )
    if finding.remedy:
        lines.append(f"      do: {one_line(finding.remedy)}")
    return lines


def _statutes(finding: Finding) -> list[str]:
    by_statute: dict[str, list[str]] = {}
    for provision in finding.provisions:
        if provision.statute:
            by_statute.setdefault(provision.statute, []).append(provision.market)
    return [
        f"{', '.join(filter(None, markets)) + ': ' if any(markets) else ''}{_short(statute)}"
        for statute, markets in by_statute.items()
    ]


def _short(statute: str, most: int = 150) -> str:
    return statute if len(statute) <= most else statute[: most - 1].rstrip(" ,;(") + "…"


@cache
def _lines(file: str) -> tuple[str, ...]:
    try:
        return (
            tuple(Path(file).read_text(encoding="utf-8", errors="replace").splitlines()) if Path(file).is_file() else ()
        )
    except OSError:
        return ()


def _line(file: str, number: int) -> str:
    lines = _lines(file)
    return one_line(lines[number - 1]).rstrip() if 0 < number <= len(lines) else ""


def _upcoming(report: Report, context: Context) -> list[str]:
    lines = [f"{printable(report.file)}: until {context.until} this breaks as well:"]
    for finding in report.upcoming:
        lines.append(f"  {finding.since}: {finding.severity}: {one_line(finding.message)} [{finding.rule}]")
        lines += [f"      {line}" for line in _statutes(finding)]
    return lines


def _summary(report: Report) -> str:
    counts = [(severity, sum(f.severity == severity for f in report.open)) for severity in ("error", "warning", "info")]
    said = ", ".join(plural(count, {"info": "note"}.get(severity, severity)) for severity, count in counts if count)
    silent = [(word, sum(f.status == word for f in report.findings)) for word in ("ignored", "baseline")]
    kept = "".join(
        f"; {count} {'ignored' if word == 'ignored' else 'in the baseline'}" for word, count in silent if count
    )
    where = ", ".join(report.markets) or "no market"
    return f"{printable(report.file)}: {said or 'in order'} on {report.day} in {where}{kept}"


def _fleet(reports: list[Report]) -> list[str]:
    """Which shops break on which date, and how many are broken now."""
    broken = [report for report in reports if report.worst() == "error"]
    lines = [f"{plural(len(reports), 'shop')}: {len(reports) - len(broken)} without errors, {len(broken)} with"]
    dates: dict[str, set[str]] = {}
    for report in reports:
        for finding in (finding for finding in report.upcoming if finding.severity != "info"):
            dates.setdefault(finding.since, set()).add(printable(report.file))
    lines += [
        f"  {day}: {plural(len(files), 'shop')} will break: {', '.join(sorted(files)[:10])}"
        + (" …" if len(files) > 10 else "")
        for day, files in sorted(dates.items())
    ]
    return lines
