"""What the lint speaks of: rules, findings, reports. Plain data, no behaviour beyond small conversions."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

Severity = Literal["error", "warning", "info"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info")
Status = Literal["missing", "ignored", "baseline", "fulfilled", "not judged"]

# Evidence levels whose rules nobody has compared with a source yet; `--unverified` lowers their severity.
UNVERIFIED = "from knowledge only"


class Place(NamedTuple):
    """A position in a file, 1-based."""

    file: str
    line: int
    column: int


class Rule(NamedTuple):
    """One dated requirement. ``checks`` are the parsed items of the rule file's ``check`` list."""

    id: str
    jurisdiction: str  # "eu", "global", "us-ca", "usability", … or a lower-case country code
    audience: str  # b2c | b2b | both
    kinds: tuple[str, ...]  # of product; empty = all
    severity: Severity
    valid_from: str  # ISO days; "" = open
    valid_to: str
    evidence: str
    parent: str  # "" = none
    replaces: bool  # its own check stands in for its parent's
    follows: str  # "market" or "seller": whose country decides
    applies: dict[str, Any]  # conditions over the resolved spec
    checks: tuple[dict[str, Any], ...]

    @property
    def is_unverified(self) -> bool:
        return self.evidence == UNVERIFIED


class Prose(NamedTuple):
    """What only people read of a rule: kept apart so that a clean run does not load it."""

    title: str
    statute: str
    why: str
    remedy: str
    sources: tuple[str, ...]
    in_force: str
    note: str


class Provision(NamedTuple):
    """The rule that speaks in one market: the market's own, or the EU's where it has none."""

    market: str
    rule: str
    statute: str = ""


class _Record:
    """Plain data, compared by its fields. By hand: to import dataclasses takes 7 ms, a tenth of a lint."""

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    __hash__ = None  # type: ignore[assignment]  # it changes


class Finding(_Record):
    """One rule broken (or, for the reviewer's page, fulfilled) at one place."""

    def __init__(
        self,
        rule: str,
        root: str,
        severity: Severity,
        status: Status,
        evidence: str,
        message: str,
        path: str,
        place: Place,
        provisions: tuple[Provision, ...] = (),
        title: str = "",
        remedy: str = "",
        reason: str = "",
        digest: str = "",
        since: str = "",
        languages: tuple[str, ...] = (),
        fix: dict[str, Any] | None = None,
    ) -> None:
        self.rule = rule
        self.root = root  # the EU rule that `rule` refines, or itself: what ignores, baselines and fingerprints hold
        self.severity = severity
        self.status = status
        self.evidence = evidence
        self.message = message
        self.path = path
        self.place = place
        self.provisions = provisions
        self.title = title
        self.remedy = remedy
        self.reason = reason  # of the ignore, or why it was not judged
        self.digest = digest  # of the value at the path
        self.since = since  # `--upcoming`: the first day on which it is broken
        self.languages = languages  # of the texts it was found in
        self.fix = fix or {}

    @property
    def markets(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(p.market for p in self.provisions if p.market))

    @property
    def statutes(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(p.statute for p in self.provisions if p.statute))

    @property
    def is_open(self) -> bool:
        return self.status == "missing"


class Report(_Record):
    """Everything that one spec's lint has to say."""

    def __init__(
        self,
        file: str,
        day: str,
        findings: list[Finding] | None = None,
        reviewed: list[Finding] | None = None,
        upcoming: list[Finding] | None = None,
        broken_rules: list[tuple[str, str]] | None = None,
        markets: dict[str, str] | None = None,
        shop: str = "",
        inputs: list[str] | None = None,
    ) -> None:
        self.file = file
        self.day = day
        self.findings = findings or []
        self.reviewed = reviewed or []  # fulfilled and not judged, only on request
        self.upcoming = upcoming or []
        self.broken_rules = broken_rules or []  # (rule, what went wrong inside it)
        self.markets = markets or {}  # code -> name
        self.shop = shop
        self.inputs = inputs or []  # the files it rests on, the spec first

    @property
    def open(self) -> list[Finding]:
        return [finding for finding in self.findings if finding.is_open]

    def worst(self) -> Severity | None:
        found = {finding.severity for finding in self.open}
        return next((severity for severity in SEVERITIES if severity in found), None)
