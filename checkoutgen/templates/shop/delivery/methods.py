"""The ways of delivery open to a cart: price by country, weight and amount, and the promised days."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from cart.summary import active
from config.shop import SHOP
from delivery.dates import WEEKDAYS, Calendar, accepted, promise

if TYPE_CHECKING:
    from cart.models import Cart

DIGITAL = ("digital_content", "digital_service", "gift_card")
COLLECT = "click-and-collect"
NO_ADDRESS = (COLLECT, "digital")  # kinds for which nothing is sent to an address
QUARTER = timedelta(minutes=15)


@dataclass(frozen=True)
class Store:
    """Where the goods wait: `ready` is the moment, where it is today; on other days they wait from opening.

    A pick-up point has no day of its own: the carrier brings the goods as the way of delivery promises.
    """

    id: str
    name: str
    address: Mapping[str, str]
    hours: Mapping[str, str]
    day: date
    ready: datetime | None


@dataclass(frozen=True)
class Option:
    """One way of delivery for one cart: `amount` in minor units of the cart's currency, days inclusive."""

    id: str
    kind: str
    name: Mapping[str, str]
    carrier: str
    amount: int
    earliest: date
    latest: date
    stores: tuple[Store, ...] = ()

    @property
    def needs_address(self) -> bool:
        return self.kind not in NO_ADDRESS

    @property
    def collected(self) -> bool:
        """From a store of the shop's own; not from a pick-up point of the carrier."""
        return self.kind == COLLECT


@dataclass(frozen=True)
class Parcel:
    """What of a cart decides its delivery: value of the goods in minor units, weight in grams."""

    country: str
    currency: str
    goods: int
    weight: int
    preparation: int
    digital: bool


def terms(method: Mapping[str, Any], parcel: Parcel) -> tuple[int, tuple[int, int]] | None:
    """Price in minor units and days of the carrier; None where the method does not go, or not with that weight."""
    if method.get("markets") and parcel.country not in method["markets"]:
        return None
    if method.get("max_weight") is not None and parcel.weight > method["max_weight"]:
        return None
    rate = next((rate for rate in method.get("rates") or () if _covers(rate, parcel)), {})

    def given(key: str) -> Any:
        return rate[key] if rate.get(key) is not None else method.get(key)

    price = (given("price") or {}).get(parcel.currency, 0)
    free_from = ((rate or method).get("free_from") or {}).get(parcel.currency)  # a rate has a bound of its own, or none
    if free_from is not None and parcel.goods >= free_from:
        price = 0
    first, last = given("days") or (0, 0)
    return price, (first, last)


def _covers(rate: Mapping[str, Any], parcel: Parcel) -> bool:
    return (
        (not rate.get("markets") or parcel.country in rate["markets"])
        and (rate.get("from_weight") or 0) <= parcel.weight
        and (rate.get("to_weight") is None or parcel.weight <= rate["to_weight"])
    )


def offers(delivery: Mapping[str, Any], markets: Mapping[str, Any], home: str, zone: str, parcel: Parcel,
           now: datetime) -> list[Option]:  # fmt: skip
    """All options for a parcel: the cheapest first, among equals the one that arrives first, what is collected last.

    So the first is the one to preselect: it brings the goods to the buyer at the lowest price.

    Args:
        delivery: the section of that name of config/shop.json.
        markets: the market facts by country, for public holidays.
        home: country of the shop; its holidays stop the dispatch.
        zone: IANA name of the shop's time zone; the cut-off is read on that clock.
        now: aware moment at which the buyer looks.
    """
    local = now.astimezone(ZoneInfo(zone))
    cut_off = time.fromisoformat(delivery["cut_off"])
    weekdays, closed = tuple(delivery["working_days"]), tuple(delivery.get("closed") or ())
    shop = _calendar(weekdays, _holidays(markets, home), closed)
    carrier = _calendar(weekdays, _holidays(markets, parcel.country), closed)
    preparation = delivery.get("handling_days", 0) + parcel.preparation
    digital = parcel.digital and any(method["kind"] == "digital" for method in delivery["methods"])
    found = []
    for method in delivery["methods"]:
        kind = method["kind"]
        agreed = terms(method, parcel)
        if agreed is None or (kind == "digital") != digital:
            continue
        amount, days = agreed
        stores: tuple[Store, ...] = ()
        if kind == "digital":
            earliest = latest = local.date()
        elif kind == COLLECT:
            stores = tuple(
                _store(store, local, shop.add(accepted(local, cut_off, shop), preparation), _opening(store, shop))
                for store in method.get("stores") or ()
            )
            if not stores:
                continue
            earliest = latest = min(store.day for store in stores)
        else:
            earliest, latest = promise(local, cut_off, shop, carrier, preparation, days)
            stores = tuple(_place(point, latest, None) for point in method.get("stores") or ())
        found.append(
            Option(method["id"], kind, method["name"], method.get("carrier") or "", amount, earliest, latest, stores)
        )
    return sorted(found, key=lambda option: (option.kind == COLLECT, option.amount, option.latest))


