"""A small spec that asks for most of what there is, and the way to build it."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from checkoutgen.build.plan import Plan
from checkoutgen.build.write import build
from checkoutgen.spec import Spec, load

__all__ = ["SOURCE", "actions", "build", "tree"]

PIXEL = '<svg xmlns="http://www.w3.org/2000/svg" width="4" height="3"><rect width="4" height="3"/></svg>\n'
SOURCE: dict[str, Any] = {
    "version": 1,
    "shop": {"name": "Petit Lin", "url": "https://petit.example", "languages": ["fr", "en"], "tagline": "Du lin"},
    "seller": {
        "legal_name": "Petit Lin SAS",
        "email": "bonjour@petit.example",
        "address": {"street": "1 rue Haute", "postcode": "59000", "city": "Lille", "country": "FR"},
    },
    "audience": "b2c",
    "markets": {"FR": {}, "BE": {"languages": ["fr"]}},
    "catalogue": {
        "categories": {"sheets": {"title": {"fr": "Draps", "en": "Sheets"}}, "bath": {"title": "Bain"}},
        "products": [
            {
                "id": "drap",
                "title": {"fr": "Drap", "en": "Sheet"},
                "description": "Lin lavé",
                "category": "sheets",
                "price": "5.90",
                "stock": 3,
                "pictures": [{"file": "pictures/drap.svg", "alt": "Un drap"}],
            },
            {"id": "serviette", "title": "Serviette", "price": "12", "category": "bath"},
        ],
    },
    "delivery": {"methods": [{"id": "home", "kind": "home", "days": [2, 3], "price": "4.90"}]},
    "payment": {"methods": [{"id": "card", "kind": "card", "provider": "demo"}]},
    "legal": {"pages": {"terms": "# Conditions\n\nPrix en euros.\n"}},
}

Edit = Callable[[dict[str, Any]], object]


@pytest.fixture
def make_spec(tmp_path: Path) -> Callable[..., Spec]:
    """make_spec(edit) -> the spec of SOURCE after `edit` changed a copy of it."""
    folder = tmp_path / "spec"
    (folder / "pictures").mkdir(parents=True)
    (folder / "pictures/drap.svg").write_text(PIXEL)

    def make(edit: Edit = lambda source: None) -> Spec:
        source = copy.deepcopy(SOURCE)
        edit(source)
        path = folder / "shop.yaml"
        path.write_text(
            json.dumps(source, ensure_ascii=False, indent=1), "utf-8"
        )  # which is YAML, with every text quoted
        return load(path)

    return make


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "shop"


def tree(out: Path) -> dict[str, bytes]:
    """Every file below a folder, as a program that opens it would see it."""
    paths = (Path(folder, name) for folder, _, names in os.walk(out, followlinks=True) for name in names)
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in paths}


def actions(planned: Plan) -> dict[str, str]:
    return {change.path: change.action for change in planned.changes}
