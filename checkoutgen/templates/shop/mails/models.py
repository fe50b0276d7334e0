from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class OutboxMail(models.Model):
    """A mail that must be sent, written in the same transaction as what it reports."""

    kind = models.CharField(max_length=40)
    order = models.ForeignKey("orders.Order", null=True, blank=True, on_delete=models.CASCADE, related_name="mails")
    to = models.EmailField()
    language = models.CharField(max_length=12)
    context = models.JSONField(default=dict, blank=True)
    key = models.CharField(max_length=200, unique=True)
    message_id = models.CharField(max_length=200, unique=True)
    created_at = models.DateTimeField(default=timezone.now)
    # When to send or to try again; empty once sent, and for a mail set aside after too many tries.
    due_at = models.DateTimeField(null=True, blank=True, default=timezone.now, db_index=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    error = models.TextField(blank=True)

    class Meta:
        verbose_name = _("mail")
        verbose_name_plural = _("mails")
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.to}, {timezone.localtime(self.created_at):%Y-%m-%d %H:%M}"
