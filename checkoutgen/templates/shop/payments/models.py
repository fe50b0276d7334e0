import secrets
from calendar import monthrange
from datetime import date

from django.conf import settings
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
    # When the provider lets go of money that is only reserved; known while the state is authorized.
    authorized_until = models.DateTimeField(null=True, blank=True, db_index=True)
    # What the buyer had saved and pays with now, in place of the provider's page.
    saved = models.ForeignKey(
        "SavedMethod", null=True, blank=True, on_delete=models.SET_NULL, related_name="charges", editable=False
    )

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
        return self.key[:8]


class PaymentEvent(models.Model):
    """What a provider (or the back office) said, as it came in. Rows are only ever added."""

    provider = models.CharField(max_length=40)
    event_id = models.CharField(max_length=200)
    attempt = models.ForeignKey(PaymentAttempt, null=True, blank=True, on_delete=models.PROTECT, related_name="events")
    kind = models.CharField(max_length=40)
    amount = models.BigIntegerField(null=True, blank=True)
    currency = models.CharField(max_length=3, blank=True)
    payload = models.JSONField(default=dict, blank=True)
    # webhook, return, reconciler, statement, start, backoffice, or who of the staff: their e-mail address
    source = models.CharField(max_length=254)
    received_at = models.DateTimeField(default=timezone.now)
    outcome = models.CharField(max_length=20)  # applied, stale, unknown, review, set_aside

    class Meta:
        verbose_name = _("payment event")
        verbose_name_plural = _("payment events")
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["provider", "event_id"], name="event_counts_once")]

    def __str__(self) -> str:
        told = [] if self.provider else filter(None, [self.payload.get("day", ""), self.payload.get("text", "")])
        return " ".join(told) or f"{self.provider} {timezone.localtime(self.received_at):%Y-%m-%d %H:%M}".strip()


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
        return f"{self.amount} {self.get_state_display()}"


class SavedMethod(models.Model):
    """A card (or a wallet) that a provider keeps for one account, because its owner consented.

    The shop knows the provider's token and what a receipt prints: brand, last four digits, expiry. A row without an
    owner waits for a guest's account, and is given up when none is made.
    """

    class State(models.TextChoices):
        ASKED = "asked", _("Being saved")  # consented to; the provider has not named the token yet
        SAVED = "saved", _("Saved")
        GONE = "gone", _("No longer valid")  # the provider or the bank ended it
        REMOVED = "removed", _("Being removed")  # hidden from its owner until the provider has forgotten it too

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="saved_methods"
    )
    attempt = models.OneToOneField(PaymentAttempt, on_delete=models.PROTECT, related_name="saving")
    method = models.CharField(max_length=60)
    provider = models.CharField(max_length=40)
    key = models.CharField(max_length=32, unique=True, default=new_key, editable=False)
    token = models.CharField(max_length=200, blank=True)
    customer = models.CharField(max_length=200, blank=True)  # whom the provider keeps it for, where it asks that
    brand = models.CharField(max_length=40, blank=True)
    last4 = models.CharField(max_length=4, blank=True)
    exp_year = models.PositiveSmallIntegerField(null=True, blank=True)
    exp_month = models.PositiveSmallIntegerField(null=True, blank=True)
    state = models.CharField(max_length=20, choices=State, default=State.ASKED)
    # What the buyer ticked, in their language, which edition of that sentence, and when.
    consent_text = models.TextField()
    consent_version = models.CharField(max_length=20)
    consented_at = models.DateTimeField(default=timezone.now)
    used_at = models.DateTimeField(null=True, blank=True)
    # When the worker collects the token, gives it up or has the provider forget it; empty while it is simply kept.
    next_check_at = models.DateTimeField(null=True, blank=True, db_index=True)

    class Meta:
        verbose_name = _("saved way to pay")
        verbose_name_plural = _("saved ways to pay")
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.brand} •••• {self.last4}" if self.last4 else self.brand

    @property
    def value(self) -> str:
        """As forms name it among the ways to pay; no method's id has a colon."""
        return f"saved:{self.key}"

    @property
    def expires(self) -> date | None:
        """The last day of the month that is printed on the card."""
        if not self.exp_year or not self.exp_month:
            return None
        return date(self.exp_year, self.exp_month, monthrange(self.exp_year, self.exp_month)[1])

    @property
    def expired(self) -> bool:
        return self.expires is not None and self.expires < timezone.localdate()

    @property
    def usable(self) -> bool:
        return self.state == self.State.SAVED and not self.expired


class Capture(models.Model):
    """Money that was reserved at the order and is collected when goods leave: the row first, then the provider."""

    class State(models.TextChoices):
        REQUESTED = "requested", _("Requested")  # the provider may or may not know it yet
        PENDING = "pending", _("On its way")
        DONE = "done", _("Collected")
        FAILED = "failed", _("Failed")

    order = models.ForeignKey("orders.Order", on_delete=models.PROTECT, related_name="captures")
    attempt = models.ForeignKey(PaymentAttempt, on_delete=models.PROTECT, related_name="captures")
    fulfilment = models.ForeignKey("orders.Fulfilment", null=True, blank=True, on_delete=models.SET_NULL)
    key = models.CharField(max_length=32, unique=True, default=new_key, editable=False)
    amount = models.BigIntegerField()
    final = models.BooleanField(default=True)  # nothing is collected after it: the provider may free the rest
    state = models.CharField(max_length=20, choices=State, default=State.REQUESTED)
    provider_ref = models.CharField(max_length=200, blank=True)
    failure = models.CharField(max_length=60, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    next_check_at = models.DateTimeField(null=True, blank=True, db_index=True)

    class Meta:
        verbose_name = _("collection of money")
        verbose_name_plural = _("collections of money")
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="capture_amount_positive"),
            models.UniqueConstraint(
                fields=["fulfilment"], condition=~Q(state="failed"), name="parcel_collected_for_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount} {self.get_state_display()}"
