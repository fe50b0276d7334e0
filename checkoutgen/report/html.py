"""The reviewer's page: one file without script that loads nothing; by shop and market, with room for a signature."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Iterator
from html import escape
from pathlib import Path

from checkoutgen.lint.model import UNVERIFIED, Finding, Report
from checkoutgen.report import Context, plural

_STYLE = """
:root { --paper: #fff; --ink: #16181d; --line: #767676; --error: #b00020; --warning: #8a5300; }
:root { color-scheme: light dark; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #121417; --ink: #f2f3f5; --line: #9a9a9a; --error: #ff9b9b; --warning: #ffc069; }
}
body { max-width: 70rem; margin: 0 auto; padding: 1rem; background: var(--paper); color: var(--ink); }
body { font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 1.5rem; }
caption { text-align: left; font-weight: bold; padding: .25rem 0; }
th, td { border: 1px solid var(--line); padding: .35rem .5rem; text-align: left; vertical-align: top; }
td ul { margin: 0; padding-left: 1.1rem; }
summary { cursor: pointer; padding: .25rem 0; }
nav ul { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; list-style: none; padding: 0; }
nav a { display: inline-block; padding: .25rem 0; color: inherit; }
.error { color: var(--error); font-weight: bold; }
.warning { color: var(--warning); font-weight: bold; }
code { font-size: .95em; }
:focus-visible { outline: 3px solid; outline-offset: 2px; }
.signature { display: grid; grid-template-columns: 1fr 1fr 1fr; gap: 2rem; margin: 3rem 0; }
.signature div { border-top: 1px solid; }
@media (max-width: 45rem) {
  table, caption, tbody, tr, td { display: block; } thead { display: none; }
  tr { border: 1px solid var(--line); margin-bottom: .75rem; } td { border: 0; }
  td::before { content: attr(data-head); display: block; font-size: .85em; font-weight: bold; }
  .signature { grid-template-columns: 1fr; }
}
@media print {
  body { max-width: none; } nav { display: none; } tr { break-inside: avoid; }
  details::details-content { content-visibility: visible; block-size: auto; } summary { list-style: none; }
}
"""
_SHOWN = 6  # proofs of one rule; the rest unfolds
_EVERYWHERE = "Every market"
_NO_MARKET = "(all)"


def render(reports: Collection[Report], context: Context) -> Iterator[str]:
    days = sorted({report.day for report in reports})
    yield (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Legal review</title><style>{_STYLE}</style></head><body><main>\n"
        f"<h1>Legal review by the law of {escape(', '.join(days))}</h1>\n"
        f"<p>Judged by checkoutgen {escape(context.version)}. A technical review, not legal advice: each rule "
        f"shows the evidence it rests on; “{UNVERIFIED}” means that nobody has compared it with a source yet.</p>\n"
    )
    if len(reports) > 1:
        yield '<nav aria-label="Shops"><ul>'
        for index, report in enumerate(reports):
            yield f'<li><a href="#spec-{index}">{escape(report.shop or report.file)}</a></li>'
        yield "</ul></nav>\n"
    for index, report in enumerate(reports):
        yield f"{_report(report, index)}\n"
    yield "</main></body></html>\n"


def _report(report: Report, index: int) -> str:
    parts = [
        f'<section aria-labelledby="spec-{index}"><h2 id="spec-{index}">{escape(report.shop or report.file)}</h2>',
        f"<p>File: <code>{escape(report.file)}</code>. {_reviewed_text(report)}</p>",
    ]
    for rule, why in report.broken_rules:
        parts.append(
            f'<p class="error">The rule <code>{escape(rule)}</code> failed and was not judged: {escape(why)}</p>'
        )
    everything = report.findings + report.reviewed
    markets = [
        (f"{name} ({code})" if code != _NO_MARKET else name, f"m{index}-{code.strip('()')}", code, mine)
        for code, name in {**report.markets, _NO_MARKET: _EVERYWHERE}.items()
        if (mine := [f for f in everything if code in f.markets or (code == _NO_MARKET and not f.markets)])
    ]
    parts.append(_overview(report, markets))
    parts += [_market(*market) for market in markets]
    if report.upcoming:
        parts.append(
            _table(
                "Will break",
                ("From", "Rule", "What"),
                ((escape(f.since), _rule(f, ""), _prose(f.message)) for f in report.upcoming),
            )
        )
    parts.append(
        f'<div class="signature" role="group" aria-label="Signature for {escape(report.shop or report.file)}">'
        "<div>Reviewed by</div><div>Place and date</div><div>Signature</div></div></section>"
    )
    return "\n".join(parts)


def _reviewed_text(report: Report) -> str:
    """What exactly a signature stands for: a digest of the spec and of every file it names, in this order."""
    digest = hashlib.sha256()
    for name in report.inputs:
        try:
            digest.update(Path(name).read_bytes())
        except OSError:
            return ""  # standard input, or gone meanwhile
    count = len(report.inputs)
    return f"SHA-256 of its {plural(count, 'file')}: <code>{digest.hexdigest()}</code>." if count else ""


_Market = tuple[str, str, str, list[Finding]]


def _overview(report: Report, markets: list[_Market]) -> str:
    """The numbers of each market, linked to its section."""
    rows = []
    for title, anchor, _code, findings in markets:
        by = _by_status(findings)
        open_ = {level: sum(f.severity == level for f in by["missing"]) for level in ("error", "warning", "info")}
        rows.append(
            (
                f'<a href="#{escape(anchor)}">{escape(title)}</a>',
                *(f'<span class="{level if count else ""}">{count}</span>' for level, count in open_.items()),
                str(len(by["ignored"]) + len(by["baseline"])),
                str(len(_fulfilled(by))),
                str(len(by["not judged"])),
            )
        )
    heads = ("Market", "Errors", "Warnings", "Remarks", "Set aside", "Fulfilled", "Not judged")
    return _table("Overview", heads, rows)


def _by_status(findings: list[Finding]) -> dict[str, list[Finding]]:
    statuses = ("missing", "ignored", "baseline", "fulfilled", "not judged")
    return {status: [f for f in findings if f.status == status] for status in statuses}


def _fulfilled(by: dict[str, list[Finding]]) -> dict[str, list[Finding]]:
    """Fulfilled findings by rule, without rules of which something is missing: one row each."""
    wanting = {f.root for f in by["missing"]}
    rows: dict[str, list[Finding]] = {}
    for finding in by["fulfilled"]:
        if finding.root not in wanting:
            rows.setdefault(finding.root, []).append(finding)
    return rows


def _market(title: str, anchor: str, code: str, findings: list[Finding]) -> str:
    by = _by_status(findings)
    fulfilled = _fulfilled(by)
    summary = ", ".join(
        f"{count} {word}"
        for count, word in (
            (len(by["missing"]), "missing or wrong"), (len(by["ignored"]) + len(by["baseline"]), "set aside"),
            (len(fulfilled), "fulfilled"), (len(by["not judged"]), "not judged"),
        )
    )  # fmt: skip
    parts = [
        f'<section aria-labelledby="{escape(anchor)}"><h3 id="{escape(anchor)}">{escape(title)}</h3><p>{summary}.</p>'
    ]
    if by["missing"]:
        parts.append(
            _table(
                "Missing or wrong",
                ("Severity", "Rule and statute", "What", "Where", "What to write"),
                (
                    (
                        f'<span class="{f.severity}">{f.severity}</span>',
                        _rule(f, code),
                        _prose(f.message),
                        _where(f),
                        _prose(f.remedy),
                    )
                    for f in by["missing"]
                ),
            )
        )
    if by["ignored"] or by["baseline"]:
        parts.append(
            _table(
                "Set aside",
                ("Rule and statute", "What", "Where", "Reason given in the spec"),
                (
                    (_rule(f, code), _prose(f.message), _where(f), escape(f.reason))
                    for f in by["ignored"] + by["baseline"]
                ),
            )
        )
    if fulfilled:
        parts.append(_table("Fulfilled", ("Rule and statute", "By which text or fact"), _proofs(fulfilled, code)))
    if by["not judged"]:
        parts.append(
            _table(
                "Could not be judged",
                ("Rule and statute", "Why"),
                ((_rule(f, code), _prose(f.message)) for f in by["not judged"]),
            )
        )
    return "\n".join([*parts, "</section>"])


def _proofs(rows: dict[str, list[Finding]], code: str) -> Iterable[tuple[str, str]]:
    for findings in rows.values():
        proofs = [f"<li>{proof}</li>" for proof in dict.fromkeys(map(_proof, findings))]
        rest = proofs[_SHOWN:]
        more = f"<details><summary>and {len(rest)} more</summary><ul>{''.join(rest)}</ul></details>" if rest else ""
        yield _rule(findings[0], code), f"<ul>{''.join(proofs[:_SHOWN])}</ul>{more}"


def _proof(finding: Finding) -> str:
    parts = [f"<code>{escape(finding.path)}</code>" if finding.path else "", _prose(finding.message)]
    return ": ".join(filter(None, parts))


def _rule(finding: Finding, code: str) -> str:
    mine = [p for p in finding.provisions if p.market == code] or list(finding.provisions)
    names = (
        ", ".join(dict.fromkeys(f"<code>{escape(p.rule)}</code>" for p in mine))
        or f"<code>{escape(finding.rule)}</code>"
    )
    statutes = "; ".join(dict.fromkeys(escape(p.statute) for p in mine if p.statute))
    evidence = f"<br><small>Evidence: {escape(finding.evidence)}</small>" if finding.evidence else ""
    return f"{escape(finding.title)}<br>{names}{f'<br>{statutes}' if statutes else ''}{evidence}"


def _prose(text: str) -> str:
    """Text with what stands between backticks as code, and the words that were looked for marked."""
    marked = re.sub(r"\*\*(.+?)\*\*", r"<mark>\1</mark>", escape(text))
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", marked)


def _where(finding: Finding) -> str:
    place = finding.place
    path = f"<br><code>{escape(finding.path)}</code>" if finding.path else ""
    return f"<code>{escape(place.file)}:{place.line}:{place.column}</code>{path}"


def _table(caption: str, heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A table that says what it is with or without the look of one: on a telephone each row is a card."""
    head = "".join(f'<th scope="col" role="columnheader">{escape(text)}</th>' for text in heads)
    body = "".join(
        '<tr role="row">'
        + "".join(f'<td role="cell" data-head="{escape(h)}">{cell}</td>' for h, cell in zip(heads, row, strict=True))
        + "</tr>"
        for row in rows
    )
    return (
        f'<table role="table"><caption>{escape(caption)}</caption>'
        f'<thead role="rowgroup"><tr role="row">{head}</tr></thead><tbody role="rowgroup">{body}</tbody></table>'
    )
