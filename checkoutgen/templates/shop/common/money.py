"""Amounts are integers of minor units next to an ISO 4217 currency code."""

from decimal import Decimal
from functools import cache, lru_cache

from babel.numbers import format_currency, get_currency_precision

from common.texts import locale


@cache
def exponent(currency: str) -> int:
    """Digits after the point: EUR 2, JPY 0, KWD 3 (CLDR)."""
    return get_currency_precision(currency)


def to_decimal(amount: int, currency: str) -> Decimal:
    return Decimal(amount).scaleb(-exponent(currency))


@lru_cache(maxsize=8192)
def format_amount(amount: int, currency: str, language: str) -> str:
    """12345, "EUR", "fr" -> "123,45 €" as CLDR writes it in the language."""
    return format_currency(to_decimal(amount, currency), currency, locale=locale(language))
