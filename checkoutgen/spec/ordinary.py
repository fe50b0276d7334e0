"""The ordinary lines of a spec, read at once: maps and lists by indentation, values that end on their line, `|` texts.

Anything else gives NOTHING, and the whole text goes to the YAML parser: what is read here is read there in the same
way, as tests compare. It is worth a second way because it takes a quarter of the time of the parser's events, and
because most commands then need not import the parser, which costs as much as to start Python.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Final

NOTHING: Final = object()
MAX_BLOCKS, MAX_BRACKETS = 20, 8  # how deep; together less than any limit of the reader

# Indentation, the dash of a list's item, the key of a map, and the rest of the line.
_LINE = re.compile(r"( *)(- +)?(?:([A-Za-z0-9_][A-Za-z0-9_.-]{0,100}):(?: +|\Z))?(.*)")
_QUOTED = re.compile(r"""(?:'((?:[^']|'')*)'|"([^"\\]*)")(?: +#.*| *)\Z""")
_REST = re.compile(r"(?: +#.*| *)\Z")
_TOKEN = re.compile(
    r"""[ ]*(?:([\[\]{},])|([A-Za-z0-9_][A-Za-z0-9_.-]{0,100}):[ ]|'((?:[^']|'')*)'|"([^"\\]*)"
    |([^\s,\[\]{}:#?&*!|>'"%@`<=~-][^,\[\]{}:#]*(?::(?=[A-Za-z0-9_/])[^,\[\]{}:#]*)*))""",
    re.VERBOSE,
)
_NO_TEXT = frozenset("-?:,[]{}#&*!|>'\"%@`<=~")  # what no unquoted text begins with here

_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})\Z")
_DECIMAL = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})\.[0-9]{1,18}\Z")
_AMBIGUOUS = re.compile(
    r"""(?xi) (?: y|n|yes|no|on|off | [-+]?\.inf | \.nan
      | [-+]?0[0-9_]+ | 0[xob][0-9a-f_]+ | [-+]?[0-9][0-9_]*_[0-9_]* | [-+]?[0-9_]+(?::[0-5]?[0-9])+(?:\.[0-9_]*)?
      | [0-9]{4}-[0-9]{1,2}-[0-9]{1,2}.* | [-+]?(?:[0-9]+\.?|[0-9]*\.[0-9]+)e[-+]?[0-9]+ | [-+]?[0-9]{19,}
      | [-+]?\.[0-9_]+ | [-+]?[0-9]+\.[0-9_]* | true|false ) \Z"""
)
# What an unquoted value that is not simply text begins with, or is.
_NUMERIC = frozenset("+-.0123456789")
_SPECIAL = frozenset(("true", "false", "null", "~", "y", "n", "yes", "no", "on", "off"))


class OddError(ValueError):
    """An unquoted value that YAML readers do not agree on, or that needs not be written."""


class _OtherError(Exception):
    """The text is not ordinary."""


def plain(text: str) -> str | int | bool:
    """The value of an unquoted word or number. Decimals stay text. Raises OddError."""
    if text[0] not in _NUMERIC and (len(text) > 5 or text.lower() not in _SPECIAL):
        return text
    if text in ("true", "false"):
        return text == "true"
    if _INTEGER.match(text):
        return int(text)
    if _DECIMAL.match(text) or not (_AMBIGUOUS.match(text) or text.lower() in ("null", "~")):
        return text
    raise OddError(text)


def read(text: str, max_values: int, max_text: int) -> Any:
    """The value of a text without tabs and forbidden characters; NOTHING where it is not ordinary or near a limit."""
    most = 3 * (text.count("\n") + 1 + text.count(",") + text.count("[") + text.count("{"))
    if most > max_values or "\t" in text or (len(text) > max_text and max(map(len, text.split("\n"))) > max_text):
        return NOTHING
    try:
        return _blocks(text, max_text)
    except (_OtherError, OddError):
        return NOTHING


def _blocks(text: str, max_text: int) -> Any:
    root: Any = NOTHING
    stack: list[tuple[int, Any]] = []
    column = -1  # where the map or list being filled stands
    into: Any = NOTHING
    waiting: Any = None  # the key whose value may begin in the next line
    literal = _Literal(text, max_text)
    for number, (here, dash, key, rest, value) in enumerate(map(_parts, text.split("\n"))):
        if number < literal.end or not (key or dash or rest) or (rest[:1] == "#" and not key and not dash):
            continue
        if waiting is not None and (here > column or (dash and here == column)):
            if len(stack) > MAX_BLOCKS:
                raise _OtherError
            stack.append((column, into))
            inner: Any = [] if dash else {}
            into[waiting] = inner
            column, into = here, inner
        elif root is NOTHING:
            root = into = [] if dash else {}
            column = 0
        waiting = None
        while here < column or (here == column and not dash and type(into) is list and stack):
            column, into = stack.pop()
        if here != column or (type(into) is list) != bool(dash):
            raise _OtherError
        if dash and key:
            item: dict[str, Any] = {}
            into.append(item)
            stack.append((column, into))
            column, into = here + len(dash), item
        if key:
            if key in into:
                raise _OtherError
            if value is not NOTHING:
                into[key] = value
            elif not rest or rest[0] == "#":
                into[key], waiting = None, key
            else:
                into[key] = literal.read(number, rest, column) if rest[0] == "|" else _value(rest)
        elif dash and value is not NOTHING:
            into.append(value)
        elif dash and rest and rest[0] != "#":
            into.append(literal.read(number, rest, column) if rest[0] == "|" else _value(rest))
        else:
            raise _OtherError
    if root is NOTHING:
        raise _OtherError
    return root


