"""The shop as several processes that may be killed at any moment."""

from __future__ import annotations

import compileall
import contextlib
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
PAY_WITHIN_SECONDS = 20
COUPON = {"code": "LIMITED", "percent": "10", "uses": 25}
DEMO_FAULTS = {
    "timeout_before": 0.03,
    "timeout_after": 0.05,
    "error": 0.03,
    "wrong_amount": 0.005,
    "copies": 3,
    "delay": 3,
    "forged": 0.02,
    "stale": 0.02,
    "unheard": 0.1,
    "lost": 0.02,
}
HARSH = {"timeout_before": 0.1, "timeout_after": 0.2, "error": 0.1, "wrong_amount": 0.1, "lost": 0.15}
VICTIMS = ("web", "worker", "seller")
MAIL_SERVER = "mails"  # not killed: what it does instead is in mailserver.FAULTS


def build_shop(out: Path, bug: str) -> None:
    """A shop from the example specification, with a short time to pay and a coupon for few."""
    quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL}
    subprocess.run(
        [sys.executable, "-m", "checkoutgen", "build", "examples/b2c.yaml", str(out)], cwd=ROOT, check=True, **quiet
    )
    path = out / "config/shop.json"
    shop = json.loads(path.read_text(encoding="utf-8"))
    shop["payment"]["pay_within_hours"] = PAY_WITHIN_SECONDS / 3600
    shop["checkout"]["coupons"] = [COUPON | ({"uses": 5} if bug else {})]
    wallet = {**shop["payment"]["methods"][0], "id": "wallet", "kind": "wallet", "save": False}
    reserved = {**shop["payment"]["methods"][0], "id": "reserved", "capture": "at-shipping", "save": False}
    shop["payment"]["methods"] += [wallet, reserved]
    path.write_text(json.dumps(shop), encoding="utf-8")
    seeded = out / "custom/seeded"
    seeded.mkdir()
    (seeded / "__init__.py").touch()
    shutil.copy(HERE / "seeded.py", seeded / "apps.py")


class Shop:
    """Web processes, workers and a seller, each its own process group, restarted after every kill."""

    def __init__(
        self, out: Path, database_url: str, *, seed: int = 1, bug: str = "", webs: int = 3, workers: int = 2
    ) -> None:
        self.out, self.logs = out, out / "var/logs"
        self.logs.mkdir(parents=True, exist_ok=True)
        self.places = reserved_port(), listening_port()  # held from here on: nobody else can take them
        self.port, self.smtp_port = (place.getsockname()[1] for place in self.places)
        self.mailbox = out / "var/accepted.txt"
        self.mailbox.touch()
        self.env = {
            **os.environ,
            "DEBUG": "0",
            "SECRET_KEY": "campaign-" * 8,
            "PUBLIC_URL": f"http://127.0.0.1:{self.port}",
            "ALLOW_DEMO_PROVIDER": "1",
            "DEMO_WEBHOOK_SECRET": "campaign-webhook-secret",
            "DEMO_FAULTS": json.dumps(DEMO_FAULTS | (HARSH if bug else {})),
            "EMAIL_HOST": "127.0.0.1",
            "EMAIL_PORT": str(self.smtp_port),
            "DEMO_SLOW": "6",
            "PAYMENTS_CHECK_AFTER": "8",
            "DATABASE_URL": database_url,
            "SEEDED_BUG": bug,
        }
        manage = [sys.executable, "manage.py"]
        serve = [sys.executable, "-m", "granian", "--interface", "wsgi", "--workers", "1", "--blocking-threads", "4"]
        # All on one port: the kernel spreads connections over those that live (SO_REUSEPORT).
        serve += ["--log-level", "warning", "--host", "127.0.0.1", "--port", str(self.port)]
        self.commands: dict[str, list[str]] = {
            **{f"web{i}": [*serve, "config.wsgi:application"] for i in range(webs)},
            **{f"worker{i}": [*manage, "worker", "--pause", "0.7"] for i in range(workers)},
            "seller": [*manage, "shell", "--no-imports", "-c", (HERE / "seller.py").read_text(encoding="utf-8")],
        }
        server = [sys.executable, "-m", "benchmarks.campaign.mailserver"]
        self.commands[MAIL_SERVER] = [*server, str(self.places[1].fileno()), str(self.mailbox), str(seed)]
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.spent: defaultdict[str, float] = defaultdict(float)  # seconds of the processor, of those that have ended
        self.began = time.process_time()
        self.lock = threading.Lock()

    def prepare(self) -> None:
        for command in (["migrate", "-v0"], ["load_catalogue"], ["collectstatic", "--no-input", "-v0"]):
            done = subprocess.run(
                [sys.executable, "manage.py", *command],
                cwd=self.out,
                env=self.env,
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode:
                raise RuntimeError(f"manage.py {command[0]} failed:\n{done.stderr[-2000:]}")
        compileall.compile_dir(self.out, quiet=2)  # or every start does it anew under PYTHONDONTWRITEBYTECODE

    def start(self, name: str) -> None:
        where = ROOT if name == MAIL_SERVER else self.out
        with (self.logs / f"{name}.log").open("ab") as log:
            self.running[name] = subprocess.Popen(
                self.commands[name],
                cwd=where,
                env=self.env,
                stdout=log,
                stderr=log,
                start_new_session=True,
                pass_fds=[self.places[1].fileno()] if name == MAIL_SERVER else [],
            )

    def start_all(self) -> None:
        for name in self.commands:
            self.start(name)
        deadline = time.monotonic() + 60
        while not _answers(self.port):
            self.check()
            if time.monotonic() > deadline:
                raise RuntimeError(f"nothing on port {self.port}; see {self.logs}")
            time.sleep(0.2)

    def check(self) -> None:
        """RuntimeError when a process ended that nobody killed: what follows would be blamed on the shop."""
        for name, process in self.running.items():
            if process.poll() is not None:
                log = (self.logs / f"{name}.log").read_text(encoding="utf-8", errors="replace")
                raise RuntimeError(f"{name} ended by itself ({process.returncode}):\n{log[-2000:]}")

    def signal(self, name: str, number: int) -> None:
        if number == signal.SIGKILL:
            self.spent[name.rstrip("0123456789")] += _processor(self.running[name].pid)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.running[name].pid, number)

    def kill(self, name: str) -> None:
        with self.lock:
            self.signal(name, signal.SIGKILL)
            self.running[name].wait()
            self.start(name)

    def stop(self, *names: str) -> None:
        for name in names or tuple(self.running):
            self.signal(name, signal.SIGKILL)
            self.running.pop(name).wait()


