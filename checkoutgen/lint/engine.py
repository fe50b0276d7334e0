"""Judges one resolved spec by every rule that applies to it on a day."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from checkoutgen.lint import checks, conditions, paths
from checkoutgen.lint.case import EU, Case, Outcome, reader
from checkoutgen.lint.model import Finding, Place, Provision, Report, Rule, Severity
from checkoutgen.lint.rulebook import broken, by_jurisdiction, prose, rules
from checkoutgen.lint.texts import Texts

EVERYWHERE = ("global", "usability", "accessibility", "security", "contradiction", "mail", "privacy")


class Options(NamedTuple):
    """What the command line decides about a lint."""

    day: str  # ISO day that is judged
    markets: tuple[str, ...] = ()  # only these; empty = all
    select: tuple[str, ...] = ()  # only these rules (by name or jurisdiction); empty = all
    unverified: Severity | None = None  # severity of errors that rest on knowledge alone
    review: bool = False  # also say what is fulfilled and what was not judged
    ignores: bool = True


def covers(jurisdiction: str, market: str) -> bool:
    """Whether a jurisdiction (the folder of a rule) is this market's."""
    if jurisdiction in EVERYWHERE:
        return True
    if jurisdiction == "eu":
        return market in EU
    return jurisdiction.upper().partition("-")[0] == market


def covering(market: str) -> Iterator[Rule]:
    """The rules that can speak in a market."""
    for jurisdiction, found in by_jurisdiction().items():
        if covers(jurisdiction, market):
            yield from found


def is_selected(rule: Rule, select: tuple[str, ...]) -> bool:
    return not select or any(name in (rule.id, rule.parent, rule.jurisdiction) for name in select)


class _Questions(NamedTuple):
    """Rules that may apply: each with the number of the condition that says whether it does. Many share one."""

    conditions: list[Callable[[Case], bool]]
    rules: list[tuple[str, int]]


@lru_cache(maxsize=256)
def in_question(market: str, decides: tuple[str, ...], day: str, audience: str, kinds: tuple[str, ...]) -> _Questions:
    """The rules of a market on a day for an audience and kinds of product; many specs share these.

    `decides` says whose country it is: "market", "seller" or both."""
    found = [
        rule
        for rule in covering(market)
        if rule.follows in decides
        and (rule.audience == "both" or audience in (rule.audience, "mixed"))
        and not (rule.valid_from and rule.valid_from > day)
        and not (rule.valid_to and day > rule.valid_to)
        and not (rule.kinds and set(rule.kinds).isdisjoint(kinds))
    ]
    wanted = {repr(rule.applies): rule.applies for rule in found}
    numbers = {name: number for number, name in enumerate(wanted)}
    return _Questions(
        [conditions.match(applies, reader) for applies in wanted.values()],
        [(rule.id, numbers[repr(rule.applies)]) for rule in found],
    )


class _Duty(NamedTuple):
    """What has to be run where some rules apply, and whose voice it is reported in."""

    rule: Rule
    checks: list[checks.Check]  # of the rule itself, or of the parent whose work it does
    speakers: list[Rule]


@lru_cache(maxsize=256)
def duties(here: tuple[str, ...], select: tuple[str, ...], day: str, review: bool) -> list[_Duty]:
    """What the rules of these names, which all apply, have to do together on a day; many specs share them."""
    book, known = rules(), set(here)
    children: dict[str, list[Rule]] = {}
    for name in here:
        if book[name].parent in known:
            children.setdefault(book[name].parent, []).append(book[name])
    found = []
    for rule in map(book.__getitem__, here):
        refined = children.get(rule.id, [])
        if not any(is_selected(one, select) for one in (rule, *refined)) or any(child.replaces for child in refined):
            continue
        speakers = [child for child in refined if not child.checks] or refined or [rule]
        # Outside the EU the national rule stands alone and does its parent's work.
        does_parents_work = rule.parent and rule.parent not in known and not rule.replaces
        owners = [rule.parent, rule.id] if does_parents_work else [rule.id]
        found += [_Duty(rule, due, speakers) for owner in owners if (due := checks.due(owner, day, review))]
    return found


