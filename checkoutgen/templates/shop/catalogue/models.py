import secrets
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from common.texts import localized
from common.urls import address


class Revision(models.Model):
    """One row whose token changes with the catalogue, but not with stock: catalogue.shelf keeps products for it."""

    token = models.CharField(max_length=16)

    def __str__(self) -> str:
        return self.token

    @classmethod
    def bump(cls) -> None:
        cls.objects.update_or_create(pk=1, defaults={"token": secrets.token_hex(8)})


class ShelfQuerySet(models.QuerySet):
    def update(self, **values: Any) -> int:
        changed = super().update(**values)
        if set(values) - {"stock"}:
            Revision.bump()
        return changed

    def bulk_create(self, *args: Any, **options: Any) -> list:
        created = super().bulk_create(*args, **options)
        Revision.bump()
        return created

    def delete(self) -> tuple[int, dict[str, int]]:
        deleted = super().delete()
        Revision.bump()
        return deleted


class Shelved(models.Model):
    """What the shop's pages keep in memory: every change is a new revision of the catalogue."""

    objects = ShelfQuerySet.as_manager()

    class Meta:
        abstract = True

    def save(self, *args: Any, **options: Any) -> None:
        super().save(*args, **options)
        if set(options.get("update_fields") or ["all"]) - {"stock"}:
            Revision.bump()

    def delete(self, *args: Any, **options: Any) -> tuple[int, dict[str, int]]:
        deleted = super().delete(*args, **options)
        Revision.bump()
        return deleted


class Product(Shelved):
    class Kind(models.TextChoices):
        GOODS = "goods", _("Goods")
        DIGITAL_CONTENT = "digital_content", _("Digital content")
        DIGITAL_SERVICE = "digital_service", _("Digital service")
        SERVICE = "service", _("Service")
        GIFT_CARD = "gift_card", _("Gift card")

    handle = models.SlugField(max_length=120, unique=True)
    title = models.JSONField(default=dict)
    description = models.JSONField(default=dict, blank=True)  # Markdown
    category = models.SlugField(max_length=120, blank=True, db_index=True)
    vendor = models.CharField(max_length=200, blank=True)
    kind = models.CharField(max_length=20, choices=Kind, default=Kind.GOODS)
    tax = models.CharField(max_length=40, default="standard")  # a key of the market's tax rates
    details = models.JSONField(default=list, blank=True)  # [{"name": {lang}, "value": {lang}}]
    unit = models.JSONField(null=True, blank=True)  # {"content": "0.5", "measure": "kg"}
    related = models.JSONField(default=list, blank=True)  # handles
    dispatch_days = models.PositiveSmallIntegerField(default=0)
    withdrawal_exception = models.CharField(max_length=8, blank=True)  # letter of article 16, Directive 2011/83/EU
    safety = models.JSONField(default=dict, blank=True)  # article 19, Regulation (EU) 2023/988
    # Years of the producer's free guarantee of durability; 0: there is none (article 17, Directive (EU) 2019/771).
    durability_guarantee_years = models.PositiveSmallIntegerField(default=0)
    published = models.BooleanField(default=True)
    position = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["position", "pk"]
        verbose_name = _("product")
        verbose_name_plural = _("products")

    def __str__(self) -> str:
        return localized(self.title) or self.handle

    def get_absolute_url(self) -> str:
        return address("catalogue:product", self.handle)


class Picture(Shelved):
    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="pictures")
    path = models.CharField(max_length=300)  # below STATIC_URL
    alt = models.JSONField(default=dict, blank=True)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    position = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["position", "pk"]
        verbose_name = _("picture")
        verbose_name_plural = _("pictures")

    def __str__(self) -> str:
        return self.path


class Variant(Shelved):
    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="variants")
    sku = models.CharField(max_length=80, unique=True)
    options = models.JSONField(default=list, blank=True)  # [{"name": {lang}, "value": {lang}}]
    prices = models.JSONField(default=dict)  # {"EUR": {"amount": 5900, "was": None, "prior": None}}
    stock = models.IntegerField(null=True, blank=True)  # None: not counted, always available
    weight = models.PositiveIntegerField(default=0)  # grams
    picture = models.PositiveSmallIntegerField(default=0)  # index of the product's pictures
    position = models.PositiveIntegerField(default=0)
    published = models.BooleanField(default=True)

    class Meta:
        ordering = ["position", "pk"]
        verbose_name = _("variant")
        verbose_name_plural = _("variants")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(stock__isnull=True) | models.Q(stock__gte=0), name="variant_stock_not_negative"
            )
        ]

    def __str__(self) -> str:
        return self.sku

    @property
    def label(self) -> str:
        """The chosen options in words: "Ivory, 140 x 200 cm"; empty for a product without a choice."""
        return ", ".join(localized(option["value"]) for option in self.options)

    def available(self, quantity: int = 1) -> bool:
        return self.published and self.product.published and (self.stock is None or self.stock >= quantity)
