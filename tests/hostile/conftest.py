"""A folder with the picture that the whole spec names, and specs in which one text stands everywhere."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from checkoutgen.spec import Spec, load
from tests.hostile.fields import PICTURE, filled, whole
from tests.spec.conftest import written

ROOT = Path(__file__).parents[2]
AUDITED = Path(__file__).parent / "audited.py"
LoadFilled = Callable[[str], Spec]


@pytest.fixture(scope="session")
def load_filled(tmp_path_factory: pytest.TempPathFactory) -> LoadFilled:
    """load_filled(text) -> the spec that has every key, with the text in every place that takes one."""
    folder = tmp_path_factory.mktemp("whole")
    (folder / "picture.svg").write_text(PICTURE)

    def load_filled(text: str) -> Spec:
        document, _ = filled(whole(), lambda _: text)
        return load(folder / "spec.yaml", text=written(document))

    return load_filled


@dataclass(frozen=True)
class Done:
    """What a command came to, and what its audit hook stopped: nothing when it kept to its output folder."""

    code: int
    out: str
    err: str
    stopped: list[str]
    read: list[str]  # every file that was opened
    seconds: float  # of the processor: the machine may be busy with others


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Done]:
    """run("build", spec, out, out=out): a command in a process of its own that may write to `out` and nowhere else."""

    def run(
        *arguments: str | Path,
        out: Path | None = None,
        cwd: Path = tmp_path,
        wrap: tuple[str, ...] = (),
        **environment: str,
    ) -> Done:
        log = tmp_path.parent / f"{tmp_path.name}.audit"
        log.write_text("")
        command = [*wrap, sys.executable, str(AUDITED), str(log), str(out or ""), *map(str, arguments)]
        plain = {
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "PYTHONPATH": str(ROOT),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        start = _spent()
        done = subprocess.run(command, cwd=cwd, env={**plain, **environment}, capture_output=True, timeout=60)
        lines = log.read_text(errors="backslashreplace").splitlines()
        return Done(
            done.returncode,
            done.stdout.decode(),
            done.stderr.decode(),
            [line for line in lines if not line.startswith("read ")],
            [line.removeprefix("read ") for line in lines if line.startswith("read ")],
            _spent() - start,
        )

    return run


def _spent() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def listing(folder: Path) -> dict[str, Any]:
    """Everything below a folder: content of files, targets of links, names of the rest. Links are not followed."""
    found: dict[str, Any] = {}
    for above, folders, names in os.walk(folder):
        for name in [*folders, *names]:
            path = Path(above, name)
            found[str(path.relative_to(folder))] = (
                path.readlink() if path.is_symlink() else _content(path) if path.is_file() else path.stat().st_mode
            )
    return found


def _content(path: Path) -> Any:
    """Of a large file only that nobody wrote to it."""
    found = path.stat()
    return path.read_bytes() if found.st_size < 1 << 24 else (found.st_ino, found.st_size, found.st_mtime_ns)