@lru_cache(maxsize=8192)
def _parts(line: str) -> tuple[int, str, str, str, Any]:
    """Indentation, dash, key and rest of a line, and the value that the rest is; the specs of a run share most.

    The value is NOTHING where it does not end on the line, is none, or is made anew each time: a map or a list."""
    indent, dash, key, rest = _LINE.findall(line)[0]
    return len(indent), dash, key, rest, _whole(rest)


def _whole(rest: str) -> Any:
    if not rest or rest[0] in "#|[{":
        return NOTHING
    try:
        return _scalar(rest)
    except (_OtherError, OddError):
        return NOTHING  # an error only where it is a line of the document, and not of a text


class _Literal:
    """Texts of several lines after `|` or `|-`. `end` is the number of the first line after the last one read."""

    def __init__(self, text: str, longest: int) -> None:
        self.text = text
        self.longest = longest
        self.lines: list[str] = []
        self.end = 0

    def read(self, number: int, style: str, column: int) -> str:
        if style not in ("|", "|-"):
            raise _OtherError
        self.lines = self.lines or self.text.split("\n")
        end = start = number + 1
        indent = 0
        for line in self.lines[start:]:
            inside = len(line) - len(line.lstrip(" "))
            if inside < len(line):
                indent = indent or inside
                if inside < indent or inside <= column:
                    break
            elif line and inside > indent:
                raise _OtherError  # spaces that belong to the text
            end += 1
        while end > start and not self.lines[end - 1].strip(" "):
            end -= 1
        if end == start or not self.lines[start].strip(" ") or end == len(self.lines):
            raise _OtherError  # empty, or without the end of its last line
        self.end = end
        text = "\n".join(line[indent:] for line in self.lines[start:end])
        if len(text) >= self.longest:
            raise _OtherError
        return text if style == "|-" else f"{text}\n"


def _value(rest: str) -> Any:
    """What stands after a key or dash."""
    if rest[0] not in "[{":
        return _scalar(rest)
    value, end = _item(rest, 0, 0)
    if not _REST.match(rest, end):
        raise _OtherError
    return value


def _scalar(rest: str) -> str | int | bool:
    """One value that ends on its line."""
    first = rest[0]
    if first in "'\"":
        if not (found := _QUOTED.match(rest)):
            raise _OtherError
        text = found[2] if found[1] is None else found[1].replace("''", "'")
        return str(text)
    if first in _NO_TEXT:
        raise _OtherError
    text = rest.partition(" #")[0].rstrip(" ")
    if ": " in text or text[-1] == ":":
        raise _OtherError
    return plain(text)


def _item(text: str, at: int, depth: int) -> tuple[Any, int]:
    """A value inside brackets that begins there, and where it ends."""
    found = _TOKEN.match(text, at)
    if not found or found[2] is not None or depth > MAX_BRACKETS:
        raise _OtherError
    mark, _, single, double, word = found.groups()
    if word is not None:
        return plain(word.rstrip(" ")), found.end()
    if mark is None:
        return double if single is None else single.replace("''", "'"), found.end()
    if mark == "[":
        return _list(text, found.end(), depth)
    if mark == "{":
        return _map(text, found.end(), depth)
    raise _OtherError


def _list(text: str, at: int, depth: int) -> tuple[list[Any], int]:
    items: list[Any] = []
    found = _TOKEN.match(text, at)
    if found and found[1] == "]":
        return items, found.end()
    while True:
        item, at = _item(text, at, depth + 1)
        items.append(item)
        found = _TOKEN.match(text, at)
        if not found or found[1] not in ("]", ","):
            raise _OtherError
        at = found.end()
        if found[1] == "]":
            return items, at


def _map(text: str, at: int, depth: int) -> tuple[dict[str, Any], int]:
    items: dict[str, Any] = {}
    found = _TOKEN.match(text, at)
    if found and found[1] == "}":
        return items, found.end()
    while True:
        found = _TOKEN.match(text, at)
        if not found or found[2] is None or found[2] in items:
            raise _OtherError
        items[found[2]], at = _item(text, found.end(), depth + 1)
        found = _TOKEN.match(text, at)
        if not found or found[1] not in ("}", ","):
            raise _OtherError
        at = found.end()
        if found[1] == "}":
            return items, at
