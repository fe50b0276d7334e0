"""The cart page. Every change is a POST that answers 303; what happened is said on the page that follows."""

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from cart import coupons, session, summary
from cart.changes import check
from cart.delivery import estimate, free_delivery
from cart.models import Cart, CartLine
from catalogue import markets, pages, shelf
from catalogue.models import Variant
from catalogue.prices import price, steps
from common.http import SeeOther
from common.texts import localized
from common.urls import address
from config.shop import section
from payments.wallets import offered


def _to_cart() -> HttpResponse:
    return SeeOther(address("cart:show"))


@never_cache
@require_safe
def show(request: HttpRequest) -> HttpResponse:
    return _page(request, session.current(request))


def _page(request: HttpRequest, cart: Cart | None, *, status: int = 200, **errors: Any) -> HttpResponse:
    context: dict[str, Any] = {"cart": cart, "notices": [], **errors}
    if cart is not None:
        context["notices"] = check(cart)
        now = timezone.now()
        option = estimate(cart, now)
        found = summary.summarize(cart, option, now)
        later = [line for line in summary.every(cart) if line.saved_for_later and line.variant]
        minimum = summary.minimum(cart)
        context |= {
            "summary": found,
            "market_above": bool(found.lines),
            "rows": [
                (
                    line,
                    pages.availability(line.line.variant)[1],
                    (errors.get("wrong") or {}).get(line.line.pk),
                    next((step for step in steps(line.line.variant, cart.market) if step[0] > line.quantity), None),
                )
                for line in found.lines
            ],
            "later": [{"line": line, "picture": summary.picture_of(line)} for line in later],
            "removed": cart.data.get("removed"),
            "expires_at": session.expires_at(cart),
            "free_delivery": free_delivery(cart, found.totals.goods) if found.lines else None,
            "minimum": minimum if found.totals.goods - found.totals.discount < minimum else 0,
            "start_notices": section("legal").get("start_notices"),
            "delivery_note": section("delivery").get("note"),
            "takes_coupons": bool(section("checkout").get("coupons")),
            "ways_to_pay": _ways_to_pay(cart.market),
            "wallets": offered(cart, found.totals.total) if found.lines else [],
        }
        if found.lines and "elsewhere" in request.GET:
            context |= {"link": session.link(cart), "qr": _qr(session.link(cart))}
    context["filled"] = filled = bool(context.get("rows"))
    pks = _suggestions(cart) if cart and filled else [pk for pk, _category in shelf.on_sale()[:4]]
    context |= _beside(pks, markets.current(request))
    return render(request, "cart/show.html", context, status=status)


def _ways_to_pay(market: str) -> list[str]:
    return [
        localized(method["name"])
        for method in section("payment")["methods"]
        if market in (method.get("markets") or [market])
    ]


def _suggestions(cart: Cart) -> list[int]:
    """Cross-sell: what goes with the articles of the cart and is not in it."""
    inside = [line.variant.product for line in summary.active(cart) if line.variant]
    pks = {product.pk for product in inside}
    handles = dict.fromkeys(handle for product in inside for handle in product.related)
    found = [product.pk for product in shelf.by_handle(handles)]
    if not found and inside:
        found = [pk for pk, _category in shelf.on_sale(inside[0].category)]
    return [pk for pk in found if pk not in pks][:4]


def _beside(pks: list[int], market_code: str) -> dict[str, Any]:
    """Cards for the foot of the page; the stamp is what they depend on besides language and market."""
    products = shelf.products(pks)
    stamp = (shelf.revision(), pks, shelf.restock(products))
    return {"stamp": stamp, "cards": SimpleLazyObject(lambda: pages.cards(products, market_code))}


def _qr(url: str) -> str:
    import segno  # only for the buyer who asks to continue elsewhere

    return segno.make(url, error="l").svg_data_uri(border=2)


