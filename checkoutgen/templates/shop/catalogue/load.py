"""content/catalogue.json into the tables. Texts and prices follow the file; stock belongs to the shop once it runs."""

from collections.abc import Iterable
from typing import Any

from django.db import transaction

from catalogue.models import Picture, Product, Variant


def load(products: Iterable[dict[str, Any]], *, stock: bool = False) -> tuple[int, int]:
    """Adds and updates; what is no longer in the file is withdrawn from sale, not deleted, because orders point at it.

    Args:
        products: entries as the build resolved them.
        stock: also set the stock of variants that are there already.

    Returns:
        Numbers of products and of variants now on sale.
    """
    with transaction.atomic():
        skus: list[str] = []
        handles: list[str] = []
        for position, entry in enumerate(products):
            product = _product(entry, position)
            handles.append(product.handle)
            skus += _variants(product, entry, stock)
        Product.objects.exclude(handle__in=handles).update(published=False)
        Variant.objects.exclude(sku__in=skus).update(published=False)
    return len(handles), len(skus)


def _product(entry: dict[str, Any], position: int) -> Product:
    product, _ = Product.objects.update_or_create(
        handle=entry["id"],
        defaults={
            "title": entry["title"],
            "description": entry.get("description") or {},
            "category": entry.get("category") or "",
            "vendor": entry.get("vendor") or "",
            "kind": entry.get("kind") or Product.Kind.GOODS,
            "tax": entry.get("tax") or "standard",
            "details": entry.get("details") or [],
            "unit": entry.get("unit"),
            "related": entry.get("related") or [],
            "dispatch_days": entry.get("dispatch_days") or 0,
            "withdrawal_exception": entry.get("withdrawal_exception") or "",
            "safety": entry.get("safety") or {},
            "durability_guarantee_years": entry.get("durability_guarantee_years") or 0,
            "published": True,
            "position": position,
        },
    )
    product.pictures.all().delete()
    Picture.objects.bulk_create(
        Picture(
            product=product,
            path=picture["path"],
            alt=picture.get("alt") or {},
            width=picture["width"],
            height=picture["height"],
            position=index,
        )
        for index, picture in enumerate(entry.get("pictures") or [])
    )
    return product


def _variants(product: Product, entry: dict[str, Any], stock: bool) -> list[str]:
    names: dict[str, Any] = entry.get("options") or {}
    skus = []
    for position, given in enumerate(entry["variants"]):
        was, prior = given.get("was") or {}, given.get("prior_price") or {}
        fields = {
            "product": product,
            "options": [
                {"name": names.get(option, {}), "value": value}
                for option, value in (given.get("options") or {}).items()
            ],
            "prices": {
                currency: {"amount": amount, "was": was.get(currency), "prior": prior.get(currency)}
                for currency, amount in given["price"].items()
            },
            "weight": given.get("weight") or 0,
            "picture": given.get("picture") or 0,
            "position": position,
            "published": True,
        }
        counted = {"stock": given.get("stock")}
        Variant.objects.update_or_create(
            sku=given["sku"],
            defaults=fields | (counted if stock else {}),
            create_defaults=fields | counted,
        )
        skus.append(given["sku"])
    return skus
