"""What a lint costs, as a multiple of the bare interpreter in the same run.

    python benchmarks/lint.py [--runs 15] [--specs 1000]

One spec of 300 lines in a cold process, all rules on, CPU time of the process (user and system); then a folder of specs
on the cores there are: not looked at before, and unchanged (the reports come from the cache). Runs are interleaved with
`python -c pass`, and medians and minima of the ratios are printed: absolute times move with the machine, ratios hardly.
Peak memory is the largest process's.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="4" height="3"/>'
LINES = 300


def product(shop: str, number: int) -> dict[str, object]:
    return {
        "id": f"sheet-{number}",
        "title": f"Drap {shop} {number}",
        "description": f"Drap de lin lavé, cousu à Lille pour {shop}.",
        "price": f"{40 + number}.90",
        "stock": 12,
        "weight": 900,
        "details": [{"name": "Matière", "value": "Lin"}],
        "safety": {"manufacturer": "Tissage", "address": "1 rue du Lin, Lille", "email": "tissage@linen.example"},
        "pictures": [{"file": "sheet.svg", "alt": "Un drap plié"}],
    }


def spec(name: str) -> str:
    """A shop of 300 lines on the French preset; its legal texts are the standard ones of the preset.

    No two have the same seller or products, so that nothing worked out for one helps the next more than it would
    in a fleet.
    """
    document = {
        "extends": ["preset:b2c-fr"],
        "shop": {"name": name, "url": "https://linen.example"},
        "seller": {
            "legal_name": f"{name} SARL",
            "legal_form": "SARL",
            "address": {"street": f"1 rue {name}", "postcode": "59000", "city": "Lille"},
            "email": f"{name.lower().replace(' ', '-')}@linen.example",
            "phone": "+33 3 53 01 24 18",
            "register": {"name": "RCS", "city": "Lille", "number": "904 217 387"},
            "vat_id": "FR31904217387",
            "share_capital": "8000.00",
            "publication_director": f"Ann {name}",
            "host": {"name": "Hoster", "address": "2 rue du Lin, Lille", "phone": "+33 3 53 01 24 18"},
            "adr": {"entity": "Médiateur", "address": f"3 rue {name}, Lille", "url": "https://mediateur.example"},
            "epr": [{"country": "FR", "scheme": "packaging", "id": "FR204817_01KQWD"}],
        },
        "catalogue": {"products": [product(name, number) for number in range(14)]},
    }
    text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True)
    lines = text.splitlines()
    return "\n".join([*lines, *["# that is all"] * (LINES - len(lines))]) + "\n"


def run(*command: str) -> tuple[float, float]:
    """CPU and wall seconds of a command, which has to succeed."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([sys.executable, *command], check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, time.perf_counter() - start


def one_spec(path: Path, runs: int) -> None:
    lint = ("-m", "checkoutgen", "lint", str(path))
    run(*lint)
    bare, ours = [], []
    for _ in range(runs):
        bare.append(run("-c", "pass")[0])
        ours.append(run(*lint)[0])
    ratio = statistics.median(ours) / statistics.median(bare)
    lines = len(path.read_text(encoding="utf-8").splitlines())
    print(
        f"one spec of {lines} lines: {statistics.median(ours) * 1000:.0f} ms CPU, {ratio:.1f} x the interpreter", end=""
    )
    print(f" (minima {min(ours) * 1000:.0f} ms, {min(ours) / min(bare):.1f} x); bar 10, aim 8")


def many_specs(folder: Path, count: int) -> None:
    for number in range(count):
        inside = folder / f"shop-{number:04}"
        inside.mkdir()
        (inside / "sheet.svg").write_text(SVG)
        (inside / "shop.yaml").write_text(spec(f"Linen {number}"), encoding="utf-8")
    lint = ("-m", "checkoutgen", "lint", "--format", "json", str(folder))
    bare = min(run("-c", "pass")[1] for _ in range(5))
    for words, rounds, command in (
        ("not seen before", 7, (*lint, "--no-cache")),
        ("written to the cache", 1, lint),
        ("unchanged", 7, lint),
    ):
        cpus, walls = zip(*sorted(run(*command) for _ in range(rounds)), strict=True)
        cpu, wall = statistics.median(cpus), statistics.median(walls)
        print(f"{count} specs, {words}: {wall:.2f} s, {cpu:.2f} s CPU, {wall / bare:.0f} x the interpreter", end="")
        print(f" (minima {min(walls):.2f} s, {min(cpus):.2f} s CPU)")
    print(f"largest process: {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024:.0f} MiB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--specs", type=int, default=1000)
    wanted = parser.parse_args()
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["XDG_CACHE_HOME"] = str(folder / "cache")
        os.environ.setdefault("PYTHONPYCACHEPREFIX", str(folder / "pyc"))
        (folder / "one").mkdir()
        (folder / "one" / "sheet.svg").write_text(SVG)
        path = folder / "one" / "shop.yaml"
        path.write_text(spec("Linen"), encoding="utf-8")
        one_spec(path, wanted.runs)
        (folder / "many").mkdir()
        many_specs(folder / "many", wanted.specs)


if __name__ == "__main__":
    main()
