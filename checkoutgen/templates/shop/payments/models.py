import secrets

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from orders.states import LIVE_ATTEMPT, AttemptState


def new_key() -> str:
    """Idempotency key for the provider and unguessable public handle: 128 random bits."""
    return secrets.token_hex(16)


class PaymentAttempt(models.Model):
    """One try to pay an order. `provider` is empty for methods that no provider stands behind."""

    order = models.ForeignKey("orders.Order", on_delete=models.PROTECT, related_name="attempts")
    method = models.CharField(max_length=60)
    provider = models.CharField(max_length=40, blank=True)
    key = models.CharField(max_length=32, unique=True, default=new_key, editable=False)
    provider_ref = models.CharField(max_length=200, blank=True)
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    state = models.CharField(max_length=20, choices=AttemptState, default=AttemptState.REQUESTED)
    redirect_url = models.URLField(max_length=2000, blank=True)
    failure = models.CharField(max_length=60, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(auto_now=True)
    # When the reconciler asks the provider again; empty when there is nothing left to learn.
    next_check_at = models.DateTimeField(null=True, blank=True, db_index=True)

    class Meta:
        verbose_name = _("payment attempt")
        verbose_name_plural = _("payment attempts")
        ordering = ["pk"]
        indexes = [models.Index(fields=["provider", "provider_ref"], name="attempt_provider_ref")]
        constraints = [
            models.UniqueConstraint(fields=["order"], condition=Q(state__in=LIVE_ATTEMPT), name="one_live_attempt"),
            models.CheckConstraint(condition=Q(state__in=AttemptState.values), name="attempt_state_known"),
            models.CheckConstraint(condition=Q(amount__gte=0), name="attempt_amount_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.method} {self.key[:8]}"


class PaymentEvent(models.Model):
    """What a provider (or the back office) said, as it came in. Rows are only ever added."""

    provider = models.CharField(max_length=40)
    event_id = models.CharField(max_length=200)
    attempt = models.ForeignKey(PaymentAttempt, null=True, blank=True, on_delete=models.PROTECT, related_name="events")
    kind = models.CharField(max_length=40)
    amount = models.BigIntegerField(null=True, blank=True)
    currency = models.CharField(max_length=3, blank=True)
    payload = models.JSONField(default=dict, blank=True)
    source = models.CharField(max_length=20)  # webhook, return, reconciler, backoffice, start
    received_at = models.DateTimeField(default=timezone.now)
    outcome = models.CharField(max_length=20)  # applied, stale, unknown, review

    class Meta:
        verbose_name = _("payment event")
        verbose_name_plural = _("payment events")
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["provider", "event_id"], name="event_counts_once")]

    def __str__(self) -> str:
        return f"{self.provider}: {self.kind}"


class Refund(models.Model):
    class State(models.TextChoices):
        REQUESTED = "requested", _("Requested")  # the provider may or may not know it yet
        PENDING = "pending", _("On its way")
        DONE = "done", _("Paid back")
        FAILED = "failed", _("Failed")

    order = models.ForeignKey("orders.Order", on_delete=models.PROTECT, related_name="refunds")
    attempt = models.ForeignKey(PaymentAttempt, on_delete=models.PROTECT, related_name="refunds")
    key = models.CharField(max_length=32, unique=True, default=new_key, editable=False)
    amount = models.BigIntegerField()
    state = models.CharField(max_length=20, choices=State, default=State.REQUESTED)
    provider_ref = models.CharField(max_length=200, blank=True)
    reason = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    next_check_at = models.DateTimeField(null=True, blank=True, db_index=True)

    class Meta:
        verbose_name = _("refund")
        verbose_name_plural = _("refunds")
        ordering = ["pk"]
        constraints = [models.CheckConstraint(condition=Q(amount__gt=0), name="refund_amount_positive")]

    def __str__(self) -> str:
        return f"{self.amount} {self.state}"
