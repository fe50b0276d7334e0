from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from backoffice.lists import amount
from common.texts import localized

from .models import Picture, Product, Variant


def prices(variant: Variant) -> str:
    return ", ".join(amount(price["amount"], currency) for currency, price in sorted(variant.prices.items()))


class VariantInline(admin.TabularInline):
    """Texts and prices come with the catalogue of the specification (load_catalogue); stock is counted here."""

    model = Variant
    extra = 0
    fields = ["sku", "label", "price", "stock", "published"]
    readonly_fields = ["sku", "label", "price"]

    @admin.display(description=_("options"))
    def label(self, variant: Variant) -> str:
        return variant.label

    @admin.display(description=_("price"))
    def price(self, variant: Variant) -> str:
        return prices(variant)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class PictureInline(admin.TabularInline):
    model = Picture
    extra = 0
    fields = readonly_fields = ["path", "width", "height"]
    max_num = 0
    can_delete = False


@admin.register(Product)
class ProductAdmin(admin.ModelAdmin):
    list_display = ["__str__", "handle", "category", "stock", "published"]
    list_filter = ["published", "category", "kind"]
    search_fields = ["handle", "vendor", "title", "variants__sku"]
    fields = ["handle", "name", "category", "vendor", "kind", "tax", "dispatch_days", "published", "position"]
    readonly_fields = ["handle", "name", "category", "vendor", "kind", "tax", "dispatch_days"]
    inlines = [VariantInline, PictureInline]

    def get_queryset(self, request: HttpRequest):
        return super().get_queryset(request).prefetch_related("variants")

    @admin.display(description=_("title"))
    def name(self, product: Product) -> str:
        return localized(product.title)

    @admin.display(description=_("stock"))
    def stock(self, product: Product) -> str:
        counted = [variant.stock for variant in product.variants.all() if variant.stock is not None]
        return str(sum(counted)) if counted else "–"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Variant)
class VariantAdmin(admin.ModelAdmin):
    """One list to count stock in."""

    list_display = ["sku", "product", "stock", "published", "price"]
    list_editable = ["stock", "published"]
    list_filter = ["published", "product__category"]
    search_fields = ["sku", "product__title", "product__handle"]
    list_select_related = ["product"]
    list_per_page = 100
    fields = ["sku", "product", "price", "stock", "weight", "published"]
    readonly_fields = ["sku", "product", "price"]

    @admin.display(description=_("price"))
    def price(self, variant: Variant) -> str:
        return prices(variant)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
