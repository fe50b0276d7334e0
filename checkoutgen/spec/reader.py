"""Bytes to a document with the place of every key and value.

Reads the part of YAML that means one thing to everybody: one UTF-8 document of maps, lists, texts, whole numbers, true
and false. Walks the parser's events with its own stack and limits, so no input recurses, expands or runs anything.
Decimals stay text, exactly as written. What YAML 1.1 readers misread is refused with a hint.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import yaml

from checkoutgen.errors import Problem, SpecError, quoted

MAX_BYTES = 1 << 20
MAX_VALUES = 20_000
MAX_DEPTH = 32
MAX_TEXT = 64_000
MAX_KEY = 128

Path = tuple[str | int, ...]

# Control characters, line separators, bidirectional overrides (https://trojansource.codes), invisible characters, tags,
# surrogates and non-characters. U+200C to U+200F stay: Persian, Arabic, Hebrew and emoji need them.
FORBIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff\ufdd0-\ufdef"
    "\U000e0000-\U000e0fff"
    + "".join(f"{chr(plane << 16 | 0xFFFE)}{chr(plane << 16 | 0xFFFF)}" for plane in range(17))
    + "]"
)
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})\Z")
_DECIMAL = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})\.[0-9]{1,18}\Z")
_AMBIGUOUS = re.compile(
    r"""(?xi) (?: y|n|yes|no|on|off | [-+]?\.inf | \.nan
      | [-+]?0[0-9_]+ | 0[xob][0-9a-f_]+ | [-+]?[0-9][0-9_]*_[0-9_]* | [-+]?[0-9_]+(?::[0-5]?[0-9])+(?:\.[0-9_]*)?
      | [0-9]{4}-[0-9]{1,2}-[0-9]{1,2}.* | [-+]?(?:[0-9]+\.?|[0-9]*\.[0-9]+)e[-+]?[0-9]+ | [-+]?[0-9]{19,}
      | [-+]?\.[0-9_]+ | [-+]?[0-9]+\.[0-9_]* | true|false ) \Z"""
)
# What a plain scalar that is not simply text begins with, or is.
_NUMERIC = frozenset("+-.0123456789")
_SPECIAL = frozenset(("true", "false", "null", "~", "y", "n", "yes", "no", "on", "off"))
# The usual letters and marks of Latin, Greek and Cyrillic: one quick look spares most texts the search above.
_USUAL = re.compile("[\t\n -~\xa0-\u0600\u2010-\u2027\u20ac]*")
_NODES = frozenset((yaml.ScalarEvent, yaml.MappingStartEvent, yaml.SequenceStartEvent, yaml.AliasEvent))
_ENDS = frozenset((yaml.MappingEndEvent, yaml.SequenceEndEvent))


@dataclass
class Document:
    """A file that was read. Places are (line, column), 1-based; every path is a tuple of keys and indexes."""

    file: str
    value: Any = None
    keys: dict[Path, tuple[int, int]] = field(default_factory=dict)
    values: dict[Path, tuple[int, int]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def dotted(path: Path) -> str:
    """("delivery", "methods", 0, "price") as "delivery.methods[0].price"."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif re.fullmatch("[A-Za-z0-9_-]+", part):
            text += f".{part}" if text else part
        else:
            text += f"[{quoted(part, 40)}]"
    return text


def read(raw: bytes, file: str, max_bytes: int = MAX_BYTES, max_values: int = MAX_VALUES) -> Document:
    """Reads one document. Raises SpecError where reading cannot go on; lesser problems are in the document."""
    text = _decode(raw, file, max_bytes)
    walker = _Walker(Document(file), max_values)
    try:
        walker.walk(iter(yaml.CSafeLoader(text).get_event, None))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise _stop(file, line, column, f"not valid YAML: {_syntax(error.problem, text, line)}") from None
    except yaml.YAMLError as error:
        raise _stop(file, 1, 1, f"not valid YAML: {quoted(str(error).splitlines()[0])}") from None
    return walker.document


def _stop(file: str, line: int, column: int, message: str) -> SpecError:
    return SpecError([Problem(file, line, column, "", message)])


def _decode(raw: bytes, file: str, limit: int) -> str:
    if len(raw) > limit:
        raise _stop(file, 1, 1, f"the file is larger than {limit:,} bytes")
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise _stop(file, 1, 1, "the file is UTF-16 or UTF-32; save it as UTF-8")
    raw = raw.removeprefix(b"\xef\xbb\xbf")
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode(errors="replace")
        line, column = _place(before, len(before))
        raise _stop(file, line, column, f"byte 0x{raw[error.start]:02X} is not UTF-8; save the file as UTF-8") from None
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not _USUAL.fullmatch(text) and (found := FORBIDDEN.search(text)):
        raise _stop(file, *_place(text, found.start()), f"{_character(found[0])} is not allowed; delete it")
    return text


def _place(text: str, index: int) -> tuple[int, int]:
    return text.count("\n", 0, index) + 1, index - text.rfind("\n", 0, index)


def _character(character: str) -> str:
    return f"character U+{ord(character):04X} ({unicodedata.name(character, 'control')})"


def _syntax(problem: str | None, text: str, line: int) -> str:
    lines = text.split("\n")
    if line <= len(lines) and re.match(r" *\t", lines[line - 1]):
        return "the line is indented with a tab; use spaces"
    return (ascii(problem)[1:-1] if problem else "it cannot be read here") + "; check quotes, colons and indentation"


