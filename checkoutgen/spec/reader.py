"""Bytes to a document with the place of every key and item.

Reads the part of YAML that means one thing to everybody: one UTF-8 document of maps, lists, texts, whole numbers, true
and false. Decimals stay text, exactly as written. What YAML 1.1 readers misread is refused with a hint. Ordinary texts
are read by `ordinary`, all others, and all places, by `events`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import cached_property
from typing import Any

from checkoutgen.errors import Problem, SpecError, quoted
from checkoutgen.spec import ordinary

MAX_BYTES = 1 << 20
MAX_VALUES = 20_000
MAX_DEPTH = 32
MAX_TEXT = 64_000
MAX_KEY = 128

Path = tuple[str | int, ...]
Places = dict[Path, tuple[int, int]]

# Control characters, line separators, bidirectional overrides (https://trojansource.codes), invisible characters, tags,
# surrogates and non-characters. U+200C to U+200F stay: Persian, Arabic, Hebrew and emoji need them.
_FORBIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff\ufdd0-\ufdef"
    "\U000e0000-\U000e0fff"
    + "".join(f"{chr(plane << 16 | 0xFFFE)}{chr(plane << 16 | 0xFFFF)}" for plane in range(17))
    + "]"
)
# The usual letters and marks of Latin, Greek and Cyrillic: one quick look spares most texts the search above.
_USUAL = re.compile("[\t\n -~\xa0-\u0600\u2010-\u2027\u202f\u20ac]*")


class Document:
    """A file that was read. Places are (line, column), 1-based; every path is a tuple of keys and indexes."""

    def __init__(self, file: str, value: Any, problems: list[Problem], find: Callable[[], Places]) -> None:
        self.file = file
        self.value = value
        self.problems = problems
        self._find = find

    @cached_property
    def places(self) -> Places:
        """Of each key of a map, of each item of a list, and of the whole. Most documents are never asked for them."""
        return self._find()


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

    def walk() -> Document:
        from checkoutgen.spec import events  # imports the YAML parser

        return events.read(text, file, max_values)

    value = ordinary.read(text, max_values, MAX_TEXT)
    return walk() if value is ordinary.NOTHING else Document(file, value, [], lambda: walk().places)


def stop(file: str, line: int, column: int, message: str) -> SpecError:
    return SpecError([Problem(file, line, column, "", message)])


def _decode(raw: bytes, file: str, limit: int) -> str:
    if len(raw) > limit:
        raise stop(file, 1, 1, f"the file is larger than {limit:,} bytes")
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise stop(file, 1, 1, "the file is UTF-16 or UTF-32; save it as UTF-8")
    raw = raw.removeprefix(b"\xef\xbb\xbf")
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode(errors="replace")
        line, column = _place(before, len(before))
        raise stop(file, line, column, f"byte 0x{raw[error.start]:02X} is not UTF-8; save the file as UTF-8") from None
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if found := forbidden(text):
        raise stop(file, *_place(text, found.start()), f"{character(found[0])} is not allowed; delete it")
    return text


def forbidden(text: str) -> re.Match[str] | None:
    """The first character that no text may have."""
    return None if _USUAL.fullmatch(text) else _FORBIDDEN.search(text)


def _place(text: str, index: int) -> tuple[int, int]:
    return text.count("\n", 0, index) + 1, index - text.rfind("\n", 0, index)


def character(character: str) -> str:
    return f"character U+{ord(character):04X} ({unicodedata.name(character, 'control')})"
