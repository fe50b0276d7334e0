"""What a page says of guarantees before goods are bought: articles 6(1)(l), (la), 8(2), 22a of Directive 2011/83/EU.

The official notice and label of Implementing Regulation (EU) 2025/1960 may be shown only as the Commission publishes
them, so the shop says their contents in words. Whoever has the Commission's files shows them by templates of the same
names in custom/templates/: includes/guarantee_notice.html, includes/durability_label.html.
"""

from datetime import date
from typing import Any

from catalogue.models import Product
from config.shop import SHOP, market, section

# Article 3 of Directive (EU) 2024/825.
FIRST_DAY = date(2026, 9, 27)
# The law's own guarantee lasts as long: only a longer one of the producer bears the label.
LEGAL_YEARS = 2


def notice(product: Product, market_code: str, today: date) -> dict[str, Any] | None:
    """{"years" that the law of the market gives at least, "country" where that is more than the Union asks for}."""
    facts = market(market_code)
    if not _is_asked(product, market_code, today) or section("legal").get("guarantee_notice") == "none":
        return None
    years = max(facts.get("guarantee_years") or 0, LEGAL_YEARS)
    return {"years": years, "country": facts["name"] if years > LEGAL_YEARS else None}


def durability(product: Product, market_code: str, today: date) -> int:
    """Years of the producer's guarantee of durability that is to be labelled; 0 where there is none."""
    years = product.durability_guarantee_years
    return years if years > LEGAL_YEARS and _is_asked(product, market_code, today) else 0


def _is_asked(product: Product, market_code: str, today: date) -> bool:
    consumers, union = SHOP["audience"] != "b2b", bool(market(market_code).get("eu"))
    return consumers and union and product.kind == Product.Kind.GOODS and today >= FIRST_DAY
