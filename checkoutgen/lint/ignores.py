"""``# checkoutgen: ignore[rule] reason`` in the spec: on the line it speaks of, or alone on the line above.

The reason is mandatory and there is no form without a rule's name. An ignore that silences nothing, names no rule or
gives no reason is itself a finding, so that none outlives its cause."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple

from checkoutgen.lint.model import Finding, Place
from checkoutgen.lint.rulebook import rules

_COMMENT = re.compile(r"#\s*checkoutgen:\s*ignore(?:\[([^\]]*)\])?[ \t]*(.*)$")


class Ignore(NamedTuple):
    names: tuple[str, ...]
    reason: str
    line: int  # of the comment
    target: int  # of what it speaks of
    column: int
    used: set[str]  # the names that silenced something


def read(text: str) -> list[Ignore]:
    """Every ignore comment of a YAML text."""
    if "checkoutgen:" not in text:
        return []
    lines = text.splitlines()
    found = []
    for number, line in enumerate(lines, 1):
        match = _COMMENT.search(line)
        if not match:
            continue
        target = number
        if line.lstrip().startswith("#"):
            rest = enumerate(lines[number:], number + 1)
            target = next((n for n, after in rest if after.strip() and not after.lstrip().startswith("#")), number)
        names = tuple(name.strip() for name in (match[1] or "").split(",") if name.strip())
        found.append(Ignore(names, match[2].strip(), number, target, match.start() + 1, set()))
    return found


def _names(finding: Finding) -> set[str]:
    return {finding.rule, finding.root, *(provision.rule for provision in finding.provisions)}


def apply(spec: Any, findings: list[Finding], *, silenced: bool = True, whole: bool = True) -> list[Finding]:
    """Marks the findings that an ignore covers, and gives the findings about the ignores themselves.

    With ``silenced`` false everything stays open (reviewers). With ``whole`` false only some rules ran, so that an
    unused ignore proves nothing."""
    if not silenced or not any(b"checkoutgen:" in text for text in spec.inputs.values()):
        return []
    texts: dict[str, list[Ignore]] = {}
    for name in {finding.place.file for finding in findings} | {spec.file}:
        if (text := text_of(spec, name)) is not None:
            texts[name] = read(text)
    for finding in findings:
        for ignore in texts.get(finding.place.file, ()):
            hit = _names(finding) & set(ignore.names)
            if ignore.target == finding.place.line and hit and ignore.reason:
                finding.status, finding.reason = "ignored", ignore.reason
                ignore.used.update(hit)
    about = []
    for name, found in texts.items():
        for ignore in found:
            about += [_about(name, ignore, rule, message) for rule, message in _faults(ignore, whole)]
    return about


def _faults(ignore: Ignore, whole: bool) -> list[tuple[str, str]]:
    if not ignore.names:
        return [("ignore-without-rule", "This ignore names no rule; write `ignore[rule] reason`")]
    faults = []
    if not ignore.reason:
        faults.append(("ignore-without-reason", "This ignore gives no reason, so it silences nothing"))
    known = rules()
    for name in ignore.names:
        if name not in known:
            faults.append(("ignore-of-unknown-rule", f"There is no rule `{name[:60]}`"))
        elif whole and ignore.reason and name not in ignore.used:
            faults.append(("unused-ignore", f"Nothing here breaks `{name}` any more; remove the ignore"))
    return faults


def _about(file: str, ignore: Ignore, rule: str, message: str) -> Finding:
    remedy = {"unused-ignore": "Remove the comment."}.get(
        rule, "Write `# checkoutgen: ignore[rule-name] why this is right here`."
    )
    place = Place(file, ignore.line, ignore.column)
    return Finding(rule, rule, "warning", "missing", "", message, "", place, title="Ignores", remedy=remedy)


def text_of(spec: Any, name: str) -> str | None:
    """The text of a file that the spec was read from, as read; None when it is none or gone."""
    if not name.endswith((".yaml", ".yml")):
        return None
    try:
        read: bytes = spec.inputs.get(Path(name).resolve()) or Path(name).read_bytes()
    except OSError:
        return None
    return read.decode("utf-8", "replace")
