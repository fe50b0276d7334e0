"""What was found in specs that have not changed since. A cache is never worth an error: without it, all is judged."""

from __future__ import annotations

import contextlib
import json
import sqlite3
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
    folder that the command runs in, as reports name files as seen from there."""

    def __init__(self, options: object) -> None:
        tool = Path(__file__).stat().st_mtime_ns
        run = json.dumps([__version__, tool, stamp(), options, str(Path.cwd())], sort_keys=True, default=str)
        self.run = digest(run.encode())
        self.digest = lru_cache(maxsize=1024)(_digest)  # many specs name the same file
        self.is_changed = False
        file = user_cache() / FILE
        try:
            self.db = _open(file)
        except (OSError, sqlite3.Error) as error:
            if isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError):
                file.unlink(missing_ok=True)  # damaged
            self.db = _open(None)

    def knows(self, path: Path) -> bool:
        """Whether there is a report, and nothing that it rests on has changed."""
        files = self._row("files", path)
        return bool(files) and all(digest == self.digest(name) for name, digest in json.loads(files))

    def get(self, path: Path) -> str:
        """The report as it was put here; "" where there is none any more."""
        return self._row("report", path)

    def _row(self, column: str, path: Path) -> str:
        with contextlib.suppress(sqlite3.Error):
            query = f"SELECT {column} FROM reports WHERE run = ? AND path = ?"  # noqa: S608  a name from above
            if found := self.db.execute(query, (self.run, str(path))).fetchone():
                return str(found[0])
        return ""

    def put(self, path: Path, digests: Digests, text: str) -> None:
        """Nothing is put where nothing is known of what it rests on, or where another command is writing."""
        if not digests:
            return
        with contextlib.suppress(sqlite3.Error):
            if not self.is_changed:
                self.db.execute("BEGIN IMMEDIATE")
                self.is_changed = True
            row = (self.run, str(path), json.dumps(digests), text)
            self.db.execute("INSERT OR REPLACE INTO reports VALUES (?, ?, ?, ?)", row)

    def close(self) -> None:
        with contextlib.suppress(sqlite3.Error):
            if self.is_changed:
                self.db.execute("DELETE FROM reports WHERE rowid <= (SELECT max(rowid) FROM reports) - ?", (KEPT,))
                self.db.execute("COMMIT")
        self.db.close()


def _open(file: Path | None) -> sqlite3.Connection:
    """The cache in a file, or one for this run alone."""
    if file:
        file.parent.mkdir(parents=True, exist_ok=True)
    db = sqlite3.connect(file or "", timeout=0, isolation_level=None)
    db.execute("PRAGMA synchronous = OFF")  # what a power cut damages is made again
    db.execute(
        "CREATE TABLE IF NOT EXISTS reports (run TEXT, path TEXT, files TEXT, report TEXT, PRIMARY KEY (run, path))"
    )
    return db


def _digest(name: str) -> str:
    try:
        with open(name, "rb") as file:
            return digest(file.read())
    except OSError:
        return "missing"