def memory() -> str | None:
    """A folder in memory where there is room, else None for the usual place.

    A killed process leaves to the disk what it wrote, so nothing here tests how durable a disk is; to wait for one
    would only make the campaign longer.
    """
    folder = Path("/dev/shm")
    room = folder.is_dir() and shutil.disk_usage(folder).free > 4 * 2**30
    return str(folder) if room else None


def reserved_port() -> socket.socket:
    """A port for the web processes, which share it; without listening itself it gets no connection."""
    place = socket.socket()
    place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    place.bind(("127.0.0.1", 0))
    return place


def listening_port() -> socket.socket:
    """A place that listens before the process is there that is given it."""
    return socket.create_server(("127.0.0.1", 0))


def _processor(group: int) -> float:
    """Seconds of the processor that a process group has used (Linux)."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12]) if int(fields[2]) == group else 0
    return ticks / os.sysconf("SC_CLK_TCK")


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def kill_at_random(
    shop: Shop, rnd: random.Random, stop: threading.Event, counts: Counter[str], begun: Callable[[], int], every: float
) -> None:
    """kill -9 after about `every` buyers, and now and then a process that hangs for a while.

    By buyers and not by the clock: on a slow machine nothing but starting again would be left to do.
    """
    due = 0.0
    while not stop.wait(rnd.uniform(0.05, 0.25)):
        if begun() < due:
            continue
        due = begun() + rnd.uniform(0.3, 1.7) * every
        kind = rnd.choice(VICTIMS)
        name = rnd.choice([each for each in shop.commands if each.startswith(kind)])
        if rnd.random() < 0.1:
            shop.signal(name, signal.SIGSTOP)
            stop.wait(rnd.uniform(0.5, 2))
            shop.signal(name, signal.SIGCONT)
            counts["SIGSTOP"] += 1
        else:
            shop.kill(name)
            counts[f"kill -9 {name.rstrip('0123456789')}"] += 1


@contextlib.contextmanager
def postgresql() -> Any:
    """A PostgreSQL of our own on a unix socket. Yields its DATABASE_URL."""
    initdb = max(map(str, Path("/usr/lib/postgresql").glob("*/bin/initdb")), default=shutil.which("initdb"))
    if initdb is None:
        raise RuntimeError("PostgreSQL is missing: apt-get install postgresql")
    binaries = Path(initdb).parent
    folder = Path(tempfile.mkdtemp(prefix="campaign-pg-", dir=memory()))
    user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    if user:
        shutil.chown(folder, "postgres")
    quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "cwd": folder}
    data = folder / "data"
    subprocess.run(
        [*user, binaries / "initdb", "-D", data, "-A", "trust", "-U", "shop", "-E", "UTF8"], check=True, **quiet
    )
    options = f"-k {folder} -c listen_addresses= -c synchronous_commit=on -c max_connections=60"
    subprocess.run(
        [*user, binaries / "pg_ctl", "-D", data, "-w", "-o", options, "-l", folder / "log", "start"],
        check=True,
        **quiet,
    )
    try:
        subprocess.run([binaries / "createdb", "-h", folder, "-U", "shop", "shop"], check=True, **quiet)
        yield f"postgresql://shop@/shop?host={folder}"
    finally:
        subprocess.run(
            [*user, binaries / "pg_ctl", "-D", data, "-m", "immediate", "stop"], check=False, stdout=subprocess.DEVNULL
        )
        shutil.rmtree(folder, ignore_errors=True)
