"""The books of the demo provider. They know nothing of the shop's tables; the shop reads them only through `bank`."""

import secrets

from django.db import models
from django.db.models import Q
from django.utils import timezone


def new_ref() -> str:
    return secrets.token_urlsafe(18)


class DemoToken(models.Model):
    """A card that its owner let the provider keep. `scenario` says what becomes of payments with it."""

    ref = models.CharField(max_length=40, unique=True, default=new_ref)
    brand = models.CharField(max_length=20)
    last4 = models.CharField(max_length=4)
    exp_year = models.PositiveSmallIntegerField()
    exp_month = models.PositiveSmallIntegerField()
    scenario = models.CharField(max_length=20)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.brand} {self.last4}"


class DemoPayment(models.Model):
    class State(models.TextChoices):
        OPEN = "open"
        CHALLENGE = "challenge"  # waiting for 3-D Secure
        PROCESSING = "processing"
        AUTHORIZED = "authorized"  # reserved: the shop collects it, whole or in parts, or lets it go
        PAID = "paid"
        DECLINED = "declined"
        CANCELLED = "cancelled"
        REVERSED = "reversed"
        EXPIRED = "expired"  # a reservation that nobody collected in time

    ref = models.CharField(max_length=40, unique=True, default=new_ref)
    key = models.CharField(max_length=64, unique=True)  # the shop's idempotency key
    reference = models.CharField(max_length=60, blank=True)  # the order number, shown to the buyer
    kind = models.CharField(max_length=30)
    language = models.CharField(max_length=12)
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    capture_later = models.BooleanField(default=False)
    authorized_until = models.DateTimeField(null=True, blank=True)
    taken = models.BigIntegerField(default=0)  # what was really charged: a fault may make it differ from `amount`
    state = models.CharField(max_length=20, choices=State, default=State.OPEN)
    failure = models.CharField(max_length=40, blank=True)
    account = models.CharField(max_length=40, blank=True)  # last four digits of the card or IBAN
    scenario = models.CharField(max_length=20, blank=True)
    keep = models.BooleanField(default=False)  # the buyer agreed in the shop to have the card kept
    token = models.ForeignKey(DemoToken, null=True, on_delete=models.SET_NULL, related_name="payments")
    return_url = models.URLField(max_length=500)
    webhook_url = models.URLField(max_length=500)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return self.reference


class DemoCapture(models.Model):
    payment = models.ForeignKey(DemoPayment, on_delete=models.CASCADE, related_name="captures")
    key = models.CharField(max_length=64, unique=True)
    ref = models.CharField(max_length=40, unique=True, default=new_ref)
    amount = models.BigIntegerField()
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["pk"]
        constraints = [models.CheckConstraint(condition=Q(amount__gt=0), name="demo_capture_positive")]

    def __str__(self) -> str:
        return self.ref


class DemoRefund(models.Model):
    payment = models.ForeignKey(DemoPayment, on_delete=models.CASCADE, related_name="refunds")
    key = models.CharField(max_length=64, unique=True)
    ref = models.CharField(max_length=40, unique=True, default=new_ref)
    amount = models.BigIntegerField()
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["pk"]
        constraints = [models.CheckConstraint(condition=Q(amount__gt=0), name="demo_refund_positive")]

    def __str__(self) -> str:
        return self.ref


class DemoEvent(models.Model):
    """Something to happen at `due_at`: the books change to `becomes`, if given, and the shop is told by webhook."""

    payment = models.ForeignKey(DemoPayment, on_delete=models.CASCADE, related_name="events")
    event_id = models.CharField(max_length=60)  # not unique: a webhook may be sent more than once
    kind = models.CharField(max_length=40)
    data = models.JSONField(default=dict)
    becomes = models.CharField(max_length=20, blank=True)
    trick = models.CharField(max_length=20, blank=True)  # forged, stale, or unheard: sent again although it arrived
    due_at = models.DateTimeField(null=True, default=timezone.now, db_index=True)
    sent_at = models.DateTimeField(null=True)
    tries = models.PositiveSmallIntegerField(default=0)
    answer = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.kind} {self.event_id}"
