"""The contract of the spec language as JSON Schema, with the settings of each provider put in."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PROVIDERS = HERE.parent / "templates" / "payments"
MAILS = HERE.parent / "templates" / "mails"

Schema = dict[str, Any]


@cache
def load() -> Schema:
    """checkout.schema.json with what is found by scan: a key for each provider, a name for each mail."""
    schema: Schema = json.loads((HERE / "checkout.schema.json").read_bytes())
    providers = schema["properties"]["payment"]["properties"]["providers"]["properties"]
    for path in sorted(PROVIDERS.glob("*/schema.json")):
        providers[path.parent.name] = {"x-default": "nothing", **json.loads(path.read_bytes())}
    mails = sorted(path.parent.name for path in MAILS.glob("*/mail.mjml"))
    schema["properties"]["mails"]["properties"]["send"]["items"]["enum"] = mails
    return schema


def providers() -> list[str]:
    """The payment providers there are, by the names of their folders."""
    return list(load()["properties"]["payment"]["properties"]["providers"]["properties"])


def provider(name: str) -> Schema:
    """The schema of a provider's settings; `x-kinds`, `x-fields`, `x-express`, `x-saves`, `x-captures`: what it can;
    `x-refused`: why not what one may look for."""
    found: Schema = load()["properties"]["payment"]["properties"]["providers"]["properties"][name]
    return found


def follow(schema: Schema) -> Schema:
    """The schema itself, or the shared one that it refers to with its own words on top."""
    if "$ref" not in schema:
        return schema
    if id(schema) not in _followed:
        _followed[id(schema)] = {**load()["$defs"][schema["$ref"].removeprefix("#/$defs/")], **schema}
    return _followed[id(schema)]


_followed: dict[int, Schema] = {}  # every schema lives as long as load()'s answer, so its id stays its own


def step(schema: Schema, part: str | int) -> Schema | None:
    """The schema of one key or item of a value with this schema; None when there is none."""
    schema = follow(schema)
    if isinstance(part, int):
        return schema.get("items")
    if part in schema.get("properties", {}):
        found: Schema = schema["properties"][part]
        return found
    for more in [*schema.get("patternProperties", {}).values(), schema.get("additionalProperties")]:
        if isinstance(more, dict):
            return more
    return None


def at(path: tuple[str | int, ...]) -> Schema | None:
    """The schema of the value at a path of a spec; None for a path that the language does not have."""
    schema: Schema | None = load()
    for part in path:
        schema = schema and step(schema, part)
    return follow(schema) if schema else None
