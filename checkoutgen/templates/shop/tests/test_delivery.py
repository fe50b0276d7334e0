"""Prices and promised days of delivery: pure functions, so that every hour of several years can be tried."""

import itertools
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from unittest import TestCase
from zoneinfo import ZoneInfo

from delivery.dates import WEEKDAYS, Calendar, accepted, easter, holidays, promise
from delivery.methods import Option, Parcel, offers

PARIS = ZoneInfo("Europe/Paris")
CUT_OFF = time(14)
FRANCE = ("01-01", "easter+1", "05-01", "05-08", "easter+39", "easter+50", "07-14", "08-15", "11-01", "11-11", "12-25")
WEEK = Calendar.of(WEEKDAYS[:5], FRANCE, ["2026-12-24"])

METHOD = {"id": "home", "kind": "home", "name": {"en": "Home"}, "days": [2, 3], "price": {"EUR": 590}}
EXPRESS = {**METHOD, "id": "express", "kind": "express", "price": {"EUR": 990}, "days": [1, 1]}
STORE = {"id": "lille", "name": "Lille", "address": {"city": "Lille"}, "hours": {"en": "9-19"}, "ready_hours": 2}
COLLECT = {
    "id": "store",
    "kind": "click-and-collect",
    "name": {"en": "Collect"},
    "price": {"EUR": 0},
    "stores": [STORE],
}
SECTION = {"cut_off": "14:00", "handling_days": 0, "working_days": list(WEEKDAYS[:5]), "closed": ["2026-12-24"]}
MARKETS = {"FR": {"holidays": list(FRANCE)}, "DE": {"holidays": ["01-01", "10-03", "12-25", "12-26"]}}
PARCEL = Parcel(country="FR", currency="EUR", goods=5000, weight=900, preparation=0, digital=False)
TUESDAY = datetime(2026, 11, 24, 12, tzinfo=PARIS)


def offer(now: datetime, *methods: dict[str, Any], **parcel: Any) -> list[Option]:
    section = {**SECTION, "methods": list(methods or [METHOD])}
    return offers(section, MARKETS, "FR", "Europe/Paris", Parcel(**{**vars(PARCEL), **parcel}), now)


def moments() -> Iterator[datetime]:
    """Five years in steps of 7 h 13 min: every weekday, holiday and change of the clocks at ever other hours."""
    now = datetime(2025, 1, 1, tzinfo=UTC)
    while now.year < 2030:
        yield now
        now += timedelta(hours=7, minutes=13)


