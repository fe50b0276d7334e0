from django.contrib import admin, messages

from . import bank
from .models import DemoCapture, DemoEvent, DemoPayment, DemoRefund


class ReadOnly(admin.TabularInline):
    extra = 0
    can_delete = False

    def has_add_permission(self, request, obj=None) -> bool:
        return False

    def has_change_permission(self, request, obj=None) -> bool:
        return False


class CaptureInline(ReadOnly):
    model = DemoCapture


class RefundInline(ReadOnly):
    model = DemoRefund


class EventInline(ReadOnly):
    model = DemoEvent
    fields = ["kind", "event_id", "trick", "due_at", "sent_at", "tries", "answer"]


@admin.register(DemoPayment)
class DemoPaymentAdmin(admin.ModelAdmin):
    """The other side of the counter: what the provider knows, and a way to charge back."""

    list_display = ["reference", "kind", "state", "taken", "currency", "account", "scenario", "created_at"]
    list_filter = ["state", "kind", "scenario"]
    search_fields = ["reference", "ref", "key"]
    inlines = [CaptureInline, RefundInline, EventInline]
    actions = ["charge_back"]

    def has_add_permission(self, request) -> bool:
        return False

    def has_change_permission(self, request, obj=None) -> bool:
        return False

    def has_delete_permission(self, request, obj=None) -> bool:
        return False

    @admin.action(description="Charge back", permissions=["view"])
    def charge_back(self, request, queryset) -> None:
        paid = queryset.filter(state=DemoPayment.State.PAID)
        for payment in paid:
            bank.charge_back(payment)
        bank.deliver_soon()
        messages.success(request, f"{len(paid)}")
