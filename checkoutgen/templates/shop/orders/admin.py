from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _text
from django.utils.translation import gettext_lazy as _

from backoffice.deeds import DeedsAdmin
from backoffice.lists import ReadOnlyInline, amount, pairs
from backoffice.words import METHODS
from common.texts import localized
from payments import engine
from payments.models import Capture, PaymentAttempt, Refund

from . import declarations, links
from .deeds import DEEDS
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
class OrderAdmin(DeedsAdmin):
    """Orders are read here and changed by deeds, so that money, stock, state and mails always go together."""

    list_display = ["number", "placed_at", "buyer", "total", "status", "payment", "way", "market"]
    list_filter = ["state", "payment_method", "market", "placed_at"]
    search_fields = ["number", "email", "lines__sku", "attempts__provider_ref"]
    list_per_page = 50
    deeds, deeds_permission = DEEDS, "orders.change_order"
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
        method = METHODS.get(order.payment_method, order.payment_method)
        return format_html('<span class="state state-{}">{}</span> {}', status, words[status], method)

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

    @admin.action(description=_("Money received"), permissions=["view"])
    def mark_paid(self, request: HttpRequest, queryset: Any) -> None:
        self.do_all(request, queryset, "paid", {})

    @admin.action(description=_("Ship, without a parcel number"), permissions=["view"])
    def ship_all(self, request: HttpRequest, queryset: Any) -> None:
        self.do_all(request, queryset, "ship", {})

    @admin.action(description=_("Cancel, and pay back"), permissions=["view"])
    def cancel_all(self, request: HttpRequest, queryset: Any) -> None:
        self.do_all(request, queryset, "cancel", {"note": ""})
