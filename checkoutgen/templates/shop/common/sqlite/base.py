"""Django's SQLite backend with a queue in front of write transactions.

SQLite lets writers wait by sleeping ever longer, so one of many may starve. Here the threads of a process wait at a
lock, and one of them at a time asks for a file lock that all processes share; it falls with the process that holds it.
"""

import fcntl
import threading
import time
from io import FileIO

from django.db.backends.sqlite3 import base
from django.db.utils import OperationalError

_threads = threading.Lock()
PAUSE = 0.001  # seconds between two looks at the file lock


class DatabaseWrapper(base.DatabaseWrapper):
    _gate: FileIO | None = None

    def _start_transaction_under_autocommit(self) -> None:
        self._enter()
        try:
            super()._start_transaction_under_autocommit()
        except BaseException:
            self._leave()
            raise

    def _commit(self) -> None:
        super()._commit()
        self._leave()

    def _rollback(self) -> None:
        try:
            super()._rollback()
        finally:
            self._leave()

    def _close(self) -> None:
        try:
            super()._close()
        finally:
            self._leave()

    def _enter(self) -> None:
        if self.is_in_memory_db() or self._gate is not None:
            return
        deadline = time.monotonic() + self.settings_dict["OPTIONS"].get("timeout", 5)
        if not _threads.acquire(timeout=max(0, deadline - time.monotonic())):
            raise OperationalError("database is locked: the queue of writers did not move")
        gate = FileIO(f"{self.settings_dict['NAME']}.queue", "w")
        while True:
            try:
                fcntl.flock(gate, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() < deadline:
                    time.sleep(PAUSE)
                    continue
                gate.close()
                _threads.release()
                raise OperationalError("database is locked: the queue of writers did not move") from None
            self._gate = gate
            return

    def _leave(self) -> None:
        if self._gate is not None:
            gate, self._gate = self._gate, None
            gate.close()  # which drops the lock
            _threads.release()
