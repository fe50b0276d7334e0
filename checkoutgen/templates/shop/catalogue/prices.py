"""What a variant costs in a market, the way the market shows prices (with or without tax)."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from catalogue.models import Variant
from config.shop import SHOP, market, section, tax_rate

# How the amounts of the catalogue are meant: "gross" with tax, "net" without.
MEANT: str = (SHOP.get("catalogue") or {}).get("prices") or "gross"


@dataclass(frozen=True, slots=True)
class Price:
    amount: int
    was: int | None  # crossed out
    prior: int | None  # lowest of the last 30 days before the reduction (article 6a, Directive 98/6/EC)
    currency: str

    @property
    def before(self) -> int | None:
        """The amount to cross out: a reduction is told from the lowest of the last 30 days (C-330/23, Aldi Süd)."""
        return self.prior if self.was and self.prior else self.was


def shown(amount: int, rate: Decimal, meant: str, wanted: str) -> int:
    """Converts between net and gross at a rate in per cent, half up."""
    if meant == wanted:
        return amount
    factor = 1 + rate / 100
    value = amount * factor if wanted == "gross" else amount / factor
    return int(value.quantize(Decimal(1), ROUND_HALF_UP))


def steps(variant: Variant, market_code: str) -> list[tuple[int, int]]:
    """Lower prices by quantity (business.volume_prices), fewest pieces first: [(from how many, amount of one)]."""
    facts, table = market(market_code), section("business").get("volume_prices") or ()
    rate = tax_rate(market_code, variant.product.tax) if table else Decimal(0)
    return sorted(
        (step["from"], shown(step["price"][facts["currency"]], rate, MEANT, facts["prices"]))
        for step in table
        if step["product"] == variant.product.handle
        and step.get("sku") in (None, variant.sku)
        and facts["currency"] in step["price"]
    )


def price(variant: Variant, market_code: str, quantity: int = 1) -> Price | None:
    """Of one piece when so many are bought; None when the variant has no price in the market's currency."""
    one = _single(variant, market_code)
    if one is None or not section("business").get("volume_prices"):
        return one
    reached = [amount for least, amount in steps(variant, market_code) if least <= quantity]
    return Price(reached[-1], None, None, one.currency) if reached and reached[-1] < one.amount else one


def _single(variant: Variant, market_code: str) -> Price | None:
    facts = market(market_code)
    entry = variant.prices.get(facts["currency"])
    if entry is None:
        return None
    if facts["prices"] == MEANT:
        return Price(entry["amount"], entry.get("was"), entry.get("prior"), facts["currency"])
    rate = tax_rate(market_code, variant.product.tax)
    amount, was, prior = (
        None if value is None else shown(value, rate, MEANT, facts["prices"])
        for value in (entry["amount"], entry.get("was"), entry.get("prior"))
    )
    return Price(amount, was, prior, facts["currency"])  # type: ignore[arg-type]  amount is always given
