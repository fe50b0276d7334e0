"""Prices and promised days of delivery: pure functions, so that every day of several years can be tried."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery.dates import WEEKDAYS, Calendar, accepted, easter, holidays, promise
from delivery.methods import Parcel, offers

PARIS = ZoneInfo("Europe/Paris")
CUT_OFF = time(14)
FRANCE = ("01-01", "easter+1", "05-01", "05-08", "easter+39", "easter+50", "07-14", "08-15", "11-01", "11-11", "12-25")
WEEK = Calendar.of(WEEKDAYS[:5], FRANCE, ["2026-12-24"])

METHOD = {"id": "home", "kind": "home", "name": {"en": "Home"}, "days": [2, 3], "price": {"EUR": 590}}
SHOP = {"cut_off": "14:00", "handling_days": 0, "working_days": list(WEEKDAYS[:5]), "closed": ["2026-12-24"]}
MARKETS = {"FR": {"holidays": list(FRANCE)}, "DE": {"holidays": ["01-01", "10-03", "12-25", "12-26"]}}
PARCEL = Parcel(country="FR", currency="EUR", goods=5000, weight=900, preparation=0, digital=False)

moments = st.datetimes(datetime(2025, 1, 1), datetime(2030, 12, 31), timezones=st.just(UTC))


def offer(now=datetime(2026, 11, 24, 12, tzinfo=PARIS), *methods, **parcel):
    section = {**SHOP, "methods": list(methods or [METHOD])}
    return offers(section, MARKETS, "FR", "Europe/Paris", Parcel(**{**vars(PARCEL), **parcel}), now)


@pytest.mark.parametrize(
    ("year", "day"), [(2024, "03-31"), (2025, "04-20"), (2026, "04-05"), (2027, "03-28"), (2038, "04-25")]
)
def test_easter(year, day):
    assert easter(year).isoformat() == f"{year}-{day}"


def test_holiday_rules():
    sweden = holidays(("fri 06-19", "sat 10-31", "easter+39"), 2026)
    assert sweden == {date(2026, 6, 19), date(2026, 10, 31), date(2026, 5, 14)}
    with pytest.raises(ValueError, match="write 12-25"):
        holidays(("Christmas",), 2026)


@given(moments, st.integers(0, 6), st.integers(0, 5), st.integers(0, 5), st.sets(st.sampled_from(range(7)), min_size=1))
def test_promise_is_ordered_in_the_future_and_on_working_days(now, preparation, least, more, weekdays):
    calendar = Calendar(frozenset(weekdays), FRANCE, frozenset({date(2026, 12, 24)}))
    local = now.astimezone(PARIS)
    earliest, latest = promise(local, CUT_OFF, calendar, calendar, preparation, (least, least + more))
    assert local.date() <= earliest <= latest
    assert calendar.works(earliest)
    assert calendar.works(latest)


@given(moments, st.timedeltas(timedelta(0), timedelta(days=20)))
def test_a_later_order_never_arrives_earlier(now, wait):
    first = offer(now)[0]
    second = offer(now + wait)[0]
    assert (first.earliest, first.latest) <= (second.earliest, second.latest)


@given(moments, st.integers(0, 4), st.integers(0, 4))
def test_preparation_never_speeds_up(now, some, more):
    assert offer(now, preparation=some)[0].latest <= offer(now, preparation=some + more)[0].latest


@pytest.mark.parametrize(
    ("clock", "begins"), [("13:59:59.999999", "2026-11-24"), ("14:00:00", "2026-11-25"), ("14:00:01", "2026-11-25")]
)
def test_cut_off_to_the_second(clock, begins):
    assert (
        accepted(datetime.fromisoformat(f"2026-11-24T{clock}").replace(tzinfo=PARIS), CUT_OFF, WEEK).isoformat()
        == begins
    )


@pytest.mark.parametrize(
    ("instant", "begins"),
    [
        ("2026-03-27T12:59:59Z", "2026-03-27"),  # winter time: 13:59:59 in Paris
        ("2026-03-30T11:59:59Z", "2026-03-30"),  # summer time since Sunday: again 13:59:59
        ("2026-03-30T12:00:00Z", "2026-03-31"),  # and 14:00:00
        ("2026-10-23T12:00:00Z", "2026-10-26"),  # Friday 14:00:00, so Monday
        ("2026-10-26T12:59:59Z", "2026-10-26"),  # winter time since Sunday
    ],
)
def test_cut_off_follows_the_clock_of_the_shop(instant, begins):
    now = datetime.fromisoformat(instant).astimezone(PARIS)
    assert accepted(now, CUT_OFF, WEEK).isoformat() == begins


def test_promise_around_christmas():
    # Wednesday 23 December 2026 after the cut-off: Thursday closed, Friday holiday, then the weekend.
    option = offer(datetime(2026, 12, 23, 15, tzinfo=PARIS))[0]
    assert (option.earliest.isoformat(), option.latest.isoformat()) == ("2026-12-30", "2026-12-31")


def test_holidays_of_the_destination_delay_the_carrier():
    option = offer(datetime(2026, 10, 1, 10, tzinfo=PARIS), {**METHOD, "days": [1, 1]}, country="DE")[0]
    assert option.earliest.isoformat() == "2026-10-02"
    later = offer(datetime(2025, 10, 2, 10, tzinfo=PARIS), {**METHOD, "days": [1, 1]}, country="DE")[0]
    assert later.earliest.isoformat() == "2025-10-06"  # 3 October 2025 is a Friday


def test_a_calendar_without_a_working_day_is_an_error():
    with pytest.raises(ValueError, match="no working day"):
        Calendar(frozenset()).add(date(2026, 1, 1), 1)


def test_first_matching_rate_wins_and_inherits_from_the_method():
    method = {
        **METHOD,
        "free_from": {"EUR": 9000},
        "rates": [
            {"markets": ["DE"], "price": {"EUR": 1290}, "days": [4, 6], "to_weight": 5000},
            {"markets": ["DE"], "price": {"EUR": 2490}},
            {"from_weight": 2000, "price": {"EUR": 890}},
        ],
    }

    def price(**parcel):
        return offer(datetime(2026, 11, 24, 12, tzinfo=PARIS), method, **parcel)[0].amount

    assert price() == 590
    assert price(weight=2000) == 890
    assert price(country="DE", weight=5000) == 1290
    assert price(country="DE", weight=5001) == 2490
    assert price(goods=8999) == 590
    assert price(goods=9000) == 0


def test_methods_that_do_not_apply_are_absent():
    now = datetime(2026, 11, 24, 12, tzinfo=PARIS)
    assert offer(now, {**METHOD, "markets": ["DE"]}) == []
    assert offer(now, {**METHOD, "max_weight": 899}) == []
    assert offer(now, {**METHOD, "kind": "digital"}) == []
    assert [option.id for option in offer(now, METHOD, {**METHOD, "id": "now", "kind": "digital"}, digital=True)] == [
        "now"
    ]
    assert [option.id for option in offer(now, METHOD, digital=True)] == ["home"]


def test_the_cheapest_that_is_brought_comes_first():
    now = datetime(2026, 11, 24, 12, tzinfo=PARIS)
    express = {**METHOD, "id": "express", "price": {"EUR": 990}, "days": [1, 1]}
    slow = {**METHOD, "id": "slow", "days": [5, 6]}
    assert [option.id for option in offer(now, COLLECT, express, slow, METHOD)] == ["home", "slow", "express", "store"]


COLLECT = {
    "id": "store",
    "kind": "click-and-collect",
    "name": {"en": "Collect"},
    "price": {"EUR": 0},
    "stores": [
        {"id": "lille", "name": "Lille", "address": {"city": "Lille"}, "hours": {"en": "9-19"}, "ready_hours": 2}
    ],
}


def test_store_says_when_the_goods_are_ready():
    store = offer(datetime(2026, 11, 24, 10, 20, tzinfo=PARIS), COLLECT)[0].stores[0]
    assert store.ready.isoformat() == "2026-11-24T12:30:00+01:00"
    late = offer(datetime(2026, 11, 24, 14, tzinfo=PARIS), COLLECT)[0].stores[0]
    assert (late.day.isoformat(), late.ready) == ("2026-11-25", None)
    assert offer(datetime(2026, 11, 24, 12, tzinfo=PARIS), {**COLLECT, "stores": []}) == []


@given(moments)
def test_store_is_never_ready_in_the_past(now):
    store = offer(now, COLLECT)[0].stores[0]
    assert store.day >= now.astimezone(PARIS).date()
    assert WEEK.works(store.day)
    if store.ready:
        assert store.ready >= now + timedelta(hours=2)
        assert store.ready.date() == store.day
