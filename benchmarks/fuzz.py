"""Hostile and careless specs by the thousand: each is refused at a place, or read, judged, planned and rendered.

    python benchmarks/fuzz.py [--documents 100000] [--seed 1] [--minutes 60]

Hypothesis writes them: a spec that has every key of the schema with some values changed for others that its schema
takes, for values that it does not take, and for texts that mean something to the languages of a shop; and the bytes of
the examples with some cut, repeated, exchanged or put in between. One valid spec in 20 is built, over the one before.
Printed: how many there were, how many were valid, the longest time of one, the most memory of the process, and whatever
was no refusal. Exit code 1 if there was any; 99 if one began a process or a connection or wrote outside its folder.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from checkoutgen import schema as contract  # noqa: E402
from checkoutgen.build import report as plans  # noqa: E402
from checkoutgen.build.plan import plan  # noqa: E402
from checkoutgen.build.write import apply, locked  # noqa: E402
from checkoutgen.errors import CheckoutgenError, SpecError  # noqa: E402
from checkoutgen.lint import engine  # noqa: E402
from checkoutgen.spec import Spec, load  # noqa: E402
from tests.hostile import audited  # noqa: E402
from tests.hostile.fields import PICTURE, whole  # noqa: E402
from tests.hostile.polyglots import POLYGLOTS  # noqa: E402
from tests.spec.conftest import minimal, written  # noqa: E402
from tests.spec.test_fuzz import ODD, paths  # noqa: E402

SLOW, LARGE = 2.0, 300  # seconds, MiB
HANGS = 20.0  # seconds of the processor after which a document is given up
BUILT = 20  # of so many valid specs one is built
CHUNK = 500  # documents of one run of hypothesis, whose memory grows with its run
BASES: list[tuple[Any, list[tuple[Any, ...]]]] = [(base, paths(base)) for base in (whole(), minimal())]
EXAMPLES = [(ROOT / f"examples/{name}.yaml").read_bytes() for name in ("b2c", "b2b", "minimal")]
PIECES = [
    *(bytes([byte]) for byte in (0, 9, 10, 13, 27, 0x7F, 0x80, 0xFF)),
    *(
        piece.encode()
        for piece in ": |- |> |? |- - |[|]|{|}|'|\"|#|&a |*a|<<: |!!int |!x |%YAML 1\n|---\n|\\|\t|\r\n".split("|")
    ),
    b"\xe2\x80\xa8", b"\xef\xbb\xbf", b"\xe2\x80\xae", b"\xc2\x85", b"\xed\xa0\x80",
    b"012", b"1e999", b"no", b"~", b".nan",
    b"version: 1\n", b"  - ", b"{a: 1}: b\n", b"9" * 400, b"[" * 40, b"- " * 40, b"&a [*a]",
]  # fmt: skip


@dataclass
class Count:
    documents: int = 0
    valid: int = 0
    built: int = 0
    worst: float = 0.0
    faults: Counter[str] = field(default_factory=Counter)
    samples: dict[str, bytes] = field(default_factory=dict)


def of(schema: contract.Schema, depth: int = 4) -> st.SearchStrategy[Any]:
    """Values that a schema takes, or nearly."""
    schema = contract.follow(schema)
    found: list[st.SearchStrategy[Any]] = []
    if choices := schema.get("enum") or ([schema["const"]] if "const" in schema else None):
        found.append(st.sampled_from(choices))
    elif examples := schema.get("examples"):
        found.append(st.sampled_from(examples))
    kinds = schema.get("type", ())
    if "integer" in kinds:
        found.append(st.integers(schema.get("minimum", -1), schema.get("maximum", 10**9)))
    if "boolean" in kinds:
        found.append(st.booleans())
    if "string" in kinds and not choices:
        found.append(st.sampled_from([*POLYGLOTS.values()]) | st.text(max_size=30))
    if depth and "items" in schema:
        found.append(st.lists(of(schema["items"], depth - 1), max_size=3))
    if depth and "properties" in schema:
        keys = {key: of(inner, depth - 1) for key, inner in schema["properties"].items()}
        needed = {key: keys.pop(key) for key in schema.get("required", ())}
        found.append(st.fixed_dictionaries(needed, optional=keys))
    return st.one_of(found or [st.none()])


def replaced(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    """The document with another value at a place; what lies beside the way there is shared."""
    if not path:
        return value
    copied = document.copy()
    copied[path[0]] = replaced(document[path[0]], path[1:], value)
    return copied


@cache
def fitting(path: tuple[Any, ...]) -> st.SearchStrategy[Any] | None:
    """Values that the schema takes, or nearly, at a place of a document; None where it knows no such place."""
    schema = contract.at(path)
    return of(schema) if schema else None


ANYTHING = st.sampled_from(ODD) | st.text(max_size=20) | st.sampled_from([*POLYGLOTS.values()])


@st.composite
def changed(draw: st.DrawFn) -> bytes:
    document, places = draw(st.sampled_from(BASES))
    for path in draw(st.lists(st.sampled_from(places), min_size=1, max_size=3)):
        values = fitting(path)
        try:
            document = replaced(
                document, path, draw(values if values is not None and draw(st.integers(0, 2)) else ANYTHING)
            )
        except (KeyError, IndexError, TypeError, AttributeError):
            continue  # an earlier change took the place away
    try:
        return json.dumps(document, ensure_ascii=False, default=str).encode(errors="surrogatepass")
    except (TypeError, ValueError):
        return b""


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    content = draw(st.sampled_from(EXAMPLES))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(content)))
        end = min(len(content), start + draw(st.integers(0, 40)))
        piece = draw(st.sampled_from(PIECES) | st.binary(max_size=6) | st.just(content[end : end + 30]))
        content = content[:start] + piece + content[end:]
    return content


DOCUMENTS = st.integers(0, 2).flatmap(lambda choice: mutated() if choice == 0 else changed())


class Fuzzer:
    """One shop that every valid spec is planned onto, and what was seen."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.out, self.built, self.count = folder, folder / "shop", folder / "built", Count()
        for name in ("b2c", "b2b", "minimal"):
            (folder / name).symlink_to(ROOT / "examples" / name)
        (folder / "picture.svg").write_text(PICTURE)
        with locked(self.out):
            apply(plan(self.load(written(whole())), self.out))
        self.before = self.state()

    def load(self, content: bytes) -> Spec:
        return load(self.folder / "spec.yaml", text=content)

    def state(self) -> list[str]:
        """What stands in the folder beside the shops that were built and the lint's own cache."""
        apart = (self.built, self.folder / "cache")
        return sorted(str(path) for path in self.folder.rglob("*") if not any(map(path.is_relative_to, apart)))

    def feed(self, content: bytes) -> None:
        start = time.process_time()
        signal.setitimer(signal.ITIMER_PROF, HANGS)
        try:
            self.take(content)
        except CheckoutgenError as error:
            if error.exit_code != 2 or any(_odd(line) for line in str(error).splitlines()):
                self.fault(content, f"{type(error).__name__} with exit code {error.exit_code} or an odd line")
        except Exception as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            self.fault(content, f"{type(error).__name__} at {Path(where.filename).name}:{where.lineno}")
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
        taken = time.process_time() - start
        self.count.documents += 1
        if taken > self.count.worst:
            self.count.worst = taken
            self.count.samples["slowest"] = content
        if taken > SLOW:
            self.fault(content, f"longer than {SLOW} s")

    def take(self, content: bytes) -> None:
        try:
            spec = self.load(content)
        except SpecError as error:
            if not error.lines() or any(_odd(line) for line in error.lines()):
                raise ValueError("an odd line") from None
            return
        self.count.valid += 1
        report = engine.lint(spec, engine.Options(day="2026-11-22"))
        if report.broken_rules:
            self.fault(content, f"a rule failed inside: {report.broken_rules[0]}"[:200])
        planned = plan(spec, self.out)  # renders
        for said in (plans.text(planned), plans.markdown(planned).splitlines()):
            if any(_odd(line) for line in said):
                raise ValueError("an odd line in a plan")
        json.loads(plans.as_json(planned))
        if self.count.valid % BUILT == 0:
            self.count.built += 1
            with locked(self.built):
                apply(plan(spec, self.built))

    def fault(self, content: bytes, what: str) -> None:
        self.count.faults[what] += 1
        self.count.samples.setdefault(what, content)

    def run(self, documents: int, first: int, until: float, tell: Callable[[Count], None] = lambda _: None) -> Count:
        for chunk in range(-(-documents // CHUNK)):
            if time.process_time() > until:
                break
            _feed(self, min(CHUNK, documents - chunk * CHUNK), first * 1_000_003 + chunk)
            tell(self.count)
        if self.state() != self.before:
            self.fault(b"", "files appeared or went beside the output")
        return self.count


def _feed(fuzzer: Fuzzer, documents: int, number: int) -> None:
    @seed(number)
    @settings(
        max_examples=documents,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(DOCUMENTS)
    def feed(content: bytes) -> None:
        fuzzer.feed(content)

    feed()


def _odd(line: str) -> bool:
    return line.startswith("::") or any(c < " " or c in "\x7f\x85\u2028\u2029\u202e" for c in line)


def _give_up(*_: object) -> None:
    raise TimeoutError(f"more than {HANGS} s")


def memory() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> int:
    arguments = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    arguments.add_argument("--documents", type=int, default=100_000)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--minutes", type=float, default=60, help="of the processor; then it stops and says so")
    given = arguments.parse_args()

    def tell(count: Count) -> None:
        print(f"{count.documents:,} of {given.documents:,}", end="\r", file=sys.stderr, flush=True)

    signal.signal(signal.SIGPROF, _give_up)
    folder = Path(tempfile.mkdtemp(prefix="fuzz-"))
    os.environ["XDG_CACHE_HOME"] = os.environ["HYPOTHESIS_STORAGE_DIRECTORY"] = str(folder / "cache")
    fuzzer = Fuzzer(folder)
    log = folder / "cache" / "log"
    log.parent.mkdir(exist_ok=True)
    log.touch()
    audited.install(str(log), str(folder))
    with suppress(KeyboardInterrupt):  # what was seen until then is told
        fuzzer.run(given.documents, given.seed, time.process_time() + given.minutes * 60, tell)
    count = fuzzer.count
    print(
        f"{count.documents:,} documents, seed {given.seed}: {count.valid:,} valid, {count.built:,} built, "
        f"{count.documents - count.valid:,} refused; worst {count.worst:.2f} s, memory {memory():.0f} MiB, "
        f"{time.process_time():.0f} s of the processor"
    )
    if memory() > LARGE:
        count.faults[f"more than {LARGE} MiB"] += 1
    for what, times in count.faults.most_common():
        print(f"  {times:,} times: {what}")
        kept = folder / f"fault-{abs(hash(what)) % 10_000}.yaml"
        kept.write_bytes(count.samples.get(what, b""))
        print(f"    for example {kept}")
    if not count.faults:
        shutil.rmtree(folder)
    return 1 if count.faults else 0


if __name__ == "__main__":
    sys.exit(main())
