"""For programs. Version 1: keys are only ever added; lines and columns begin at 1."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from typing import Any

from checkoutgen.lint.model import Finding, Report
from checkoutgen.lint.rulebook import prose, rules
from checkoutgen.report import Context, separated

VERSION = 1


def render(reports: Collection[Report], context: Context) -> Iterator[str]:
    head = {"version": VERSION, "tool": {"name": "checkoutgen", "version": context.version}, "specs": []}
    before, after = _text(head).split("[]")
    yield f"{before}[\n    "
    yield from separated((_text(_spec(report)).replace("\n", "\n    ") for report in reports), ",\n    ")
    yield f"\n  ]{after}\n"


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)


def _spec(report: Report) -> dict[str, Any]:
    spec: dict[str, Any] = {
        "file": report.file,
        "shop": report.shop,
        "as_of": report.day,
        "markets": report.markets,
        "findings": [finding(f) for f in report.findings],
        "failed_rules": [{"rule": rule, "error": why} for rule, why in report.broken_rules],
    }
    if report.upcoming:
        spec["upcoming"] = [finding(f) | {"since": f.since} for f in report.upcoming]
    if report.reviewed:
        spec["reviewed"] = [finding(f) for f in report.reviewed]
    return spec


def finding(found: Finding) -> dict[str, Any]:
    return {
        "rule": found.rule,
        "title": found.title,
        "severity": found.severity,
        "status": found.status,
        "reason": found.reason,
        "message": found.message,
        "remedy": found.remedy,
        "evidence": found.evidence,
        "file": found.place.file,
        "line": found.place.line,
        "column": found.place.column,
        "path": found.path,
        "markets": list(found.markets),
        "provisions": [{"market": p.market, "rule": p.rule, "statute": p.statute} for p in found.provisions],
        "digest": found.digest,
        "sources": list(prose(found.rule).sources) if found.rule in rules() else [],
    }