class _Judge:
    """Collects what the rules find in one spec; one instance a spec and day."""

    def __init__(self, spec: Any, options: Options) -> None:
        self.spec, self.options = spec, options
        self.texts = Texts.of(spec)
        self.derived: dict[str, Any] = {}
        self.found: dict[tuple[Any, ...], Finding] = {}
        self.broken: dict[str, str] = {}

    def case(self, market: str) -> Case:
        facts = (self.spec.data.get("markets") or {}).get(market)
        launch = facts.get("launch_date") if isinstance(facts, dict) else None
        day = max(self.options.day, launch) if isinstance(launch, str) else self.options.day
        return Case(self.spec, market, day, self.texts, self.derived, review=self.options.review)

    def judge(self) -> None:
        markets = list(self.spec.data.get("markets") or {})
        home = (self.spec.data.get("seller") or {}).get("country") or (markets[0] if markets else "")
        for market in dict.fromkeys([*markets, home]):
            if self.options.markets and market not in self.options.markets:
                continue
            case = self.case(market)
            audience = self.spec.data.get("audience", "b2c")
            decides = ("market",) * (market in markets) + ("seller",) * (market == home)
            questions = in_question(market, decides, case.day, audience, tuple(case.derived["kinds"]))
            answers = [applies(case) for applies in questions.conditions]
            here = tuple([name for name, number in questions.rules if answers[number]])
            for duty in duties(here, self.options.select, case.day, case.review):
                self._run(case, duty)

    def _run(self, case: Case, duty: _Duty) -> None:
        case.consumers = duty.rule.audience != "b2b"
        try:
            for check in duty.checks:
                if check.applies and not check.applies(case):
                    continue
                for outcome in check.judge(case):
                    if outcome.ok is False:
                        self._add(case, check.broken(outcome), duty.rule, duty.speakers)
                    elif case.review:
                        self._add(case, outcome, duty.rule, duty.speakers)
        except Exception as error:
            self.broken.setdefault(duty.rule.id, f"{type(error).__name__}: {error}")

    def _add(self, case: Case, outcome: Outcome, rule: Rule, speakers: list[Rule]) -> None:
        outcome = outcome._replace(path=as_written(self.spec, outcome.path))
        where = "" if rule.jurisdiction in EVERYWHERE and rule.jurisdiction != "global" else case.market
        provisions = tuple(Provision(where, speaker.id) for speaker in speakers)
        root = rule.parent or rule.id
        status = "missing" if outcome.ok is False else "fulfilled" if outcome.ok else "not judged"
        key = (status, root, outcome.path, outcome.message, outcome.file, outcome.line, outcome.severity)
        known = self.found.get(key)
        if known is not None:
            known.provisions = tuple(dict.fromkeys(known.provisions + provisions))
            known.languages = tuple(dict.fromkeys(known.languages + outcome.languages))
            known.rule = _name(known.provisions, known.root)
            return
        self.found[key] = Finding(
            rule=_name(provisions, root),
            root=root,
            severity=self._severity(outcome, rule),
            status=status,  # type: ignore[arg-type]
            evidence=speakers[0].evidence if len(speakers) == 1 else rule.evidence,
            message=outcome.message,
            path=outcome.path,
            place=self._place(outcome),
            provisions=provisions,
            languages=outcome.languages,
            fix=outcome.fix or {},
        )

    def _severity(self, outcome: Outcome, rule: Rule) -> Severity:
        severity: Severity = outcome.severity or rule.severity  # type: ignore[assignment]
        if severity == "error" and self.options.unverified and rule.is_unverified:
            return self.options.unverified
        return severity

    def _place(self, outcome: Outcome) -> Place:
        if outcome.file and (file := text_file(self.spec, outcome.path, outcome.file)):
            return Place(file, outcome.line, 1)
        place = self.spec.place(outcome.path)
        return Place(place.file, place.line, place.column)

    def findings(self) -> Iterator[Finding]:
        for finding in self.found.values():
            if finding.languages:
                finding.message = f"{finding.message} ({', '.join(finding.languages)})"
            yield finding


def _name(provisions: tuple[Provision, ...], root: str) -> str:
    """The national rule's name when only one speaks, else the name of what they all refine."""
    names = {provision.rule for provision in provisions}
    return names.pop() if len(names) == 1 else root


