from django.contrib import admin, messages
from django.utils.translation import gettext_lazy as _

from backoffice.lists import ReadOnly, ReadOnlyInline

from . import bank
from .models import DemoCapture, DemoEvent, DemoPayment, DemoRefund


class CaptureInline(ReadOnlyInline):
    model = DemoCapture


class RefundInline(ReadOnlyInline):
    model = DemoRefund


class EventInline(ReadOnlyInline):
    model = DemoEvent
    fields = ["kind", "event_id", "trick", "due_at", "sent_at", "tries", "answer"]


@admin.register(DemoPayment)
class DemoPaymentAdmin(ReadOnly, admin.ModelAdmin):
    """The other side of the counter: what the provider knows, and a way to charge back."""

    list_display = ["reference", "kind", "state", "taken", "currency", "account", "scenario", "created_at"]
    list_filter = ["state", "kind", "scenario"]
    search_fields = ["reference", "ref", "key"]
    inlines = [CaptureInline, RefundInline, EventInline]
    actions = ["charge_back"]

    @admin.action(description=_("Charge back"), permissions=["view"])
    def charge_back(self, request, queryset) -> None:
        paid = queryset.filter(state=DemoPayment.State.PAID)
        for payment in paid:
            bank.charge_back(payment)
        bank.deliver_soon()
        messages.success(request, f"{len(paid)}")
