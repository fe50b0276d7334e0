"""The fault campaign in its short form: 1,000 buyers on each database while processes die and everybody else fails.

`make slow` plants bugs, `make campaign` has 10,000 on each. It kills by buyers, not by the clock, so
that a slow machine takes longer and finds the same.
"""

from __future__ import annotations

import itertools
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks.campaign import __main__ as storm
from benchmarks.campaign.checker import CHECKS
from benchmarks.campaign.processes import MAIL_SERVER, Shop
from benchmarks.campaign.seeded import BUGS

ROOT = Path(__file__).resolve().parents[2]

# One after the other: each has nine processes of its own.
pytestmark = [pytest.mark.xdist_group("campaign"), pytest.mark.timeout(1900)]


def campaign(*options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks.campaign", *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=1800)


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_nothing_is_lost_doubled_or_invented(database: str) -> None:
    done = campaign("--database", database, "--checkouts", "1000", "--seed", "11", "--patient")
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
    assert "  1000 buyers in " in done.stdout
    assert f" of {len(CHECKS)} invariants hold" in done.stdout
    assert "kill -9 web" in done.stdout
    assert "kill -9 worker" in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("bug", sorted(BUGS))
def test_planted_bug_is_found(bug: str) -> None:
    done = campaign("--checkouts", "150", "--bug", bug)
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
    assert "VIOLATED" in done.stdout


class Clock:
    """Time that passes only while somebody sleeps."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def settled_after(monkeypatch: pytest.MonkeyPatch, waiting: Iterator[int]) -> float:
    monkeypatch.setattr(storm, "time", Clock())
    books: Any = SimpleNamespace(fast_forward=lambda: None, unsettled=lambda: {"mails": next(waiting)})
    shop: Any = SimpleNamespace(check=lambda: None)
    return storm._settle(shop, books)


def test_recovery_is_waited_for_as_long_as_something_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    slowly = (each for each in range(30, -1, -1) for _ in range(storm.STUCK - 1))
    assert settled_after(monkeypatch, itertools.chain(slowly, itertools.repeat(0))) > 30 * (storm.STUCK - 2)


def test_recovery_that_stands_still_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    assert settled_after(monkeypatch, itertools.chain([9, 8], itertools.repeat(7))) < storm.STUCK + 5


def test_nobody_else_can_take_the_ports_of_a_campaign(tmp_path: Path) -> None:
    shop = Shop(tmp_path, "")
    for port in (shop.port, shop.smtp_port):
        with socket.socket() as other, pytest.raises(OSError, match="in use"):
            other.bind(("127.0.0.1", port))


def test_process_that_ended_by_itself_is_an_error(tmp_path: Path) -> None:
    shop = Shop(tmp_path, "")
    shop.commands[MAIL_SERVER] = [sys.executable, "-c", "raise SystemExit('no more room')"]
    shop.start(MAIL_SERVER)
    shop.running[MAIL_SERVER].wait(30)
    with pytest.raises(RuntimeError, match=r"mails ended by itself \(1\):\nno more room"):
        shop.check()


def test_mail_server_answers_at_the_place_it_was_given(tmp_path: Path) -> None:
    shop = Shop(tmp_path, "")
    shop.start(MAIL_SERVER)
    try:
        with socket.create_connection(("127.0.0.1", shop.smtp_port), 30) as client:
            assert client.recv(4) == b"220 "
    finally:
        shop.stop()
