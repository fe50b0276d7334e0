"""JUnit XML, as CI servers read it: one test suite a spec, one case a rule that was broken."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from xml.sax.saxutils import escape, quoteattr

from checkoutgen.lint.model import Report
from checkoutgen.report import Context

# What XML 1.0 cannot carry at all: https://www.w3.org/TR/xml/#charsets
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def _text(text: str) -> str:
    return escape(_FORBIDDEN.sub(" ", text))


def _attribute(text: str) -> str:
    return quoteattr(_FORBIDDEN.sub(" ", text))


def render(reports: Collection[Report], context: Context) -> Iterator[str]:
    yield '<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="checkoutgen lint">\n'
    yield from map(_suite, reports)
    yield "</testsuites>\n"


def _suite(report: Report) -> str:
    cases = []
    for finding in report.findings:
        place = f"{finding.place.file}:{finding.place.line}:{finding.place.column}"
        head = f"    <testcase classname={_attribute(finding.rule)} name={_attribute(finding.message)}>\n"
        if finding.status != "missing":
            body = f"      <skipped message={_attribute(finding.reason)}/>\n"
        elif finding.severity == "info":
            body = f"      <system-out>{_text(place)}</system-out>\n"
        else:
            text = "\n".join([place, *finding.statutes, finding.remedy])
            kind = f"type={_attribute(finding.severity)} message={_attribute(finding.message)}"
            body = f"      <failure {kind}>{_text(text)}</failure>\n"
        cases.append(head + body + "    </testcase>\n")
    for rule, why in report.broken_rules:
        cases.append(
            f'    <testcase classname={_attribute(rule)} name="the rule itself">\n'
            f"      <error message={_attribute(why)}/>\n    </testcase>\n"
        )
    if not cases:
        cases.append('    <testcase classname="checkoutgen" name="in order"/>\n')
    failures = sum(f.is_open and f.severity != "info" for f in report.findings)
    skipped = sum(not f.is_open for f in report.findings)
    counts = f'tests="{len(cases)}" failures="{failures}" errors="{len(report.broken_rules)}" skipped="{skipped}"'
    return f"  <testsuite name={_attribute(report.file)} {counts}>\n{''.join(cases)}  </testsuite>\n"
