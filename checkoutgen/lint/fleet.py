"""Many specs at once: which ones, on how many cores, and which need no second look."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from checkoutgen import __version__
from checkoutgen.errors import CheckoutgenError, Problem, SpecError, UsageError
from checkoutgen.lint.engine import Options, lint, upcoming
from checkoutgen.lint.model import Finding, Place, Provision, Report

INVALID = "invalid-spec"
SEVERAL = 16  # specs from which a second process pays for its start
KEPT = 20_000  # reports in the cache
_LISTS = ("findings", "reviewed", "upcoming")
_SPEC = re.compile(rb"^shop:", re.MULTILINE)


Digests = list[tuple[str, str]]  # of files, by name


class Job(NamedTuple):
    """What is the same for every spec of a run."""

    options: Options
    until: str = ""  # last day of `--upcoming`
    baseline: tuple[tuple[tuple[str, str], ...], ...] = ()


def specs(paths: Iterable[Path]) -> list[Path]:
    """The files named, and every spec in the folders named. Raises UsageError for what is not there."""
    found: dict[Path, None] = {}
    for path in paths:
        if path.is_dir():
            below = sorted(_yaml_below(path), key=lambda inside: inside.parts)  # as paths compare, but split once
            found |= dict.fromkeys(inside for inside in below if _is_spec(inside))
        elif str(path) == "-" or path.exists():
            found[path] = None
        else:
            raise UsageError(f"{path}: there is no such file or folder")
    return list(found)


def _yaml_below(root: Path) -> Iterator[Path]:
    for folder, inner, files in os.walk(root):  # half the time of Path.rglob
        inner[:] = [name for name in inner if name[0] != "." and name not in ("node_modules", "templates")]
        yield from (Path(folder, name) for name in files if name[0] != "." and name.endswith((".yaml", ".yml")))


def _is_spec(path: Path) -> bool:
    """Whether a YAML file in a folder is a spec (it has a `shop` section), and not a catalogue, preset or workflow."""
    try:
        with open(path, "rb") as file:
            return bool(_SPEC.search(file.read()))
    except OSError:
        return True  # let the lint say that it cannot be read


def check(path: Path, job: Job, text: bytes | None = None) -> tuple[Report, Digests]:
    """One spec's report, and the digests of the files it rests on: none where one of them may still be missing.

    An unreadable or invalid spec is a report too."""
    from checkoutgen.spec import load

    name = str(path)
    try:
        spec = load(None if name == "-" else path, text=text)
    except SpecError as error:
        return _invalid(name, job, error.problems), []
    except UsageError as error:
        return _invalid(name, job, (Problem(name, 1, 1, "", str(error).removeprefix(f"{name}: ")),)), []
    except CheckoutgenError as error:
        return Report(name, job.options.day, broken_rules=[("reading the spec", str(error))]), []
    except Exception as error:
        why = f"{type(error).__name__}: {error}"
        return Report(name, job.options.day, broken_rules=[("reading the spec", why)]), []
    report = lint(spec, job.options, [dict(entry) for entry in job.baseline])
    report.inputs = list(dict.fromkeys([name, *map(str, spec.inputs)]))
    if job.until:
        report.upcoming = upcoming(spec, job.options, job.until)
    return report, [(str(read), _sha(content)) for read, content in spec.inputs.items()]


def _invalid(file: str, job: Job, problems: tuple[Problem, ...]) -> Report:
    findings = [
        Finding(
            INVALID,
            INVALID,
            "error",
            "missing",
            "",
            p.message,
            p.path,
            Place(p.file, p.line, p.column),
            title="The spec is valid",
        )
        for p in problems
    ]
    return Report(file, job.options.day, findings)


def run(paths: list[Path], job: Job, *, cached: bool = True, cores: int | None = None) -> Iterator[Report]:
    """The report of each spec, in the order given."""
    if len(paths) < SEVERAL:
        yield from (check(path, job)[0] for path in paths)
        return
    cache = _Cache(job) if cached else None
    known = {path: cache.get(path) if cache else None for path in paths}
    todo = [path for path in paths if known[path] is None]
    fresh = _judge_all(todo, job, cores or os.cpu_count() or 1)
    for path in paths:
        report = known[path]
        if report is None:
            report, digests = next(fresh)
            if cache:
                cache.put(path, report, digests)
        yield report
    if cache:
        cache.save()


def _judge_all(paths: list[Path], job: Job, cores: int) -> Iterator[tuple[Report, Digests]]:
    if cores < 2 or len(paths) < SEVERAL:
        yield from (check(path, job) for path in paths)
        return
    import gc
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool
    from functools import partial

    # What the first needs is imported, read and made once, and shared by the processes that part after it.
    yield check(paths[0], job)
    gc.freeze()
    context = multiprocessing.get_context("fork" if hasattr(os, "fork") else "spawn")
    chunk = max(1, min(16, len(paths) // (cores * 4)))
    with ProcessPoolExecutor(cores, context) as pool:  # notices, unlike multiprocessing's, when a process is killed
        try:
            yield from pool.map(partial(check, job=job), paths[1:], chunksize=chunk)
        except BrokenProcessPool:
            message = "a process that judged specs was ended from outside, for want of memory perhaps"
            raise CheckoutgenError(f"{message}; nothing is reported: lint fewer specs at once, or again") from None


class _Cache:
    """Reports by content: of the spec, of every file it names, of the rules, the version and the options.

    One file for each working directory: reports name files as seen from there."""

    def __init__(self, job: Job) -> None:
        import json

        from checkoutgen.lint.rulebook import stamp, user_cache

        tool = Path(__file__).stat().st_mtime_ns
        key = _sha(json.dumps([__version__, tool, stamp(), job, str(Path.cwd())], sort_keys=True, default=str).encode())
        self.path = user_cache() / f"lint-{key[:20]}.json"
        self.hashes: dict[str, str] = {}
        self.changed = False
        try:
            self.entries: dict[str, Any] = json.loads(self.path.read_bytes())
        except (OSError, ValueError):
            self.entries = {}

    def hash(self, path: str) -> str:
        if path not in self.hashes:
            try:
                with open(path, "rb") as file:
                    self.hashes[path] = _sha(file.read())
            except OSError:
                self.hashes[path] = ""
        return self.hashes[path]

    def get(self, path: Path) -> Report | None:
        entry = self.entries.get(str(path))
        if not entry or any(self.hash(name) != digest or not digest for name, digest in entry["files"]):
            return None
        return _report(entry["report"])

    def put(self, path: Path, report: Report, digests: Digests) -> None:
        if report.broken_rules or not digests:
            return
        lists = {name: [vars(finding) for finding in getattr(report, name)] for name in _LISTS}
        self.entries[str(path)] = {"files": digests, "report": {**vars(report), **lists}}
        self.changed = True

    def save(self) -> None:
        import json

        from checkoutgen.lint.rulebook import write_atomically

        if self.changed:
            newest = dict(list(self.entries.items())[-KEPT:])
            write_atomically(self.path, json.dumps(newest, ensure_ascii=False, separators=(",", ":")))


def _sha(content: bytes) -> str:
    import hashlib

    return hashlib.sha256(content).hexdigest()


def _report(kept: dict[str, Any]) -> Report:
    def finding(data: dict[str, Any]) -> Finding:
        return Finding(
            **{
                **data,
                "place": Place(*data["place"]),
                "provisions": tuple(Provision(*p) for p in data["provisions"]),
                "languages": tuple(data["languages"]),
            }
        )

    lists = {name: [finding(data) for data in kept[name]] for name in _LISTS}
    return Report(**{**kept, **lists, "broken_rules": [tuple(pair) for pair in kept["broken_rules"]]})
