"""Paths into the resolved spec: ``delivery.methods[0].price``, with ``[*]`` for every element of a list or map."""

from __future__ import annotations

import re
from collections.abc import Iterator
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


def get(data: Any, path: str) -> Any:
    """The value at a path, or None where anything on the way is missing."""
    for part in parts(path):
        if isinstance(data, dict):
            data = data.get(part)
        elif isinstance(data, list) and isinstance(part, int) and part < len(data):
            data = data[part]
        else:
            return None
    return data


def join(base: str, rest: str) -> str:
    return f"{base}.{rest}" if base and rest else base or rest


def expand(data: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Every (path, value) that a path with ``[*]`` stands for. Missing ends give nothing."""
    head, star, rest = path.partition("[*]")
    value = get(data, head) if head else data
    if not star:
        if value is not None:
            yield head, value
        return
    rest = rest.removeprefix(".")
    pairs: list[tuple[str, Any]] = []
    if isinstance(value, list):
        pairs = [(f"{head}[{index}]", item) for index, item in enumerate(value)]
    elif isinstance(value, dict):
        pairs = [(f"{head}.{key}", item) for key, item in value.items()]
    for here, item in pairs:
        if not rest:
            yield here, item
            continue
        for sub, found in expand(item, rest):
            yield join(here, sub), found
