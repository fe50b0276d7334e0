"""One shop, made from examples/b2c.yaml and served for the whole run, and a browser that reaches nothing but it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.ports import free_port

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

ROOT = Path(__file__).parents[2]
PATIENCE = 60  # seconds, on a machine that does ten other things; nothing is waited for on a quiet one
OURS = ("http://127.0.0.1", "data:")
LOCALE = {"fr": "fr-FR", "en": "en-GB", "de": "de-DE", "sv": "sv-SE"}


@dataclass(frozen=True)
class Shop:
    """A running shop: its folder, its address without a trailing slash, and the environment it runs in."""

    folder: Path
    url: str
    env: dict[str, str]

    def manage(self, *args: str) -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", *args],
            cwd=self.folder,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def mails(self) -> list[EmailMessage]:
        """Every mail in the development mailbox, oldest first."""
        files = sorted(
            (self.folder / "var" / "mailbox").glob("*.eml"), key=lambda path: (path.stat().st_mtime_ns, path.name)
        )
        return [message_from_bytes(path.read_bytes(), policy=policy.default) for path in files]  # type: ignore[misc]

    def mail_to(self, address: str, subject: str = "", timeout: float = PATIENCE) -> EmailMessage:
        """The first mail to an address whose subject holds a word; waits for the worker, which sends them."""
        until = time.monotonic() + timeout
        while time.monotonic() < until:
            for mail in self.mails():
                if address in str(mail["To"]) and subject in str(mail["Subject"]):
                    return mail
            time.sleep(0.2)
        held = [(str(mail["To"]), str(mail["Subject"])) for mail in self.mails()]
        raise AssertionError(f"no mail to {address} within {timeout} s; the mailbox holds {held}")


def wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        assert process.poll() is None, log.read_text()
        try:
            urllib.request.urlopen(url, timeout=2)
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise AssertionError(f"no answer from {url}: {log.read_text()}")


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    yield from serve(ROOT / "examples" / "b2c.yaml", tmp_path_factory.mktemp("b2c"))


@pytest.fixture(scope="session")
def business_shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    yield from serve(ROOT / "examples" / "b2b.yaml", tmp_path_factory.mktemp("b2b"))


def serve(spec: Path, work: Path, **more: str) -> Iterator[Shop]:
    """Build a spec, fill the tables, and run the server and the worker until the session ends, with `more` to know."""
    folder = work / "shop"
    subprocess.run(
        [sys.executable, "-m", "checkoutgen", "build", str(spec), str(folder)], cwd=ROOT, check=True, timeout=300
    )
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(work),
        "LANG": "C.UTF-8",
        "DEBUG": "1",
        "PUBLIC_URL": url,
        "DEMO_WEBHOOK_SECRET": "a-secret-for-tests-only",
        **more,
    }
    running = Shop(folder, url, env)
    running.manage("migrate", "--verbosity", "0")
    running.manage("load_catalogue")
    log = work / "log.txt"
    with log.open("wb") as out:
        server = subprocess.Popen(
            [sys.executable, "manage.py", "runserver", "--noreload", f"127.0.0.1:{port}"],
            cwd=folder,
            env=env,
            stdout=out,
            stderr=out,
        )
        worker = subprocess.Popen([sys.executable, "manage.py", "worker"], cwd=folder, env=env, stdout=out, stderr=out)
        try:
            wait_for(url, server, log)
            yield running
        finally:
            for process in (server, worker):
                process.terminate()
            for process in (server, worker):
                process.wait(timeout=PATIENCE)
    text = log.read_text()
    assert "Traceback" not in text, re.sub(r"(?s).*?(Traceback)", r"\1", text, count=1)[:4000]


@dataclass
class Visit:
    """A fresh buyer's browser: one page, every request outside the shop recorded (the browser finds no other host)."""

    page: Page
    context: BrowserContext
    foreign: list[str]
    problems: list[str]


@pytest.fixture
def visit(browser: Browser) -> Iterator[object]:
    """`visit(language="fr", width=1280, javascript=True)` opens a browser; no foreign request may have been made."""
    from playwright.sync_api import expect

    expect.set_options(timeout=PATIENCE * 1000)
    opened: list[Visit] = []

    def open_(language: str = "fr", width: int = 1280, javascript: bool = True, dark: bool = False) -> Visit:
        context = browser.new_context(
            viewport={"width": width, "height": 844 if width < 600 else 900},
            java_script_enabled=javascript,
            locale=LOCALE[language],
            color_scheme="dark" if dark else "light",
            is_mobile=width < 600,
            bypass_csp=False,
        )
        context.set_default_timeout(PATIENCE * 1000)
        seen: list[str] = []
        context.on("request", lambda it: None if it.url.startswith(OURS) else seen.append(it.url))
        page = context.new_page()
        problems: list[str] = []
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
        it = Visit(page, context, seen, problems)
        opened.append(it)
        return it

    yield open_
    for it in opened:
        it.context.close()
        assert it.foreign == []
        broken = [text for text in it.problems if "Content Security Policy" in text or "Error" in text]
        assert broken == []