_calendar = lru_cache(maxsize=64)(Calendar.of)


def _holidays(markets: Mapping[str, Any], country: str) -> tuple[str, ...]:
    return tuple((markets.get(country) or {}).get("holidays") or ())


def _opening(store: Mapping[str, Any], shop: Calendar) -> Calendar:
    """The days on which a store is open: its own, or those of the shop; holidays and closed days hold for both."""
    return replace(shop, weekdays=frozenset(map(WEEKDAYS.index, store["open"]))) if store.get("open") else shop


def _store(store: Mapping[str, Any], local: datetime, prepared: date, opening: Calendar) -> Store:
    """When the goods of an order wait: never on a day on which the store is closed, never after it closes."""
    day, ready = opening.add(prepared, 0), None
    if day == local.date():
        opens, closes = _hours(store, day)
        # Elapsed hours are counted in UTC: wall-clock sums are wrong by an hour on the nights of summer time.
        moment = (local.astimezone(ZoneInfo("UTC")) + timedelta(hours=store.get("ready_hours") or 0)).astimezone(
            local.tzinfo
        )
        moment += (
            -timedelta(minutes=moment.minute % 15, seconds=moment.second, microseconds=moment.microsecond) % QUARTER
        )
        moment = max(moment, moment.replace(hour=opens.hour, minute=opens.minute)) if moment.date() == day else moment
        if moment.date() == day and moment.time() < closes:
            ready = moment
        else:
            day = opening.add(day + timedelta(days=1), 0)
    return _place(store, day, ready)


def _hours(store: Mapping[str, Any], day: date) -> tuple[time, time]:
    text = (store.get("open") or {}).get(WEEKDAYS[day.weekday()])
    opens, closes = map(time.fromisoformat, text.split("-")) if text else (time.min, time.max)
    return opens, closes


def _place(store: Mapping[str, Any], day: date, ready: datetime | None) -> Store:
    return Store(store["id"], store["name"], store.get("address") or {}, store.get("hours") or {}, day, ready)


def parcel(cart: "Cart", country: str) -> Parcel:
    """Read a cart once: the lines that are to be bought, with their variants and products."""
    lines = active(cart)
    sold = [(line, line.variant) for line in lines if line.variant is not None]
    return Parcel(
        country=country,
        currency=cart.currency,
        goods=sum(line.unit_amount * line.quantity for line in lines),
        weight=sum((variant.weight or 0) * line.quantity for line, variant in sold),
        preparation=max((variant.product.dispatch_days or 0 for _, variant in sold), default=0),
        digital=bool(sold) and all(variant.product.kind in DIGITAL for _, variant in sold),
    )


def options(cart: "Cart", country: str, now: datetime) -> list[Option]:
    """Ways of delivery of `cart` to `country` as seen at `now`: the first one is the one to preselect."""
    home = SHOP["seller"]["country"]
    return offers(SHOP["delivery"], SHOP["markets"], home, SHOP["shop"]["timezone"], parcel(cart, country), now)
