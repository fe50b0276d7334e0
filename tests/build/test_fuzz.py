"""Whatever stands in a spec: one error or a plan. No traceback, no hang, nothing run, nothing written, no network."""

from __future__ import annotations

import copy
import json
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from checkoutgen.build import report
from checkoutgen.build.plan import plan
from checkoutgen.errors import SpecError, UsageError
from checkoutgen.spec import load
from tests.build.conftest import PIXEL, SOURCE

HOSTILE = [
    None,
    True,
    -1,
    10**30,
    "",
    "../../etc/passwd",
    "/dev/zero",
    "{{ 7*7 }}{% debug %}",
    '"""\nimport os\n',
    "x" * 70_000,
    "\u202e\u0000\ud800",
    "env:HOME",
    "javascript:alert(1)",
    [],
    {},
    [[]],
    {"file": "/etc/passwd"},
    {"fr": "a"},
    {"EUR": "1,5"},
]
SECONDS = 2


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if at:
        yield at
    if isinstance(value, dict):
        for key, child in value.items():
            yield from places(child, (*at, key))
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from places(child, (*at, index))


def put(source: Any, at: tuple[Any, ...], value: Any) -> None:
    """Puts a value at a place, if that is still there."""
    for step in at[:-1]:
        if not isinstance(source, dict | list) or (isinstance(source, dict) and step not in source):
            return
        if isinstance(source, list) and not (isinstance(step, int) and step < len(source)):
            return
        source = source[step]
    last = at[-1]
    if isinstance(source, dict) or (isinstance(source, list) and isinstance(last, int) and last < len(source)):
        source[last] = copy.deepcopy(value)


watching = threading.Event()


def watch(event: str, arguments: tuple[Any, ...]) -> None:
    if not watching.is_set():
        return
    if event in ("os.system", "subprocess.Popen", "socket.connect", "os.exec", "os.mkdir", "os.rename", "os.remove"):
        raise AssertionError(f"{event} {arguments}")
    if event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
        raise AssertionError(f"written: {arguments[0]}")


sys.addaudithook(watch)


@contextmanager
def watched() -> Iterator[None]:
    watching.set()
    try:
        yield
    finally:
        watching.clear()


changes = st.lists(
    st.tuples(st.sampled_from(list(places(SOURCE))), st.sampled_from(HOSTILE) | st.text(max_size=20)), max_size=3
)
damage = st.none() | st.tuples(st.integers(0, 4000), st.binary(max_size=4))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("fuzz")
    (home / "pictures").mkdir()
    (home / "pictures/drap.svg").write_text(PIXEL)
    return home


def attempt(folder: Path, wanted: list[tuple[tuple[Any, ...], Any]], bytes_at: tuple[int, bytes] | None) -> None:
    source = copy.deepcopy(SOURCE)
    for at, value in wanted:
        put(source, at, value)
    text = json.dumps(source).encode()
    if bytes_at:
        text = text[: bytes_at[0]] + bytes_at[1] + text[bytes_at[0] + len(bytes_at[1]) :]
    started = time.process_time()
    with watched():
        try:
            planned = plan(load(folder / "shop.yaml", text=text), folder / "out")
        except (SpecError, UsageError):
            pass
        else:
            json.loads(report.as_json(planned))
            assert all(not path.startswith(("/", "..")) and "/../" not in path for path in planned.writes)
    assert time.process_time() - started < SECONDS


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(changes, damage)
def test_any_spec_gives_an_error_or_a_plan(
    folder: Path, wanted: list[tuple[tuple[Any, ...], Any]], bytes_at: tuple[int, bytes] | None
) -> None:
    attempt(folder, wanted, bytes_at)


@pytest.mark.slow
@settings(max_examples=10_000, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(changes, damage)
def test_ten_thousand_specs(
    folder: Path, wanted: list[tuple[tuple[Any, ...], Any]], bytes_at: tuple[int, bytes] | None
) -> None:
    attempt(folder, wanted, bytes_at)