class CalendarTest(TestCase):
    def test_easter(self) -> None:
        for day in ("2024-03-31", "2025-04-20", "2026-04-05", "2027-03-28", "2038-04-25"):
            self.assertEqual(easter(int(day[:4])).isoformat(), day)

    def test_holiday_rules(self) -> None:
        sweden = holidays(("fri 06-19", "sat 10-31", "easter+39"), 2026)
        self.assertEqual(sweden, {date(2026, 6, 19), date(2026, 10, 31), date(2026, 5, 14)})
        with self.assertRaisesRegex(ValueError, "write 12-25"):
            holidays(("Christmas",), 2026)

    def test_calendar_without_a_working_day_is_an_error(self) -> None:
        with self.assertRaisesRegex(ValueError, "no working day"):
            Calendar(frozenset()).add(date(2026, 1, 1), 1)

    def test_cut_off_to_the_second(self) -> None:
        for clock, begins in (("13:59:59.999999", 24), ("14:00:00", 25), ("14:00:01", 25)):
            now = datetime.fromisoformat(f"2026-11-24T{clock}").replace(tzinfo=PARIS)
            self.assertEqual(accepted(now, CUT_OFF, WEEK), date(2026, 11, begins))

    def test_cut_off_follows_the_clock_of_the_shop(self) -> None:
        for instant, begins in (
            ("2026-03-27T12:59:59+00:00", "2026-03-27"),  # winter time: 13:59:59 in Paris
            ("2026-03-30T11:59:59+00:00", "2026-03-30"),  # summer time since Sunday: again 13:59:59
            ("2026-03-30T12:00:00+00:00", "2026-03-31"),  # and 14:00:00
            ("2026-10-23T12:00:00+00:00", "2026-10-26"),  # Friday 14:00:00, so Monday
            ("2026-10-26T12:59:59+00:00", "2026-10-26"),  # winter time since Sunday
        ):
            now = datetime.fromisoformat(instant).astimezone(PARIS)
            self.assertEqual(accepted(now, CUT_OFF, WEEK).isoformat(), begins)

    def test_promise_is_ordered_not_in_the_past_and_on_working_days(self) -> None:
        rules = itertools.cycle(
            (Calendar(frozenset(days), FRANCE, frozenset({date(2026, 12, 24)})), preparation, (least, least + more))
            for days in ({0, 1, 2, 3, 4}, {0}, {5, 6}, {1, 3, 5}, set(range(7)))
            for preparation in (0, 1, 6)
            for least in (0, 1, 5)
            for more in (0, 2)
        )
        for now, (calendar, preparation, days) in zip(moments(), rules, strict=False):
            local = now.astimezone(PARIS)
            earliest, latest = promise(local, CUT_OFF, calendar, calendar, preparation, days)
            self.assertTrue(local.date() <= earliest <= latest, now)
            self.assertTrue(calendar.works(earliest) and calendar.works(latest), now)


