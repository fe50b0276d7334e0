"""What the specification says about this shop, read once. No other module opens config/shop.json.

Texts are maps by language, amounts are maps of minor units by currency, markets are keyed by ISO country.
"""

import json
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

SHOP: dict[str, Any] = json.loads((Path(__file__).parent / "shop.json").read_text(encoding="utf-8"))
# In the order of the specification: the first market is the home market.
MARKETS: dict[str, dict[str, Any]] = SHOP["markets"]
HOME: str = next(iter(MARKETS))

# Whether buyers can sign in.
HAS_ACCOUNTS: bool = (
    SHOP["checkout"]["identification"]["sign_in"] or SHOP["checkout"]["identification"]["account"] != "none"
)


def market(code: str | None) -> dict[str, Any]:
    """The market of a country; an unknown or absent country gives the home market."""
    return MARKETS.get(code or HOME) or MARKETS[HOME]


@cache
def markets_for(language: str) -> list[str]:
    """Countries sold to, those that speak the language first and before all those whose first language it is."""

    def rank(code: str) -> int:
        spoken = MARKETS[code]["languages"]
        return spoken.index(language) if language in spoken else len(spoken) + 1

    return sorted(MARKETS, key=rank)


def section(name: str) -> dict[str, Any]:
    """A section of the specification; one that was left out is empty."""
    return SHOP.get(name) or {}


def tax_rate(market_code: str, tax: str) -> Decimal:
    """Rate in per cent; the standard one where the country has no such rate (Denmark has no reduced one).

    A seller under the small-business exemption charges none.
    """
    if SHOP["seller"].get("small_business"):
        return Decimal(0)
    rates = market(market_code)["tax"]
    return Decimal(rates.get(tax, rates.get("standard", "0")))