class _Walker:
    """Builds the document from parser events. One frame a collection: its path, itself, the key waiting for its value.

    The frame being filled is kept in local names: a document has thousands of events, and this loop is most of what
    reading costs.
    """

    def __init__(self, document: Document, limit: int) -> None:
        self.document = document
        self.limit = limit

    def walk(self, events: Iterable[Any]) -> None:
        """Takes the events (https://pyyaml.org/wiki/PyYAMLDocumentation#events) of a whole file in their order."""
        keys, values = self.document.keys, self.document.values
        frames: list[tuple[Path, dict[str, Any] | list[Any] | None]] = []
        path: Path = ()
        collection: dict[str, Any] | list[Any] | None = None  # None outside the outermost one
        key: str | None = None
        count = documents = 0
        for event in events:
            kind = type(event)
            if kind in _ENDS:
                path, collection = frames.pop()
                key = None
                continue
            if kind not in _NODES:
                if kind is yaml.DocumentStartEvent:
                    documents += 1
                    self.check_start(event, documents)
                continue
            is_map = type(collection) is dict
            here: Path = (*path, key or "") if is_map else () if collection is None else (*path, len(collection))
            count += 1
            if count > self.limit or kind is yaml.AliasEvent or event.anchor or event.tag:
                raise self.refused(event, here, count)
            mark = event.start_mark
            start = (mark.line + 1, mark.column + 1)
            if is_map and key is None:
                key = self.key(event, here)
                here = (*path, key)
                if key in collection:  # type: ignore[operator]
                    message = f"{quoted(key)} is given twice, first in line {keys[here][0]}; delete one of them"
                    self.problem(event, here, message)
                else:
                    keys[here] = start
                continue
            values[here] = start
            value: Any
            if kind is yaml.ScalarEvent:
                value = self.scalar(event, here)
            elif len(frames) >= MAX_DEPTH:
                raise self.stop(event, here, f"nested deeper than {MAX_DEPTH}")
            else:
                value = {} if kind is yaml.MappingStartEvent else []
            if collection is None:
                self.document.value = value
            elif is_map:
                collection.setdefault(key, value)  # type: ignore[union-attr, arg-type]
                key = None
            else:
                collection.append(value)  # type: ignore[union-attr]
            if kind is not yaml.ScalarEvent:
                frames.append((path, collection))
                path, collection = here, value

    def check_start(self, event: yaml.DocumentStartEvent, documents: int) -> None:
        if documents > 1:
            raise self.stop(event, (), "only one document in a file; delete the line ---")
        if event.version or event.tags:
            raise self.stop(event, (), "%YAML and %TAG lines are not allowed; delete them")

    def refused(self, event: yaml.NodeEvent, here: Path, count: int) -> SpecError:
        if count > self.limit:
            return self.stop(event, here, f"more than {self.limit:,} values in one file")
        if isinstance(event, yaml.AliasEvent) or event.anchor:
            message = "anchors and aliases (& and *) are not allowed; write the value out, or use `extends`"
            return self.stop(event, here, message)
        return self.stop(event, here, f"tags such as {quoted(event.tag)} are not allowed; delete it")  # type: ignore[attr-defined]

    def key(self, event: yaml.NodeEvent, here: Path) -> str:
        if not isinstance(event, yaml.ScalarEvent):
            raise self.stop(event, here, "a key must be plain text")
        key: str = event.value
        if not key.isascii():
            key = unicodedata.normalize("NFC", key)
        if len(key) > MAX_KEY:
            raise self.stop(event, here, f"the key is longer than {MAX_KEY} characters")
        if key == "<<":
            raise self.stop(event, here, "merge keys (<<) are not allowed; write the values out, or use `extends`")
        if event.style == '"':
            self.characters(event, here)
        return key

    def scalar(self, event: yaml.ScalarEvent, path: Path) -> str | int | bool | None:
        text: str = event.value
        if len(text) > MAX_TEXT:
            raise self.stop(event, path, f"the text is longer than {MAX_TEXT:,} characters")
        if event.style == '"':  # the only style with escapes; all else was looked at in the whole text
            self.characters(event, path)
        if event.style or not event.implicit[0]:
            return text
        if not text:
            return None
        if text[0] not in _NUMERIC and (len(text) > 5 or text.lower() not in _SPECIAL):
            return text
        if text in ("true", "false"):
            return text == "true"
        if _INTEGER.match(text):
            return int(text)
        if text.lower() in ("null", "~"):
            self.problem(event, path, f"{quoted(text)} is not needed: leave the value empty, or delete the key")
            return None
        if not _DECIMAL.match(text) and _AMBIGUOUS.match(text):
            self.problem(
                event,
                path,
                f"{quoted(text)} means different things to different YAML readers; put it in quotes, or "
                "write true, false or a plain number",
            )
        return text

    def characters(self, event: yaml.ScalarEvent, here: Path) -> None:
        if found := FORBIDDEN.search(event.value):
            raise self.stop(event, here, f"an escape gives {_character(found[0])}, which is not allowed; delete it")

    def problem(self, event: yaml.Event, path: Path, message: str) -> None:
        self.document.problems.append(Problem(self.document.file, *_start(event), dotted(path), message))

    def stop(self, event: yaml.Event, here: Path, message: str) -> SpecError:
        self.problem(event, here, message)
        return SpecError(self.document.problems)


def _start(event: yaml.Event) -> tuple[int, int]:
    mark = event.start_mark
    return (mark.line + 1, mark.column + 1) if mark else (1, 1)
