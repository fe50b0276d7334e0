from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from backoffice.deeds import DeedsAdmin
from backoffice.lists import ReadOnly, amount, pairs
from backoffice.words import OUTCOMES

from . import engine
from .models import PaymentAttempt, PaymentEvent, Refund, SavedMethod
from .statements import unmatched
from .statements.views import statement


@admin.register(PaymentAttempt)
class PaymentAttemptAdmin(ReadOnly, admin.ModelAdmin):
    list_display = [
        "order",
        "method",
        "provider",
        "sum",
        "state",
        "failure",
        "created_at",
        "next_check_at",
        "authorized_until",
    ]
    list_filter = ["state", "provider", "method"]
    exclude, readonly_fields = ["amount", "currency"], ["sum"]
    search_fields = ["order__number", "key", "provider_ref"]
    list_select_related = ["order"]
    actions = ["ask"]

    @admin.display(description=_("amount"), ordering="amount")
    def sum(self, attempt: PaymentAttempt) -> str:
        return amount(attempt.amount, attempt.currency)

    @admin.action(description=_("Ask the provider how the payment stands"), permissions=["view"])
    def ask(self, request: HttpRequest, queryset) -> None:
        for attempt in queryset.exclude(provider=""):
            outcome = engine.learn(attempt, "backoffice")
            words = OUTCOMES.get(outcome, outcome) or _("no answer")
            messages.info(request, f"{attempt.order}: {attempt.get_state_display()} ({words})")


class BookingFilter(admin.SimpleListFilter):
    """Bookings of bank statements that named no order."""

    title = _("booking without an order")
    parameter_name = "booking"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, Any]]:
        return [("waiting", _("To assign")), ("assigned", _("Assigned")), ("set-aside", _("Pays no order"))]

    def queryset(self, request: HttpRequest, queryset):
        wanted = {
            "waiting": unmatched.waiting,
            "assigned": lambda: unmatched.bookings().filter(assigned=True),
            "set-aside": lambda: unmatched.bookings().filter(assigned=False, set_aside=True),
        }.get(self.value() or "")
        return queryset.filter(pk__in=wanted().values("pk")) if wanted else queryset


@admin.register(PaymentEvent)
class PaymentEventAdmin(DeedsAdmin):
    deeds, deeds_permission = unmatched.DEEDS, "orders.change_order"
    list_display = ["received_at", "order", "provider", "kind", "sum", "source", "outcome", "event_id"]
    list_filter = [BookingFilter, "outcome", "provider", "kind", "source"]
    readonly_fields = ["sum", "told", "decided"]
    search_fields = ["event_id", "attempt__order__number", "attempt__key"]
    list_select_related = ["attempt__order"]

    @admin.display(description=_("order"))
    def order(self, event: PaymentEvent) -> str:
        return event.attempt.order.number if event.attempt else "–"

    @admin.display(description=_("amount"))
    def sum(self, event: PaymentEvent) -> str:
        return amount(event.amount, event.currency) if event.amount is not None and event.currency else "–"

    def get_list_display(self, request: HttpRequest) -> list:
        bookings = request.GET.get(BookingFilter.parameter_name)
        return ["sum", "told", "decided"] if bookings else super().get_list_display(request)

    def get_fields(self, request: HttpRequest, obj: PaymentEvent | None = None) -> list:
        if obj is not None and unmatched.is_booking(obj):
            return ["sum", "told", "decided"]
        return [name for name in super().get_fields(request, obj) if name not in ("payload", "decided")]

    def summary(self, event: PaymentEvent) -> str:
        return f"{self.sum(event)} · {event}"

    @admin.display(description=_("details"))
    def told(self, event: PaymentEvent) -> SafeString:
        if not unmatched.is_booking(event):
            return pairs(event.payload)
        return format_html_join(SafeString("<br>"), "{}", ((text,) for text in (str(event), event.event_id)))

    @admin.display(description=_("what became of it"))
    def decided(self, event: PaymentEvent) -> SafeString:
        """Of a booking that named no order: what people said of it."""
        said = filter(None, [unmatched.said(event, what) for what in (unmatched.ASSIGNED, unmatched.SET_ASIDE)])
        rows = [
            (date_format(timezone.localtime(each.received_at), "SHORT_DATETIME_FORMAT"), each.payload.get("by", ""),
             each.attempt.order.number if each.attempt else each.payload.get("reason", ""))
            for each in said
        ]  # fmt: skip
        return format_html_join(SafeString("<br>"), "{} · {} · {}", rows) or SafeString("–")

    def get_urls(self) -> list:
        view = self.admin_site.admin_view(self.statement)
        return [path("statement/", view, name="payments_paymentevent_statement"), *super().get_urls()]

    def statement(self, request: HttpRequest) -> HttpResponse:
        return statement(request, self.admin_site.each_context(request))


@admin.register(Refund)
class RefundAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ["order", "sum", "state", "reason", "created_at", "provider_ref"]
    list_filter = ["state"]
    exclude, readonly_fields = ["amount"], ["sum"]
    search_fields = ["order__number", "key", "provider_ref"]
    list_select_related = ["order", "attempt"]
    actions = ["sent"]

    @admin.display(description=_("amount"), ordering="amount")
    def sum(self, refund: Refund) -> str:
        return amount(refund.amount, refund.attempt.currency)

    @admin.action(description=_("The money was sent back (transfer, cheque, cash)"), permissions=["view"])
    def sent(self, request: HttpRequest, queryset) -> None:
        for refund in queryset.filter(state="pending", attempt__provider=""):
            engine.refund_sent(refund, actor=request.user.get_username())
            messages.success(request, f"{refund.order}: {self.sum(refund)}")


@admin.register(SavedMethod)
class SavedMethodAdmin(ReadOnly, admin.ModelAdmin):
    """Who let what be kept, by which words. The token stays out: nobody here needs it."""

    list_display = ["__str__", "user", "provider", "state", "consented_at", "consent_version", "used_at"]
    list_filter = ["state", "provider"]
    search_fields = ["user__email", "last4"]
    list_select_related = ["user"]
    exclude = ["token", "customer"]
