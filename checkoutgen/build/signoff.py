"""What the shop promises to buyers, on one sheet with a digest, and who signed it.

A signature is a line `DIGEST DATE NAME` in a file beside the spec, reviewed in its repository like everything else. Any
change of a promise changes the digest, so a build that needs a signature stops until somebody signs again.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from checkoutgen.build.manifest import digest
from checkoutgen.errors import CheckoutgenError, UsageError, printable
from checkoutgen.spec.money import digits

if TYPE_CHECKING:
    from checkoutgen.spec import Spec

Data = dict[str, Any]

LINE = re.compile(r"(?P<digest>[0-9a-f]{64}) (?P<date>\d{4}-\d{2}-\d{2}) (?P<name>\S.*)")


class UnsignedError(CheckoutgenError):
    """Nobody signed what the shop promises now."""

    exit_code = 1


def promises(data: Data) -> Data:
    """The part of the resolved spec that binds the seller; neither pictures nor stock do, which sales change."""
    catalogue = data["catalogue"]
    keys = ("id", "title", "price", "tax", "withdrawal_exception", "durability_guarantee_years", "safety")
    return {
        **{key: data[key] for key in ("seller", "audience", "legal", "trust", "delivery")},
        "shop": {key: data["shop"][key] for key in ("name", "url", "languages")},
        "markets": {
            code: {
                key: market.get(key)
                for key in ("prices", "tax", "withdrawal", "guarantee_years", "order_button", "languages")
            }
            for code, market in data["markets"].items()
        },
        "prices": catalogue["prices"],
        "products": [
            {key: product.get(key) for key in keys}
            | {
                "variants": [
                    {key: variant[key] for key in variant if key not in ("stock", "picture")}
                    for variant in product["variants"]
                ]
            }
            for product in catalogue["products"]
        ],
        "checkout": {key: data["checkout"].get(key) for key in ("terms", "order_button")},
        "payment": [
            {key: method.get(key) for key in ("id", "kind", "name", "markets", "fee")}
            | ({"mode": "fields"} if method["mode"] == "fields" else {})
            for method in data["payment"]["methods"]
        ],
        "pay_within_hours": data["payment"].get("pay_within_hours"),
    }


def promised(data: Data) -> str:
    """The digest that a signature names."""
    return digest(json.dumps(promises(data), sort_keys=True, ensure_ascii=False).encode())


def require(spec: Spec) -> None:
    """Raises UnsignedError unless the promises of this spec were signed."""
    path = signatures(spec)
    wanted = promised(spec.data)
    lines = path.read_text("utf-8").splitlines() if path.is_file() else []
    for number, line in enumerate(lines, 1):
        if line.strip() and not line.startswith("#") and not LINE.fullmatch(line):
            raise UsageError(f"{printable(str(path))}:{number}: not a signature; write DIGEST DATE NAME")
    if not any(line.startswith(f"{wanted} ") for line in lines):
        raise UnsignedError(
            f"nobody signed what this shop promises: read `checkoutgen plan {spec.file} OUT --sheet`, "
            f"then add the line `{wanted} YYYY-MM-DD NAME` to {printable(str(path))}"
        )


def signatures(spec: Spec) -> Path:
    """The file of signatures: `shop.signoff` beside `shop.yaml`."""
    return spec.root / f"{Path(spec.file).stem}.signoff"


def sheet(spec: Spec) -> list[str]:
    """The promises in plain sentences, in the first language of the shop where they are texts; the digest last."""
    data = spec.data
    seller, shop = data["seller"], data["shop"]
    lines = [f"What {shop['name']} ({shop['url']}) promises", ""]
    lines += [f"Sold by {seller['legal_name']}, {_address(seller['address'])}, to {_audience(data['audience'])}.", ""]
    for code, market in data["markets"].items():
        rates = ", ".join(f"{name} {rate} %" for name, rate in market["tax"].items())
        lines.append(f"{code}: prices {'with' if market['prices'] == 'gross' else 'without'} tax ({rates}).")
        if data["audience"] != "b2b":
            lines += _to_consumers(market)
        lines.append(f"    The order button reads “{market['order_button'][market['languages'][0]]}”.")
    lines += ["", "Delivery:"]
    for method in data["delivery"]["methods"]:
        lines.append(f"    {_first(method['name'])}: {_delivered(method)}")
        lines += [
            f"        {_where(rate)}: {_delivered({'days': method.get('days'), **rate})}" for rate in method["rates"]
        ]
    lines += ["", "Payment: " + ", ".join(_paid(method) for method in data["payment"]["methods"]) + "."]
    lines += ["", f"{len(data['catalogue']['products'])} products with the prices and taxes of the catalogue."]
    if badges := data["trust"]["badges"]:
        lines += [
            "",
            "Said of itself:",
            *(f"    {_first(badge['name'])}: {_first(badge.get('text'))}" for badge in badges),
        ]
    lines += ["", f"Texts, version {data['legal']['version']}:"]
    for page, texts in data["legal"]["pages"].items():
        bodies = ", ".join(f"{language} {digest(body.encode())[:12]}" for language, body in texts["body"].items())
        lines.append(f"    {page}: {bodies}")
    return [*lines, "", f"Digest: {promised(data)}"]


def _to_consumers(market: Data) -> list[str]:
    lines = []
    if withdrawal := market.get("withdrawal"):
        lines.append(f"    Consumers may withdraw within {withdrawal['days']} days.")
    if years := market.get("guarantee_years"):
        lines.append(f"    Goods are guaranteed to consumers by law for {years} years.")
    return lines


def _paid(method: Data) -> str:
    notes = [f"in fields of {method['provider']} in a page of the shop"] if method["mode"] == "fields" else []
    notes += [f"for {_amounts(method['fee'])}"] if method.get("fee") else []
    return _first(method["name"]) + (f" ({', '.join(notes)})" if notes else "")


def _first(text: Data | None) -> str:
    return str(next(iter(text.values()), "")) if text else ""


def _audience(audience: str) -> str:
    return {"b2c": "consumers", "b2b": "businesses", "mixed": "consumers and businesses"}[audience]


def _address(address: Data) -> str:
    return ", ".join(str(address[key]) for key in ("street", "postcode", "city", "country") if address.get(key))


def _days(method: Data) -> str:
    if not (days := method.get("days")):
        return "at once"
    first, last = days
    return f"{last} working day{'' if last == 1 else 's'}" if first == last else f"{first} to {last} working days"


def _delivered(method: Data) -> str:
    said = [_days(method)]
    if prices := method.get("price"):
        said.append(_amounts(prices))
    if free := method.get("free_from"):
        said.append(f"free from {_amounts(free)}")
    return ", ".join(said)


def _where(rate: Data) -> str:
    """To which markets, and for which weight, in grams."""
    places = f"to {', '.join(rate['markets'])}" if rate.get("markets") else "everywhere"
    weights = f" from {rate['from_weight']} g" if rate.get("from_weight") else ""
    return places + weights + (f" up to {rate['to_weight']} g" if rate.get("to_weight") else "")


def _amounts(prices: Data) -> str:
    amounts = [f"{Decimal(amount).scaleb(-(digits(currency) or 0))} {currency}" for currency, amount in prices.items()]
    return " / ".join(amounts)