def quantity(text: str) -> int | None:
    """A whole number as people type it; None when it is none."""
    text = text.strip()
    return min(int(text), pages.MOST) if text.isdecimal() and len(text) < 10 else None


@require_POST
def add(request: HttpRequest) -> HttpResponse:
    variant = shelf.variant(request.POST.get("sku", ""))
    wanted = quantity(request.POST.get("quantity") or "1")
    if variant is None or not variant.available(0):
        messages.error(request, _("This article is no longer sold."))
        return _to_cart()
    if not wanted:
        messages.error(request, _("The quantity must be a whole number from 1, like 2. Nothing was added."))
        return SeeOther(f"{variant.product.get_absolute_url()}?variant={variant.sku}")
    cost = price(variant, markets.current(request))
    if cost is None:
        messages.error(request, _("This article is not delivered to this country."))
        return _to_cart()
    with transaction.atomic():
        known = session.current(request)
        cart = known or session.open_cart(request)
        lines = {line.sku: line for line in summary.every(cart)} if known else {}
        line = lines.get(variant.sku) or CartLine(cart=cart, sku=variant.sku, quantity=0)
        if line.saved_for_later:
            line.quantity = 0
        line.variant, line.title = variant, variant.product.title
        line.quantity = _held_to_stock(request, variant, line.quantity + wanted)
        cost = price(variant, cart.market, line.quantity) or cost
        line.unit_amount, line.saved_for_later = cost.amount, False
        if line.quantity:
            line.save()
            if known:
                _forget_removed(cart)
                session.touch(cart)
    return _to_cart()


def _held_to_stock(request: HttpRequest, variant: Variant, wanted: int) -> int:
    """At most what is there, and the buyer is told."""
    wanted = min(wanted, pages.MOST)
    if variant.stock is None or variant.stock >= wanted:
        return wanted
    title = str(variant.product)
    if variant.stock == 0:
        messages.warning(request, _("“%(title)s” is sold out.") % {"title": title})
    else:
        text = ngettext(
            "Only %(count)d piece of “%(title)s” is available: the quantity was set to it.",
            "Only %(count)d pieces of “%(title)s” are available: the quantity was set to them.",
            variant.stock,
        )
        messages.warning(request, text % {"count": variant.stock, "title": title})
    return variant.stock


def _forget_removed(cart: Cart) -> None:
    cart.data = {key: value for key, value in cart.data.items() if key != "removed"}


@require_POST
def update(request: HttpRequest) -> HttpResponse:
    """New quantities: "quantity-<line>" of each line, or one step by the buttons "minus" and "plus". Zero removes."""
    cart = session.current(request)
    if cart is None:
        return _to_cart()
    lines = list(cart.lines.select_related("variant__product").filter(saved_for_later=False))
    wrong: dict[int, dict[str, str]] = {}
    with transaction.atomic():
        for line in lines:
            typed = request.POST.get(f"quantity-{line.pk}", str(line.quantity))
            wanted = quantity(typed)
            if request.POST.get("plus") == str(line.pk):
                wanted = line.quantity + 1
            elif request.POST.get("minus") == str(line.pk):
                wanted = line.quantity - 1
            if wanted is None:
                text = _("Enter a whole number, like 2. Zero takes the article out.")
                wrong[line.pk] = {"typed": typed, "text": text, "id": f"quantity-{line.pk}"}
            elif wanted == 0:
                _remove(cart, line)
            elif wanted != line.quantity and line.variant is not None:
                line.take(_held_to_stock(request, line.variant, wanted) or line.quantity, cart.market)
                line.save()
                _forget_removed(cart)
        session.touch(cart)
    if wrong:
        return _page(request, cart, status=422, wrong=wrong)
    return _to_cart()


def _remove(cart: Cart, line: CartLine) -> None:
    """Takes the line out; the cart remembers it, so that it can be undone."""
    cart.data = cart.data | {
        "removed": {"sku": line.sku, "title": line.title, "quantity": line.quantity, "later": line.saved_for_later}
    }
    line.delete()


