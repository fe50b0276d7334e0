"""What a buyer sees of an order. Whoever holds the signed link may see it, without sign-in; nothing of it is cached."""

from collections.abc import Callable
from datetime import date
from functools import wraps
from typing import Any

from django.contrib import messages
from django.contrib.auth import login
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from stdnum import iban

from cart import session
from cart.models import CartLine
from catalogue import markets
from catalogue.prices import price
from checkout.address import lines as address_lines
from common.http import SeeOther
from common.rows import rows
from config.shop import HAS_ACCOUNTS, market, section
from payments import engine, failures, methods, saved, wallets
from payments import qr_bill as bill
from payments.engine import NotStarted
from payments.models import SavedMethod
from payments.saved import NOTHING, Wish

from . import links
from .models import Order, OrderLine
from .states import LIVE_ATTEMPT, UNPAID, OrderState

CANCELLABLE = (*UNPAID, OrderState.CONFIRMED)
View = Callable[..., HttpResponse]
_LINES = f"SELECT * FROM {OrderLine._meta.db_table} WHERE order_id = %s ORDER BY id"  # noqa: S608  our own table


def order_page(view: View) -> View:
    """The order of the token in place of the token; never cached, never indexed."""

    @never_cache
    @wraps(view)
    def page(request: HttpRequest, token: str, **kwargs: Any) -> HttpResponse:
        order = links.order_for(token)
        markets.use(request, order.market)
        response = view(request, order, **kwargs)
        response.headers["X-Robots-Tag"] = "noindex, nofollow"
        return response

    return page


def _to(name: str, order: Order) -> SeeOther:
    return SeeOther(reverse(f"orders:{name}", args=[links.token(order)]))


def context_of(order: Order) -> dict[str, Any]:
    """What every page of an order shows."""
    delivery, method = order.delivery, methods.method(order.payment_method)
    parcels = list(order.fulfilments.all())
    waits = order.state == OrderState.PENDING_PAYMENT and engine.payment_status(order) == "pending"
    return {
        "order": order,
        "token": links.token(order),
        "currency": order.currency,
        "lines": rows(OrderLine, _LINES, order.pk),
        "adjustments": order.adjustments.all() if order.coupon_code else [],
        "gross": market(order.market)["prices"] == "gross",
        "shipping_lines": address_lines(order.shipping_address) if order.shipping_address.get("street") else [],
        "billing_lines": address_lines(order.billing_address) if order.billing_address.get("street") else [],
        "delivery": delivery,
        "earliest": _day(delivery.get("earliest")),
        "latest": _day(delivery.get("latest")),
        "method": method,
        "instructions": _instructions(order),
        "waits": waits,  # the money is on its way
        "awaits_buyer": waits and (method or {}).get("kind") in methods.PAID_BY_BUYER,
        "unpaid": order.state in UNPAID and not waits,
        "cancellable": order.state in CANCELLABLE and not parcels,  # what has left can only be sent back
        "fulfilments": parcels,
        "refunded": 0 if order.state in UNPAID else engine.refunded_amount(order),
    }


def _instructions(order: Order) -> dict[str, Any] | None:
    """Bank details and the like while they matter, the IBAN in groups of four as it is printed."""
    found = methods.instructions(order) if order.state in (*UNPAID, OrderState.CONFIRMED) else None
    if found and found.get("iban"):
        found["iban"] = iban.format(found["iban"])
    return found


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


@require_safe
@order_page
def show(request: HttpRequest, order: Order) -> HttpResponse:
    return render(request, "orders/show.html", context_of(order))


@require_safe
@order_page
def thanks(request: HttpRequest, order: Order) -> HttpResponse:
    """After ordering: what happens next. An order that is not paid yet is sent to pay, a closed one to its page."""
    context = context_of(order)
    if context["unpaid"]:
        return _to("pay", order)
    if order.state not in (*UNPAID, OrderState.CONFIRMED):
        return _to("show", order)
    return render(request, "orders/thanks.html", context | _account_offer(request, order))


def _account_offer(request: HttpRequest, order: Order, form: Any = None) -> dict[str, Any]:
    """One password field for a guest, offered to everyone alike: it tells nothing about other accounts."""
    wish = (section("checkout").get("identification") or {}).get("account", "after-payment")
    if not HAS_ACCOUNTS or wish == "none" or order.user_id or request.user.is_authenticated:
        return {"account_form": None}
    from accounts.forms import NewPasswordForm

    waiting = saved.waits(order) and session.ordered(request) == order
    return {"account_form": form or NewPasswordForm(email=order.email), "card_waits": waiting}