def as_written(spec: Any, path: str) -> str:
    """A product without variants is resolved to one with one: its path is the product's own."""
    head, variant, rest = path.partition(".variants[0]")
    return head + rest if variant and not spec.given(f"{head}.variants") else path


def text_file(spec: Any, path: str, language: str) -> str:
    """The file behind a legal page in one language, as the user would name it; "" when the text stands in the spec."""
    written = paths.get(spec.source, path)
    if isinstance(written, dict) and isinstance(written.get("file"), str):
        name = written["file"].replace("{lang}", language)
    elif isinstance(written, dict) and isinstance(written.get(language), dict):
        name = written[language].get("file", "")
    else:
        return ""
    return str(Path(spec.file).parent / name) if name else ""


def digest(value: Any) -> str:
    """A short fingerprint of a value, the same on every machine."""
    import hashlib
    import json

    text = json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def fingerprint(finding: Finding) -> str:
    """What stays the same when lines move: the rule, the path and the message."""
    return digest([finding.root, finding.path, finding.message])


def judge(spec: Any, options: Options) -> tuple[list[Finding], list[Finding], list[tuple[str, str]]]:
    """(broken, fulfilled or not judged, rules that failed inside), each in a fixed order."""
    work = _Judge(spec, options)
    with checks.watched():
        work.judge()
    order = {"error": 0, "warning": 1, "info": 2}
    everything = sorted(
        work.findings(),
        key=lambda f: (f.place.file, f.place.line, f.place.column, order[f.severity], f.rule, f.path, f.message),
    )
    missing = [finding for finding in everything if finding.status == "missing"]
    for finding in everything:
        finding.provisions = tuple(p._replace(statute=prose(p.rule).statute) for p in finding.provisions)
        finding.title, finding.remedy = prose(finding.rule).title, prose(finding.rule).remedy
    for finding in missing:
        finding.digest = digest(paths.get(spec.source, finding.path))
    reviewed = [finding for finding in everything if finding.status != "missing"]
    return missing, reviewed, sorted({**broken(), **work.broken}.items())


def lint(spec: Any, options: Options, baseline: Iterable[dict[str, str]] = ()) -> Report:
    """The whole lint of one spec: rules, then ignores, then the baseline."""
    from checkoutgen.lint import baseline as kept
    from checkoutgen.lint import ignores

    missing, reviewed, broken = judge(spec, options)
    missing += ignores.apply(spec, missing, silenced=options.ignores, whole=not options.select and not options.markets)
    missing += kept.apply(spec, missing, list(baseline))
    markets = spec.data.get("markets") or {}
    names = {code: _market_name(code, facts) for code, facts in markets.items()}
    shop = (spec.data.get("shop") or {}).get("name", "")
    return Report(spec.file, options.day, missing, reviewed, [], broken, names, str(shop))


def _market_name(code: str, facts: Any) -> str:
    name = facts.get("name") if isinstance(facts, dict) else None
    return name.get("en") or next(iter(name.values()), code) if isinstance(name, dict) else str(name or code)


def dates(spec: Any) -> set[str]:
    """Every day on which a rule begins or ends, or something the spec promises runs out."""
    from datetime import date, timedelta

    def after(day: str) -> str:
        try:
            return (date.fromisoformat(day) + timedelta(days=1)).isoformat()
        except ValueError:
            return ""

    days: set[str] = set()
    for rule in rules().values():
        days |= {rule.valid_from, after(rule.valid_to)}
        for item in rule.checks:
            days |= {item.get("from", ""), after(item.get("to", ""))}
    for badge in (spec.data.get("trust") or {}).get("badges") or []:
        days.add(after(str(badge.get("valid_until") or "")))
    for coupon in (spec.data.get("checkout") or {}).get("coupons") or []:
        days.add(after(str(coupon.get("ends") or "")))
    return days - {""}


def upcoming(spec: Any, options: Options, until: str) -> list[Finding]:
    """What is in order on the options' day and breaks on a later one, up to ``until``."""
    known = {fingerprint(finding) for finding in judge(spec, options._replace(review=False))[0]}
    found = []
    for day in sorted(day for day in dates(spec) if options.day < day <= until):
        for finding in judge(spec, options._replace(day=day, review=False))[0]:
            if (mark := fingerprint(finding)) not in known:
                known.add(mark)
                finding.since = day
                found.append(finding)
    return found
