from django.conf import settings
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, Resolver404, resolve, reverse
from django.utils import timezone
from django.utils.functional import SimpleLazyObject
from django.utils.translation import get_language
from django.views.decorators.http import require_POST, require_safe

from cart import session
from catalogue import crawlers, delivery, guarantees, markets, pages, prices, shelf
from common.http import SeeOther
from config.shop import MARKETS, section

PAGE = 24


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    code, language = markets.current(request), get_language() or settings.LANGUAGE_CODE
    products = pages.picks(9)
    stamp = (shelf.revision(), shelf.restock(products))
    cards = SimpleLazyObject(lambda: pages.cards(products, code))
    context = {"stamp": stamp, "cards": cards, "tiles": SimpleLazyObject(lambda: pages.tiles(language))}
    return render(request, "catalogue/home.html", context)


@require_safe
def category(request: HttpRequest, category: str) -> HttpResponse:
    entry = (section("catalogue").get("categories") or {}).get(category)
    if entry is None:
        raise Http404
    code = markets.current(request)
    page = Paginator(shelf.on_sale(category), PAGE).get_page(request.GET.get("page"))
    products = shelf.products(pk for pk, _category in page)
    context = {
        "category_id": category,
        "entry": entry,
        "page": page,
        "stamp": (shelf.revision(), page.number, shelf.restock(products)),
        "cards": SimpleLazyObject(lambda: pages.cards(products, code)),
    }
    return render(request, "catalogue/category.html", context)


@require_safe
def product(request: HttpRequest, handle: str) -> HttpResponse:
    found = shelf.product(handle)
    if found is None:
        raise Http404
    related = pages.related(found)
    stock = shelf.restock([found, *related])
    code, variants = markets.current(request), found.sold_variants
    variant = pages.preselected(variants, request.GET.get("variant"), code)
    if variant is None:
        raise Http404
    cost = prices.price(variant, code)
    available, words = pages.availability(variant)
    pictures = list(found.shown_pictures)
    if variant.picture < len(pictures):
        pictures.insert(0, pictures.pop(variant.picture))
    one = delivery.parcel(variant, cost, code)
    promise = delivery.promise(one, timezone.now())
    today = timezone.localdate()
    context = {
        "product": found,
        "variant": variant,
        "price": cost,
        "rate": pages.rate(found, code),
        "options": SimpleLazyObject(lambda: pages.options(variants, variant)),
        "available": available,
        "availability": words,
        "steps": prices.steps(variant, code),
        "unit_price": pages.unit_price(found.unit, cost.amount),
        "delivery": promise,
        "free_from": lambda: delivery.free_from(one),
        # All that the kept part of the page depends on, besides language and market.
        "stamp": (shelf.revision(), variant.sku, stock, promise and (promise.earliest, promise.latest)),
        "short_details": pages.short_details(found),
        "linked_data": lambda: crawlers.linked_data(found, variant, cost, code, pictures, available=available),
        "pictures": pictures,
        "category_id": found.category,
        "category": (section("catalogue").get("categories") or {}).get(found.category),
        "guarantee": guarantees.notice(found, code, today),
        "durability": guarantees.durability(found, code, today),
        "withdrawal_note": pages.withdrawal_note(found.withdrawal_exception),
        "related": SimpleLazyObject(lambda: pages.cards(related, code)),
    }
    return render(request, "catalogue/product.html", context)


@require_POST
def market(request: HttpRequest) -> HttpResponse:
    """Another country: prices, taxes, delivery follow. A cart moves along, its steps are asked anew."""
    code = request.POST.get("market", "")
    response = SeeOther(_back(request.POST.get("next", "")))
    if code in MARKETS:
        year = 365 * 24 * 3600
        response.set_cookie(
            settings.MARKET_COOKIE_NAME, code, max_age=year, secure=settings.HTTPS, httponly=True, samesite="Lax"
        )
        cart = session.current(request)
        if cart is not None:
            session.move(cart, code)
    return response


def _back(path: str) -> str:
    """Only pages of this shop: a path that one of its own views answers."""
    try:
        match = resolve(path)
        return reverse(match.view_name, args=match.args, kwargs=match.kwargs)
    except (Resolver404, NoReverseMatch):  # an address without a name, such as /, leads to the front page anyway
        return reverse("catalogue:home")
