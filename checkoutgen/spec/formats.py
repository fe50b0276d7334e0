"""The `format`s of the schema: each takes a text and answers what is wrong with it, or None."""

from __future__ import annotations

import keyword
import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal

from checkoutgen.spec.money import DECIMAL, digits

_HOST = re.compile(
    r"(?=.{4,253}\Z)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]\Z", re.IGNORECASE
)
_WEB = re.compile(r"https://(?P<host>[^/?#]+)(?P<rest>[/?#][!-~]*)?\Z")
_MAIL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*@(?P<host>[^@]+)\Z")
_DEVICES = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))}
# Names that mean something else where an id ends up: in addresses, folders, Python modules and SQL.
_RESERVED = _DEVICES | {k.lower() for k in keyword.kwlist} | {
    "admin", "api", "custom", "django", "media", "models", "select", "settings", "static", "webhooks",
}  # fmt: skip
_COUNTRY_HINTS = {"UK": "GB", "EL": "GR", "EN": "GB", "XK": None, "EU": None}


def identifier(value: str) -> str | None:
    if value in _RESERVED:
        return f"`{value}` is reserved; choose another name"
    return None


def country(value: str) -> str | None:
    if value in _COUNTRY_HINTS:
        meant = _COUNTRY_HINTS[value]
        return f"`{value}` is not a country of ISO 3166-1" + (f"; did you mean `{meant}`?" if meant else "")
    return None


def currency(value: str) -> str | None:
    if re.fullmatch("[A-Z]{3}", value) and digits(value) is None:
        return f"`{value}` is not a currency of ISO 4217"
    return None


def amount(value: str) -> str | None:
    return (
        None if DECIMAL.match(value) else "must be an amount such as 5.90, with a point and without a sign or currency"
    )


def decimal(value: str) -> str | None:
    return None if DECIMAL.match(value) and Decimal(value) > 0 else "must be a number above 0 such as 0.5"


def percent(value: str) -> str | None:
    if DECIMAL.match(value) and 0 < Decimal(value) <= 100:
        return None
    return "must be a percentage above 0 and at most 100, such as 10 or 7.5, without the sign %"


def radius(value: str) -> str | None:
    return None if DECIMAL.match(value) and Decimal(value) <= 1 else "must be between 0 and 1, such as 0.5"


def day(value: str) -> str | None:
    try:
        return None if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value) and date.fromisoformat(value) else _DAY
    except ValueError:
        return f"there is no such day; {_DAY}"


_DAY = 'must be a day such as "2026-12-24"'


def time(value: str) -> str | None:
    return None if re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", value) else 'must be a time such as "14:00"'


def timezone(value: str) -> str | None:
    from zoneinfo import ZoneInfo

    if re.fullmatch(r"[A-Za-z]+(/[A-Za-z0-9_+-]+){0,2}", value):
        try:
            ZoneInfo(value)
            return None
        except (KeyError, OSError, ValueError):
            pass
    return "must be a time zone such as Europe/Paris"


def host(value: str) -> str | None:
    if not value.isascii():
        odd = next(c for c in value if not c.isascii())
        return f"has U+{ord(odd):04X} in its host name, which can look like another letter; write the ASCII form"
    if not _HOST.match(value):
        return "needs a full host name such as shop.example, without user, port or IP number"
    return None


def web_address(value: str) -> str | None:
    found = _WEB.match(value)
    if not found:
        return "must be an address that begins with https:// and has no spaces or special characters"
    if "\\" in value or re.search("%(?:0[0-9a-f]|1[0-9a-f]|7f)", value, re.IGNORECASE):
        return "must not have backslashes or control characters"
    return host(found["host"])


def shop_address(value: str) -> str | None:
    found = _WEB.match(value)
    if not found or found["rest"] not in (None, "/"):
        return "must be https:// and the shop's host name, with nothing after it"
    if "xn--" in value:
        return "must not be a punycode host name (xn--), which can imitate another one"
    return host(found["host"])


def tracking_address(value: str) -> str | None:
    if re.findall(r"\{[^}]*\}?", value) != ["{number}"]:
        return "needs {number} once, where the parcel's number goes, and no other braces"
    return web_address(value.replace("{number}", "0"))


def mail_address(value: str) -> str | None:
    found = _MAIL.match(value)
    if not found or len(value.partition("@")[0]) > 64:
        return "must be one e-mail address such as hello@shop.example"
    return host(found["host"])


def sender_name(value: str) -> str | None:
    if re.search(r'[\n\t<>"@\\]|=\?', value):
        return 'must be a plain name on one line, without < > " @ or an address'
    return None


def file(value: str) -> str | None:
    parts = value.split("/")
    if value.startswith(("/", "~")) or re.match("[A-Za-z]:", value) or "\\" in value or "$" in value:
        return "must be a path relative to this file, with / between folders"
    if any(part in ("", ".", "..") for part in parts):
        return "must not contain `..`, `.` or an empty part"
    if re.search(r"[^A-Za-z0-9._{}/ -]", value) or any(part.startswith((".", "-")) for part in parts):
        return "must be made of letters a to z, digits, . _ - and /, and no part may begin with a point or hyphen"
    if any(part.lower().split(".")[0] in _DEVICES for part in parts):
        return "has a name that Windows keeps for a device; choose another"
    return None


def text_file(value: str) -> str | None:
    if value.startswith("standard:"):
        return None if re.fullmatch(r"standard:[a-z][a-z-]*(\.[a-z0-9]+)?", value) else "must be standard:NAME"
    return file(value)


def extends(value: str) -> str | None:
    if value.startswith("preset:"):
        return None if re.fullmatch("preset:[a-z][a-z0-9-]*", value) else "must be preset:NAME"
    if "://" in value:
        return "must be preset:NAME or a file; nothing is fetched from the network"
    if not value.endswith((".yaml", ".yml", ".json")):
        return "must be preset:NAME or a file that ends in .yaml"
    return file(re.sub(r"^(\.\./)+|^\./", "", value))


def iban(value: str) -> str | None:
    compact = value.replace(" ", "")
    if not re.fullmatch("[A-Z]{2}[0-9]{2}[A-Z0-9]{10,30}", compact):
        return "must be an IBAN such as FR76 3000 6000 0112 3456 7890 189"
    if int("".join(str(int(c, 36)) for c in compact[4:] + compact[:4])) % 97 != 1:
        return "is not a valid IBAN: its check digits do not fit; one character may be wrong"
    return None


FORMATS: dict[str, Callable[[str], str | None]] = {
    "id": identifier, "country": country, "currency": currency, "amount": amount, "decimal": decimal,
    "percent": percent, "radius": radius, "day": day, "time": time, "timezone": timezone, "web-address": web_address,
    "shop-address": shop_address, "tracking-address": tracking_address, "mail-address": mail_address,
    "sender-name": sender_name, "file": file, "text-file": text_file, "extends": extends, "iban": iban,
}  # fmt: skip
