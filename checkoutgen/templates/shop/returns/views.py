"""The withdrawal function of article 11a, Directive 2011/83/EU: statement, confirmation, receipt."""

import json
import secrets
from typing import Any

from django.contrib import messages
from django.core.signing import BadSignature, Signer
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from accounts import throttle
from common.http import SeeOther
from common.texts import localized
from config.shop import HOME, market, section
from mails.words import day, moment
from orders.models import Order

from . import contracts
from .forms import FindForm, StatementForm
from .models import Withdrawal
from .withdrawing import receive, statement

# What the buyer wrote in the first step, signed, until the second: nothing is kept of a statement not confirmed.
DRAFT_COOKIE = "withdrawal"
DRAFT_SECONDS = 3600
_receipts = Signer(salt="returns.receipt", sep="~")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def withdraw(request: HttpRequest) -> HttpResponse:
    """First step: name the contract, then say what is withdrawn."""
    if "order" not in request.GET:
        return _find(request)
    order = contracts.order_for(request.GET["order"])
    if order is None:
        messages.info(request, _("This link is too old. Please name your order again."))
        return redirect("returns:withdraw")
    lines = contracts.open_lines(order)
    initial = {"name": _name(request, order), "email": order.email}
    form = StatementForm(request.POST if request.method == "POST" else None, lines=lines, initial=initial)
    if request.method == "POST" and lines and form.is_valid():
        draft = {
            "key": secrets.token_hex(16),
            "order": order.number,
            "token": request.GET["order"],
            "name": form.cleaned_data["name"],
            "email": form.cleaned_data["email"],
            "quantities": form.quantities(),
        }
        response = SeeOther(reverse("returns:confirm"))
        response.set_signed_cookie(
            DRAFT_COOKIE,
            json.dumps(draft),
            salt=DRAFT_COOKIE,
            max_age=DRAFT_SECONDS,
            httponly=True,
            samesite="Lax",
            secure=request.is_secure(),
        )
        return response
    context = _page(order) | {"form": form, "order": order, "day": day(order.placed_at, order, order.language)}
    return render(request, "returns/withdraw.html", context, status=422 if form.errors else 200)


def _find(request: HttpRequest) -> HttpResponse:
    form = FindForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        email = form.cleaned_data["email"]
        order = None
        if not throttle.blocked(request, email, "returns"):
            order = contracts.find(form.cleaned_data["number"], email)
        if order is not None:
            return SeeOther(f"{reverse('returns:withdraw')}?order={contracts.token(order)}")
        throttle.failed(request, email, "returns")
        form.add_error(None, _("We find no order with this number and this address. Check both, or write to us."))
    context = _page(None) | {"form": form, "mine": _orders_of(request)}
    return render(request, "returns/find.html", context, status=422 if form.errors else 200)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest) -> HttpResponse:
    """Second step: nothing but the statement and the button that sends it."""
    try:
        draft = json.loads(request.get_signed_cookie(DRAFT_COOKIE, salt=DRAFT_COOKIE, max_age=DRAFT_SECONDS))
    except (KeyError, BadSignature, ValueError):
        messages.info(request, _("Please begin again: nothing has been sent yet."))
        return SeeOther(reverse("returns:withdraw"))
    order = get_object_or_404(Order, number=draft["order"])
    if request.method == "POST":
        withdrawal = receive(draft, now=timezone.now())
        if withdrawal is None:
            return SeeOther(f"{reverse('returns:withdraw')}?order={draft['token']}")
        # The cookie stays until it is too old: sending the form twice shows the same receipt.
        return SeeOther(reverse("returns:received", args=[_receipts.sign(withdrawal.key)]))
    wanted = {int(key): number for key, number in draft["quantities"].items()}
    context = _page(order) | {
        "order": order,
        "draft": draft,
        "text": statement(order),
        "lines": [
            {"title": localized(contracts.full_title(line)), "quantity": min(left, wanted[line.pk])}
            for line, left in contracts.open_lines(order)
            if line.pk in wanted
        ],
        "back": f"{reverse('returns:withdraw')}?order={draft['token']}",
    }
    return render(request, "returns/confirm.html", context)


@never_cache
@require_GET
def received(request: HttpRequest, token: str) -> HttpResponse:
    try:
        withdrawal = get_object_or_404(Withdrawal.objects.select_related("order"), key=_receipts.unsign(token))
    except BadSignature:
        raise Http404("no such receipt") from None
    order = withdrawal.order
    context = _page(order) | {
        "withdrawal": withdrawal,
        "order": order,
        "at": moment(withdrawal.at, order, request.LANGUAGE_CODE),
        "lines": [{"title": localized(line["title"]), "quantity": line["quantity"]} for line in withdrawal.lines],
    }
    return render(request, "returns/received.html", context)


def _page(order: Order | None) -> dict[str, Any]:
    """The words of the market and the way to the model form, which stays open beside the function (recital 37)."""
    words = market(order.market if order else HOME).get("withdrawal") or {}
    pages = section("legal").get("pages") or {}
    return {
        "link_label": localized(words.get("link")),
        "confirm_label": localized(words.get("confirm")),
        "form_page": "withdrawal-form" if "withdrawal-form" in pages else "",
    }


def _orders_of(request: HttpRequest) -> list[dict[str, str]]:
    """Who is signed in need not say again who they are."""
    if not request.user.is_authenticated:
        return []
    orders = request.user.orders.exclude(state__in=contracts.WITHOUT_CONTRACT)[:20]
    page, language = reverse("returns:withdraw"), request.LANGUAGE_CODE
    return [
        {
            "number": order.number,
            "day": day(order.placed_at, order, language),
            "url": f"{page}?order={contracts.token(order)}",
        }
        for order in orders
    ]


def _name(request: HttpRequest, order: Order) -> str:
    """Known from the order's own link; who only named number and address says it."""
    known = contracts.is_order_link(request.GET["order"]) or (
        request.user.is_authenticated and order.user_id == request.user.pk
    )
    return (order.shipping_address or order.billing_address).get("name", "") if known else ""
