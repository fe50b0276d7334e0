"""The tests' caches are their own, and every language that the rules know may be linted."""

from __future__ import annotations

import os
from collections.abc import Iterator
from unittest import mock

import pytest

LANGUAGES = ["de", "en", "es", "fr", "it", "nl", "sv"]


@pytest.fixture(autouse=True, scope="session")
def _surroundings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    home = str(tmp_path_factory.mktemp("cache"))
    environment = {key: value for key, value in os.environ.items() if key != "GITHUB_ACTIONS"} | {"XDG_CACHE_HOME": home}
    # A market's law can be judged before the shop speaks its language.
    with (
        mock.patch.dict(os.environ, environment, clear=True),
        mock.patch("checkoutgen.spec.resolve.shipped_languages", lambda: LANGUAGES),
    ):
        yield
