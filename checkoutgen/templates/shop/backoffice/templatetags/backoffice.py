from datetime import timedelta
from typing import Any

from django import template
from django.db.models import Count, Sum
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from backoffice.lists import amount
from catalogue.models import Variant
from config.shop import section
from mails.models import OutboxMail
from orders.models import Order
from orders.states import OrderState
from payments import settlement
from payments.models import Refund
from payments.statements import unmatched

register = template.Library()
SOLD = (OrderState.CONFIRMED, OrderState.FULFILLED)


@register.inclusion_tag("backoffice/dashboard.html")
def dashboard() -> dict[str, Any]:
    return {"work": _work(), "sales": _sales()}


def _work() -> list[dict[str, Any]]:
    """What waits for a person, with the list to go to."""
    orders = reverse("admin:orders_order_changelist")
    states = dict(Order.objects.values_list("state").annotate(Count("pk")))
    low = section("catalogue").get("low_stock") or 5
    rows = [
        (_("To ship"), states.get("confirmed", 0), f"{orders}?state__exact=confirmed", False),
        (_("To review"), states.get("review", 0), f"{orders}?state__exact=review", True),
        (_("Waiting for payment"), states.get("pending_payment", 0), f"{orders}?state__exact=pending_payment", False),
        (
            _("Transfers to assign"),
            unmatched.waiting().count(),
            reverse("admin:payments_paymentevent_changelist") + "?booking=waiting",
            True,
        ),
        (
            _("Reservations that end soon"),
            len(settlement.ending(timezone.now())),
            reverse("admin:payments_paymentattempt_changelist") + "?state__exact=authorized&o=9",
            True,
        ),
        (
            _("Refunds to send"),
            Refund.objects.filter(state__in=("requested", "pending")).count(),
            reverse("admin:payments_refund_changelist") + "?state__exact=pending",
            False,
        ),
        (
            _("Refunds that failed"),
            Refund.objects.filter(state="failed").count(),
            reverse("admin:payments_refund_changelist") + "?state__exact=failed",
            True,
        ),
        (
            _("Mails set aside"),
            OutboxMail.objects.filter(sent_at=None, due_at=None).count(),
            reverse("admin:mails_outboxmail_changelist") + "?stage=aside",
            True,
        ),
        (
            _("Low stock"),
            Variant.objects.filter(published=True, stock__lte=low).count(),
            reverse("admin:catalogue_variant_changelist") + "?o=3",
            False,
        ),
    ]
    keys = ("label", "count", "url", "urgent")
    return [dict(zip(keys, (label, count, url, urgent and count), strict=True)) for label, count, url, urgent in rows]


def _sales() -> list[dict[str, Any]]:
    """Orders and turnover of today, 7 and 30 days, by currency."""
    today = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    spans = ((_("Today"), 0), (_("7 days"), 6), (_("30 days"), 29))
    found = []
    for label, days in spans:
        sold = Order.objects.filter(state__in=SOLD, placed_at__gte=today - timedelta(days=days))
        by_currency = sold.values("currency").annotate(orders=Count("pk"), turnover=Sum("total_amount"))
        sums = list(by_currency.order_by("currency"))
        found.append(
            {
                "label": label,
                "orders": sum(row["orders"] for row in sums),
                "amounts": [amount(row["turnover"], row["currency"]) for row in sums],
            }
        )
    return found