def _line(request: HttpRequest, cart: Cart) -> CartLine | None:
    chosen = request.POST.get("line", "")
    return cart.lines.select_related("variant__product").filter(pk=chosen).first() if chosen.isdecimal() else None


@require_POST
def remove(request: HttpRequest) -> HttpResponse:
    cart = session.current(request)
    line = _line(request, cart) if cart else None
    if cart and line:
        with transaction.atomic():
            _remove(cart, line)
            session.touch(cart)
    return _to_cart()


@require_POST
def undo(request: HttpRequest) -> HttpResponse:
    """Puts back what was removed last, at today's price and within today's stock."""
    cart = session.current(request)
    removed = cart.data.get("removed") if cart else None
    if cart is None or not removed:
        return _to_cart()
    variant = Variant.objects.select_related("product").filter(sku=removed["sku"]).first()
    cost = price(variant, cart.market) if variant and variant.available(0) else None
    with transaction.atomic():
        _forget_removed(cart)
        if variant is None or cost is None:
            messages.error(request, _("This article is no longer sold."))
        else:
            held = _held_to_stock(request, variant, removed["quantity"])
            cost = price(variant, cart.market, held or 1) or cost
            CartLine.objects.update_or_create(
                cart=cart,
                sku=variant.sku,
                defaults={
                    "variant": variant,
                    "title": variant.product.title,
                    "quantity": held or 1,
                    "unit_amount": cost.amount,
                    "saved_for_later": removed["later"] or not held,
                },
            )
        session.touch(cart)
    return _to_cart()


@require_POST
def later(request: HttpRequest) -> HttpResponse:
    """Saves a line for later, or with back=1 puts it into the cart again."""
    cart = session.current(request)
    line = _line(request, cart) if cart else None
    if cart and line:
        back = request.POST.get("back") == "1"
        if back and line.variant is not None:
            line.take(_held_to_stock(request, line.variant, line.quantity) or line.quantity, cart.market)
            line.saved_for_later = line.variant.stock == 0
        else:
            line.saved_for_later = True
        line.save()
        _forget_removed(cart)
        session.touch(cart)
    return _to_cart()


@require_POST
def coupon(request: HttpRequest) -> HttpResponse:
    """Adds the code of the field "code", or takes away that of the button "remove"."""
    cart = session.open_cart(request)
    gone = request.POST.get("remove")
    if gone:
        coupons.remove(cart, gone)
        session.touch(cart)
        return _back(request)
    typed = request.POST.get("code", "").strip()
    entry = coupons.known(typed)
    lines = summary.priced(cart, summary.active(cart))
    if not typed:
        refusal = _("Enter the code first, as it stands on your voucher.")
    elif entry is None:
        refusal = _("There is no code “%(code)s”. Check each letter and digit.") % {"code": typed[:40]}
    else:
        refusal = coupons.refusal(entry, cart, lines, timezone.now())
    if refusal or entry is None:
        return _page(request, cart, status=422, coupon_error=refusal, coupon_typed=typed)
    replaced = coupons.add(cart, entry["code"])
    session.touch(cart)
    if replaced:
        text = _("The code %(old)s gave way to %(new)s: the two cannot be combined.")
        messages.info(request, text % {"old": replaced, "new": entry["code"]})
    return _back(request)


def _back(request: HttpRequest) -> HttpResponse:
    """To the checkout when the code was entered there."""
    if request.POST.get("next") == "checkout":
        return SeeOther(address("checkout:start"))
    return _to_cart()


@never_cache
@require_safe
def continue_here(request: HttpRequest, token: str) -> HttpResponse:
    """The articles of a cart from another device. Opening the link twice adds nothing."""
    other = session.linked(token)
    if other is None:
        messages.error(request, _("This link has expired. Open the cart on the first device and make a new one."))
        return _to_cart()
    if other != session.current(request):
        session.take_over(session.open_cart(request), other)
    return _to_cart()
