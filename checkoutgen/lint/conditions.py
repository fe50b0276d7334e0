"""Conditions of rule files: ``{path: wanted}``, all of which must hold.

``wanted`` is ``present``, ``absent``, one value, a list of values (any of them), or a JSON Schema fragment (a map). A
fragment says nothing about a value that is not there, as in JSON Schema itself.

Each is made into functions once, so that judging the next spec only calls them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sized
from typing import Any

Test = Callable[[Any], bool]
Getter = Callable[[Any], Any]  # a value out of something that is judged

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


def _equal(wanted: Any) -> Test:
    if isinstance(wanted, bool):
        return lambda value: value is wanted
    if isinstance(wanted, str):
        return lambda value: bool(value == wanted)
    return lambda value: bool(value == wanted) and not isinstance(value, bool)


def _enum(wanted: list[Any]) -> Test:
    if all(isinstance(item, str) for item in wanted):
        return lambda value: value in wanted
    tests = [_equal(item) for item in wanted]
    return lambda value: any(test(value) for test in tests)


def _properties(wanted: dict[str, Any]) -> Test:
    tests = [(key, fragment(schema)) for key, schema in wanted.items()]
    return lambda value: not isinstance(value, dict) or all(test(value[key]) for key, test in tests if key in value)


def _items(wanted: dict[str, Any]) -> Test:
    test = fragment(wanted)
    return lambda value: not isinstance(value, list) or all(map(test, value))


def _contains(wanted: dict[str, Any]) -> Test:
    test = fragment(wanted)
    return lambda value: not isinstance(value, list) or any(map(test, value))


def _any_of(wanted: list[dict[str, Any]]) -> Test:
    tests = [fragment(schema) for schema in wanted]
    return lambda value: any(test(value) for test in tests)


def _not(wanted: dict[str, Any]) -> Test:
    test = fragment(wanted)
    return lambda value: not test(value)


def _number(compare: Callable[[Any, Any], bool]) -> Callable[[Any], Test]:
    return lambda wanted: lambda value: not _is_type("number", value) or compare(value, wanted)


def _size(kind: type[Sized], compare: Callable[[int, int], bool]) -> Callable[[int], Test]:
    return lambda wanted: lambda value: not isinstance(value, kind) or compare(len(value), wanted)


# The part of JSON Schema (draft 2020-12) that rules use. A library's compiler costs more for these few dozen fragments
# than everything else the lint does; a test compares the answers with the library's.
_KEYWORDS: dict[str, Callable[[Any], Test]] = {
    "const": _equal,
    "enum": _enum,
    "type": lambda wanted: lambda value: _is_type(wanted, value),
    "pattern": lambda wanted: lambda value: not isinstance(value, str) or re.search(wanted, value) is not None,
    "maxLength": _size(str, lambda length, most: length <= most),
    "minimum": _number(lambda value, least: value >= least),
    "maximum": _number(lambda value, most: value <= most),
    "exclusiveMinimum": _number(lambda value, bound: value > bound),
    "minItems": _size(list, lambda length, least: length >= least),
    "maxItems": _size(list, lambda length, most: length <= most),
    "minProperties": _size(dict, lambda length, least: length >= least),
    "required": lambda wanted: lambda value: not isinstance(value, dict) or all(key in value for key in wanted),
    "properties": _properties,
    "items": _items,
    "contains": _contains,
    "anyOf": _any_of,
    "not": _not,
}


def fragment(schema: dict[str, Any]) -> Test:
    """What says whether a value satisfies a JSON Schema fragment. Raises KeyError for a keyword rules may not use."""
    tests = [_KEYWORDS[keyword](wanted) for keyword, wanted in schema.items()]
    if len(tests) == 1:
        return tests[0]
    return lambda value: all(test(value) for test in tests)


def is_empty(value: Any) -> bool:
    return not value and (value is None or value == "" or value == [] or value == {})


def holds(wanted: Any) -> Test:
    """What says whether one value is as wanted."""
    if wanted == "present":
        return lambda value: not is_empty(value)
    if wanted == "absent":
        return lambda value: is_empty(value) or value is False
    if isinstance(wanted, list):
        return lambda value: value in wanted
    if isinstance(wanted, dict):
        test = fragment(wanted)
        return lambda value: value is None or test(value)
    return _equal(wanted)


def first_broken(conditions: dict[str, Any], reader: Callable[[str], Getter]) -> Callable[[Any], str | None]:
    """What gives the path of the first condition that does not hold for something, or None.

    `reader` makes of a path what looks it up there."""
    tests = [(path, reader(path), holds(wanted)) for path, wanted in conditions.items()]

    def broken(something: Any) -> str | None:
        for path, look_up, test in tests:
            if not test(look_up(something)):
                return path
        return None

    return broken


def match(conditions: dict[str, Any], reader: Callable[[str], Getter]) -> Test:
    """As `first_broken`, but a fragment needs a value to say yes to: used to choose what a rule applies to."""
    tests = [(reader(path), holds(wanted), isinstance(wanted, dict)) for path, wanted in conditions.items()]
    if not tests:
        return lambda _: True

    def matches(something: Any) -> bool:
        for look_up, test, needs_value in tests:
            value = look_up(something)
            if (needs_value and value is None) or not test(value):
                return False
        return True

    return matches
