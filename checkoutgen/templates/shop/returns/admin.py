from django.contrib import admin
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from common.texts import localized

from .models import Withdrawal


@admin.register(Withdrawal)
class WithdrawalAdmin(admin.ModelAdmin):
    """Withdrawals as they came in: read, not changed."""

    list_display = ["order", "name", "at", "handled_at"]
    list_filter = [("handled_at", admin.EmptyFieldListFilter)]
    search_fields = ["order__number", "name", "email"]
    fields = readonly_fields = ["order", "name", "email", "text", "items", "at", "handled_at"]
    actions = ["settle"]

    @admin.display(description=_("items"))
    def items(self, withdrawal: Withdrawal) -> SafeString:
        rows = [(line["quantity"], localized(line["title"]), line["sku"]) for line in withdrawal.lines]
        return format_html_join(SafeString("<br>"), "{} × {} ({})", rows)

    def has_add_permission(self, request, obj=None) -> bool:
        return False

    def has_delete_permission(self, request, obj=None) -> bool:
        return False

    @admin.action(description=_("Mark as settled"))
    def settle(self, request, queryset) -> None:
        queryset.filter(handled_at=None).update(handled_at=timezone.now())
