"""Conditions of rule files: ``{path: wanted}``, all of which must hold.

``wanted`` is ``present``, ``absent``, one value, a list of values (any of them), or a JSON Schema fragment (a map). A fragment says
nothing about a value that is not there, as in JSON Schema itself."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from typing import Any


@cache
def _validator(schema: str) -> Any:
    import jsonschema_rs

    return jsonschema_rs.Draft202012Validator(json.loads(schema))


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
        return value is None or bool(_validator(json.dumps(wanted, sort_keys=True)).is_valid(value))
    return bool(value == wanted) and isinstance(value, bool) == isinstance(wanted, bool)


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
