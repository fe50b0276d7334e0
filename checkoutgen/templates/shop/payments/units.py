"""Between our minor units (the digits that CLDR gives a currency) and those that a provider counts in."""

from decimal import Decimal

from common.money import exponent, to_decimal

# ISO 4217 currencies without and with three digits; all others have two. CLDR hides unused digits of some more.
ISO_DIGITS = dict.fromkeys(
    ["BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"], 0
) | dict.fromkeys(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"], 3)


def iso_digits(currency: str) -> int:
    return ISO_DIGITS.get(currency, 2)


def rescale(amount: int, currency: str, digits: int) -> int:
    """Our amount in units with so many digits. ValueError when that would lose a part of it."""
    value = to_decimal(amount, currency).scaleb(digits)
    if value != value.to_integral_value():
        raise ValueError(f"{amount} {currency} has no whole amount with {digits} digits")
    return int(value)


def unscale(amount: int, currency: str, digits: int) -> int | None:
    """A provider's amount in our units; None when it has a fraction of them, which never equals an amount of ours."""
    value = Decimal(amount).scaleb(exponent(currency) - digits)
    return int(value) if value == value.to_integral_value() else None


def decimal_text(amount: int, currency: str) -> str:
    """ "12.50", "1200" (JPY): as providers read amounts that are texts."""
    return f"{to_decimal(amount, currency):.{iso_digits(currency)}f}"


def from_text(value: str, currency: str) -> int | None:
    """The other way round; None for what is no amount of ours."""
    try:
        scaled = Decimal(value).scaleb(exponent(currency))
    except ArithmeticError:
        return None
    return int(scaled) if scaled.is_finite() and scaled == scaled.to_integral_value() else None
