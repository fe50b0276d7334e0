"""A baseline lets an old shop adopt the lint: what was wrong on that day is kept apart, what is new still fails.

Entries are keyed on the rule, the path and a digest of the value there, never on lines or counts: a finding whose value
changed is new, one that moved is not, and an entry that matches nothing any more is reported."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from checkoutgen.errors import UsageError
from checkoutgen.lint.model import Finding, Place

VERSION = 1


def read(path: Path) -> list[dict[str, str]]:
    """The entries of a baseline file. Raises UsageError when it is none."""
    import json

    try:
        data = json.loads(path.read_bytes())
        entries = data["findings"]
        if data["version"] != VERSION or not all({"file", "rule", "path", "digest"} <= set(entry) for entry in entries):
            raise ValueError
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or 'cannot be read'}") from None
    except (ValueError, KeyError, TypeError):
        raise UsageError(
            f"{path} is not a baseline of version {VERSION}; write one with `lint --write-baseline {path}`"
        ) from None
    return list(entries)


def entry(finding: Finding, file: str) -> dict[str, str]:
    return {"file": Path(file).name, "rule": finding.root, "path": finding.path, "digest": finding.digest}


def text(findings: list[tuple[str, Finding]]) -> str:
    """A baseline file of the open findings, each with the spec it is in."""
    import json

    entries = sorted(
        {
            json.dumps(entry(finding, file), sort_keys=True)
            for file, finding in findings
            if finding.is_open and finding.digest
        }
    )
    return json.dumps({"version": VERSION, "findings": [json.loads(line) for line in entries]}, indent=2) + "\n"


def apply(spec: Any, findings: list[Finding], entries: list[dict[str, str]]) -> list[Finding]:
    """Marks what the baseline knows, and gives a finding for each entry that matches nothing."""
    name = Path(spec.file).name
    mine = [known for known in entries if known["file"] == name]
    used = set()
    for finding in findings:
        if finding.status == "missing" and (known := entry(finding, spec.file)) in mine:
            finding.status, finding.reason = "baseline", "in the baseline"
            used.add((known["rule"], known["path"], known["digest"]))
    stale = [known for known in mine if (known["rule"], known["path"], known["digest"]) not in used]
    return [
        Finding(
            "stale-baseline-entry",
            "stale-baseline-entry",
            "info",
            "missing",
            "",
            f"The baseline keeps `{known['rule']}` at `{known['path']}`, which is no longer found",
            known["path"],
            Place(*spec.place(known["path"])[:3])
            if isinstance(spec.place(known["path"]), tuple)
            else Place(spec.file, 1, 1),
            title="Baseline",
            remedy="Write the baseline again with `--write-baseline`.",
        )
        for known in mine
        if known in stale
    ]
