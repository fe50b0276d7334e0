"""What was found in specs that have not changed since. A cache is never worth an error: without it, all is judged."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterator
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from checkoutgen import __version__
from checkoutgen.lint.rulebook import stamp, user_cache

KEPT = 20_000  # reports, of all runs
FILE = "lint-1.sqlite"  # the number is of its form


Digests = list[tuple[str, str]]  # of files, by name


def digest(content: bytes) -> str:
    return sha256(content).hexdigest()


class Cache:
    """Reports by what they rest on: the spec and every file it names, the rules, the version, the options, and the
    folder that the command runs in, as reports name files as seen from there.

    The processes that judge part from this one while it is open, and must not touch it:
    https://www.sqlite.org/howtocorrupt.html#_carrying_an_open_database_connection_across_a_fork_"""

    def __init__(self, options: object) -> None:
        tool = Path(__file__).stat().st_mtime_ns
        run = json.dumps([__version__, tool, stamp(), options, str(Path.cwd())], sort_keys=True, default=str)
        self.run = digest(run.encode())
        self.digest = lru_cache(maxsize=1024)(_digest)  # many specs name the same file
        self.is_changed = False
        self.file = user_cache() / FILE
        self.db = sqlite3.connect("", isolation_level=None)  # for this run alone, where the other cannot be used
        with contextlib.suppress(OSError):
            self.file.parent.mkdir(parents=True, exist_ok=True)
            with self._tolerant():
                self.db = sqlite3.connect(self.file, timeout=0, isolation_level=None)
        with self._tolerant():
            self.db.execute("PRAGMA synchronous = OFF")  # what a power cut damages is made again
            self.db.execute(
                "CREATE TABLE IF NOT EXISTS reports"
                " (run TEXT, path TEXT, files TEXT, report TEXT, PRIMARY KEY (run, path))"
            )

    @contextlib.contextmanager
    def _tolerant(self) -> Iterator[None]:
        """Goes on without the cache where another command is writing; what is damaged is begun anew the next time."""
        try:
            yield
        except sqlite3.OperationalError:
            pass
        except sqlite3.DatabaseError:
            with contextlib.suppress(OSError):
                self.file.unlink(missing_ok=True)

    def knows(self, path: Path) -> bool:
        """Whether there is a report, and nothing that it rests on has changed."""
        files = self._row("files", path)
        return bool(files) and all(digest == self.digest(name) for name, digest in json.loads(files))

    def get(self, path: Path) -> str:
        """The report as it was put here; "" where there is none any more."""
        return self._row("report", path)

    def _row(self, column: str, path: Path) -> str:
        with self._tolerant():
            query = f"SELECT {column} FROM reports WHERE run = ? AND path = ?"  # noqa: S608  a name from above
            if found := self.db.execute(query, (self.run, str(path))).fetchone():
                return str(found[0])
        return ""

    def put(self, path: Path, digests: Digests, text: str) -> None:
        """Nothing is put where nothing is known of what it rests on, or where another command is writing."""
        if not digests:
            return
        with self._tolerant():
            if not self.is_changed:
                self.db.execute("BEGIN IMMEDIATE")
                self.is_changed = True
            row = (self.run, str(path), json.dumps(digests), text)
            self.db.execute("INSERT OR REPLACE INTO reports VALUES (?, ?, ?, ?)", row)

    def close(self) -> None:
        with self._tolerant():
            if self.is_changed:
                self.db.execute("DELETE FROM reports WHERE rowid <= (SELECT max(rowid) FROM reports) - ?", (KEPT,))
                self.db.execute("COMMIT")
        self.db.close()


def _digest(name: str) -> str:
    try:
        with open(name, "rb") as file:
            return digest(file.read())
    except OSError:
        return "missing"
