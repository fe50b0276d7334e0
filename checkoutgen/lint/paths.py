"""Paths into the resolved spec: ``delivery.methods[0].price``, with ``[*]`` for every element of a list or map."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Any

_PART = re.compile(r"([^.\[\]]+)|\[(\*|\d+)\]")


@cache
def parts(path: str) -> tuple[str | int, ...]:
    """``a.b[0].c`` → ``("a", "b", 0, "c")``; ``[*]`` stays the text ``*``."""
    found: list[str | int] = []
    for name, index in _PART.findall(path):
        found.append(name if name else index if index == "*" else int(index))
    return tuple(found)


@cache
def getter(path: str) -> Callable[[Any], Any]:
    """What looks a path up: gives the value there, or None where anything on the way is missing."""
    keys = parts(path)
    match keys:  # nearly all paths: without a loop in half the time
        case (str(name),):
            return lambda data: data.get(name) if isinstance(data, dict) else None
        case (str(section), str(name)):
            return lambda data: (
                inner.get(name) if isinstance(data, dict) and isinstance(inner := data.get(section), dict) else None
            )
        case (str(section), str(part), str(name)):
            above = getter(f"{section}.{part}")
            return lambda data: inner.get(name) if isinstance(inner := above(data), dict) else None

    def get(data: Any) -> Any:
        for key in keys:
            if isinstance(data, dict):
                data = data.get(key)
            elif isinstance(data, list) and isinstance(key, int) and key < len(data):
                data = data[key]
            else:
                return None
        return data

    return get


def get(data: Any, path: str) -> Any:
    """The value at a path, or None where anything on the way is missing."""
    return getter(path)(data)


def join(base: str, rest: str) -> str:
    return f"{base}.{rest}" if base and rest else base or rest


def expand(data: Any, path: str) -> list[tuple[str, Any]]:
    """Every (path, value) that a path with ``[*]`` stands for. Missing ends give nothing."""
    first, *rest = path.split("[*]")
    found = [(first, get(data, first))]
    last = first
    for part in rest:
        found = [pair for here, value in found for pair in _children(here, value)]
        last = part.removeprefix(".")
        if last:
            look_up = getter(last)
            found = [(f"{here}.{last}", look_up(value)) for here, value in found]
    return [pair for pair in found if pair[1] is not None] if last else found


def _children(path: str, value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, list):
        return [(f"{path}[{index}]", item) for index, item in enumerate(value)]
    if isinstance(value, dict):
        return [(f"{path}.{key}", item) for key, item in value.items()]
    return []
