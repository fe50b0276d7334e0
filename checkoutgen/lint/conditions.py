"""Conditions of rule files: ``{path: wanted}``, all of which must hold.

``wanted`` is ``present``, ``absent``, one value, a list of values (any of them), or a JSON Schema fragment (a map). A
fragment says nothing about a value that is not there, as in JSON Schema itself."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

_TYPES = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "integer": int,
    "number": (int, float),
    "null": type(None),
}


def _is_type(name: str, value: Any) -> bool:
    return isinstance(value, _TYPES[name]) and (name == "boolean" or not isinstance(value, bool))  # type: ignore[arg-type]


def _equal(wanted: Any, value: Any) -> bool:
    return bool(value == wanted) and isinstance(value, bool) == isinstance(wanted, bool)


# The part of JSON Schema (draft 2020-12) that rules use. A library's compiler costs more for these few dozen fragments
# than everything else the lint does; a test compares the answers with the library's.
_KEYWORDS: dict[str, Callable[[Any, Any], bool]] = {
    "const": _equal,
    "enum": lambda wanted, value: any(_equal(item, value) for item in wanted),
    "type": _is_type,
    "pattern": lambda wanted, value: not isinstance(value, str) or re.search(wanted, value) is not None,
    "maxLength": lambda wanted, value: not isinstance(value, str) or len(value) <= wanted,
    "minimum": lambda wanted, value: not _is_type("number", value) or value >= wanted,
    "maximum": lambda wanted, value: not _is_type("number", value) or value <= wanted,
    "exclusiveMinimum": lambda wanted, value: not _is_type("number", value) or value > wanted,
    "minItems": lambda wanted, value: not isinstance(value, list) or len(value) >= wanted,
    "maxItems": lambda wanted, value: not isinstance(value, list) or len(value) <= wanted,
    "minProperties": lambda wanted, value: not isinstance(value, dict) or len(value) >= wanted,
    "required": lambda wanted, value: not isinstance(value, dict) or all(key in value for key in wanted),
    "properties": lambda wanted, value: (
        not isinstance(value, dict)
        or all(is_valid(schema, value[key]) for key, schema in wanted.items() if key in value)
    ),
    "items": lambda wanted, value: not isinstance(value, list) or all(is_valid(wanted, item) for item in value),
    "contains": lambda wanted, value: not isinstance(value, list) or any(is_valid(wanted, item) for item in value),
    "anyOf": lambda wanted, value: any(is_valid(schema, value) for schema in wanted),
    "not": lambda wanted, value: not is_valid(wanted, value),
}


def is_valid(schema: dict[str, Any], value: Any) -> bool:
    """Whether a value satisfies a JSON Schema fragment. Raises KeyError for a keyword that rules may not use."""
    return all(_KEYWORDS[keyword](wanted, value) for keyword, wanted in schema.items())


def is_empty(value: Any) -> bool:
    return value is None or value == "" or value == [] or value == {}


def holds(wanted: Any, value: Any) -> bool:
    """Whether one value is as wanted."""
    if wanted == "present":
        return not is_empty(value)
    if wanted == "absent":
        return is_empty(value) or value is False
    if isinstance(wanted, list):
        return value in wanted
    if isinstance(wanted, dict):
        return value is None or is_valid(wanted, value)
    return _equal(wanted, value)


def first_broken(conditions: dict[str, Any], lookup: Callable[[str], Any]) -> str | None:
    """The path of the first condition that does not hold, or None."""
    for path, wanted in conditions.items():
        if not holds(wanted, lookup(path)):
            return path
    return None


def match(conditions: dict[str, Any], lookup: Callable[[str], Any]) -> bool:
    """As `first_broken`, but a fragment needs a value to say yes to: used to choose what a rule applies to."""
    for path, wanted in conditions.items():
        value = lookup(path)
        if isinstance(wanted, dict) and value is None:
            return False
        if not holds(wanted, value):
            return False
    return True
