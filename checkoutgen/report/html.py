"""The reviewer's page: one file without script that loads nothing; by shop and market, with room for a signature."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape

from checkoutgen.lint.model import UNVERIFIED, Finding, Report
from checkoutgen.report import Context

_STYLE = """
:root { --paper: #fff; --ink: #16181d; --line: #767676; --error: #b00020; --warning: #8a5300; }
:root { color-scheme: light dark; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #121417; --ink: #f2f3f5; --line: #9a9a9a; --error: #ff9b9b; --warning: #ffc069; }
}
body { max-width: 70rem; margin: 0 auto; padding: 1rem; background: var(--paper); color: var(--ink); }
body { font: 1rem/1.5 system-ui, sans-serif; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 1.5rem; }
caption { text-align: left; font-weight: bold; padding: .25rem 0; }
th, td { border: 1px solid var(--line); padding: .35rem .5rem; text-align: left; vertical-align: top; }
td { overflow-wrap: break-word; min-width: 7rem; }
.error { color: var(--error); font-weight: bold; }
.warning { color: var(--warning); font-weight: bold; }
code { font-size: .95em; } .scroll { overflow-x: auto; }
:focus-visible { outline: 3px solid; outline-offset: 2px; }
.signature { display: grid; grid-template-columns: 1fr 1fr 1fr; gap: 2rem; margin: 3rem 0; }
.signature div { border-top: 1px solid; }
@media print { body { max-width: none; } nav { display: none; } tr { break-inside: avoid; } }
"""
_EVERYWHERE = "Every market"
_NO_MARKET = "(all)"


def render(reports: list[Report], context: Context) -> str:
    days = sorted({report.day for report in reports})
    body = [
        f"<h1>Legal review, {escape(', '.join(days))}</h1>",
        f"<p>Judged by checkoutgen {escape(context.version)}. A technical review, not legal advice: each rule "
        f"shows the evidence it rests on; “{UNVERIFIED}” means that nobody has compared it with a source yet.</p>",
    ]
    if len(reports) > 1:
        links = "".join(
            f'<li><a href="#spec-{i}">{escape(report.shop or report.file)}</a></li>' for i, report in enumerate(reports)
        )
        body.append(f'<nav aria-label="Shops"><ul>{links}</ul></nav>')
    body += [_report(report, index) for index, report in enumerate(reports)]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Legal review</title><style>{_STYLE}</style></head><body><main>\n"
        + "\n".join(body)
        + "\n</main></body></html>\n"
    )


def _report(report: Report, index: int) -> str:
    markets = ", ".join(f"{name} ({code})" for code, name in report.markets.items())
    parts = [
        f'<section aria-labelledby="spec-{index}"><h2 id="spec-{index}">{escape(report.shop or report.file)}</h2>',
        f"<p>File: <code>{escape(report.file)}</code>. Markets: {escape(markets or 'none')}.</p>",
    ]
    for rule, why in report.broken_rules:
        parts.append(
            f'<p class="error">The rule <code>{escape(rule)}</code> failed and was not judged: {escape(why)}</p>'
        )
    everything = report.findings + report.reviewed
    for code, name in {**report.markets, _NO_MARKET: _EVERYWHERE}.items():
        mine = [
            finding for finding in everything if code in finding.markets or (code == _NO_MARKET and not finding.markets)
        ]
        if mine:
            parts.append(
                _market(f"{name} ({code})" if code != _NO_MARKET else name, f"m{index}-{code.strip('()')}", code, mine)
            )
    if report.upcoming:
        parts.append(
            _table(
                "Will break",
                report.shop or report.file,
                ("From", "Rule", "What", "Statute"),
                (
                    (escape(f.since), _rule(f, ""), _prose(f.message), escape("; ".join(f.statutes)))
                    for f in report.upcoming
                ),
            )
        )
    parts.append(
        f'<div class="signature" role="group" aria-label="Signature for {escape(report.shop or report.file)}">'
        "<div>Reviewed by</div><div>Place and date</div><div>Signature</div></div></section>"
    )
    return "\n".join(parts)


def _market(title: str, anchor: str, code: str, findings: list[Finding]) -> str:
    by = {
        status: [f for f in findings if f.status == status]
        for status in ("missing", "ignored", "baseline", "fulfilled", "not judged")
    }
    wanting = {f.root for f in by["missing"]}
    fulfilled = _merged([f for f in by["fulfilled"] if f.root not in wanting])
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
                title,
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
                title,
                ("Rule and statute", "What", "Where", "Reason given in the spec"),
                (
                    (_rule(f, code), _prose(f.message), _where(f), escape(f.reason))
                    for f in by["ignored"] + by["baseline"]
                ),
            )
        )
    if fulfilled:
        parts.append(
            _table("Fulfilled", title, ("Rule and statute", "By which text or fact"), _proofs(fulfilled, code))
        )
    if by["not judged"]:
        parts.append(
            _table(
                "Could not be judged",
                title,
                ("Rule and statute", "Why"),
                ((_rule(f, code), _prose(f.message)) for f in by["not judged"]),
            )
        )
    return "\n".join([*parts, "</section>"])


def _merged(findings: list[Finding]) -> dict[str, list[Finding]]:
    """Fulfilled findings by rule: one row each."""
    rows: dict[str, list[Finding]] = {}
    for finding in findings:
        rows.setdefault(finding.root, []).append(finding)
    return rows


def _proofs(rows: dict[str, list[Finding]], code: str) -> Iterable[tuple[str, str]]:
    for findings in rows.values():
        proofs = list(dict.fromkeys(map(_proof, findings)))
        more = f"<li>and {len(proofs) - 6} more</li>" if len(proofs) > 6 else ""
        yield _rule(findings[0], code), "<ul>" + "".join(f"<li>{proof}</li>" for proof in proofs[:6]) + more + "</ul>"


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
    """Text with what stands between backticks as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))


def _where(finding: Finding) -> str:
    place = finding.place
    path = f"<br><code>{escape(finding.path)}</code>" if finding.path else ""
    return f"<code>{escape(place.file)}:{place.line}:{place.column}</code>{path}"


def _table(caption: str, where: str, heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    head = "".join(f'<th scope="col">{escape(text)}</th>' for text in heads)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    table = f"<table><caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(caption)}, {escape(where)}">{table}</div>'
    )
