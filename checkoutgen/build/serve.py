"""Runs a shop for development: build, migrate, load the catalogue, serve; again whenever the spec changes."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from checkoutgen.build.changes import summary
from checkoutgen.build.manifest import digest
from checkoutgen.build.select import TEMPLATES, providers
from checkoutgen.build.write import build
from checkoutgen.errors import CheckoutgenError, UsageError

if TYPE_CHECKING:
    from checkoutgen.spec import Spec

HOST = "127.0.0.1"
Stamps = dict[Path, int]


def serve(path: Path, out: Path | None, port: int) -> None:
    """Serves the shop of the spec at `path` until interrupted. UsageError for a busy port, before anything is built."""
    from checkoutgen.spec import load

    port = free(port)
    spec = load(path)
    python = interpreter(spec)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that server and worker end with us
    with ExitStack() as stack:
        folder = out or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="checkoutgen-"))) / "shop"
        environment = {
            **os.environ,
            "DEBUG": "1",
            "PUBLIC_URL": f"http://{HOST}:{port}",
            "PYTHONUNBUFFERED": "1",
            "DJANGO_RUNSERVER_HIDE_WARNING": "true",
        }
        login = ""
        while True:
            _build(spec, folder)
            for command in (["migrate", "--no-input", "--verbosity", "0"], ["load_catalogue"]):
                manage(python, folder, environment, *command)
            login = login or manage(python, folder, environment, "demo_login")
            _say(spec, port, login)
            with _running(python, folder, environment, port) as processes:
                spec = _changed(path, spec, processes)


def free(port: int) -> int:
    """The port if nobody listens on it; for 0, one that is free."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise UsageError(f"port {port} cannot be used ({error.strerror}): choose another with --port") from None
        return int(probe.getsockname()[1])


def interpreter(spec: Spec) -> str:
    """A Python that has what the shop runs on: this one, or an environment made once and kept in the user's cache."""
    folders = [TEMPLATES / "shop", *(TEMPLATES / "payments" / name / "shop" for name in providers(spec.data))]
    locks = [lock for folder in folders for lock in sorted(folder.glob("requirements*.lock"))]
    if all(_installed(lock.read_text()) for lock in locks):
        return sys.executable
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "checkoutgen"
    home = cache / f"shop-{digest(b''.join(lock.read_bytes() for lock in locks))[:16]}"
    python = home / "bin" / "python"
    ready = home / "ready"
    if not ready.exists():
        print(f"making an environment for shops in {home} (once)", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(home)], check=True)
        install = [str(python), "-m", "pip", "install", "--quiet", "--require-hashes"]
        for lock in locks:
            install += ["-r", str(lock)]
        if subprocess.run(install, check=False).returncode:
            raise UsageError(f"the packages of {', '.join(map(str, locks))} could not be installed; see above")
        ready.touch()
    return str(python)


def _installed(lock: str) -> bool:
    from importlib.metadata import PackageNotFoundError, version

    for line in lock.splitlines():
        name, equals, rest = line.partition("==")
        if equals and not line.startswith((" ", "#")) and "sys_platform == 'win32'" not in line:
            try:
                if version(name) != rest.split()[0]:
                    return False
            except PackageNotFoundError:
                return False
    return True


def _build(spec: Spec, folder: Path) -> None:
    planned = build(spec, folder)
    print(f"{folder}: {summary(planned.changes, planned.pending)}", flush=True)


def manage(python: str, folder: Path, environment: dict[str, str], *command: str) -> str:
    """What a command of the shop prints. CheckoutgenError when it fails; its own message is on standard error."""
    run = [python, "manage.py", *command]
    done = subprocess.run(run, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise CheckoutgenError(f"manage.py {command[0]} failed in {folder}; see above")
    return done.stdout.strip()


def _say(spec: Spec, port: int, login: str) -> None:
    address = f"http://{HOST}:{port}"
    print(f"\n  {spec.data['shop']['name']}")
    print(f"  shop         {address}/")
    print(f"  back office  {login}")
    print(f"  mailbox      {address}/mailbox/")
    print("  Ctrl+C stops it; a change of the spec builds it again.\n", flush=True)


@contextmanager
def _running(
    python: str, folder: Path, environment: dict[str, str], port: int
) -> Iterator[list[subprocess.Popen[bytes]]]:
    """The server and the worker beside it, each in its own process group, so that both end with us."""
    commands = (["runserver", "--noreload", f"{HOST}:{port}"], ["worker"])
    running = [
        subprocess.Popen([python, "manage.py", *command], cwd=folder, env=environment, start_new_session=True)
        for command in commands
    ]
    try:
        yield running
    finally:
        for process in running:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
        for process in running:
            process.wait(timeout=10)


def _changed(path: Path, spec: Spec, processes: list[subprocess.Popen[bytes]]) -> Spec:
    """Waits until the spec, or a file that it names, changes into something valid."""
    from checkoutgen.spec import load

    seen = _stamps(spec)
    while True:
        time.sleep(0.5)
        if any(process.poll() is not None for process in processes):
            raise CheckoutgenError("the server or the worker stopped; see above")
        now = _stamps(spec)
        if now != seen:
            seen = now
            try:
                return load(path)
            except CheckoutgenError as error:
                print(error, flush=True)


def _stamps(spec: Spec) -> Stamps:
    return {path: path.stat().st_mtime_ns if path.exists() else 0 for path in spec.inputs}
