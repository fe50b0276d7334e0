"""Each market can read the shop: one of its own languages, as `checkoutgen/markets/` lists them, is offered."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from checkoutgen.lint.case import Case, Outcome

MARKETS = Path(__file__).parents[3] / "markets"


@cache
def own_languages(market: str) -> tuple[str, ...]:
    try:
        return tuple(json.loads((MARKETS / f"{market}.json").read_bytes())["languages"])
    except (OSError, KeyError):
        return ()


def check(case: Case) -> Iterator[Outcome]:
    own = own_languages(case.market)
    if own and case.facts and not set(own) & set(case.languages):
        yield Outcome(
            False,
            f"markets.{case.market}.languages",
            f"{case.market} is served in {', '.join(case.languages)} only, none of which it speaks",
        )
