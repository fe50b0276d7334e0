"""The schema as a schema: sound, complete in words, and no pattern that lets a newline through."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import jsonschema
import pytest

from checkoutgen import schema as contract

SCHEMA = contract.load()
PATHS = [contract.HERE / "checkout.schema.json", *sorted(contract.PROVIDERS.glob("*/schema.json"))]


def properties(schema: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any], bool]]:
    """(path, schema, required) of every key."""
    if isinstance(schema, dict):
        for key, inner in schema.get("properties", {}).items():
            yield f"{path}.{key}", inner, key in schema.get("required", [])
        for key, inner in schema.items():
            if key not in ("examples", "default", "enum"):
                yield from properties(inner, f"{path}.{key}" if key != "properties" else path)
    elif isinstance(schema, list):
        for inner in schema:
            yield from properties(inner, path)


def nodes(schema: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        yield schema
        for key, inner in schema.items():
            if key not in ("examples", "default", "enum"):
                yield from nodes(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from nodes(inner)


KEYS = list(properties(SCHEMA))


def test_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize(("path", "schema", "required"), [pytest.param(*key, id=key[0]) for key in KEYS])
def test_every_key_says_what_it_is(path: str, schema: dict[str, Any], required: bool) -> None:
    assert schema.get("description", "").strip().endswith(".")
    assert schema["examples"]
    assert required or "default" in schema or schema.get("x-default") or path.startswith(".$defs"), "no default"
    own = deepcopy(SCHEMA) | {"required": [], "properties": {}, "additionalProperties": True}
    validator = jsonschema.Draft202012Validator(own | {"properties": {"it": schema}})
    for value in [*schema["examples"], *([schema["default"]] if "default" in schema else [])]:
        errors = [error.message for error in validator.iter_errors({"it": value})]
        assert not errors, value


def test_every_map_is_closed_and_every_list_bounded() -> None:
    for node in nodes(SCHEMA):
        types = node.get("type", [])
        if "object" in types:
            assert "additionalProperties" in node, node.get("description")
            assert "properties" in node or ("maxProperties" in node and "propertyNames" in node)
        if "array" in types:
            assert "maxItems" in node, node.get("description")
        if "string" in types and "enum" not in node:
            assert "maxLength" in node or node.get("format") in ("timezone",), node.get("description")
        assert "oneOf" not in node
        assert "anyOf" not in node


def test_no_pattern_takes_a_newline_at_the_end() -> None:
    patterns = [node["pattern"] for node in nodes(SCHEMA) if isinstance(node.get("pattern"), str)]
    patterns += [pattern for node in nodes(SCHEMA) for pattern in node.get("patternProperties", {})]
    assert len(patterns) > 10
    for pattern in patterns:
        assert pattern.startswith("^")
        assert pattern.endswith("(?!\\n)$")
        assert not re.search(r"\\[dwsDWS]", pattern), "takes digits and letters of other scripts"


def test_every_pattern_has_words_for_its_error() -> None:
    assert all("x-words" in node for node in nodes(SCHEMA) if isinstance(node.get("pattern"), str))


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.parent.name)
def test_files_are_as_json_writes_them(path: Any) -> None:
    text = path.read_text(encoding="utf-8")
    assert json.loads(text)
    assert text.endswith("}\n")


def test_at_finds_the_schema_of_a_path() -> None:
    found = contract.at(("delivery", "methods", 0, "rates", 1, "price"))
    assert found is not None
    assert found["format"] == "amount"
    assert contract.at(("delivery", "nothing")) is None
    assert contract.at(("markets", "FR", "order_button", "fr")) is not None
