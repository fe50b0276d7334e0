"""For people at a terminal: place, message, the line itself with a caret, statutes, remedy."""

from __future__ import annotations

from bisect import insort
from collections import Counter
from collections.abc import Collection, Iterator
from functools import lru_cache
from pathlib import Path

from checkoutgen.lint.model import Finding, Report
from checkoutgen.report import Context, one_line, plural, printable

_COLOURS = {"error": "31", "warning": "33", "info": "36", "dim": "2", "bold": "1"}
WIDEST = 140
NAMED = 10  # shops that will break on one day


def render(reports: Collection[Report], context: Context) -> Iterator[str]:
    breaks = _Breaks()
    for report in reports:
        lines = []
        for finding in report.open:
            lines += [*_finding(finding, context), ""]
        lines += [
            f"{printable(report.file)}: the rule `{rule}` failed: {one_line(why)}" for rule, why in report.broken_rules
        ]
        if report.upcoming:
            lines += [*_upcoming(report, context), ""]
        lines.append(_summary(report))
        yield "\n".join(lines) + "\n"
        breaks.add(report)
    if len(reports) > 1:
        yield "\n".join(["", *breaks.lines(len(reports))]) + "\n"


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


@lru_cache(maxsize=16)
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


class _Breaks:
    """Which shops break on which date, and how many are broken now."""

    def __init__(self) -> None:
        self.broken = 0
        self.count: Counter[str] = Counter()  # by day
        self.first: dict[str, list[str]] = {}  # by day: the first names in order

    def add(self, report: Report) -> None:
        self.broken += report.worst() == "error"
        for day in {finding.since for finding in report.upcoming if finding.severity != "info"}:
            self.count[day] += 1
            names = self.first.setdefault(day, [])
            insort(names, printable(report.file))
            del names[NAMED:]

    def lines(self, count: int) -> Iterator[str]:
        yield f"{plural(count, 'shop')}: {count - self.broken} without errors, {self.broken} with"
        for day, names in sorted(self.first.items()):
            more = " …" if self.count[day] > len(names) else ""
            yield f"  {day}: {plural(self.count[day], 'shop')} will break: {', '.join(names)}{more}"