def begin(request: HttpRequest, order: Order) -> HttpResponse:
    """Pay as the checkout was filled in. Clicked again, it goes on with the same attempt; what was saved and refused is
    not tried again unasked."""
    method = methods.method(order.payment_method) or {}
    chosen = (order.cart.data.get("payment") or {}) if method.get("save") and order.cart else {}
    wish = saved.wished(method, chosen.get("saved", ""), bool(chosen.get("save")), request.user, order)
    if wish.card and order.attempts.exclude(state__in=LIVE_ATTEMPT).exists():
        return _to("pay", order)
    return pay(request, order, order.payment_method, wish=wish)


def pay(
    request: HttpRequest,
    order: Order,
    method_id: str,
    *,
    hosted: bool = False,
    instead_of: str = "",
    wish: Wish = NOTHING,
) -> HttpResponse:
    """Begin to pay: to the page with the provider's fields, to the provider's page (`hosted`: there in any case), to
    the thanks, or back to the choice with the reason. What the buyer approved in a wallet is collected."""
    approved = wallets.charge(order, method_id)
    if methods.in_page(method_id) and order.state in UNPAID and order.total_amount and not (hosted or approved):
        return SeeOther(reverse("pay:fields", args=[links.token(order), method_id]))
    try:
        begun = engine.start(order, method_id, request=request, create=approved, instead_of=instead_of, wish=wish)
    except NotStarted as refused:
        messages.error(request, failures.text(refused.code))
        return _to("pay", order)
    if begun.attempt and begun.attempt.provider_ref and not begun.redirect:  # the provider knows already
        return SeeOther(reverse("payments:return", args=[begun.attempt.key]))
    if not begun.redirect:
        return _to("thanks", order)
    inside = url_has_allowed_host_and_scheme(begun.redirect, {request.get_host()})
    return SeeOther(begun.redirect) if inside else _to("leave", order)


@require_safe
@order_page
def leave(request: HttpRequest, order: Order) -> HttpResponse:
    """Out to the provider's page, as a navigation of its own.

    Browsers hold all redirects after a POST against form-action, however deep, and a provider sends its buyers on to
    banks that nobody can list (https://github.com/w3c/webappsec-csp/issues/8).
    """
    attempt = order.attempts.filter(state__in=LIVE_ATTEMPT).exclude(redirect_url="").first()
    if attempt is None:
        return _to("thanks", order)
    page = render(request, "orders/leave.html", context_of(order) | {"address": attempt.redirect_url})
    page.headers["Refresh"] = f"0; url={attempt.redirect_url}"
    return page


def open_methods(order: Order) -> list[dict[str, Any]]:
    """The ways to pay that are open to an order that stands."""
    business, number = bool(order.company), order.company.get("purchase_order")
    found = methods.available(order.market, order.total_amount, order.currency, order.delivery.get("kind", ""))
    return [
        method
        for method in found
        if method.get("audience") in (None, "mixed", "b2b" if business else "b2c")
        and (method["kind"] != "purchase-order" or number)
    ]


@require_safe
@order_page
def qr_bill(request: HttpRequest, order: Order) -> HttpResponse:
    """Receipt and payment part of the Swiss QR-bill, to print."""
    told = _instructions(order)
    if not told or not told.get("qr_bill"):
        raise Http404("no QR-bill")
    parts = bill.parts(order, methods.method(order.payment_method) or {})
    return render(request, "orders/qr_bill.html", context_of(order) | {"bill": parts})


