"""The way from the cart to the order. A POST is always answered by 303: Back and Reload never send anything twice."""

import json
from collections.abc import Mapping
from types import ModuleType
from typing import Any

from django.contrib import messages
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from cart import session
from cart.models import Cart
from cart.pricing import check
from cart.summary import active, minimum
from checkout.state import Checkout
from checkout.steps import BY_SLUG, STEPS, contact, review
from common.http import SeeOther
from common.templatetags.shop import errors_tag
from common.urls import address
from config.shop import MARKETS, SHOP
from orders.models import Order
from orders.placing import CartChanged, place
from orders.views import begin
from payments.views import page_after_payment

ONE_PAGE = SHOP["checkout"].get("layout") == "one-page"
LONGEST = 2000  # characters of one field that a draft keeps


def address_of(step: ModuleType, fragment: str = "") -> str:
    if ONE_PAGE:
        return address("checkout:start") + f"#{fragment or step.slug}"
    return address("checkout:step", step.slug) + (f"#{fragment}" if fragment else "")


def first_open(checkout: Checkout) -> ModuleType:
    return next(step for step in STEPS if not step.is_complete(checkout))


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def start(request: HttpRequest) -> HttpResponse:
    """The first open step, or the whole checkout where it is one page."""
    checkout = enter(request)
    if isinstance(checkout, HttpResponse):
        return checkout
    if not ONE_PAGE:
        return SeeOther(address_of(first_open(checkout)))
    # Who has to sign in first is asked for nothing else before.
    shown = STEPS if contact.may_enter(checkout) else [contact]
    if request.method == "POST":
        return _answer(request, checkout, shown)
    return _page(request, checkout, shown)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def step(request: HttpRequest, slug: str) -> HttpResponse:
    """One step: shown, or its answer taken in."""
    wanted = BY_SLUG.get(slug)
    if wanted is None:
        raise Http404("no such step")
    if ONE_PAGE:
        return SeeOther(address_of(wanted))
    checkout = enter(request)
    if isinstance(checkout, HttpResponse):
        return checkout
    for earlier in STEPS[: STEPS.index(wanted)]:
        if not earlier.is_complete(checkout):
            return SeeOther(address_of(earlier))
    if request.method == "POST":
        return _answer(request, checkout, [wanted])
    return _page(request, checkout, [wanted])


def enter(request: HttpRequest) -> Checkout | HttpResponse:
    """The checkout of the visitor's cart, or where to go when there is nothing to order: explained, nothing charged."""
    cart = session.current(request)
    if cart is None:
        order = session.ordered(request)
        if order is not None:  # the second click on the button, or the Back key after the order
            if request.method == "POST":
                return begin(request, order)
            return SeeOther(page_after_payment(order))
        messages.warning(request, _("Your cart is empty, so there is nothing to order. Nothing was charged."))
        return SeeOther(address("cart:show"))
    if request.method != "POST":
        for notice in check(cart):
            messages.warning(request, notice.text)
    if not active(cart):
        messages.warning(request, _("Your cart is empty, so there is nothing to order. Nothing was charged."))
        return SeeOther(address("cart:show"))
    user = request.user if request.user.is_authenticated else None
    checkout = Checkout(cart, user, timezone.now())
    if least := minimum(cart):
        totals = checkout.summary.totals
        if totals.goods - totals.discount < least:
            return SeeOther(address("cart:show"))  # which says how much is missing
    return checkout


def _page(request: HttpRequest, checkout: Checkout, shown: list[ModuleType]) -> HttpResponse:
    context: dict[str, Any] = {}
    forms: dict[str, Form] = {}
    for step in shown:
        made = step.forms(checkout, checkout.checked(step.slug))
        forms |= made
        context |= step.context(checkout, made)
    first = first_open(checkout)
    context |= forms | {
        "shown": shown,
        "error_summary": errors_tag(*forms.values()),
        "heading": _("Checkout") if ONE_PAGE else shown[0].title,
        "one_page": ONE_PAGE,
        "last": shown[-1] is STEPS[-1],
        "steps": [_progress(step, shown, first) for step in STEPS] if not ONE_PAGE else _one_page_progress(),
        "summary": checkout.summary,
        "checkout": checkout,
        "cart": checkout.cart,
        "currency": checkout.cart.currency,
    }
    return render(request, "checkout/page.html", context)


