"""The country the visitor buys from: the cart's, else the chosen one (a cookie), else the first with the language."""

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import get_language

from config.shop import MARKETS, markets_for


def use(request: HttpRequest, code: str) -> None:
    """For this request, whatever the visitor's own: a page about an order holds to the market of the order."""
    if code in MARKETS:
        request._market = code  # type: ignore[attr-defined]


def current(request: HttpRequest) -> str:
    code = getattr(request, "_market", None)
    if code is None:
        from cart.session import current as current_cart  # cart builds on catalogue

        cart = current_cart(request)
        code = cart.market if cart else request.COOKIES.get(settings.MARKET_COOKIE_NAME, "")
        if code not in MARKETS:
            code = markets_for(get_language() or settings.LANGUAGE_CODE)[0]
        request._market = code  # type: ignore[attr-defined]
    return code
