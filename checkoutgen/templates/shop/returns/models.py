from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Withdrawal(models.Model):
    """A consumer's statement that the contract ends (Directive 2011/83/EU article 11a), kept as it was sent."""

    # Made when the statement is drawn up: confirming it twice counts once.
    key = models.CharField(max_length=32, unique=True, editable=False)
    order = models.ForeignKey("orders.Order", on_delete=models.PROTECT, related_name="withdrawals")
    name = models.CharField(_("name"), max_length=200)
    email = models.EmailField(_("e-mail"))
    text = models.TextField(_("statement"))
    # [{"line": id of the order line, "sku", "title" {lang}, "quantity"}]
    lines = models.JSONField(_("items"), default=list)
    at = models.DateTimeField(_("received on"), default=timezone.now)
    handled_at = models.DateTimeField(_("settled on"), null=True, blank=True)

    class Meta:
        verbose_name = _("withdrawal")
        verbose_name_plural = _("withdrawals")
        ordering = ["-at", "-pk"]

    def __str__(self) -> str:
        return f"{self.order}: {self.at:%Y-%m-%d %H:%M}"
