from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _text
from django.utils.translation import gettext_lazy as _

from backoffice.lists import ReadOnly, ReadOnlyInline, amount, pairs
from common.http import SeeOther
from common.texts import localized
from payments import engine
from payments.models import Capture, PaymentAttempt, Refund

from . import declarations, links
from .deeds import DEEDS, Deed
from .models import Fulfilment, Order, OrderEvent, OrderLine


class LineInline(ReadOnlyInline):
    model = OrderLine
    fields = ["sku", "name", "quantity", "unit", "total", "tax_rate", "stock_taken"]
    readonly_fields = fields

    @admin.display(description=_("title"))
    def name(self, line: OrderLine) -> str:
        options = ", ".join(localized(option["value"]) for option in line.options)
        return " · ".join(filter(None, [localized(line.title), options]))

    @admin.display(description=_("unit price"))
    def unit(self, line: OrderLine) -> str:
        return amount(line.unit_amount, line.order.currency)

    @admin.display(description=_("total"))
    def total(self, line: OrderLine) -> str:
        return amount(line.total_amount, line.order.currency)


class AttemptInline(ReadOnlyInline):
    model = PaymentAttempt
    fields = ["method", "provider", "sum", "state", "authorized_until", "failure", "provider_ref", "created_at"]
    readonly_fields = fields

    @admin.display(description=_("amount"))
    def sum(self, attempt: PaymentAttempt) -> str:
        return amount(attempt.amount, attempt.currency)


class MovementInline(ReadOnlyInline):
    @admin.display(description=_("amount"))
    def sum(self, row: Capture | Refund) -> str:
        return amount(row.amount, row.attempt.currency)


class CaptureInline(MovementInline):
    model = Capture
    fields = ["sum", "state", "failure", "provider_ref", "created_at"]
    readonly_fields = fields


class RefundInline(MovementInline):
    model = Refund
    fields = ["sum", "state", "reason", "provider_ref", "created_at"]
    readonly_fields = fields


class FulfilmentInline(ReadOnlyInline):
    model = Fulfilment
    fields = readonly_fields = ["carrier", "tracking_number", "tracking_url", "shipped_at"]


class EventInline(ReadOnlyInline):
    model = OrderEvent
    fields = ["at", "kind", "actor", "details"]
    readonly_fields = fields

    @admin.display(description=_("details"))
    def details(self, event: OrderEvent) -> SafeString:
        return pairs(event.data)


