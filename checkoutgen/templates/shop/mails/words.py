"""Days and shares as words in the language of a mail."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime, format_interval, format_time
from babel.numbers import format_percent
from django.utils.translation import gettext as _

from common.texts import locale
from config.shop import SHOP, market
from orders.models import Order


def zone(order: Order | None) -> ZoneInfo:
    """The clock on the buyer's wall."""
    return ZoneInfo((order and market(order.market).get("timezone")) or SHOP["shop"]["timezone"])


def day(moment: datetime | date, order: Order | None, language: str) -> str:
    if isinstance(moment, datetime):
        moment = moment.astimezone(zone(order)).date()
    return format_date(moment, "long", locale=locale(language))


def moment(at: datetime, order: Order | None, language: str) -> str:
    """Day and time to the second with the zone, as a receipt needs them."""
    return format_datetime(at, "long", tzinfo=zone(order), locale=locale(language))


def until(at: datetime, order: Order | None, language: str) -> str:
    """Day and time to the minute."""
    return f"{day(at, order, language)}, {format_time(at, 'short', tzinfo=zone(order), locale=locale(language))}"


def arrival(delivery: Mapping[str, Any], language: str) -> dict[str, str] | None:
    """The promise made at the order: what happens and when; None for what is delivered at once."""
    if not delivery.get("earliest") or delivery.get("kind") == "digital":
        return None
    first, last = (date.fromisoformat(delivery[key]) for key in ("earliest", "latest"))
    collected = delivery.get("kind") == "click-and-collect"
    return {
        "label": _("Ready for collection") if collected else _("Expected arrival"),
        "when": format_interval(first, last, "MMMEd", locale=locale(language)),
    }


def percent(rate: str, language: str) -> str:
    """ "5.5" -> "5,5 %" in French."""
    return format_percent(Decimal(rate) / 100, locale=locale(language), decimal_quantization=False)
