"""The Stripe adapter of a made shop against localstripe: a process of its own (it is GPL: nothing imports it)."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
# Its own launcher listens on all addresses and reads a pickle from the temporary folder: we start its application.
LAUNCH = """
import sys
from aiohttp import web
from localstripe.server import app
web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]))
"""


@pytest.fixture(scope="module")
def localstripe() -> Iterator[str]:
    assert find_spec("localstripe"), "install requirements/dev.lock"
    port = free_port()
    silent = subprocess.DEVNULL
    process = subprocess.Popen([sys.executable, "-c", LAUNCH, str(port)], stdout=silent, stderr=silent)
    try:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def test_stripe_adapter_against_localstripe(localstripe: str, tmp_path: Path) -> None:
    examples = tmp_path / "examples"
    shutil.copytree(ROOT / "examples", examples)
    spec = examples / "b2c.yaml"
    spec.write_text(spec.read_text(encoding="utf-8").replace("provider: demo", "provider: stripe"), encoding="utf-8")
    shop = tmp_path / "shop"
    subprocess.run([sys.executable, "-m", "checkoutgen", "build", str(spec), str(shop)], cwd=ROOT, check=True)
    shutil.copy(Path(__file__).parent / "localstripe_checks.py", shop / "tests/test_localstripe.py")
    done = subprocess.run(
        [sys.executable, "manage.py", "test", "tests.test_localstripe"],
        cwd=shop,
        env={**os.environ, "DEBUG": "1", "LOCALSTRIPE_URL": localstripe},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "Ran 6 tests" in done.stderr
