"""Where the schema lets an author write what they like, found by walking it, and documents that hold a text there."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from checkoutgen import schema as contract
from checkoutgen.spec.formats import FORMATS
from tests.spec.test_fuzz import everything

Path = tuple[str, ...]
Make = Callable[[Path], str]

PICTURE = '<svg xmlns="http://www.w3.org/2000/svg" width="4" height="3"><rect width="4" height="3"/></svg>\n'
LINE = re.compile(contract.load()["$defs"]["line"]["pattern"])
# How a text has to be cut to pass as a value of the formats that leave an author some freedom.
FITTED: dict[str, Callable[[str], str]] = {
    "": lambda text: text,
    "line": lambda text: re.sub(r"\s*[\n\t]+\s*", " ", text).strip() or "x",
    "sender-name": lambda text: re.sub(r'[\n\t<>"@\\]|=\?', " ", text).strip() or "x",
    "web-address": lambda text: "https://a.example/" + re.sub(r"[^!-~]|\\|%|:[^/]*@", "", text),
    "tracking-address": lambda text: "https://a.example/{number}?" + re.sub(r"[^!-~]|[\\%{}@]", "", text),
    "mail-address": lambda text: re.sub(r"[^A-Za-z0-9!#$%&'*+/=?^_`{|}~-]", "", text)[:60].rjust(1, "x") + "@a.example",
}


def freedom(schema: contract.Schema) -> str | None:
    """Which of `FITTED` a value with this schema is; None when its characters are not the author's to choose."""
    if "enum" in schema or "const" in schema or "string" not in schema.get("type", ()):
        return None
    if name := schema.get("format"):
        return name if name in FITTED else None
    pattern = schema.get("pattern")
    if pattern is None:
        return ""
    return "line" if LINE.pattern == pattern else None


def free_texts() -> set[Path]:
    """Every place of the schema with some freedom, `*` for any key and `[]` for any item."""
    return {path for path, schema in _places((), contract.load()) if freedom(schema) is not None}


def closed_texts() -> Iterator[tuple[Path, contract.Schema]]:
    """Every other text of the schema: its pattern or format has to refuse what the others take."""
    for path, schema in _places((), contract.load()):
        if "string" in schema.get("type", ()) and not {"enum", "const"} & schema.keys() and freedom(schema) is None:
            yield path, schema


def _places(path: Path, schema: contract.Schema) -> Iterator[tuple[Path, contract.Schema]]:
    schema = contract.follow(schema)
    yield path, schema
    for key, inner in schema.get("properties", {}).items():
        yield from _places((*path, key), inner)
    if "items" in schema:
        yield from _places((*path, "[]"), schema["items"])
    for inner in (*schema.get("patternProperties", {}).values(), schema.get("additionalProperties")):
        if isinstance(inner, dict):
            yield from _places((*path, "*"), inner)


def filled(document: Any, make: Make) -> tuple[Any, set[Path]]:
    """The document with a made text in every place that has some freedom, and the places it reached."""
    reached: set[Path] = set()

    def walk(value: Any, schema: contract.Schema, path: Path) -> Any:
        schema = contract.follow(schema)
        kind = freedom(schema)
        if kind is not None:
            reached.add(path)
        if isinstance(value, str):
            return value if kind is None else _fit(kind, make(path), schema)
        if isinstance(value, list):
            return [walk(item, schema["items"], (*path, "[]")) for item in value]
        if isinstance(value, dict):
            return {key: walk(item, *_inner(schema, key, path)) for key, item in value.items()}
        return value

    return walk(document, contract.load(), ()), reached


def _inner(schema: contract.Schema, key: str, path: Path) -> tuple[contract.Schema, Path]:
    inner = contract.step(schema, key)
    assert inner is not None, (path, key)
    return inner, (*path, key if key in schema.get("properties", {}) else "*")


def _fit(kind: str, text: str, schema: contract.Schema) -> str:
    fitted = FITTED[kind](text)
    if kind != "mail-address":
        fitted = fitted[: schema.get("maxLength", 64_000)]
    if kind == "line":
        fitted = fitted.strip()
    check = FORMATS.get(kind)
    assert check is None or check(fitted) is None, (kind, fitted)
    return fitted


@cache
def whole() -> dict[str, Any]:
    """A valid spec in which every free text of the schema stands. Its picture is `picture.svg`, holding `PICTURE`."""
    document = everything()
    document["shop"]["theme"]["logo"] = "picture.svg"
    document["trust"]["badges"][0]["picture"] = "picture.svg"
    product = document["catalogue"]["products"][0]
    product["pictures"] = [{"file": "picture.svg", "alt": "x"}]
    for path in sorted(free_texts()):
        _put(document, path)
    return document


def _put(document: Any, path: Path) -> None:
    """Makes a place where there is none: the first entry of a list, the only key of a map, a text in two languages."""
    *way, last = path
    value, above = document, (document, "")
    for part in way:
        key = 0 if part == "[]" else next(iter(value)) if part == "*" else part
        above = value, key
        value = value[key] if part in ("*", "[]") else value.setdefault(key, {})
    if isinstance(value, str):
        above[0][above[1]] = {"fr": "x", "en": "x"}
    elif last not in ("*", "[]"):
        value.setdefault(last, "x")
