"""A small stall of goods for tests of catalogue and cart, the same whatever the specification sells."""

from typing import Any

from catalogue.load import load
from config.shop import HOME, MARKETS, SHOP

CURRENCY = MARKETS[HOME]["currency"]
LANGUAGE = SHOP["shop"]["languages"][0]
# What the shop can deliver: a shop of downloads alone has no way for a sheet.
KIND = "goods" if any(way["kind"] != "digital" for way in SHOP["delivery"]["methods"]) else "digital_content"


def text(words: str) -> dict[str, str]:
    return dict.fromkeys(SHOP["shop"]["languages"], words)


def amount(value: int) -> dict[str, int]:
    return {facts["currency"]: value for facts in MARKETS.values()}


def goods(handle: str, *variants: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """An entry as the build writes it into content/catalogue.json."""
    return {
        "id": handle,
        "title": text(handle.title()),
        "description": text("**Soft** <script>alert(1)</script>"),
        "category": "",
        "kind": KIND,
        "tax": "standard",
        "pictures": [],
        "options": {},
        "variants": list(variants) or [variant(handle.upper())],
        "related": [],
        "details": [],
        "dispatch_days": 0,
        "unit": None,
    } | fields


def variant(sku: str, price: int = 4200, stock: int | None = 10, **fields: Any) -> dict[str, Any]:
    return {"sku": sku, "options": {}, "price": amount(price), "stock": stock, "weight": 100, "picture": 0} | fields


def open_stall() -> None:
    load(
        [
            goods("sheet", variant("SHEET", 5900), related=["pillow"]),
            goods("pillow", variant("PILLOW", 2500, 3)),
            goods("gone", variant("GONE", 1000, 0)),
            goods("gift", variant("GIFT", 3000, None)),
            goods(
                "cover",
                *(
                    variant(
                        f"C-{size}-{colour}".upper(),
                        7000 + 1000 * (size == "l"),
                        0 if (size, colour) == ("l", "red") else 5,
                        options={"size": text(size), "colour": text(colour)},
                    )
                    for size in ("s", "l")
                    for colour in ("red", "blue")
                ),
                options={"size": text("Size"), "colour": text("Colour")},
            ),
        ],
        stock=True,
    )