def _progress(step: ModuleType, shown: list[ModuleType], first: ModuleType) -> dict[str, Any]:
    reachable = STEPS.index(step) <= STEPS.index(first)
    return {"title": step.title, "url": address_of(step) if reachable else None, "current": step in shown}


def _one_page_progress() -> list[dict[str, Any]]:
    return [{"title": _("Checkout"), "url": None, "current": True}, {"title": _("Done"), "url": None, "current": False}]


def _answer(request: HttpRequest, checkout: Checkout, sent: list[ModuleType]) -> HttpResponse:
    update = "update" in request.POST
    known = _written(checkout)
    # PostgreSQL keeps no NUL in JSON, and no field of a checkout means anything by one.
    typed = {name: text[:LONGEST].replace("\0", "") for name, text in request.POST.items()}
    # Everything is kept before anything is judged: what one step accepts depends on what another one chose.
    for step in sent:
        checkout.keep_draft(step.slug, typed, checked=not update)
    _take_country(checkout, typed.get("shipping-country", ""))
    checkout = Checkout(checkout.cart, checkout.user, checkout.now)  # ways of delivery and total as they are now
    valid = [take(checkout, step, typed, update=update) for step in sent]
    checkout.cart.language = get_language() or checkout.cart.language
    if _written(checkout) != known:
        checkout.cart.save(update_fields=["data", "language", "updated_at"])
    if update:
        return SeeOther(address_of(sent[0], _fragment(typed["update"])))
    if not all(valid):
        return SeeOther(address_of(sent[0], "errs"))
    if sent[-1] is review:
        return _order(request, checkout, typed)
    return SeeOther(address_of(first_open(checkout)))


def _written(checkout: Checkout) -> str:
    """What the database would keep: as text, which is quicker to copy and to compare."""
    return json.dumps([checkout.cart.language, checkout.cart.data], sort_keys=True)


def take(checkout: Checkout, step: ModuleType, typed: Mapping[str, str], *, update: bool) -> bool:
    """Keep what was typed into a step, and accept it when all of it is right; with `update` it is only kept."""
    forms = step.forms(checkout, typed)
    names = [form.add_prefix(name) for form in forms.values() for name in form.fields]
    checkout.keep_draft(step.slug, {name: typed[name] for name in names if name in typed}, checked=not update)
    if update or not all(form.is_valid() for form in forms.values() if form.is_bound):
        return False
    checkout.accept(step.slug, step.value(checkout, forms))
    return True


def _take_country(checkout: Checkout, country: str) -> None:
    """Another country of delivery is another market: its currency, taxes and ways of delivery hold from here on."""
    if country in MARKETS and country != checkout.country:
        kept = dict(checkout.cart.data)
        session.move(checkout.cart, country)
        checkout.cart.data = kept


def _fragment(name: str) -> str:
    return name if name in ("shipping-country", "billing-country", "delivery-method") else "main"


def _seen_total(typed: Mapping[str, str]) -> int:
    """The amount on the button that was pressed; -1, which no order has, when it is missing."""
    text = typed.get("total", "")
    return int(text) if text.isdecimal() and len(text) < 19 else -1


def _order(request: HttpRequest, checkout: Checkout, typed: Mapping[str, str]) -> HttpResponse:
    """Place the order, once however often the button is pressed, and begin to pay."""
    cart: Cart = checkout.cart
    try:
        order: Order = place(cart, now=checkout.now, seen_total=_seen_total(typed))
    except CartChanged as changed:
        for notice in changed.notices:
            messages.warning(request, notice.text)
        messages.warning(request, _("Please check your order and confirm again: nothing was ordered yet."))
        return SeeOther(address_of(review))
    if checkout.user is not None:
        checkout.user.remember(order)
    return begin(request, order)