class OffersTest(TestCase):
    def test_a_later_order_never_arrives_earlier(self) -> None:
        promised = [(option.earliest, option.latest) for now in moments() for option in offer(now)]
        self.assertEqual(promised, sorted(promised))

    def test_preparation_never_speeds_up(self) -> None:
        for now in itertools.islice(moments(), 0, None, 5):
            arrivals = [offer(now, preparation=days)[0].latest for days in range(5)]
            self.assertEqual(arrivals, sorted(arrivals))

    def test_promise_around_christmas(self) -> None:
        # Wednesday 23 December 2026 after the cut-off: Thursday closed, Friday holiday, then the weekend.
        option = offer(datetime(2026, 12, 23, 15, tzinfo=PARIS))[0]
        self.assertEqual((option.earliest, option.latest), (date(2026, 12, 30), date(2026, 12, 31)))

    def test_holidays_of_the_destination_delay_the_carrier(self) -> None:
        one_day = {**METHOD, "days": [1, 1]}
        self.assertEqual(
            offer(datetime(2026, 10, 1, 10, tzinfo=PARIS), one_day, country="DE")[0].earliest, date(2026, 10, 2)
        )
        # 3 October 2025, a holiday in Germany, is a Friday.
        self.assertEqual(
            offer(datetime(2025, 10, 2, 10, tzinfo=PARIS), one_day, country="DE")[0].earliest, date(2025, 10, 6)
        )

    def test_first_matching_rate_wins_and_inherits_from_the_method(self) -> None:
        rates = [
            {"markets": ["DE"], "price": {"EUR": 1290}, "days": [4, 6], "to_weight": 5000},
            {"markets": ["DE"], "price": {"EUR": 2490}},
            {"from_weight": 2000, "price": {"EUR": 890}},
        ]
        method = {**METHOD, "free_from": {"EUR": 9000}, "rates": rates}
        for parcel, price in (
            ({}, 590),
            ({"weight": 2000}, 890),
            ({"country": "DE", "weight": 5000}, 1290),
            ({"country": "DE", "weight": 5001}, 2490),
            ({"goods": 8999}, 590),
            ({"goods": 9000}, 0),
            ({"goods": 9000, "weight": 2000}, 890),
        ):
            self.assertEqual(offer(TUESDAY, method, **parcel)[0].amount, price, parcel)

    def test_methods_that_do_not_apply_are_absent(self) -> None:
        download = {**METHOD, "id": "download", "kind": "digital"}
        self.assertEqual(offer(TUESDAY, {**METHOD, "markets": ["DE"]}), [])
        self.assertEqual(offer(TUESDAY, {**METHOD, "max_weight": 899}), [])
        self.assertEqual(offer(TUESDAY, download), [])
        self.assertEqual(offer(TUESDAY, {**COLLECT, "stores": []}), [])
        self.assertEqual([option.id for option in offer(TUESDAY, METHOD, download, digital=True)], ["download"])
        self.assertEqual([option.id for option in offer(TUESDAY, METHOD, digital=True)], ["home"])

    def test_the_cheapest_that_is_brought_comes_first(self) -> None:
        slow = {**METHOD, "id": "slow", "days": [5, 6]}
        found = [option.id for option in offer(TUESDAY, COLLECT, EXPRESS, slow, METHOD)]
        self.assertEqual(found, ["home", "slow", "express", "store"])

    def test_store_says_when_the_goods_are_ready(self) -> None:
        store = offer(datetime(2026, 11, 24, 10, 20, tzinfo=PARIS), COLLECT)[0].stores[0]
        self.assertEqual(store.ready, datetime(2026, 11, 24, 12, 30, tzinfo=PARIS))
        late = offer(datetime(2026, 11, 24, 14, tzinfo=PARIS), COLLECT)[0].stores[0]
        self.assertEqual((late.day, late.ready), (date(2026, 11, 25), None))

    def test_store_promises_nothing_for_when_it_is_closed(self) -> None:
        opening = {"tue": "10:00-19:00", "fri": "10:00-18:00"}
        collect = {**COLLECT, "stores": [{**STORE, "open": opening}]}
        for at, day, ready in (
            ("2026-11-22T12:00", "2026-11-24", None),  # Sunday: the shop works on Monday, the store opens on Tuesday
            ("2026-11-24T07:00", "2026-11-24", "2026-11-24T10:00"),  # two hours later it is still closed
            ("2026-11-24T12:05", "2026-11-24", "2026-11-24T14:15"),
            ("2026-11-24T14:05", "2026-11-27", None),  # after the cut-off
        ):
            store = offer(datetime.fromisoformat(at).replace(tzinfo=PARIS), collect)[0].stores[0]
            moment = store.ready and store.ready.strftime("%Y-%m-%dT%H:%M")
            self.assertEqual((store.day.isoformat(), moment), (day, ready), at)
        early = {
            **COLLECT,
            "stores": [{**STORE, "ready_hours": 2, "open": {"tue": "07:00-13:00", "sat": "07:00-13:00"}}],
        }
        store = offer(datetime(2026, 11, 24, 11, 30, tzinfo=PARIS), early)[0].stores[0]
        self.assertEqual((store.day, store.ready), (date(2026, 11, 28), None))  # it closes before the goods are ready
        for now in moments():
            found = offer(now, collect)[0].stores[0]
            self.assertIn(WEEKDAYS[found.day.weekday()], opening, now)

    def test_pick_up_points_are_chosen_by_name_and_arrive_as_promised(self) -> None:
        relay = {**METHOD, "kind": "pick-up-point", "stores": [STORE, {**STORE, "id": "kiosk"}]}
        option = offer(TUESDAY, relay)[0]
        self.assertEqual([point.id for point in option.stores], ["lille", "kiosk"])
        self.assertTrue(option.needs_address)
        self.assertFalse(option.collected)
        self.assertEqual(option.earliest, offer(TUESDAY, METHOD)[0].earliest)

    def test_store_is_never_ready_in_the_past(self) -> None:
        for now in moments():
            store = offer(now, COLLECT)[0].stores[0]
            self.assertGreaterEqual(store.day, now.astimezone(PARIS).date())
            self.assertTrue(WEEK.works(store.day), now)
            if store.ready:
                self.assertGreaterEqual(store.ready, now + timedelta(hours=2))
                self.assertEqual(store.ready.date(), store.day)