@admin.register(Order)
class OrderAdmin(ReadOnly, admin.ModelAdmin):
    """Orders are read here and changed by deeds, so that money, stock, state and mails always go together."""

    list_display = ["number", "placed_at", "buyer", "total", "status", "payment", "way", "market"]
    list_filter = ["state", "payment_method", "market", "placed_at"]
    search_fields = ["number", "email", "lines__sku", "attempts__provider_ref"]
    list_per_page = 50
    inlines = [LineInline, AttemptInline, CaptureInline, RefundInline, FulfilmentInline, EventInline]
    actions = ["mark_paid", "ship_all", "cancel_all"]
    fieldsets = [
        (None, {"fields": ["number", "status", "payment", "placed_at", "confirmed_at", "expires_at", "page"]}),
        (_("Amounts"), {"fields": ["goods", "discount", "delivery_cost", "total", "tax", "coupon_code"]}),
        (_("Buyer"), {"fields": ["email", "phone", "language", "user", "company_data", "note"]}),
        (_("Delivery"), {"fields": ["way", "promise", "shipping", "billing"]}),
        (_("Terms"), {"classes": ["collapse"], "fields": ["accepted"]}),
    ]

    def get_queryset(self, request: HttpRequest):
        return super().get_queryset(request).prefetch_related("attempts", "refunds")

    # -- what is shown --

    @admin.display(description=_("buyer"), ordering="email")
    def buyer(self, order: Order) -> str:
        return (order.billing_address or order.shipping_address).get("name") or order.email

    @admin.display(description=_("state"), ordering="state")
    def status(self, order: Order) -> SafeString:
        return format_html('<span class="state state-{}">{}</span>', order.state, order.get_state_display())

    @admin.display(description=_("payment"))
    def payment(self, order: Order) -> SafeString:
        words = {
            "unpaid": _text("not paid"),
            "pending": _text("on its way"),
            "authorized": _text("reserved"),
            "paid": _text("paid"),
            "partly_refunded": _text("partly paid back"),
            "refunded": _text("paid back"),
            "reversed": _text("taken back"),
        }
        status = engine.payment_status(order)
        return format_html('<span class="state state-{}">{}</span> {}', status, words[status], order.payment_method)

    @admin.display(description=_("delivery"))
    def way(self, order: Order) -> str:
        return localized(order.delivery.get("name")) or order.delivery.get("method", "")

    @admin.display(description=_("promised"))
    def promise(self, order: Order) -> SafeString:
        store = (order.delivery.get("store") or {}).get("name", "")
        return pairs({key: order.delivery.get(key) for key in ("earliest", "latest", "carrier")} | {"store": store})

    @admin.display(description=_("page of the buyer"))
    def page(self, order: Order) -> SafeString:
        return format_html('<a href="{0}">{1}</a>', links.url(order), _text("Open"))

    @admin.display(description=_("goods"))
    def goods(self, order: Order) -> str:
        return amount(order.goods_amount, order.currency)

    @admin.display(description=_("discount"))
    def discount(self, order: Order) -> str:
        return amount(-order.discount_amount, order.currency) if order.discount_amount else "–"

    @admin.display(description=_("delivery cost"))
    def delivery_cost(self, order: Order) -> str:
        return amount(order.delivery_amount, order.currency)

    @admin.display(description=_("total"), ordering="total_amount")
    def total(self, order: Order) -> str:
        return amount(order.total_amount, order.currency)

    @admin.display(description=_("taxes"))
    def tax(self, order: Order) -> SafeString:
        return pairs({f"{each['rate']} %": amount(each["tax"], order.currency) for each in order.taxes})

    @admin.display(description=_("delivery address"))
    def shipping(self, order: Order) -> SafeString:
        return pairs(order.shipping_address)

    @admin.display(description=_("billing address"))
    def billing(self, order: Order) -> SafeString:
        return pairs(order.billing_address)

    @admin.display(description=_("company"))
    def company_data(self, order: Order) -> SafeString:
        return pairs(order.company)

    @admin.display(description=_("accepted texts"))
    def accepted(self, order: Order) -> SafeString:
        return pairs({**order.terms, "declarations": " ".join(declarations.statements(order))})

    # -- what can be done --

    def get_urls(self) -> list:
        view = self.admin_site.admin_view(self.deed)
        return [path("<path:pk>/do/<slug:name>/", view, name="orders_order_do"), *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        order = self.get_object(request, object_id)
        open_deeds = [
            {"label": deed.label, "url": reverse("admin:orders_order_do", args=[order.pk, name])}
            for name, deed in DEEDS.items()
            if order and deed.is_open(order)
        ]
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), "deeds": open_deeds})

    def deed(self, request: HttpRequest, pk: str, name: str) -> HttpResponse:
        if not request.user.has_perm("orders.change_order"):
            raise PermissionDenied
        order = get_object_or_404(Order, pk=pk) if pk.isdigit() else None
        deed = DEEDS.get(name)
        if order is None or deed is None:
            raise Http404
        back = reverse("admin:orders_order_change", args=[order.pk])
        if not deed.is_open(order):
            messages.warning(request, _text("This is not possible any more."))
            return SeeOther(back)
        form = deed.form(request.POST if request.method == "POST" else None, order=order)
        if form.is_bound and form.is_valid():
            self._do(request, order, deed, form.cleaned_data)
            return SeeOther(back)
        context = {**self.admin_site.each_context(request), "order": order, "deed": deed, "form": form, "back": back}
        return render(request, "admin/orders/deed.html", context | {"title": f"{order.number}: {deed.label}"})

    def _do(self, request: HttpRequest, order: Order, deed: Deed, data: dict[str, Any]) -> None:
        problem = deed.do(order, data, request.user.get_username())
        if problem:
            messages.error(request, f"{order.number}: {problem}")
        else:
            self.log_change(request, order, str(deed.label))
            messages.success(request, f"{order.number}: {deed.label}")

    def _do_all(self, request: HttpRequest, queryset: Any, name: str, data: dict[str, Any]) -> None:
        if not request.user.has_perm("orders.change_order"):
            raise PermissionDenied
        deed = DEEDS[name]
        for order in queryset:
            if deed.is_open(order):
                self._do(request, order, deed, data)
            else:
                messages.warning(request, f"{order.number}: {_text('This is not possible any more.')}")

    @admin.action(description=_("Money received"), permissions=["view"])
    def mark_paid(self, request: HttpRequest, queryset: Any) -> None:
        self._do_all(request, queryset, "paid", {})

    @admin.action(description=_("Ship, without a parcel number"), permissions=["view"])
    def ship_all(self, request: HttpRequest, queryset: Any) -> None:
        self._do_all(request, queryset, "ship", {})

    @admin.action(description=_("Cancel, and pay back"), permissions=["view"])
    def cancel_all(self, request: HttpRequest, queryset: Any) -> None:
        self._do_all(request, queryset, "cancel", {"note": ""})
