"""A document as YAML, block by block, without the YAML library: to import it takes as long as to start Python."""

from __future__ import annotations

import json
import re
from json.encoder import encode_basestring
from typing import Any

# What needs no quotes: 09:00, 012 and no mean other things to other readers of YAML.
WORD = re.compile(r"(?!(?:yes|no|on|off|true|false|null)\Z)[A-Za-z][A-Za-z0-9_-]+", re.IGNORECASE)
# Lines that stand below `|` as they are: the first one says how far the text is indented.
LINES = re.compile(r"[^\s].*\n(?:.*\n)*.+\n?", re.ASCII)


def written(document: dict[str, Any]) -> str:
    """YAML 1.1 and 1.2 for a document of maps with text keys, lists, texts, whole numbers, true, false and null.

    Its texts hold no control characters but tabs and line feeds, as the reader of specs makes sure.
    """
    return _block(document, "\n").removeprefix("\n") + "\n"


def _block(value: Any, line: str) -> str:
    """What follows a key or a dash; `line` begins a line inside it."""
    if isinstance(value, dict) and value:
        return "".join([f"{line}{_text(key)}:{_block(child, line + '  ')}" for key, child in value.items()])
    if isinstance(value, list) and value:
        # A map or list begins beside the dash.
        blocks = [_block(child, line + "  ") for child in value]
        return "".join([f"{line}- {block.removeprefix(line + '  ').lstrip(' ')}" for block in blocks])
    if isinstance(value, str):
        return " " + (_lines(value, line) if LINES.fullmatch(value) else _text(value))
    if value is None:
        return ""
    return f" {json.dumps(value)}"


def _text(value: str) -> str:
    return value if WORD.fullmatch(value) else encode_basestring(value)


def _lines(value: str, line: str) -> str:
    """A text of several lines below `|`; `|-` where the last one does not end."""
    text, ended = value.removesuffix("\n"), value.endswith("\n")
    return ("|" if ended else "|-") + "".join([line + part if part else "\n" for part in text.split("\n")])
