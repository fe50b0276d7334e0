"""A build is applied whole or not at all, touches nothing that is not its own, and refuses wrong places."""

from __future__ import annotations

import errno
import os
import random
import signal
import sqlite3
import sys
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from checkoutgen.build import fresh, write
from checkoutgen.build import plan as plans
from checkoutgen.build.plan import plan
from checkoutgen.build.render import render
from checkoutgen.errors import UsageError
from checkoutgen.spec import Spec
from tests.build.conftest import build, tree

Make = Callable[..., Spec]


def renamed(source):
    source["shop"]["name"] = "Grand Lin"


def without_terms(source):
    renamed(source)
    source["legal"]["pages"].clear()
    source["audience"] = "b2b"


def beside(out: Path) -> list[str]:
    return [path.name for path in out.parent.iterdir() if path.name.startswith(f".{out.name}.")]


def test_what_is_yours_is_carried_and_nothing_is_left_beside(make_spec: Make, out: Path) -> None:
    build(make_spec(), out)
    yours = {
        "var/shop.sqlite3": b"db",
        ".git/HEAD": b"ref",
        ".env": b"SECRET_KEY=x",
        "media/a/b.png": b"png",
        "catalogue/mine.py": b"mine",
        "catalogue/own/app.py": b"own",
        "custom/templates/base.html": b"base",
        "returns/deep/er/note.txt": b"note",
    }
    for path, content in yours.items():
        (out / path).parent.mkdir(parents=True, exist_ok=True)
        (out / path).write_bytes(content)
    (out / "link").symlink_to("/etc/hostname")
    (out / "empty").mkdir()
    (out / "common/__pycache__").mkdir(exist_ok=True)
    inode = (out / "var/shop.sqlite3").stat().st_ino
    build(make_spec(without_terms), out)
    for path, content in yours.items():
        assert (out / path).read_bytes() == content
        assert not (out / path).parent.is_symlink()
    assert (out / "var/shop.sqlite3").stat().st_ino == inode
    assert (out / "link").readlink() == Path("/etc/hostname")
    assert (out / "empty").is_dir()
    assert not (out / "returns/models.py").exists()
    assert beside(out) == []


def test_a_database_that_is_open_goes_on(make_spec: Make, out: Path) -> None:
    build(make_spec(), out)
    (out / "var").mkdir()
    shop = sqlite3.connect(out / "var/shop.sqlite3")
    shop.execute("PRAGMA journal_mode=WAL")
    shop.execute("CREATE TABLE orders (number TEXT)")
    shop.execute("INSERT INTO orders VALUES ('one')")
    shop.commit()
    build(make_spec(renamed), out)
    shop.execute("INSERT INTO orders VALUES ('two')")
    shop.commit()
    with sqlite3.connect(out / "var/shop.sqlite3") as other:
        other.execute("INSERT INTO orders VALUES ('three')")
    other.close()
    assert shop.execute("SELECT number FROM orders").fetchall() == [("one",), ("two",), ("three",)]
    assert shop.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    shop.close()


def test_an_open_database_beside_the_shop_s_files_is_refused(make_spec: Make, out: Path) -> None:
    build(make_spec(), out)
    for name in ("db.sqlite3", "db.sqlite3-wal"):
        (out / name).touch()
    with pytest.raises(UsageError, match=r"db\.sqlite3.*in use"):
        build(make_spec(renamed), out)


def test_only_one_build_at_a_time(make_spec: Make, out: Path) -> None:
    with write.locked(out), pytest.raises(UsageError, match="another build"), write.locked(out):
        pass
    assert beside(out) == []


def test_a_file_saved_while_the_build_runs_is_not_lost(make_spec: Make, out: Path) -> None:
    build(make_spec(), out)
    with write.locked(out):
        planned = plan(make_spec(renamed), out)
        (out / "README.md").write_text("saved just now")
        with pytest.raises(UsageError, match="changed while"):
            write.apply(planned)
    assert (out / "README.md").read_text() == "saved just now"
    assert b"Petit Lin" in (out / "config/shop.json").read_bytes()
    assert beside(out) == []


