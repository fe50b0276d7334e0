"""What all tests share: how long hypothesis searches, and the one browser of a test process."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# No deadline: the machines that run this are shared. HYPOTHESIS_PROFILE=thorough for a long search.
settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("thorough", settings.get_profile("default"), max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))

# The one without windows takes half the processor time of the other for the same pages.
CHROMIUM = [Path("/usr/bin/chromium-headless-shell"), Path("/usr/bin/chromium")]
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",  # whatever a page asks for, nothing leaves this machine
]


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The campaign first: it takes longest, and the browser's tests beside it mostly wait."""
    items.sort(key=lambda item: "test_campaign.py" not in item.nodeid)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium. One a process: Playwright's driver cannot be started a second time beside itself."""
    from playwright.sync_api import sync_playwright

    installed = next((path for path in CHROMIUM if path.exists()), None)
    if installed is None:
        pytest.fail("Chromium is missing: `.ci/chromium` installs it")
    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=str(installed), headless=True, args=FLAGS)
        yield chromium
        chromium.close()
