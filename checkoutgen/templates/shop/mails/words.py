"""Days, shares and addresses as words of a mail."""

import re
import unicodedata
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_interval, format_time, get_timezone_gmt
from babel.numbers import format_percent
from django.utils.translation import gettext as _

from checkout.address import lines
from common.texts import locale
from config.shop import SHOP, market
from orders.models import Order

# Line ends would let a name add headers; control and direction marks would let it look like something else.
_UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def one_line(text: str) -> str:
    """Safe in a header: one line, without marks that nobody sees."""
    words = " ".join(re.split(r" *[\t\n\v\f\r\u2028\u2029]+ *", text.strip()))
    return "".join(sign for sign in words if unicodedata.category(sign) not in _UNSEEN)


def zone(order: Order | None) -> ZoneInfo:
    """The clock on the buyer's wall."""
    return ZoneInfo((order and market(order.market).get("timezone")) or SHOP["shop"]["timezone"])


def day(moment: datetime | date, order: Order | None, language: str) -> str:
    if isinstance(moment, datetime):
        moment = moment.astimezone(zone(order)).date()
    return format_date(moment, "long", locale=locale(language))


def moment(at: datetime, order: Order | None, language: str) -> str:
    """Day and time to the second with the zone, as a receipt needs them."""
    local, style = at.astimezone(zone(order)), locale(language)
    clock = format_time(local, "medium", locale=style)
    return f"{day(at, order, language)}, {clock} {get_timezone_gmt(local, locale=style)}"


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


def address_lines(address: Mapping[str, str]) -> list[str]:
    """An address as its country writes it, each line one line whatever was typed."""
    return [one_line(line) for line in lines({key: one_line(str(value)) for key, value in address.items()})]