@pytest.mark.parametrize("full", ["open", "link", "mkdir"])
def test_a_full_disk_leaves_the_old_shop(
    full: str, make_spec: Make, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(make_spec(), out)
    before = tree(out)
    spec = make_spec(renamed)
    calls = 0

    def fails(real: Callable[..., object]) -> Callable[..., object]:
        def call(*args: Any, **options: Any) -> object:
            nonlocal calls
            if full == "open" and not args[1] & os.O_CREAT:  # a full disk can still be read
                return real(*args, **options)
            calls += 1
            if calls == 3:
                raise OSError(errno.ENOSPC, "No space left on device")
            return real(*args, **options)

        return call

    monkeypatch.setattr(os, full, fails(getattr(os, full)))
    with pytest.raises(UsageError, match="the disk is full"):
        build(spec, out)
    monkeypatch.undo()
    assert tree(out) == before
    assert beside(out) == []


@pytest.mark.parametrize("exchange_works", [True, False])
def test_a_killed_build_leaves_the_old_shop_or_the_new_one(
    make_spec: Make, out: Path, monkeypatch: pytest.MonkeyPatch, exchange_works: bool
) -> None:
    if not exchange_works:
        _without_exchange(monkeypatch)
    _freeze(monkeypatch)
    _kill(make_spec, out, times=40, atomic=exchange_works)


@pytest.mark.slow
def test_a_thousand_killed_builds(make_spec: Make, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _freeze(monkeypatch)
    _kill(make_spec, out, times=1000, atomic=True)


STEPS = {"open", "os.mkdir", "os.link", "os.symlink", "os.rename", "os.remove", "os.rmdir", "os.chmod", "ctypes.dlsym"}


@pytest.mark.parametrize(
    ("exchange_works", "stride"),
    [
        (True, 41),
        (False, 23),
        pytest.param(True, 1, marks=pytest.mark.slow),
        pytest.param(False, 1, marks=pytest.mark.slow),
    ],
)
def test_a_build_that_stops_before_any_step_leaves_the_old_shop_or_the_new_one(
    make_spec: Make, out: Path, monkeypatch: pytest.MonkeyPatch, exchange_works: bool, stride: int
) -> None:
    """Every system call that writes is a place to die; the next build goes on from there."""
    if not exchange_works:
        _without_exchange(monkeypatch)
    _freeze(monkeypatch)
    specs, wanted = _two_shops(make_spec, out)
    turn, step, finished = 0, 1, False
    while not finished:
        build(specs[turn % 2], out)
        turn += 1
        finished = _build_until(step, specs[turn % 2], out)
        if not exchange_works:
            with write.locked(out):
                pass
        _is_one_of(wanted, out)
        step += stride
    assert step > 100
    build(specs[0], out)
    assert tree(out) == wanted[0]
    assert beside(out) == []


def _build_until(step: int, spec: Spec, out: Path) -> bool:
    """Builds in a process that ends without a word before its `step`-th call; whether it came to its end."""
    child = os.fork()
    if child == 0:
        left = step

        def count(event: str, _: object) -> None:
            nonlocal left
            left -= event in STEPS
            if left == 0:
                os._exit(9)

        try:
            sys.addaudithook(count)
            build(spec, out)
            os._exit(0)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) in (0, 9)
    return status == 0


def _freeze(monkeypatch: pytest.MonkeyPatch) -> None:
    """Renders each spec once: what is killed is the writing."""
    monkeypatch.setattr(plans, "render", cache(render))
    monkeypatch.setattr(fresh, "tool", cache(fresh.tool))
    monkeypatch.setattr(Spec, "__hash__", object.__hash__)


def _without_exchange(monkeypatch: pytest.MonkeyPatch) -> None:
    class Old:
        @staticmethod
        def CDLL(*_: object, **__: object) -> object:  # noqa: N802
            return object()

    monkeypatch.setattr(write, "ctypes", Old)


def _kill(make_spec: Make, out: Path, times: int, atomic: bool) -> None:
    """Kills builds between two specs at random moments; every tree in between is one of the two."""
    specs, wanted = _two_shops(make_spec, out)
    started = time.perf_counter()
    build(specs[0], out)
    whole = time.perf_counter() - started
    chance = random.Random(7)
    seen: set[int] = set()
    killed = 0
    for turn in range(times):
        child = os.fork()
        if child == 0:
            try:
                build(specs[(turn + 1) % 2], out)
            finally:
                os._exit(0)
        time.sleep(chance.uniform(0, whole * 1.5))
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        killed += os.WIFSIGNALED(status)
        if not atomic:
            with write.locked(out):  # finishes what the kill interrupted
                pass
        seen.add(_is_one_of(wanted, out))
    assert killed > times / 4
    assert seen == {0, 1} or times < 100
    build(specs[0], out)
    assert tree(out) == wanted[0]
    assert beside(out) == []


def _two_shops(make_spec: Make, out: Path) -> tuple[tuple[Spec, Spec], list[dict[str, bytes]]]:
    """Two specs and, with what is the user's among them, the files that each makes."""
    yours = {"var/shop.sqlite3": b"db", "returns/own/app.py": b"own", ".env": b"env"}
    specs = (make_spec(), make_spec(without_terms))
    wanted = []
    for spec in specs:
        build(spec, out)
        for path, content in yours.items():
            (out / path).parent.mkdir(parents=True, exist_ok=True)
            (out / path).write_bytes(content)
        wanted.append(tree(out))
    return specs, wanted


def _is_one_of(wanted: list[dict[str, bytes]], out: Path) -> int:
    there = tree(out)
    there.pop(write.UNFINISHED, None)
    differences = [sorted(path for path in {*there, *one} if there.get(path) != one.get(path)) for one in wanted]
    assert [] in differences, [difference[:9] for difference in differences]
    return differences.index([])


def test_places_that_are_no_shop_are_refused(make_spec: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = make_spec()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign/letter.txt").write_text("dear")
    (tmp_path / "file").write_text("x")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "repository/.git").mkdir(parents=True)
    refused = {
        "foreign": "not empty",
        "file": "not a folder",
        "link": "symbolic link",
        "home": "no place",
        "repository/.git": "no place",
        "repository/.git/hooks": "no place",
        "spec": "folder of the spec",
    }
    before = tree(tmp_path)
    for name, message in refused.items():
        with pytest.raises(UsageError, match=message):
            build(spec, tmp_path / name)
    with pytest.raises(UsageError, match="no place"):
        plan(spec, Path("/"))
    assert tree(tmp_path) == before


def test_a_link_inside_the_shop_is_not_written_through(make_spec: Make, out: Path, tmp_path: Path) -> None:
    build(make_spec(), out)
    victim = tmp_path / "victim"
    victim.mkdir()
    (out / "config").rename(out / "config.old")
    (out / "config").symlink_to(victim)
    with pytest.raises(UsageError, match="symbolic link"):
        build(make_spec(renamed), out)
    (out / "config").unlink()
    (out / "config.old").rename(out / "config")
    (out / "README.md").unlink()
    (out / "README.md").symlink_to(victim / "x")
    with pytest.raises(UsageError, match="not a regular file"):
        build(make_spec(renamed), out)
    assert list(victim.iterdir()) == []


def test_a_folder_or_file_in_the_way_is_named(make_spec: Make, out: Path) -> None:
    build(make_spec(), out)
    (out / "Dockerfile").unlink()
    (out / "Dockerfile").mkdir()
    with pytest.raises(UsageError, match=r"Dockerfile.*is a folder"):
        build(make_spec(renamed), out)


def test_umask_does_not_matter(make_spec: Make, out: Path) -> None:
    old = os.umask(0o077)
    try:
        build(make_spec(), out)
    finally:
        os.umask(old)
    assert (out / "config").stat().st_mode & 0o777 == 0o755
    assert (out / "config/urls.py").stat().st_mode & 0o777 == 0o644
    assert (out / "manage.py").stat().st_mode & 0o777 == 0o755
