"""Reads the rule files. Parsing several hundred YAML files costs half a second, so the result is kept beside them,
as Python keeps compiled modules: keyed on name, size and time of every file, and rebuilt when one differs."""

from __future__ import annotations

import json
import os
import sys
from functools import cache
from pathlib import Path
from typing import Any

from checkoutgen import __version__
from checkoutgen.lint.model import SEVERITIES, Prose, Rule

FOLDER = Path(__file__).parent / "rules"
_PROSE = ("title", "statute", "why", "remedy", "sources", "in_force", "note")
_PARENT = Rule._fields.index("parent")
_KEYS = {
    "title", "statute", "sources", "evidence", "audience", "kinds", "valid_from", "valid_to", "in_force", "severity",
    "parent", "replaces", "follows", "applies", "why", "remedy", "check", "note", "good", "bad", "base",
}  # fmt: skip


def stamp() -> str:
    """Name, size and time of every rule file: changes whenever a rule does."""
    found = []
    for folder in os.scandir(FOLDER):
        if folder.name[0] not in "_." and folder.is_dir():
            for entry in os.scandir(folder.path):
                if entry.name.endswith(".yaml"):
                    stat = entry.stat()
                    found.append(f"{folder.name}/{entry.name} {stat.st_size} {stat.st_mtime_ns}")
    return "\n".join(sorted(found))


def read(path: Path) -> dict[str, Any]:
    """One rule file as written. Raises ValueError when it is not a rule."""
    import yaml

    text = path.read_text(encoding="utf-8")
    data = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506  both are safe
    if not isinstance(data, dict):
        raise ValueError(f"{path}: a rule is a map")
    if unknown := set(data) - _KEYS:
        raise ValueError(f"{path}: unknown keys {sorted(unknown)}")
    for key in ("title", "audience", "severity", "check"):
        if key not in data:
            raise ValueError(f"{path}: `{key}` is missing")
    return data


def files() -> list[Path]:
    return sorted(path for path in FOLDER.glob("*/*.yaml"))


def _compile() -> tuple[dict[str, Any], dict[str, Any]]:
    """Rows of rules and of their prose by name; in the place of a rule whose file is broken, what is wrong with it."""
    rules: dict[str, Any] = {}
    prose: dict[str, Any] = {}
    for path in sorted(files(), key=lambda path: path.stem):
        name = path.stem
        try:
            if name in rules:
                raise ValueError(f"{path}: a second rule of this name")
            rules[name], prose[name] = _rows(path)
        except Exception as error:
            rules[name] = f"{type(error).__name__}: {' '.join(str(error).split())}"
    for name, row in rules.items():
        parent = row[_PARENT] if isinstance(row, list) else ""
        if parent and not isinstance(rules.get(parent), list):
            rules[name] = f"the rule it refines, {parent}, is broken or not there"
    return rules, prose


def _rows(path: Path) -> tuple[list[Any], list[Any]]:
    from checkoutgen.lint import conditions
    from checkoutgen.lint.case import reader

    data = read(path)
    items = [_item(item, path) for item in data["check"]]
    for wanted in [data.get("applies", {}), *(item["when"] for item in items if "when" in item)]:
        conditions.match(wanted, reader)  # says now what it could not judge later
    if data["severity"] not in SEVERITIES:
        raise ValueError(f"{path}: `severity` is one of {', '.join(SEVERITIES)}")
    row = [
        path.stem,
        path.parent.name,
        data["audience"],
        data.get("kinds", []),
        data["severity"],
        str(data.get("valid_from") or ""),
        str(data.get("valid_to") or ""),
        data.get("evidence", ""),
        data.get("parent", ""),
        data.get("replaces", False),
        data.get("follows", "market"),
        data.get("applies", {}),
        items,
    ]
    return row, [data.get(key, [] if key == "sources" else "") for key in _PROSE]


def user_cache() -> Path:
    """Where this user's caches are kept: https://specifications.freedesktop.org/basedir-spec/latest/"""
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path("~/.cache").expanduser()) / "checkoutgen"


def _item(item: dict[str, Any] | str, path: Path) -> dict[str, Any]:
    """One item of `check` with its kind named: the first of its keys that is one."""
    from checkoutgen.lint.checks import KINDS

    written = {item: True} if isinstance(item, str) else item
    kind = next((kind for kind in KINDS if kind in written), "")
    if not kind:
        raise ValueError(f"{path}: a check is one of {', '.join(KINDS)}")
    return {"kind": kind, **written}


def cache_folders() -> list[Path]:
    beside = [] if sys.dont_write_bytecode else [Path(__file__).parent / "__pycache__"]
    return [*beside, user_cache()]


def _cache_file(folder: Path, part: str) -> Path:
    return folder / f"rules-{__version__}-{part}.json"


def write_atomically(path: Path, text: str) -> bool:
    """Whole or not at all. False when the place cannot be written: a cache is never worth an error."""
    import tempfile  # slow to import, and rarely needed

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".tmp-")
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
        Path(name).replace(path)
    except OSError:
        return False
    return True


def _load(part: str) -> dict[str, Any]:
    now = stamp()
    for folder in cache_folders():
        try:
            kept = json.loads(_cache_file(folder, part).read_bytes())
        except (OSError, ValueError):
            continue
        if kept.get("stamp") == now:
            found: dict[str, Any] = kept["data"]
            return found
    parts = dict(zip(("rules", "prose"), _compile(), strict=True))
    for folder in cache_folders():
        written = [
            write_atomically(_cache_file(folder, name), json.dumps({"stamp": now, "data": data}, ensure_ascii=False))
            for name, data in parts.items()
        ]
        if all(written):
            break
    return parts[part]


@cache
def rules() -> dict[str, Rule]:
    """Every rule by name, in a fixed order."""
    return {name: Rule(*row) for name, row in _book().items() if isinstance(row, list)}


@cache
def broken() -> dict[str, str]:
    """What is wrong with the rules whose files cannot be read, by name."""
    return {name: row for name, row in _book().items() if isinstance(row, str)}


@cache
def _book() -> dict[str, Any]:
    return _load("rules")


@cache
def by_jurisdiction() -> dict[str, list[Rule]]:
    """The rules by the folder they stand in."""
    found: dict[str, list[Rule]] = {}
    for rule in rules().values():
        found.setdefault(rule.jurisdiction, []).append(rule)
    return found


@cache
def _prose() -> dict[str, Any]:
    return _load("prose")


def prose(name: str) -> Prose:
    """What people read of a rule; what a national rule leaves out it has from its parent."""
    title, statute, why, remedy, sources, in_force, note = _prose()[name]
    parent = rules()[name].parent
    if parent and not (why and remedy):
        inherited = prose(parent)
        why, remedy = why or inherited.why, remedy or inherited.remedy
    return Prose(title, statute, why, remedy, tuple(sources), in_force, note)
