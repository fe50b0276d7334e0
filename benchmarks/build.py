"""CPU of builds as a multiple of `python -c pass`, measured in turns so that a busy machine counts for both.

    python benchmarks/build.py [SPEC] [--rounds 9] [--folder DIR]

Shops are made where temporary files are, as a user's are; `--folder /dev/shm` leaves out what the disk costs. Exits
with 1 when a bar is missed.
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
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from checkoutgen.build import manifest as manifests  # noqa: E402
from checkoutgen.build.manifest import BASE, MANIFEST, Base, archive, digest  # noqa: E402
from checkoutgen.build.render import File  # noqa: E402

# A tool that is installed has its modules compiled, whatever a developer's shell says.
ENVIRONMENT = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
BARS = {"build, cold": (16, 10), "build --check, unchanged": (9, 6), "rebuild, 100 files merged": (20, 12)}


def cpu(*command: str | Path) -> float:
    """Seconds of processor time, user and system, of one process with its children."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run = [sys.executable, *map(str, command)]
    subprocess.run(run, cwd=ROOT, env=ENVIRONMENT, stdout=subprocess.DEVNULL, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def edited(made: Path, out: Path) -> None:
    """A copy of a built shop with 100 texts edited by hand, as if the last build had written them otherwise."""
    shutil.copytree(made, out)
    manifest = manifests.load((out / MANIFEST).read_bytes())
    texts = dict(Base((out / BASE).read_bytes()).texts)
    long = [path for path in sorted(texts) if texts[path].count(b"\n") > 20 and path.endswith((".py", ".html"))]
    for path in long[:100]:
        lines = texts[path].splitlines(True)
        texts[path] = b"".join([*lines[:-1], b"# an older last line\n", lines[-1]])
        (out / path).write_bytes(b"# mine\n" + texts[path])
        manifest.files[path] = manifest.files[path]._replace(digest=digest(texts[path]))
    (out / BASE).write_bytes(archive({path: File(content) for path, content in texts.items()}))
    (out / MANIFEST).write_bytes(manifest.dump())


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("spec", nargs="?", type=Path, default=ROOT / "examples/b2c.yaml")
    arguments.add_argument("--rounds", type=int, default=9)
    arguments.add_argument("--folder", type=Path)
    chosen = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="checkoutgen-benchmark-", dir=chosen.folder) as folder:
        made = Path(folder, "made")
        tool = ("-m", "checkoutgen", "build", chosen.spec)
        cpu(*tool, made)
        times: dict[str, list[float]] = {name: [] for name in ("python -c pass", *BARS)}
        for turn in range(chosen.rounds):
            # In new folders, and nothing is deleted before the end: ext4 passes over inodes that were freed in the last
            # minutes one by one, so that a build after a large deletion is charged for it.
            new, merged = Path(folder, f"new-{turn}"), Path(folder, f"merged-{turn}")
            edited(made, merged)
            commands: dict[str, tuple[str | Path, ...]] = {
                "python -c pass": ("-c", "pass"),
                "build, cold": (*tool, new),
                "build --check, unchanged": (*tool, made, "--check"),
                "rebuild, 100 files merged": (*tool, merged),
            }
            for name, command in commands.items():
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
