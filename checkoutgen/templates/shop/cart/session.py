"""The cart of a request. Its key stands in a signed, HttpOnly cookie of its own: anonymous buyers need no session."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.core import signing
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language

from cart.models import Cart, CartLine
from catalogue import markets
from catalogue.prices import price
from common.rows import rows
from common.urls import absolute
from config.shop import market, section

if TYPE_CHECKING:
    from orders.models import Order

SALT = "cart"
LINK_SALT = "cart-link"
LINK_AGE = timedelta(days=7)
COOKIE_AGE = timedelta(days=90)
# Plain, because every page asks: the ORM would take several times as long to write it.
_OPEN = f"SELECT * FROM {Cart._meta.db_table} WHERE key = %s AND ordered_at IS NULL"  # noqa: S608  our own table


def lifetime() -> timedelta:
    """How long an untouched cart is kept as it is."""
    return timedelta(hours=(section("checkout").get("cart") or {}).get("expires_after_hours") or 72)


def _key(value: str | None) -> str | None:
    try:
        return signing.loads(value, salt=SALT) if value else None
    except signing.BadSignature:
        return None


def current(request: HttpRequest) -> Cart | None:
    """The open cart of the visitor, or None. One query a request at most."""
    if not hasattr(request, "_cart"):
        key = _key(request.COOKIES.get(settings.CART_COOKIE_NAME))
        request._cart = next(iter(rows(Cart, _OPEN, key)), None) if key else None  # type: ignore[attr-defined]
    return request._cart  # type: ignore[attr-defined]


def ordered(request: HttpRequest) -> "Order | None":
    """The order that the visitor's cart became: for a second click on the button and for the Back key after it."""
    key = _key(request.COOKIES.get(settings.CART_COOKIE_NAME))
    cart = Cart.objects.select_related("order").exclude(ordered_at=None).filter(key=key).first() if key else None
    return getattr(cart, "order", None)


def open_cart(request: HttpRequest) -> Cart:
    """The open cart, made when there is none. CartMiddleware hands out the cookie."""
    cart = current(request)
    if cart is None:
        code = markets.current(request)
        user = getattr(request, "user", None)
        cart = Cart.objects.create(
            user=user if user is not None and user.is_authenticated else None,
            market=code,
            language=get_language() or settings.LANGUAGE_CODE,
            currency=market(code)["currency"],
        )
        use(request, cart)
    return cart


def use(request: HttpRequest, cart: Cart | None) -> None:
    """From now on this is the visitor's cart; None forgets it (after the order)."""
    request._cart = cart  # type: ignore[attr-defined]
    request._cart_changed = True  # type: ignore[attr-defined]
    if hasattr(request, "_market"):
        del request._market


def write_cookie(request: HttpRequest, response: HttpResponse) -> None:
    if not getattr(request, "_cart_changed", False):
        return
    cart: Cart | None = request._cart  # type: ignore[attr-defined]
    if cart is None:
        response.delete_cookie(settings.CART_COOKIE_NAME, samesite="Lax")
        return
    response.set_cookie(
        settings.CART_COOKIE_NAME,
        signing.dumps(cart.key, salt=SALT),
        max_age=COOKIE_AGE,
        secure=settings.HTTPS,
        httponly=True,
        samesite="Lax",
    )


def merge(request: HttpRequest, user: AbstractBaseUser) -> Cart | None:
    """At sign-in: the cart of this device and the customer's earlier one become one. Returns the cart in use.

    Same article in both: the larger quantity, because the buyer who put it in twice usually meant it once.
    """
    here = current(request)
    with transaction.atomic():
        earlier = Cart.objects.filter(user=user, ordered_at=None).exclude(pk=here.pk if here else None)
        earlier = earlier.order_by("-updated_at").first()
        if here is None:
            if earlier:
                use(request, earlier)
            return earlier
        if earlier:
            lines = {line.sku: line for line in here.lines.select_related("variant__product")}
            for line in earlier.lines.all():
                mine = lines.get(line.sku)
                if mine is None:
                    CartLine.objects.filter(pk=line.pk).update(cart=here)
                elif line.quantity > mine.quantity:
                    mine.take(line.quantity, here.market)
                    mine.save()
            forget_lines(here)
            here.data = earlier.data | here.data
            here.coupon_code = here.coupon_code or earlier.coupon_code
            earlier.delete()
        here.user = user
        here.save()
    return here


def expires_at(cart: Cart) -> datetime:
    return cart.updated_at + lifetime()


def expired(cart: Cart) -> bool:
    return expires_at(cart) < timezone.now()


def touch(cart: Cart) -> None:
    """After a change of the lines: the cart lives on from now, in the language of the page."""
    cart.language = get_language() or cart.language
    cart.save()
    forget_lines(cart)


def forget_lines(cart: Cart) -> None:
    """The lines in memory are out of date."""
    cart.__dict__.pop("_lines", None)


def move(cart: Cart, market_code: str) -> None:
    """To another country: its prices, its ways of delivery and payment. What is not sold there is saved for later."""
    with transaction.atomic():
        cart.market, cart.currency = market_code, market(market_code)["currency"]
        cart.data = {key: value for key, value in cart.data.items() if key not in ("delivery", "payment", "removed")}
        for line in cart.lines.select_related("variant__product"):
            cost = price(line.variant, market_code, line.quantity) if line.variant else None
            if cost is None:
                line.saved_for_later = True
            else:
                line.unit_amount = cost.amount
            line.save()
        touch(cart)


def link(cart: Cart) -> str:
    """Address that opens the articles of this cart on another device, for a week. It carries no personal data."""
    token = signing.dumps(cart.key, salt=LINK_SALT)
    return absolute(reverse("cart:continue", args=[token]))


def linked(token: str) -> Cart | None:
    try:
        key = signing.loads(token, salt=LINK_SALT, max_age=LINK_AGE)
    except signing.BadSignature:
        return None
    return Cart.objects.filter(key=key, ordered_at=None).first()


def take_over(cart: Cart, other: Cart) -> None:
    """Copies the articles of another cart, not what its buyer typed. Of the same article the larger quantity counts."""
    mine = {line.sku: line for line in cart.lines.select_related("variant__product")}
    with transaction.atomic():
        for line in other.lines.select_related("variant__product").filter(variant__isnull=False):
            cost = price(line.variant, cart.market, line.quantity)
            if line.sku in mine:
                mine[line.sku].take(max(mine[line.sku].quantity, line.quantity), cart.market)
                mine[line.sku].save()
            elif cost is not None:
                line.pk, line._state.adding = None, True
                line.cart, line.unit_amount = cart, cost.amount
                line.save()
        cart.coupon_code = cart.coupon_code or other.coupon_code
        touch(cart)


def forget_old(now: datetime | None = None, limit: int = 500) -> int:
    """Deletes carts that nobody touched for 90 days, with what was typed into them. The worker calls it."""
    old = Cart.objects.filter(ordered_at=None, updated_at__lt=(now or timezone.now()) - COOKIE_AGE)
    pks = list(old.values_list("pk", flat=True)[:limit])
    return old.filter(pk__in=pks).delete()[0] if pks else 0
