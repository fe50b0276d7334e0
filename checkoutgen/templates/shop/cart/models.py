import secrets

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from catalogue.models import Variant
from catalogue.prices import price
from common.texts import localized


def new_key() -> str:
    return secrets.token_urlsafe(24)


class Cart(models.Model):
    key = models.CharField(max_length=40, unique=True, default=new_key, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="carts"
    )
    market = models.CharField(max_length=2)  # ISO country
    language = models.CharField(max_length=12)
    currency = models.CharField(max_length=3)
    coupon_code = models.CharField(max_length=200, blank=True)  # several codes that stack are separated by a space
    data = models.JSONField(default=dict, blank=True)  # what the steps of the checkout remember
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    ordered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("cart")
        verbose_name_plural = _("carts")
        indexes = [models.Index(fields=["updated_at"], name="cart_updated_at")]

    def __str__(self) -> str:
        return f"{self.market} {self.pk}"


class CartLine(models.Model):
    cart = models.ForeignKey(Cart, on_delete=models.CASCADE, related_name="lines")
    variant = models.ForeignKey(Variant, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    sku = models.CharField(max_length=80)
    title = models.JSONField(default=dict)
    quantity = models.PositiveIntegerField(default=1)
    unit_amount = models.BigIntegerField()  # the price the buyer saw
    saved_for_later = models.BooleanField(default=False)

    class Meta:
        ordering = ["pk"]
        verbose_name = _("cart line")
        verbose_name_plural = _("cart lines")
        constraints = [
            models.UniqueConstraint(fields=["cart", "sku"], name="cart_line_once"),
            models.CheckConstraint(condition=models.Q(quantity__gte=1), name="cart_line_quantity_positive"),
        ]

    def __str__(self) -> str:
        return localized(self.title) or self.sku

    def take(self, quantity: int, market: str) -> None:
        """Another quantity may have another price. A price that changed for other reasons is for `check` to tell."""
        before, now = (self.variant and price(self.variant, market, many) for many in (self.quantity, quantity))
        self.quantity = quantity
        if before and now and before.amount == self.unit_amount:
            self.unit_amount = now.amount
