"""Bank statements: what they say, and which orders were paid by it."""

import hashlib
from collections import Counter
from dataclasses import dataclass
from datetime import date


class StatementError(ValueError):
    """A file that is no statement, or not one that can be read. The message says where and what."""


@dataclass(frozen=True)
class Entry:
    """One booking. `amount` is in minor units of `currency`, never negative; None when it cannot be read."""

    id: str  # the bank's own where it has one: it counts once
    day: date | None
    amount: int | None
    currency: str
    credit: bool  # money came in
    texts: tuple[str, ...] = ()  # where a reference may stand
    booked: bool = True
    returned: bool = False  # an earlier booking taken back


class Ids:
    """Names for entries that the bank gives none: what they say, and how often that was said before in the file."""

    def __init__(self) -> None:
        self._seen: Counter[str] = Counter()

    def of(self, *parts: object) -> str:
        digest = hashlib.sha256("\x1f".join(map(str, parts)).encode()).hexdigest()[:32]
        self._seen[digest] += 1
        return f"{digest}.{self._seen[digest]}"
