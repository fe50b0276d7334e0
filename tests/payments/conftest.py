"""A shop with a method of every payment provider, built once."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from checkoutgen import schema
from checkoutgen.spec import load
from tests.build.conftest import PIXEL, SOURCE, build

PROVIDERS = [name for name in schema.providers() if name != "demo"]


def kind(provider: str) -> str:
    """A kind that the provider does in euro: a card where it does cards."""
    kinds = schema.provider(provider).get("x-kinds", {"card": []})
    return next(name for name, currencies in sorted(kinds.items()) if not currencies or "EUR" in currencies)


def written(folder: Path, methods: list[dict[str, str]]) -> Path:
    (folder / "pictures").mkdir(parents=True)
    (folder / "pictures/drap.svg").write_text(PIXEL)
    source = copy.deepcopy(SOURCE)
    source["payment"]["methods"] = methods
    (folder / "shop.yaml").write_text(json.dumps(source, ensure_ascii=False), "utf-8")
    return folder / "shop.yaml"


@pytest.fixture(scope="session")
def spec(tmp_path_factory: pytest.TempPathFactory) -> Path:
    methods = [{"id": name, "kind": kind(name), "provider": name} for name in PROVIDERS]
    return written(tmp_path_factory.mktemp("providers") / "spec", methods)


@pytest.fixture(scope="session")
def shop(spec: Path) -> Path:
    build(load(spec), spec.parent / "shop")
    return spec.parent / "shop"


def manage(shop: Path, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A command of the shop with an environment of its own; both channels in `stdout`."""
    plain = {key: os.environ[key] for key in ("PATH", "HOME", "LANG") if key in os.environ}
    return subprocess.run(
        [sys.executable, "manage.py", *command],
        cwd=shop,
        env=plain | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
    )
