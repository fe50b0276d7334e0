"""The way from a wallet's button in the cart to the review page (see payments.wallets), and nothing further.

What the wallet says goes through the forms of the checkout like anything typed: what it lacks or what does not fit is
asked on the step where it belongs.
"""

import json
from datetime import datetime
from typing import Any

from babel import Locale
from django.contrib import messages
from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from cart import session
from cart.models import Cart
from checkout.state import Checkout
from checkout.steps import STEPS
from checkout.views import address_of, enter, first_open, take
from common.http import SeeOther
from common.texts import localized
from common.urls import absolute, address
from config.shop import MARKETS

from . import failures, scripts, wallets
from .adapters import UnknownProvider, express
from .facts import Declined, Express, ProviderDown, Wallet

SALT = "express quote"
QUOTE_LIFE = 6 * 3600  # seconds that a wallet may ask what the cart costs
LONGEST = 20_000


def _method(checkout: Checkout, method_id: str) -> dict[str, Any]:
    found = wallets.offered(checkout.cart, checkout.total)
    return next((method for method in found if method["id"] == method_id), {})


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def start(request: HttpRequest, method_id: str) -> HttpResponse:
    """To the wallet's own page; or the page where its script draws the button, and what that brings back."""
    checkout = enter(request)
    if isinstance(checkout, HttpResponse):
        return checkout
    method = _method(checkout, method_id)
    if not method:
        messages.error(request, failures.text("method_unavailable"))
        return SeeOther(address("cart:show"))
    wallet = express(method["provider"])
    if not hasattr(wallet, "begin"):
        return _page(request, checkout, method)
    if request.method != "POST":
        return SeeOther(address("cart:show"))
    back = absolute(reverse("pay:express-back", args=[method_id]))
    try:
        ref, url = wallet.begin(checkout.cart, method, back, absolute(_quote_url(checkout.cart, method)))
    except Declined as declined:
        messages.error(request, failures.text(declined.code))
        return SeeOther(address("cart:show"))
    except ProviderDown:
        messages.error(request, failures.text("provider_down"))
        return SeeOther(address("cart:show"))
    _remember(checkout.cart, {"method": method_id, "ref": ref, "url": url})
    return SeeOther(reverse("pay:express-leave", args=[method_id]))


def _remember(cart: Cart, wallet: dict[str, Any]) -> None:
    cart.data["wallet"] = wallet
    cart.save(update_fields=["data", "updated_at"])


def _page(request: HttpRequest, checkout: Checkout, method: dict[str, Any]) -> HttpResponse:
    wallet, provider = express(method["provider"]), method["provider"]
    if request.method == "POST":
        if "typed" not in request.POST:  # the button in the cart
            return SeeOther(request.path)
        found = _ask(request, checkout.cart, wallet, "", {"typed": request.POST["typed"][:LONGEST]})
        url = address("cart:show") if found is None else _take_in(request, checkout, method["id"], found)
        return JsonResponse({"go": url})
    context = {
        "method": method,
        "settings": json.dumps(
            wallet.settings(checkout.cart, method)
            | {"quote": _quote_url(checkout.cart, method), "countries": list(MARKETS)}
        ),
        "scripts": scripts.scripts(provider, "express", checkout.cart.currency)[1:],  # base.html has shop.js
        "summary": checkout.summary,
        "currency": checkout.cart.currency,
    }
    page = render(request, "payments/wallet.html", context)
    return scripts.protect(page, provider, "express", checkout.cart.currency)


@never_cache
@require_safe
def leave(request: HttpRequest, method_id: str) -> HttpResponse:
    """Out to the wallet by a navigation of its own, like orders.views.leave."""
    cart = session.current(request)
    wallet = (cart.data.get("wallet") or {}) if cart else {}
    if wallet.get("method") != method_id or not wallet.get("url"):
        return SeeOther(address("cart:show"))
    page = render(request, "payments/wallet_leave.html", {"address": wallet["url"]})
    page.headers["Refresh"] = f"0; url={wallet['url']}"
    return page


@never_cache
@require_safe
def back(request: HttpRequest, method_id: str) -> HttpResponse:
    """The buyer comes back from the wallet's page; what they agreed to is asked from the provider."""
    checkout = enter(request)
    if isinstance(checkout, HttpResponse):
        return checkout
    method, begun = _method(checkout, method_id), checkout.cart.data.get("wallet") or {}
    if not method or begun.get("method") != method_id or not begun.get("ref"):
        return SeeOther(address("cart:show"))
    found = _ask(request, checkout.cart, express(method["provider"]), begun["ref"], request.GET.dict())
    if found is None:
        return SeeOther(address("cart:show"))
    return SeeOther(_take_in(request, checkout, method_id, found))


