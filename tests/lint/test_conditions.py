"""Conditions of rules are JSON Schema: our small evaluator answers as the library does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkoutgen.lint import paths, rulebook
from checkoutgen.lint.conditions import fragment, holds, match


def fragments(value: Any) -> Iterator[dict[str, Any]]:
    """Every JSON Schema fragment in the rules."""
    for rule in rulebook.rules().values():
        for conditions in [
            rule.applies,
            *(item.get(key, {}) for item in rule.checks if isinstance(item, dict) for key in ("must", "when", "pick")),
        ]:
            for wanted in conditions.values():
                if isinstance(wanted, dict):
                    yield wanted


FRAGMENTS = {json.dumps(fragment, sort_keys=True): fragment for fragment in fragments(None)}
words = st.sampled_from(
    [
        "FR",
        "DE4170928365517",
        "FR123456_01ABCD",
        "fr",
        "nl",
        "card",
        "kg",
        "GmbH",
        "P.O. Box 3",
        "+33 899 1",
        "",
        "review",
    ]
) | st.text(max_size=8)
scalars = st.none() | st.booleans() | st.integers(-5, 100) | words
keys = st.sampled_from(["kind", "country", "scheme", "description", "details", "fee"])
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4), max_leaves=8
)


def test_there_are_fragments_to_compare() -> None:
    assert len(FRAGMENTS) > 20


@pytest.mark.parametrize("text", FRAGMENTS)
def test_every_fragment_is_a_schema(text: str) -> None:
    assert jsonschema_rs.meta.is_valid(FRAGMENTS[text])


@given(text=st.sampled_from(sorted(FRAGMENTS)), value=values)
def test_the_answers_are_the_librarys(text: str, value: Any) -> None:
    assert fragment(FRAGMENTS[text])(value) == jsonschema_rs.Draft202012Validator(FRAGMENTS[text]).is_valid(value)


def test_words_for_presence() -> None:
    assert holds("present")("x")
    assert holds("present")(False)
    assert not holds("present")([])
    assert holds("absent")(None)
    assert holds("absent")(False)
    assert not holds("absent")("x")
    assert holds(True)(True)
    assert not holds(True)(1)
    assert holds({"maximum": 5})(None), "a fragment says nothing about what is not there"
    assert not match({"a": {"maximum": 5}}, paths.getter)({}), "but chooses only what is"
