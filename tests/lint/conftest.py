"""The tests' caches are their own, and they do not run inside GitHub Actions."""

from __future__ import annotations

import os
from collections.abc import Iterator
from unittest import mock

import pytest


@pytest.fixture(autouse=True, scope="session")
def _surroundings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    home = str(tmp_path_factory.mktemp("cache"))
    environment = {key: value for key, value in os.environ.items() if key != "GITHUB_ACTIONS"} | {
        "XDG_CACHE_HOME": home
    }
    with mock.patch.dict(os.environ, environment, clear=True):
        yield
