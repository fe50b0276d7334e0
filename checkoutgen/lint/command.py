"""What `lint`, `explain` and `rules` do between reading their arguments and printing."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from checkoutgen import __version__
from checkoutgen.errors import UsageError
from checkoutgen.lint import baseline as kept
from checkoutgen.lint import fleet
from checkoutgen.lint.engine import EVERYWHERE, Options, covers
from checkoutgen.lint.model import SEVERITIES, Prose, Report, Rule
from checkoutgen.lint.rulebook import prose, rules

NOTHING_TO_CHECK = 3
INTERNAL = 70
BLOCK = 1 << 16  # characters


class Request(NamedTuple):
    """The arguments of `lint`, as typed."""

    paths: list[Path]
    format: str = ""
    outputs: Sequence[str] = ()  # FORMAT:FILE
    as_of: str = ""
    markets: Sequence[str] = ()
    select: Sequence[str] = ()
    fail_on: str = "error"
    unverified: str = ""
    upcoming: int | None = None
    baseline: Path | None = None
    write_baseline: Path | None = None
    fix: bool = False
    ignores: bool = True
    cache: bool = True
    exit_zero: bool = False
    text: bytes | None = None  # of standard input


class Answer(NamedTuple):
    output: Iterable[str]  # in parts
    notes: list[str]
    code: int


def lint(request: Request, *, colour: bool = False) -> Answer:
    """Runs the lint and writes the files asked for. Raises UsageError for arguments that make no sense."""
    from checkoutgen.report import Context, formats, render

    shown = request.format or ("github" if os.environ.get("GITHUB_ACTIONS") == "true" else "text")
    outputs = [_output(text, formats()) for text in request.outputs]
    for name in [shown]:
        _one_of("format", name, formats())
    job = _job(request, review=shown == "html" or any(name == "html" for name, _ in outputs))
    paths = fleet.specs(request.paths)
    if not paths:
        return Answer(
            [], ["nothing to check: no spec in what was named (a spec has a `shop` section)"], NOTHING_TO_CHECK
        )
    notes: list[str] = []
    if request.fix:
        notes += _fix(paths, job)
    if paths == [Path("-")]:
        reports: Collection[Report] = [fleet.check(paths[0], job, request.text)[0]]
    else:
        reports = fleet.run(paths, job, cached=request.cache)
    if request.write_baseline:
        found = [(report.file, finding) for report in reports for finding in report.findings]
        _write(request.write_baseline, [kept.text(found)])
        notes.append(f"{request.write_baseline}: written; use it with --baseline {request.write_baseline}")
    context = Context(__version__, colour and shown == "text", job.until)
    for name, path in outputs:
        _write(path, _whole(render(name, reports, context), len(reports)))
    is_silent = request.write_baseline and shown == "text"
    output = [] if is_silent else _whole(render(shown, reports, context), len(reports))
    return Answer(output, notes, _code(reports, request))


def _whole(parts: Iterator[str], reports: int) -> Iterable[str]:
    """The parts, all of them made before the first is given: an error on the way leaves no part of a report."""
    if reports < fleet.SEVERAL:
        return list(parts)
    import tempfile

    file = tempfile.TemporaryFile("w+", encoding="utf-8", errors="backslashreplace")  # noqa: SIM115  closed with the last use
    file.writelines(parts)
    file.seek(0)
    return iter(lambda: file.read(BLOCK), "")  # not by lines: some formats have only one


def _output(text: str, known: list[str]) -> tuple[str, Path]:
    name, colon, path = text.partition(":")
    if not colon or not path:
        raise UsageError(f"--output {text}: write FORMAT:FILE, for example sarif:lint.sarif")
    return _one_of("--output", name, known), Path(path)


def _one_of(what: str, value: str, known: list[str] | tuple[str, ...]) -> str:
    if value in known:
        return value
    from difflib import get_close_matches

    close = get_close_matches(value, known, 1)
    hint = f"; did you mean `{close[0]}`?" if close else f"; there are: {', '.join(known)}"
    raise UsageError(f"{what}: `{value}` is not known{hint}")


def _day(text: str) -> str:
    try:
        if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            raise ValueError
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise UsageError(f"--as-of {text}: write a day such as 2026-06-19") from None


def _job(request: Request, *, review: bool) -> fleet.Job:
    day = _day(request.as_of) if request.as_of else date.today().isoformat()  # noqa: DTZ011  the reader's own day
    if request.fail_on != "never":
        _one_of("--fail-on", request.fail_on, SEVERITIES)
    if request.unverified:
        _one_of("--unverified", request.unverified, SEVERITIES)
    known = sorted({*rules(), *(rule.jurisdiction for rule in rules().values())})
    for name in request.select:
        _one_of("--select", name, known)
    until = ""
    if request.upcoming is not None:
        if not 0 <= request.upcoming <= 3660:
            raise UsageError("--upcoming: write a number of days from 0 to 3660")
        until = (date.fromisoformat(day) + timedelta(days=request.upcoming)).isoformat()
    options = Options(
        day,
        tuple(code.upper() for code in request.markets),
        tuple(request.select),
        request.unverified or None,  # type: ignore[arg-type]
        review,
        request.ignores,
    )
    entries = kept.read(request.baseline) if request.baseline else []
    return fleet.Job(options, until, tuple(tuple(sorted(entry.items())) for entry in entries))


def _fix(paths: list[Path], job: fleet.Job) -> list[str]:
    from checkoutgen.lint import fixes
    from checkoutgen.lint.engine import lint as judge
    from checkoutgen.spec import load

    notes = []
    for path in paths:
        if str(path) == "-":
            raise UsageError("--fix needs a file; standard input cannot be written back")
        try:
            spec = load(path)
        except Exception:  # noqa: S112  the lint that follows says what is wrong
            continue
        done = fixes.apply(spec, judge(spec, job.options, [dict(entry) for entry in job.baseline]).findings)
        notes += [f"{finding.place.file}:{finding.place.line}: fixed {finding.rule}" for finding in done]
    return notes


def _write(path: Path, parts: Iterable[str]) -> None:
    try:
        with path.open("w", encoding="utf-8", errors="backslashreplace") as file:
            file.writelines(parts)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or 'cannot be written'}") from None


def _code(reports: Collection[Report], request: Request) -> int:
    return max((_code_of(report, request) for report in reports), default=0)


def _code_of(report: Report, request: Request) -> int:
    """Of several reports, the greatest counts: a rule that failed, then an invalid spec, then a finding."""
    if report.broken_rules:
        return INTERNAL
    if request.exit_zero:
        return 0
    if any(finding.rule == fleet.INVALID for finding in report.findings):
        return 2
    if request.fail_on == "never" or request.write_baseline:
        return 0
    counts = SEVERITIES[: SEVERITIES.index(request.fail_on) + 1]
    return int(any(finding.severity in counts for finding in report.open))


def kind_of(rule: Rule) -> str:
    """How a rule is judged: declarative, Python, by the shop, or not."""
    kinds = {item["kind"] for item in rule.checks}
    if not kinds:
        return kind_of(rules()[rule.parent]) if rule.parent else "not judgeable"
    if "python" in kinds:
        return "Python"
    if kinds - {"shop", "unjudged"}:
        return "declarative"
    return "by the shop" if "shop" in kinds else "not judgeable"


def selected(markets: list[str]) -> list[Rule]:
    """The rules that could speak in these markets; all without any."""
    wanted = [code.upper() for code in markets]
    return [rule for rule in rules().values() if not wanted or any(covers(rule.jurisdiction, code) for code in wanted)]


def rules_table(markets: list[str], form: str) -> str:
    """The list of rules, as text or JSON."""
    if form not in ("text", "json"):
        raise UsageError(f"--format: `{form}` is not known; there are: text, json")
    found = selected(markets)
    if form == "json":
        import json

        return json.dumps(
            {"version": 1, "rules": [as_data(rule, prose(rule.id)) for rule in found]}, ensure_ascii=False, indent=2
        )
    width = max((len(rule.id) for rule in found), default=0)
    lines = [f"{rule.id:<{width}}  {rule.severity:<7}  {kind_of(rule):<13}  {prose(rule.id).title}" for rule in found]
    return "\n".join([*lines, f"{len(found)} rules"])


def as_data(rule: Rule, read: Prose) -> dict[str, Any]:
    return {
        "rule": rule.id,
        "title": read.title,
        "jurisdiction": "" if rule.jurisdiction in EVERYWHERE else rule.jurisdiction.upper(),
        "group": rule.jurisdiction,
        "audience": rule.audience,
        "kinds": rule.kinds,
        "severity": rule.severity,
        "valid_from": rule.valid_from or None,
        "valid_to": rule.valid_to or None,
        "in_force": read.in_force,
        "statute": read.statute,
        "sources": list(read.sources),
        "evidence": rule.evidence,
        "parent": rule.parent or None,
        "judged": kind_of(rule),
        "why": read.why,
        "remedy": read.remedy,
        "note": read.note,
    }


def explain(name: str) -> str:
    """The page of a rule, for a terminal."""
    if name not in rules():
        _one_of("explain", name, list(rules()))
    from checkoutgen.lint.pages import page

    return page(name)
