from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from . import states


class Order(models.Model):
    """What was sold, frozen at the moment of ordering. Amounts are minor units of `currency`."""

    number = models.CharField(max_length=40, unique=True)
    cart = models.OneToOneField(
        "cart.Cart", null=True, blank=True, on_delete=models.SET_NULL, related_name="order", editable=False
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="orders"
    )
    state = models.CharField(max_length=20, choices=states.OrderState, default=states.OrderState.DRAFT)
    market = models.CharField(max_length=2)
    language = models.CharField(max_length=12)
    currency = models.CharField(max_length=3)
    email = models.EmailField()
    phone = models.CharField(max_length=40, blank=True)
    shipping_address = models.JSONField(default=dict, blank=True)
    billing_address = models.JSONField(default=dict, blank=True)
    company = models.JSONField(default=dict, blank=True)
    note = models.TextField(blank=True)
    delivery = models.JSONField(default=dict, blank=True)
    payment_method = models.CharField(max_length=60, blank=True)
    goods_amount = models.BigIntegerField(default=0)
    discount_amount = models.BigIntegerField(default=0)
    delivery_amount = models.BigIntegerField(default=0)
    tax_amount = models.BigIntegerField(default=0)
    total_amount = models.BigIntegerField()
    taxes = models.JSONField(default=list, blank=True)
    coupon_code = models.CharField(max_length=200, blank=True)
    terms = models.JSONField(default=dict, blank=True)
    placed_at = models.DateTimeField(default=timezone.now, db_index=True)
    confirmed_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("order")
        verbose_name_plural = _("orders")
        ordering = ["-placed_at", "-pk"]
        indexes = [
            models.Index(fields=["state", "expires_at"], name="order_due"),
            models.Index(fields=["email"], name="order_email"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=states.OrderState.values), name="order_state_known"),
            models.CheckConstraint(condition=Q(total_amount__gte=0), name="order_total_not_negative"),
        ]

    def __str__(self) -> str:
        return self.number


class OrderLine(models.Model):
    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="lines")
    variant = models.ForeignKey("catalogue.Variant", null=True, blank=True, on_delete=models.SET_NULL)
    sku = models.CharField(max_length=100)
    title = models.JSONField(default=dict)
    options = models.JSONField(default=list, blank=True)
    quantity = models.PositiveIntegerField()
    # Units this line now holds out of `variant.stock`: taken once, given back once, whatever crashes in between.
    stock_taken = models.PositiveIntegerField(default=0, editable=False)
    unit_amount = models.BigIntegerField()
    total_amount = models.BigIntegerField()
    tax_rate = models.CharField(max_length=10, default="0")
    tax_amount = models.BigIntegerField(default=0)
    picture = models.CharField(max_length=300, blank=True)

    class Meta:
        verbose_name = _("line")
        verbose_name_plural = _("lines")
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(condition=Q(quantity__gt=0), name="line_quantity_positive"),
            models.CheckConstraint(condition=Q(stock_taken__lte=F("quantity")), name="line_takes_what_it_sells"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.sku}"


class Adjustment(models.Model):
    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="adjustments")
    kind = models.CharField(max_length=20, choices=[("coupon", _("Coupon")), ("delivery", _("Delivery"))])
    label = models.JSONField(default=dict)
    amount = models.BigIntegerField()

    class Meta:
        verbose_name = _("adjustment")
        verbose_name_plural = _("adjustments")
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.kind} {self.amount}"


class OrderEvent(models.Model):
    """What happened to an order. Rows are only ever added."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="events")
    kind = models.CharField(max_length=40)
    at = models.DateTimeField(default=timezone.now)
    actor = models.CharField(max_length=254, blank=True)  # of the staff, their e-mail address
    data = models.JSONField(default=dict, blank=True)

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{timezone.localtime(self.at):%Y-%m-%d %H:%M}"


class Fulfilment(models.Model):
    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="fulfilments")
    carrier = models.CharField(max_length=80, blank=True)
    tracking_number = models.CharField(max_length=80, blank=True)
    tracking_url = models.URLField(max_length=300, blank=True)
    shipped_at = models.DateTimeField(default=timezone.now)
    lines = models.JSONField(default=list, blank=True)

    class Meta:
        verbose_name = _("shipment")
        verbose_name_plural = _("shipments")
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.tracking_number or str(self.shipped_at.date())


class NumberSeries(models.Model):
    """The last number given out in a series. Its row is the lock that keeps numbers without gap or double."""

    name = models.CharField(max_length=80, unique=True)
    last = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.name}: {self.last}"
