"""The catalogue in memory. Products, pictures and prices are read once per revision; stock is read for every page.

Each product has `shown_pictures` and `sold_variants` (published, each knows its product).
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache

from django.db import connection
from django.db.models import Prefetch

from catalogue.models import Picture, Product, Revision, Variant
from config.shop import section

KEPT = 1000  # products a process holds


_reading: ContextVar[list[str] | None] = ContextVar("reading", default=None)


@contextmanager
def one_reading() -> Iterator[None]:
    """Within it the revision is read once: a page shows one state of the catalogue."""
    mark = _reading.set([])
    try:
        yield
    finally:
        _reading.reset(mark)


def revision() -> str:
    known = _reading.get()
    if known:
        return known[0]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT token FROM {Revision._meta.db_table}")  # noqa: S608  our own table
        row = cursor.fetchone()
    token = row[0] if row else ""
    if known is not None:
        known.append(token)
    return token


@lru_cache(maxsize=KEPT)
def _product(revision: str, pk: int) -> Product | None:
    kept = Prefetch("variants", Variant.objects.filter(published=True), to_attr="sold_variants")
    pictures = Prefetch("pictures", Picture.objects.all(), to_attr="shown_pictures")
    product = Product.objects.filter(pk=pk).prefetch_related(kept, pictures).first()
    if product is not None:
        for variant in product.sold_variants:
            variant.product = product
    return product


@lru_cache(maxsize=KEPT)
def _pk(revision: str, handle: str) -> int | None:
    return Product.objects.filter(handle=handle, published=True).values_list("pk", flat=True).first()


@lru_cache(maxsize=64)
def _on_sale(revision: str, category: str | None) -> tuple[tuple[int, str], ...]:
    found = Product.objects.filter(published=True)
    if category is not None:
        found = found.filter(category=category)
    return tuple(found.values_list("pk", "category"))


def on_sale(category: str | None = None) -> tuple[tuple[int, str], ...]:
    """(pk, category) of every product on sale in the order of the catalogue, or of those of one category."""
    return _on_sale(revision(), category)


def product(handle: str) -> Product | None:
    """A product on sale."""
    token = revision()
    pk = _pk(token, handle)
    return _product(token, pk) if pk else None


def products(pks: Iterable[int]) -> list[Product]:
    """In the order asked for; what is gone is left out."""
    token = revision()
    return [found for pk in pks if (found := _product(token, pk))]


def by_handle(handles: Iterable[str]) -> list[Product]:
    token = revision()
    return products(pk for handle in handles if (pk := _pk(token, handle)))


def taken(product_pk: int | None, pk: int, stock: int | None) -> Variant | None:
    """A published variant with today's stock: a copy, because threads share the shelf."""
    for product in products([product_pk] if product_pk else []):
        for variant in product.sold_variants:
            if variant.pk == pk:
                found = Variant.__new__(Variant)  # copy() of a model asks Django for several times as much
                vars(found).update(vars(variant), stock=stock)
                return found
    return None


def variant(sku: str) -> Variant | None:
    with connection.cursor() as cursor:
        table = Variant._meta.db_table
        cursor.execute(f"SELECT product_id, id, stock FROM {table} WHERE sku = %s", [sku])  # noqa: S608  our own table
        row = cursor.fetchone()
    return taken(*row) if row else None


def restock(found: Iterable[Product]) -> tuple[int | None, ...]:
    """Reads today's stock of all variants in one query. Threads share the products: the last reader is right.

    Returns:
        What pages tell of the stock, in the order of the variants: with the same figures they look the same.
    """
    variants = {variant.pk: variant for product in found for variant in product.sold_variants}
    if variants:
        marks = ",".join(["%s"] * len(variants))
        with connection.cursor() as cursor:
            table = Variant._meta.db_table
            cursor.execute(f"SELECT id, stock FROM {table} WHERE id IN ({marks})", list(variants))  # noqa: S608  marks
            for pk, stock in cursor.fetchall():
                variants[pk].stock = stock
    return tuple(_told(variant.stock) for variant in variants.values())


def _told(stock: int | None) -> int | None:
    """Pages tell few pieces from many, but not many from more, unless the specification wants it exact."""
    shown = section("catalogue")
    if stock is None or shown.get("show_stock") == "exact":
        return stock
    return min(stock, shown.get("low_stock", 5) + 1)
