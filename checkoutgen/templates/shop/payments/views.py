import logging

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import override
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods

from common.http import SeeOther
from orders import links
from orders.models import Order
from orders.states import UNPAID

from . import engine, methods, vault
from .adapters import UnknownProvider, adapter
from .facts import BadWebhook, Declined, ProviderDown
from .models import PaymentAttempt

logger = logging.getLogger(__name__)
MAX_WEBHOOK_BYTES = 256 * 1024
_refused: dict[str, int] = {}


@csrf_exempt  # the provider's signature, or our asking it, takes the place of the token
@require_http_methods(["GET", "POST"])
def webhook(request: HttpRequest, provider: str) -> HttpResponse:
    """What a provider tells us. 400 for what is not signed by it, 200 for everything else, known or not."""
    try:
        module = adapter(provider)
    except UnknownProvider:
        raise Http404(provider) from None
    methods = getattr(module, "WEBHOOK_METHODS", ("POST",))
    if request.method not in methods:
        return HttpResponseNotAllowed(methods)
    if int(request.META.get("CONTENT_LENGTH") or 0) > MAX_WEBHOOK_BYTES:
        return HttpResponse("too large\n", status=413, content_type="text/plain")
    try:
        if b"\0" in request.body or b"\\u0000" in request.body:  # no database keeps it, no provider sends it
            raise BadWebhook("NUL in the text")
        facts = module.parse_webhook(request)
    except BadWebhook as bad:
        _refused[provider] = _refused.get(provider, 0) + 1
        logger.warning("webhook of %s refused (%s); %d since the start", provider, bad, _refused[provider])
        return HttpResponse("refused\n", status=400, content_type="text/plain")
    except (ProviderDown, Declined):  # some providers only name a payment, and it is fetched: let them try again
        return HttpResponse("try again\n", status=503, content_type="text/plain")
    outcomes = [engine.apply(fact) for fact in facts]
    return HttpResponse(" ".join(outcomes) + "\n", content_type="text/plain")


@never_cache
@require_GET
def back(request: HttpRequest, key: str) -> HttpResponse:
    """The buyer comes back from the provider's page. The address proves nothing: the provider is asked."""
    attempt = get_object_or_404(PaymentAttempt.objects.select_related("order"), key=key)
    if attempt.provider:
        engine.returned(attempt, request.GET.dict())
        vault.collect(attempt)
    return SeeOther(page_after_payment(attempt.order))


def page_after_payment(order: Order) -> str:
    """Thanks for an order that stands or whose money is on its way; else the page where another try is made."""
    order.refresh_from_db()
    open_still = order.state in UNPAID and engine.payment_status(order) != "pending"
    with override(order.language):
        if open_still and methods.in_page(order.payment_method):
            return reverse("pay:fields", args=[links.token(order), order.payment_method])
        return reverse("orders:pay" if open_still else "orders:thanks", args=[links.token(order)])
