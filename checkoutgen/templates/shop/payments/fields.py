"""The payment page: the provider's fields in a page of the shop (`mode: fields`).

The order stands already. What buyers type goes to the provider from its own frames; its script brings back a token, and
the shop pays with that. Without script, or when the provider's one does not load, the same form leads to the provider's
page.
"""

import json
from functools import partial
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from common.http import SeeOther
from orders import links
from orders.models import Order
from orders.states import UNPAID
from orders.views import context_of, open_methods, order_page, pay

from . import engine, failures, methods, scripts
from .adapters import fields

MOST_TRIES = 20  # of one order: whoever tries cards in bulk stops here
LONGEST = 20_000  # characters of what a provider's script brings back


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("typed")
@order_page
def page(request: HttpRequest, order: Order, method_id: str) -> HttpResponse:
    method = next((each for each in open_methods(order) if each["id"] == method_id), None)
    if method is None or order.state not in UNPAID or not methods.in_page(method_id):
        return _answer(request, reverse("orders:pay", args=[links.token(order)]))
    if request.method == "POST":
        return _pay(request, order, method)
    context = context_of(order)
    if not context["unpaid"]:
        return SeeOther(reverse("orders:thanks", args=[context["token"]]))
    last = order.attempts.last()
    failed = last is not None and last.state in ("failed", "cancelled", "expired")
    provider = method["provider"]
    context |= {
        "method": method,
        "after": last.key if last else "",
        "reason": failures.text(last.failure or last.state) if failed and last else "",
        "settings": json.dumps(fields(provider).settings(order, method)),
        "scripts": scripts.scripts(provider, "fields", order.currency)[1:],  # base.html has shop.js
        "styles": scripts.styles(provider, "fields", order.currency),
    }
    page = render(request, "payments/fields.html", context)
    return scripts.protect(page, provider, "fields", order.currency)


def _answer(request: HttpRequest, url: str) -> HttpResponse:
    """To the next page, for the script as for a plain form."""
    return JsonResponse({"go": url}) if _by_script(request) else SeeOther(url)


def _by_script(request: HttpRequest) -> bool:
    return "typed" in request.POST


def _pay(request: HttpRequest, order: Order, method: dict[str, Any]) -> HttpResponse:
    """Pay with what the provider's script brought; a form without it goes to the provider's page."""
    after = request.POST.get("after", "")[:32]
    if not _by_script(request):
        return pay(request, order, method["id"], hosted=True, instead_of=after)
    if order.attempts.count() >= MOST_TRIES:
        return _refused(_("Too many tries. Wait 15 minutes and try again."), status=429)
    create = partial(fields(method["provider"]).create, request.POST["typed"][:LONGEST])
    try:
        begun = engine.start(order, method["id"], request=request, create=create, instead_of=after)
    except engine.NotStarted as refused:
        return _refused(failures.text(refused.code), again=refused.code == "provider_down")
    if begun.attempt is None:
        return JsonResponse({"go": reverse("orders:thanks", args=[links.token(order)])})
    back = reverse("payments:return", args=[begun.attempt.key])
    return JsonResponse({"go": begun.redirect or back, "browser": begun.browser})


def _refused(text: str, *, again: bool = False, status: int = 422) -> JsonResponse:
    """`again`: nobody knows whether it happened; the script sends the same token once more, not a new one."""
    return JsonResponse({"error": text, "again": again}, status=status)
