"""What the lint speaks of: rules, findings, reports. Plain data, no behaviour beyond small conversions."""

from __future__ import annotations

from dataclasses import dataclass, field
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


@dataclass
class Finding:
    """One rule broken (or, for the reviewer's page, fulfilled) at one place."""

    rule: str
    root: str  # the EU rule that `rule` refines, or itself: what ignores, baselines and fingerprints hold on to
    severity: Severity
    status: Status
    evidence: str
    message: str
    path: str
    place: Place
    provisions: tuple[Provision, ...] = ()
    title: str = ""
    remedy: str = ""
    reason: str = ""  # of the ignore, or why it was not judged
    digest: str = ""  # of the value at the path
    since: str = ""  # `--upcoming`: the first day on which it is broken
    languages: tuple[str, ...] = ()  # of the texts it was found in
    fix: dict[str, Any] = field(default_factory=dict)

    @property
    def markets(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(p.market for p in self.provisions if p.market))

    @property
    def statutes(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(p.statute for p in self.provisions if p.statute))

    @property
    def is_open(self) -> bool:
        return self.status == "missing"


@dataclass
class Report:
    """Everything that one spec's lint has to say."""

    file: str
    day: str
    findings: list[Finding] = field(default_factory=list)
    reviewed: list[Finding] = field(default_factory=list)  # fulfilled and not judged, only on request
    upcoming: list[Finding] = field(default_factory=list)
    broken_rules: list[tuple[str, str]] = field(default_factory=list)  # (rule, what went wrong inside it)
    markets: dict[str, str] = field(default_factory=dict)  # code -> name
    shop: str = ""

    @property
    def open(self) -> list[Finding]:
        return [finding for finding in self.findings if finding.is_open]

    def worst(self) -> Severity | None:
        found = {finding.severity for finding in self.open}
        return next((severity for severity in SEVERITIES if severity in found), None)
