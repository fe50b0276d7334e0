"""Amounts as written to whole minor units (ISO 4217), exactly."""

from __future__ import annotations

import re
from decimal import Decimal

# How many digits the minor unit of a currency has, where it is not two (ISO 4217, list one of 2026-01-01).
_DIGITS = dict.fromkeys("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(), 0)
_DIGITS |= dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3)
_TWO_DIGITS = frozenset(
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP "
    "CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR "
    "IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN "
    "NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP "
    "STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD YER ZAR ZMW ZWG".split()
)
MAX_MINOR = 1_000_000_000
DECIMAL = re.compile(r"(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,18})?\Z", re.ASCII)


def digits(currency: str) -> int | None:
    """Decimal digits of the currency's minor unit; None when it is no currency."""
    return _DIGITS.get(currency, 2 if currency in _TWO_DIGITS else None)


def minor(amount: str | int, currency: str) -> int | None:
    """Minor units of an amount such as "5.90"; None when the currency has fewer decimals than were written.

    Zeros at the end count for nothing: 10.00 JPY is 10 yen, 10.5 JPY is refused.
    """
    places = digits(currency)
    if places is None:
        raise ValueError(f"{currency} is no currency")
    scaled = Decimal(amount).scaleb(places)
    return int(scaled) if scaled == scaled.to_integral_value() else None
