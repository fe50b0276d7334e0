"""A spec with every key, changed at random: it is valid or its problems are told; nothing else ever comes out."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checkoutgen import schema as contract
from checkoutgen.errors import SpecError
from checkoutgen.spec import load
from checkoutgen.spec.reader import dotted

from .conftest import minimal, written

ODD: list[Any] = [
    None,
    True,
    False,
    0,
    1,
    -1,
    10**17,
    "",
    " ",
    "0",
    "5.90",
    "1e9",
    "x",
    "X" * 300,
    "é",
    "\n",
    "::x::",
    "{{ 7*7 }}",
    "no",
    "2026-02-30",
    "env:X",
    "sk_live_0123456789",
    "https://a.example",
    "../x",
    "fr",
    "FR",
    "EUR",
    "SE",
    [],
    [None],
    [[]],
    ["x"],
    ["fr", "fr"],
    [1, 2],
    {},
    {"fr": "x"},
    {"EUR": "1"},
    {"EUR": 0.5},
    {"file": "x.md"},
    {"file": "x.md", "fr": "y"},
    {"x": None},
    {"id": "x"},
    {"": ""},
    "home",
    "card",
    "demo",
    "review",
    "drap-lin",
    "bedding",
]


def everything() -> dict[str, Any]:
    """A valid spec that has every key of the schema, made of the schema's own examples."""
    document = {key: _sample(schema) for key, schema in contract.load()["properties"].items() if key != "extends"}
    document["shop"].update(languages=["fr", "en"], logo=None)
    del document["shop"]["logo"], document["shop"]["theme"]["logo"]
    document["markets"] = {"FR": {}, "SE": {"languages": ["fr"], "currency": "SEK", "order_button": "Köp"}}
    amount = {"EUR": "5.90", "SEK": "69"}
    return _settle(json.loads(json.dumps(document)), amount)


def _sample(schema: contract.Schema) -> Any:
    shared = schema.get("$ref", "").removeprefix("#/$defs/")
    schema = contract.follow(schema)
    if shared in ("text", "longText"):
        return "text"
    if shared == "amount":
        return {"EUR": "5.90", "SEK": "69"}
    if "properties" in schema:
        return {key: _sample(inner) for key, inner in schema["properties"].items()}
    if "items" in schema and "properties" in contract.follow(schema["items"]):
        return [_sample(schema["items"])]
    return schema["examples"][0]


def _settle(document: dict[str, Any], amount: dict[str, str]) -> dict[str, Any]:
    """What examples cannot know of one another: files that are not there, and names that refer to names."""
    product = document["catalogue"]["products"][0]
    product.update(pictures=[], related=[], options={"size": "Size"})
    product["variants"][0].update(options={"size": "M"}, picture=None)
    del product["variants"][0]["picture"]
    document["catalogue"].update(files=[], categories={"bedding": {"title": "Bed linen"}})
    document["checkout"]["steps"] = ["contact", "delivery", "payment", "review"]
    (coupon,) = document["checkout"]["coupons"]
    coupon.update(markets=["FR"], percent="10")
    del coupon["amount"], coupon["free_delivery"]
    (method,) = document["delivery"]["methods"]
    method.update(markets=["FR", "SE"])
    method["rates"][0].update(markets=["FR"])
    document["payment"]["methods"][0].update(markets=["FR"], provider="demo", save=False, express=False)
    document["payment"]["providers"] = {"demo": {"webhook_secret": "env:DEMO"}}
    for badge in document["trust"]["badges"]:
        del badge["picture"]
    document["business"]["volume_prices"][0].update(product="drap-lin", sku="DL-1-240")
    document["legal"]["pages"] = dict.fromkeys(document["legal"]["pages"], "text")
    return document


def paths(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [at, *(path for key, item in inner for path in paths(item, (*at, key)))]


def replaced(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    document = deepcopy(document)
    if not path:
        return value
    target = document
    for key in path[:-1]:
        target = target[key]
    target[path[-1]] = value
    return document


FULL = everything()


def test_everything_is_valid(tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_bytes(written(FULL))
    spec = load(tmp_path / "spec.yaml")
    json.dumps(spec.data)
    assert all(spec.given(dotted(path)) for path in paths(FULL) if path)


@pytest.mark.parametrize("document", [minimal(), FULL], ids=["minimal", "full"])
def test_any_value_anywhere(document: dict[str, Any], tmp_path: Path) -> None:
    for path in paths(document)[:: 1 if len(paths(document)) < 60 else 9]:
        for value in ODD:
            only_spec_errors(replaced(document, path, value), tmp_path)


def only_spec_errors(document: Any, folder: Path) -> None:
    try:
        spec = load(folder / "spec.yaml", text=written(document))
    except SpecError as error:
        lines = error.lines()
    else:
        json.dumps(spec.data)
        return
    assert lines
    for line in lines:
        assert "\n" not in line
        assert not line.startswith("::")
        assert "sk_live_0123" not in line


CHANGES = st.lists(
    st.tuples(st.sampled_from(paths(FULL)), st.sampled_from(ODD) | st.text(max_size=20)), min_size=1, max_size=4
)


def changed(changes: list[tuple[tuple[Any, ...], Any]]) -> Any:
    document: Any = FULL
    for path, value in changes:
        try:
            document = replaced(document, path, value)
        except (KeyError, IndexError, TypeError):
            continue  # an earlier change took the place away
    return document


@given(CHANGES)
@settings(max_examples=300, deadline=None)
def test_some_values_somewhere(changes: list[tuple[tuple[Any, ...], Any]]) -> None:
    only_spec_errors(changed(changes), Path())


@pytest.mark.slow
@given(CHANGES)
@settings(max_examples=20_000, deadline=None)
def test_20_000_changed_specs(changes: list[tuple[tuple[Any, ...], Any]]) -> None:
    only_spec_errors(changed(changes), Path())


@pytest.mark.slow
def test_any_value_everywhere(tmp_path: Path) -> None:
    for path in paths(FULL):
        for value in ODD:
            only_spec_errors(replaced(FULL, path, value), tmp_path)
