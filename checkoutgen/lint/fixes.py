"""``lint --fix``: text edits of the spec that keep every comment, and never touch a legal text.

A rule says what is safe: ``set`` a value, ``remove`` a key that only restates or spoils a default, ``append`` to a
list. Whatever cannot be done with certainty is left to the person."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import yaml

from checkoutgen.lint import paths
from checkoutgen.lint.model import Finding

_Edit = tuple[int, int, str]


def apply(spec: Any, findings: list[Finding]) -> list[Finding]:
    """Writes what can be fixed into the file it stands in, and gives what was."""
    done: list[Finding] = []
    fixable = [f for f in findings if f.is_open and f.fix and not f.path.startswith("legal.pages")]
    for name in sorted({finding.place.file for finding in fixable}):
        path = Path(name)
        if name != spec.file and not path.is_relative_to(spec.root):
            continue  # a preset or a file shared with other shops
        try:
            text = path.read_bytes().decode("utf-8")
        except (OSError, UnicodeDecodeError):
            continue
        new, fixed = fix(text, [finding for finding in fixable if finding.place.file == name])
        if fixed and new != text:
            path.write_bytes(new.encode("utf-8"))
            done += fixed
    return done


def fix(text: str, findings: list[Finding]) -> tuple[str, list[Finding]]:
    """The text with the fixes of its findings, and the findings that were fixed. Edits that meet are made one a run."""
    root = yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    edits: list[tuple[_Edit, Finding]] = []
    if root is None:
        return text, []
    for finding in findings:
        for edit in _edit(text, root, finding):
            if not any(edit[0] < end and start < edit[1] for (start, end, _), _ in edits):
                edits.append((edit, finding))
    for (start, end, new), _ in sorted(edits, key=lambda pair: pair[0][0], reverse=True):
        text = text[:start] + new + text[end:]
    return text, [finding for _, finding in edits]


def _find(node: yaml.Node, path: str) -> tuple[yaml.Node | None, yaml.Node | None, yaml.Node | None]:
    """(parent, key, value) at a path."""
    parent: yaml.Node | None = None
    key: yaml.Node | None = None
    for part in paths.parts(path):
        parent, key = node, None
        if isinstance(node, yaml.MappingNode):
            pair = next((pair for pair in node.value if pair[0].value == part), None)
            if pair is None:
                return parent, None, None
            key, node = pair
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
        else:
            return parent, None, None
    return parent, key, node


def _edit(text: str, root: yaml.Node, finding: Finding) -> list[_Edit]:
    parent, key, value = _find(root, finding.path)
    wanted = finding.fix
    if "set" in wanted and isinstance(value, yaml.ScalarNode) and value.style not in ("|", ">"):
        return [(value.start_mark.index, value.end_mark.index, _scalar(wanted["set"]))]
    if "append" in wanted and isinstance(value, yaml.SequenceNode) and value.flow_style:
        end = value.end_mark.index - 1
        return [(end, end, (", " if value.value else "") + _scalar(wanted["append"]))]
    if "append" in wanted and isinstance(value, yaml.SequenceNode) and value.value:
        last = value.value[-1]
        column = value.start_mark.column
        at = text.find("\n", last.end_mark.index)
        at = len(text) if at < 0 else at
        return [(at, at, f"\n{' ' * column}- {_scalar(wanted['append'])}")]
    if wanted.get("remove") and isinstance(parent, yaml.MappingNode) and key is not None and value is not None:
        return _removal(text, parent, key, value)
    return []


def _removal(text: str, parent: yaml.MappingNode, key: yaml.Node, value: yaml.Node) -> list[_Edit]:
    if len(parent.value) == 1:
        return []  # an emptied section may mean something else
    start, end = key.start_mark.index, value.end_mark.index
    if parent.flow_style:
        after = re.match(r"\s*,\s*", text[end:])
        if after:
            return [(start, end + after.end(), "")]
        before = re.search(r",\s*$", text[:start])
        return [(before.start(), end, "")] if before else []
    line = text.rfind("\n", 0, start) + 1
    if text[line:start].strip():
        return []  # the key shares its line with a list's dash
    # The value of a block ends where the next key begins: go back to the end of its own last line.
    body = text[start:end].rstrip()
    stop = text.find("\n", start + len(body))
    return [(line, len(text) if stop < 0 else stop + 1, "")]


def _scalar(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return (
        value
        if isinstance(value, str) and re.fullmatch(r"[a-z][a-z0-9-]*", value)
        else json.dumps(value, ensure_ascii=False)
    )
