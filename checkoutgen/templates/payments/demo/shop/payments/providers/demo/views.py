"""The pages of the demo provider, in the language of the order."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language_info, override
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from common.http import SeeOther
from common.money import format_amount

from . import bank
from .cards import accounts, find
from .models import DemoPayment

State = DemoPayment.State


def payment_page(view: Callable[[HttpRequest, DemoPayment], HttpResponse]) -> Callable[..., HttpResponse]:
    @wraps(view)
    def found(request: HttpRequest, ref: str) -> HttpResponse:
        payment = DemoPayment.objects.filter(ref=ref).first() if bank.allowed() else None
        if payment is None:
            raise Http404(ref)
        with override(payment.language):
            response = view(request, payment)
        response.headers["Content-Language"] = payment.language
        return response

    return never_cache(found)


def _show(request: HttpRequest, payment: DemoPayment, template: str, status: int = 200, **values: Any) -> HttpResponse:
    values |= {
        "payment": payment,
        "language": payment.language,
        "direction": "rtl" if get_language_info(payment.language)["bidi"] else "ltr",
        "amount": format_amount(payment.amount, payment.currency, payment.language),
    }
    return render(request, f"demo/{template}.html", values, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@payment_page
def page(request: HttpRequest, payment: DemoPayment) -> HttpResponse:
    if payment.state == State.CHALLENGE:
        return SeeOther(reverse("demo:challenge", args=[payment.ref]))
    if payment.state != State.OPEN:
        return _show(request, payment, "done")
    listed = accounts(payment.kind, reserving=payment.capture_later)
    if request.method != "POST":
        return _show(request, payment, "pay", accounts=listed)
    typed = request.POST.get("use") or request.POST.get("number", "")
    account = find(payment.kind, typed, reserving=payment.capture_later)
    if account is None:
        problem = _("This is not one of the test numbers below. No other number is accepted here.")
        return _show(request, payment, "pay", 422, accounts=listed, problem=problem, typed=typed[:40])
    payment = bank.pay(payment.ref, account, request.POST.get("expiry", ""))
    bank.deliver_soon()
    if payment.state == State.CHALLENGE:
        return SeeOther(reverse("demo:challenge", args=[payment.ref]))
    if account.scenario == "lost":
        return _show(request, payment, "lost", 504)
    return SeeOther(payment.return_url)


@require_http_methods(["GET", "HEAD", "POST"])
@payment_page
def challenge(request: HttpRequest, payment: DemoPayment) -> HttpResponse:
    if payment.state != State.CHALLENGE:
        return SeeOther(reverse("demo:page", args=[payment.ref]))
    if request.method != "POST":
        return _show(request, payment, "challenge")
    payment = bank.answer_challenge(payment.ref, passed=request.POST.get("answer") == "approve")
    bank.deliver_soon()
    return SeeOther(payment.return_url)


@require_POST
@payment_page
def leave(request: HttpRequest, payment: DemoPayment) -> HttpResponse:
    payment = bank.leave(payment.ref)
    bank.deliver_soon()
    return SeeOther(payment.return_url)
