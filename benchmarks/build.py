"""CPU of builds as a multiple of `python -c pass`, measured in turns so that a busy machine counts for both.

    python benchmarks/build.py [SPEC] [--rounds 9]

Exits with 1 when a bar is missed.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parent.parent
BARS = {"build, cold": (16, 10), "build --check, unchanged": (9, 6), "rebuild, 100 files merged": (20, 12)}


def cpu(*command: str | Path) -> float:
    """Seconds of processor time, user and system, of one process with its children."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *map(str, command)], cwd=ROOT, stdout=subprocess.DEVNULL, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def edited(made: Path, out: Path) -> None:
    """A copy of a built shop with 100 texts edited by hand, as if the last build had written them otherwise."""
    import hashlib
    import json
    import zipfile

    shutil.rmtree(out, ignore_errors=True)
    shutil.copytree(made, out)
    manifest = json.loads((out / ".checkoutgen/manifest.json").read_text())
    with zipfile.ZipFile(out / ".checkoutgen/base.zip") as zipped:
        texts = {name: zipped.read(name) for name in zipped.namelist()}
    for path in [path for path in sorted(texts) if texts[path].count(b"\n") > 20 and path.endswith((".py", ".html"))][
        :100
    ]:
        lines = texts[path].splitlines(True)
        texts[path] = b"".join([*lines[:-1], b"# an older last line\n", lines[-1]])
        (out / path).write_bytes(b"# mine\n" + texts[path])
        manifest["files"][path]["digest"] = hashlib.sha256(texts[path]).hexdigest()
    with zipfile.ZipFile(out / ".checkoutgen/base.zip", "w") as zipped:
        for name, content in texts.items():
            zipped.writestr(name, content)
    (out / ".checkoutgen/manifest.json").write_text(json.dumps(manifest))


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("spec", nargs="?", type=Path, default=ROOT / "examples/b2c.yaml")
    arguments.add_argument("--rounds", type=int, default=9)
    chosen = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="checkoutgen-benchmark-") as folder:
        made, out = Path(folder, "made"), Path(folder, "shop")
        tool = ("-m", "checkoutgen", "build", chosen.spec)
        cpu(*tool, made)
        measures: dict[str, tuple[Callable[[], object], tuple[str | Path, ...]]] = {
            "build, cold": (lambda: shutil.rmtree(out, ignore_errors=True), (*tool, out)),
            "build --check, unchanged": (lambda: None, (*tool, made, "--check")),
            "rebuild, 100 files merged": (lambda: edited(made, out), (*tool, out)),
        }
        times: dict[str, list[float]] = {name: [] for name in ("python -c pass", *measures)}
        for _ in range(chosen.rounds):
            times["python -c pass"].append(cpu("-c", "pass"))
            for name, (prepare, command) in measures.items():
                prepare()
                times[name].append(cpu(*command))
    floor = statistics.median(times["python -c pass"])
    missed = False
    print(f"{'':<28}{'ms':>6}{'x':>7}{'bar':>5}{'aim':>5}   load {os.getloadavg()[0]:.1f}")
    for name, seconds in times.items():
        ratio = statistics.median(seconds) / floor
        bar, aim = BARS.get(name, (None, None))
        missed |= bar is not None and ratio > bar
        print(f"{name:<28}{statistics.median(seconds) * 1000:>6.0f}{ratio:>7.1f}{bar or '':>5}{aim or '':>5}")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
