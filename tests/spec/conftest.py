"""A small valid spec that the tests change in one place at a time."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from checkoutgen.errors import Problem, SpecError
from checkoutgen.spec import Spec, load

Problems = tuple[Problem, ...]


def minimal() -> dict[str, Any]:
    return {
        "shop": {"name": "Maison Lin", "url": "https://maison-lin.example", "languages": ["en"]},
        "seller": {
            "legal_name": "Maison Lin SAS",
            "address": {"street": "12 rue Esquermoise", "postcode": "59000", "city": "Lille"},
            "email": "bonjour@maison-lin.example",
        },
        "markets": {"FR": {}},
        "catalogue": {"products": [{"id": "sheet", "title": "Sheet", "price": "89.00"}]},
        "delivery": {"methods": [{"id": "home", "kind": "home", "price": "5.90"}]},
        "payment": {"methods": [{"id": "card", "kind": "card", "provider": "demo"}]},
    }


def change(document: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """The document with one value set, for example "delivery.methods.0.price"; maps on the way are made."""
    target: Any = document
    *way, last = path.split(".")
    for key in way:
        target = target[int(key)] if isinstance(target, list) else target.setdefault(key, {})
    if isinstance(target, list):
        target[int(last)] = value
    else:
        target[last] = value
    return document


def written(document: Any) -> bytes:
    """JSON, which is YAML with everything quoted."""
    return json.dumps(document, ensure_ascii=False).encode()


@pytest.fixture
def load_with(tmp_path: Path) -> Callable[..., Spec]:
    """Loads the small spec with changes: load_with({"shop.currency": "EUR"})."""

    def load_with(changes: dict[str, Any] | None = None, document: dict[str, Any] | None = None) -> Spec:
        document = document or minimal()
        for path, value in (changes or {}).items():
            change(document, path, value)
        (tmp_path / "spec.yaml").write_bytes(written(document))
        return load(tmp_path / "spec.yaml")

    return load_with


@pytest.fixture
def problems_with(load_with: Callable[..., Spec]) -> Callable[..., Problems]:
    """The problems of the small spec with changes; fails when there are none."""

    def problems_with(changes: dict[str, Any] | None = None, document: dict[str, Any] | None = None) -> Problems:
        with pytest.raises(SpecError) as caught:
            load_with(changes, document)
        return caught.value.problems

    return problems_with
