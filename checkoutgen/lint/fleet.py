"""Many specs at once: which ones, on how many cores, and which need no second look."""

from __future__ import annotations

import contextlib
import os
import re
import stat
from collections.abc import Callable, Collection, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from checkoutgen.errors import CheckoutgenError, Problem, SpecError, UsageError
from checkoutgen.lint.engine import Options, lint, upcoming
from checkoutgen.lint.model import Finding, Place, Report

if TYPE_CHECKING:
    from checkoutgen.lint.cache import Cache, Digests

INVALID = "invalid-spec"
SEVERAL = 16  # specs from which a second process pays for its start
_SPEC = re.compile(rb"^shop:", re.MULTILINE)


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
        if not stat.S_ISREG(os.stat(path).st_mode):  # noqa: PTH116  a path costs more than the call
            return True  # let the lint say why it cannot be read
        with open(path, "rb") as file:
            return bool(_SPEC.search(file.read()))
    except OSError:
        return True


def check(path: Path, job: Job, text: bytes | None = None) -> tuple[Report, dict[Path, bytes]]:
    """One spec's report, and the files it rests on as they were read: none where one of them may still be missing.

    An unreadable or invalid spec is a report too."""
    from checkoutgen.spec import load

    name = str(path)
    try:
        spec = load(None if name == "-" else path, text=text)
    except SpecError as error:
        return _invalid(name, job, error.problems), {}
    except UsageError as error:
        return _invalid(name, job, (Problem(name, 1, 1, "", str(error).removeprefix(f"{name}: ")),)), {}
    except CheckoutgenError as error:
        return Report(name, job.options.day, broken_rules=[("reading the spec", str(error))]), {}
    except Exception as error:
        why = f"{type(error).__name__}: {error}"
        return Report(name, job.options.day, broken_rules=[("reading the spec", why)]), {}
    report = lint(spec, job.options, [dict(entry) for entry in job.baseline])
    report.inputs = [name, *map(str, list(spec.inputs)[name != "-" :])]  # the first that is read is the spec itself
    if job.until:
        report.upcoming = upcoming(spec, job.options, job.until)
    return report, spec.inputs


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


def run(paths: list[Path], job: Job, *, cached: bool = True, cores: int | None = None) -> Collection[Report]:
    """The report of each spec, in the order given; of many, none is held in memory.

    Raises CheckoutgenError where a process that judged some of them was ended from outside."""
    if len(paths) < SEVERAL:
        return [check(path, job)[0] for path in paths]
    from checkoutgen.lint.kept import Reports

    with _cache(job) if cached else contextlib.nullcontext() as cache:
        return Reports(_texts(paths, job, cache, cores or os.cpu_count() or 1))


def _cache(job: Job) -> contextlib.AbstractContextManager[Cache]:
    from checkoutgen.lint.cache import Cache

    return contextlib.closing(Cache(job))


def _texts(paths: list[Path], job: Job, cache: Cache | None, cores: int) -> Iterator[str]:
    known = {path for path in paths if cache and cache.knows(path)}
    judge = partial(_judge, job=job, cached=cache is not None)
    fresh = _judge_all([path for path in paths if path not in known], judge, cores)
    for path in paths:
        if cache and path in known and (text := cache.get(path)):
            yield text
        else:
            digests, text = judge(path) if path in known else next(fresh)
            if cache:
                cache.put(path, digests, text)
            yield text


def _judge(path: Path, job: Job, *, cached: bool) -> tuple[Digests, str]:
    """The report as text, with what it rests on; no digests where it is not to be kept for the next time."""
    from checkoutgen.lint.kept import text

    report, inputs = check(path, job)
    if not cached or report.broken_rules:
        return [], text(report)
    from checkoutgen.lint.cache import digest

    return [(str(read), digest(content)) for read, content in inputs.items()], text(report)


def _judge_all(
    paths: list[Path], judge: Callable[[Path], tuple[Digests, str]], cores: int
) -> Iterator[tuple[Digests, str]]:
    if cores < 2 or len(paths) < SEVERAL:
        yield from map(judge, paths)
        return
    import gc
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool

    # What the first needs is imported, read and made once, and shared by the processes that part after it.
    yield judge(paths[0])
    gc.freeze()
    context = multiprocessing.get_context("fork" if hasattr(os, "fork") else "spawn")
    chunk = max(1, min(16, len(paths) // (cores * 4)))
    with ProcessPoolExecutor(cores, context) as pool:  # notices, unlike multiprocessing's, when a process is killed
        try:
            yield from pool.map(judge, paths[1:], chunksize=chunk)
        except BrokenProcessPool:
            message = "a process that judged specs was ended from outside, for want of memory perhaps"
            raise CheckoutgenError(f"{message}; nothing is reported: lint fewer specs at once, or again") from None