def _ask(request: HttpRequest, cart: Cart, wallet: Express, ref: str, answer: dict[str, str]) -> Wallet | None:
    """What the wallet says; None when nobody agreed, and the buyer is told that nothing happened."""
    try:
        found = wallet.wallet(cart, ref, answer)
    except (ProviderDown, Declined):
        messages.error(request, failures.text("provider_down"))
        return None
    if found is None:
        messages.info(request, _("You left the wallet before it was done. Nothing was ordered or charged."))
    return found


def _take_in(request: HttpRequest, checkout: Checkout, method_id: str, wallet: Wallet) -> str:
    """Fill in the checkout with what the wallet says. Returns where to go: the review page when nothing is missing."""
    cart, country = checkout.cart, wallet.address.get("country", "")
    if country in MARKETS and country != cart.market:
        session.move(cart, country)
    cart.data["wallet"] = {
        "method": method_id,
        "token": wallet.token,
        "amount": wallet.amount,
        "currency": wallet.currency,
    }
    cart.language = get_language() or cart.language
    sold = country in MARKETS
    typed = _typed(cart, method_id, wallet, checkout.now)
    for step in STEPS[:-1]:
        if sold or step.slug == "contact":
            take(Checkout(cart, checkout.user, checkout.now), step, typed, update=False)
        elif step.slug == "payment":
            checkout.keep_draft(step.slug, typed, checked=False)
    cart.save()
    if sold:
        text = _("Your wallet gave us e-mail and address. You pay only when you press the button that orders.")
        messages.info(request, text)
    else:
        text = _("We do not deliver to this address (%(country)s). Choose another one; nothing was ordered or charged.")
        messages.warning(request, text % {"country": _country_name(country)})
    return address_of(first_open(Checkout(cart, checkout.user, checkout.now)))


def _country_name(code: str) -> str:
    return Locale.parse(get_language() or "en", sep="-").territories.get(code, code)


def _typed(cart: Cart, method_id: str, wallet: Wallet, now: datetime) -> dict[str, str]:
    """The answers of the checkout's forms, by the names of their fields."""
    ways = [option for option in Checkout(cart, None, now).options if option.needs_address]
    chosen = next((option for option in ways if option.id == wallet.option), ways[0] if ways else None)
    shipping = {f"shipping-{key}": value for key, value in wallet.address.items() if value}
    return shipping | {
        "email": wallet.email,
        "phone": wallet.phone,
        "delivery-method": chosen.id if chosen else "",
        "payment-method": method_id,
        "payment-same": "on",
    }


# -- what the cart costs somewhere: asked by the wallet while the buyer chooses an address --------------------------


def _quote_url(cart: Cart, method: dict[str, Any]) -> str:
    return reverse("payments:quote", args=[method["provider"], signing.dumps(cart.pk, salt=SALT)])


@csrf_exempt  # changes nothing, and only who has the signed address can ask
@require_POST
def quote(request: HttpRequest, provider: str, token: str) -> HttpResponse:
    """The ways of delivery to an address and what the cart costs with one of them; 422 when nothing goes there."""
    try:
        wallet = express(provider)
        cart = Cart.objects.get(pk=signing.loads(token, salt=SALT, max_age=QUOTE_LIFE), ordered_at=None)
        asked = json.loads(request.body[:LONGEST])
        country, option = _asked(wallet, asked)
    except (UnknownProvider, signing.BadSignature, Cart.DoesNotExist, ModuleNotFoundError):
        raise Http404(provider) from None
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return JsonResponse({"error": "unreadable"}, status=400)
    with override(cart.language):
        found = wallets.quote(cart, country, option, timezone.now())
        if hasattr(wallet, "quoted"):
            status, body = wallet.quoted(asked, cart, found)
            return JsonResponse(body, status=status)
        if found is None:
            return JsonResponse({"error": "country"}, status=422)
        return JsonResponse(_plain(found))


def _asked(wallet: Any, asked: dict[str, Any]) -> tuple[str, str]:
    """Country and way of delivery that are asked about, in the provider's own words where it has some."""
    if hasattr(wallet, "asked"):
        country, option = wallet.asked(asked)
    else:
        country, option = asked["country"], asked.get("option", "")
    return str(country).upper()[:2], str(option)[:60]


def _plain(found: wallets.Quote) -> dict[str, Any]:
    return {
        "options": [{"id": each.id, "name": localized(each.name), "amount": each.amount} for each in found.options],
        "option": found.chosen.id,
        "delivery": found.totals.delivery,
        "total": found.totals.total,
        "currency": found.totals.currency,
    }
