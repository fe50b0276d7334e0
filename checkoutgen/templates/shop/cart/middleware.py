from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.http import escape_leading_slashes

from cart import coupons, session
from catalogue import shelf


class CartMiddleware:
    """Gives the buyer the cookie of a cart that was opened, and takes the code of a link that ends in ?coupon=CODE."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with shelf.one_reading():
            response = self._coupon(request) or self.get_response(request)
        session.write_cookie(request, response)
        return response

    def _coupon(self, request: HttpRequest) -> HttpResponse | None:
        """Why a code does not count yet is said in the cart; an unknown one opens no cart."""
        if request.method != "GET" or "coupon" not in request.GET:
            return None
        entry = coupons.known(request.GET["coupon"])
        if entry is None:
            return None
        cart = session.open_cart(request)
        coupons.add(cart, entry["code"])
        session.touch(cart)
        query = request.GET.copy()
        del query["coupon"]
        path = escape_leading_slashes(request.path)
        return HttpResponseRedirect(f"{path}?{query.urlencode()}" if query else path)
