"""The products of a spec: inline and from files, each with its variants."""

from __future__ import annotations

from typing import Any

from checkoutgen.errors import quoted
from checkoutgen.spec import resolve
from checkoutgen.spec.reader import Path as At

Data = dict[str, Any]

_PRODUCT_KEYS = (
    "id title description category vendor kind tax unit pictures options variants related details dispatch_days "
    "withdrawal_exception safety durability_guarantee_years"
).split()
_SHARED = ("price", "was", "prior_price", "stock", "weight")
_VARIANT_KEYS = "sku options price was prior_price stock weight picture".split()


def finish(data: Data, context: resolve.Context) -> None:
    """Completes data["catalogue"]["products"]: variants, related products and references."""
    catalogue = data["catalogue"]
    products = catalogue["products"]
    if not products:
        context.report(("catalogue",), "needs `products` or `files`: a shop without products sells nothing")
    resolve.unique(products, "id", ("catalogue", "products"), context)
    for index, product in enumerate(products):
        at: At = ("catalogue", "products", index)
        product["variants"] = _variants(product, at, context)
        _pictures(product)
        if "category" in product:
            resolve.exists(product["category"], catalogue["categories"], (*at, "category"), "category", context)
        for country, market in data["markets"].items():
            if product["tax"] not in market["tax"]:
                message = f"{country} has no VAT rate {product['tax']!r}; it has: {', '.join(market['tax'])}"
                context.report((*at, "tax"), message)
    _unique_skus(products, context)
    _related(products, context)
    catalogue["products"] = [
        dict(zip(_PRODUCT_KEYS, map(product.get, _PRODUCT_KEYS), strict=True)) for product in products
    ]


def _variants(product: Data, at: At, context: resolve.Context) -> list[Data]:
    given = product["variants"] or [{}]
    result = []
    for index, variant in enumerate(given):
        here: At = (*at, "variants", index) if product["variants"] else at
        options = variant.get("options", {})
        own: Data = {key: product[key] for key in _SHARED if key in product}
        own["sku"] = _sku(product, options)
        full = {**dict.fromkeys(_VARIANT_KEYS), **own, **variant, "options": options}
        if full["price"] is None:
            context.report(here, "needs `price`")
        elif 0 in full["price"].values():
            context.report((*here, "price"), "must be above 0")
        if set(options) != set(product["options"]):
            context.report(
                here, f"must choose each of the product's options: {', '.join(product['options']) or 'none'}"
            )
        if full["picture"] is not None and full["picture"] >= len(product["pictures"]):
            context.report((*here, "picture"), f"there are {len(product['pictures'])} pictures, counted from 0")
        result.append(full)
    return result


def _sku(product: Data, options: Data) -> str:
    chosen = [resolve.slug(next(iter(name.values()))) for name in options.values()]
    return "-".join([str(product.get("sku", product["id"])), *chosen])


def _unique_skus(products: list[Data], context: resolve.Context) -> None:
    seen: set[str] = set()
    for index, product in enumerate(products):
        for number, variant in enumerate(product["variants"]):
            sku = variant["sku"].lower()
            if sku in seen:
                at: At = ("catalogue", "products", index, "variants", number, "sku")
                context.report(at, f"the SKU {quoted(variant['sku'])} is used already; give one variant another")
            seen.add(sku)


def _pictures(product: Data) -> None:
    product["pictures"] = [
        {**picture["file"], "alt": picture.get("alt", product["title"])} for picture in product["pictures"]
    ]


def _related(products: list[Data], context: resolve.Context) -> None:
    known = {product["id"] for product in products}
    by_category: dict[str | None, list[str]] = {}
    for product in products:
        by_category.setdefault(product.get("category"), []).append(product["id"])
    for index, product in enumerate(products):
        for number, other in enumerate(product.get("related", [])):
            resolve.exists(other, known, ("catalogue", "products", index, "related", number), "product", context)
        alike = [other for other in by_category[product.get("category")][:5] if other != product["id"]]
        product.setdefault("related", alike[:4])