@require_http_methods(["GET", "HEAD", "POST"])
@order_page
def pay_again(request: HttpRequest, order: Order) -> HttpResponse:
    """The choice of a way to pay for an order that stands: after a decline, a time-out or a closed window."""
    context = context_of(order)
    if not context["unpaid"]:
        return _to("show" if order.state not in (*UNPAID, OrderState.CONFIRMED) else "thanks", order)
    offered = open_methods(order)
    mine = order.user_id == request.user.pk
    cards = saved.choices(request.user, offered) if mine else []
    if request.method == "POST":
        chosen = request.POST.get("payment-method", "")
        card = next((each for each in cards if each.value == chosen), None)
        wanted = card.method if card else chosen
        if method := next((each for each in offered if each["id"] == wanted), None):
            if card and not _still_wanted(request, order, card):
                return _to("pay", order)
            ticked = f"payment-save-{wanted}" in request.POST
            wish = saved.wished(method, card.key if card else "", ticked, request.user, order)
            return pay(request, order, wanted, wish=wish)
        messages.error(request, failures.text("method_unavailable"))
        return _to("pay", order)
    last = order.attempts.last()
    tried = [method["id"] for method in offered if method["id"] == order.payment_method]
    failed = last is not None and last.state in ("failed", "cancelled", "expired")
    user = request.user if request.user.is_authenticated else None
    context |= {
        "methods": [
            method | {"box": saved.box(method, user)} if mine and saved.is_offered(method, user) else method
            for method in offered
        ],
        "cards": cards,
        "tries": order.attempts.count(),
        "chosen": next(iter(tried), offered[0]["id"] if offered else ""),
        "reason": failures.text(last.failure or last.state) if failed and last else "",
    }
    return render(request, "orders/pay.html", context)


def _still_wanted(request: HttpRequest, order: Order, card: SavedMethod) -> bool:
    """What is saved needs no page of the provider, so a form sent again must not pay again: it was made before the last
    try. The same try may be gone on with."""
    fresh = request.POST.get("tries") == str(order.attempts.count())
    return fresh or order.attempts.filter(state__in=LIVE_ATTEMPT, saved=card).exists()


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("password")
@order_page
def account(request: HttpRequest, order: Order) -> HttpResponse:
    """An account in one click: everything but the password is known, and whoever has the order's link is signed in.

    This tells whether an address has an account, but only to somebody who ordered with it.
    """
    if not _account_offer(request, order)["account_form"]:
        return _to("show", order)
    from accounts import throttle
    from accounts.forms import NewPasswordForm
    from accounts.signup import sign_up

    form = NewPasswordForm(request.POST or None, email=order.email)
    if request.method == "POST" and throttle.blocked(request, order.email):
        form.add_error(None, _("Too many tries. Wait 15 minutes and try again."))
    elif request.method == "POST" and form.is_valid():
        throttle.failed(request, order.email)  # counts tries: every one of them sends a mail
        user = sign_up(order.email, form.cleaned_data["password"], get_language() or order.language, order)
        if user is not None:
            login(request, user, backend="django.contrib.auth.backends.ModelBackend")
            if session.ordered(request) == order:  # the browser that paid, not just somebody with the order's link
                saved.claim(order, user)
            text = _("Your account is ready. Open the link that we sent to %(email)s, and earlier orders join it.")
        else:
            text = _("We sent an e-mail to %(email)s. Open the link in it to sign in to your account.")
        messages.success(request, text % {"email": order.email})
        return _to("show", order)
    status = 422 if form.errors else 200
    context = context_of(order) | _account_offer(request, order, form)
    return render(request, "orders/account.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@order_page
def cancel(request: HttpRequest, order: Order) -> HttpResponse:
    """Asked once more, then cancelled: money that was paid goes back the way it came."""
    if order.state not in CANCELLABLE:
        messages.error(request, _("This order cannot be cancelled any more."))
        return _to("show", order)
    if request.method == "POST":
        if engine.cancel(order, actor="buyer", reason="buyer"):
            messages.success(request, _("Your order is cancelled. We confirm it by e-mail."))
        else:
            messages.error(request, _("This order cannot be cancelled any more."))
        return _to("show", order)
    return render(request, "orders/cancel.html", context_of(order))


@require_POST
@order_page
def reorder(request: HttpRequest, order: Order) -> HttpResponse:
    """The same articles into the cart again, at today's prices and as far as they are there."""
    cart = session.open_cart(request)
    missing = []
    with transaction.atomic():
        for line in order.lines.select_related("variant__product"):
            variant = line.variant
            cost = price(variant, cart.market) if variant is not None and variant.available() else None
            if variant is None or cost is None:
                missing.append(line)
                continue
            quantity = line.quantity if variant.stock is None else min(line.quantity, variant.stock)
            cost = price(variant, cart.market, quantity) or cost
            values = {"variant": variant, "title": variant.product.title, "quantity": quantity}
            values |= {"unit_amount": cost.amount, "saved_for_later": False}
            CartLine.objects.update_or_create(cart=cart, sku=variant.sku, defaults=values)
        session.touch(cart)
    if missing:
        messages.warning(request, _("Some articles of the order are not available any more and were left out."))
    return SeeOther(reverse("cart:show"))
