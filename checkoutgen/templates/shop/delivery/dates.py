"""Promised days: pure arithmetic on working days, holidays and the daily cut-off."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
RULE = re.compile(
    r"(?:(?P<weekday>mon|tue|wed|thu|fri|sat|sun) )?(?P<month>\d\d)-(?P<day>\d\d)|easter(?P<offset>[+-]\d+)?"
)
DAY = timedelta(days=1)
SEARCH = 366  # a calendar that is closed for more than a year is a mistake, not a promise


def easter(year: int) -> date:
    """Easter Sunday of the Gregorian calendar (Meeus/Jones/Butcher, https://en.wikipedia.org/wiki/Date_of_Easter)."""
    a, b, c = year % 19, year // 100, year % 100
    h = (19 * a + b - b // 4 - (b - (b + 8) // 25 + 1) // 3 + 15) % 30
    k = (32 + 2 * (b % 4) + 2 * (c // 4) - h - c % 4) % 7
    m = (a + 11 * h + 22 * k) // 451
    month, day = divmod(h + k - 7 * m + 114, 31)
    return date(year, month, day + 1)


@lru_cache(maxsize=256)
def holidays(rules: tuple[str, ...], year: int) -> frozenset[date]:
    """Public holidays of a year.

    A rule is ``12-25`` (fixed), ``easter+39`` (days from Easter Sunday) or ``fri 06-19`` (first Friday from then).

    Raises:
        ValueError: a rule that is none of these.
    """
    found = set()
    for rule in rules:
        match = RULE.fullmatch(rule)
        if match is None:
            raise ValueError(f"not a holiday rule: {rule!r}; write 12-25, easter+1 or mon 05-01")
        if match["month"] is None:
            found.add(easter(year) + int(match["offset"] or 0) * DAY)
            continue
        day = date(year, int(match["month"]), int(match["day"]))
        if match["weekday"]:
            day += (WEEKDAYS.index(match["weekday"]) - day.weekday()) % 7 * DAY
        found.add(day)
    return frozenset(found)


@dataclass(frozen=True)
class Calendar:
    """The days on which somebody works: weekdays, without public holidays and extra closed days."""

    weekdays: frozenset[int]
    holidays: tuple[str, ...] = ()
    closed: frozenset[date] = frozenset()

    @classmethod
    def of(cls, weekdays: Iterable[str], holidays: Iterable[str], closed: Iterable[str]) -> "Calendar":
        """Build from the spec's words: ``["mon", …]``, holiday rules, ``["2026-12-24", …]``."""
        return cls(
            frozenset(WEEKDAYS.index(day) for day in weekdays),
            tuple(holidays),
            frozenset(date.fromisoformat(day) for day in closed),
        )

    def works(self, day: date) -> bool:
        return (
            day.weekday() in self.weekdays and day not in self.closed and day not in holidays(self.holidays, day.year)
        )

    def add(self, day: date, count: int) -> date:
        """The working day that is `count` working days after `day`; with 0 the day itself or the next one that works.

        Raises:
            ValueError: no working day within a year.
        """
        return _working_day(self, day, count)


@lru_cache(maxsize=4096)  # every page of the checkout asks, and the answers of a day are few
def _working_day(calendar: Calendar, day: date, count: int) -> date:
    for _ in range(SEARCH):
        if calendar.works(day):
            if count == 0:
                return day
            count -= 1
        day += DAY
    raise ValueError("the calendar has no working day within a year")


def accepted(now: datetime, cut_off: time, shop: Calendar) -> date:
    """The day on which work on an order begins: today before the cut-off of a working day, else the next working day.

    Args:
        now: aware, in the time zone of the shop: the cut-off is the wall clock there, whatever summer time does.
    """
    today = now.date()
    return shop.add(today if now.time() < cut_off else today + DAY, 0)


def promise(
    now: datetime, cut_off: time, shop: Calendar, carrier: Calendar, preparation: int, days: tuple[int, int]
) -> tuple[date, date]:
    """First and last day of arrival.

    Args:
        preparation: working days of the shop between acceptance and dispatch.
        days: least and most working days of the carrier from dispatch to the door; 0 is the day of dispatch.
    """
    dispatch = shop.add(accepted(now, cut_off, shop), preparation)
    return carrier.add(dispatch, days[0]), carrier.add(dispatch, days[1])
