"""The way in, and pages for what went wrong: they name the way out and need neither database nor session."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from common.urls import address


@require_safe
def root(request: HttpRequest) -> HttpResponse:
    """To the home page in the visitor's language, which LocaleMiddleware has found."""
    query = request.META.get("QUERY_STRING")
    return HttpResponseRedirect(address("catalogue:home") + (f"?{query}" if query else ""))


def _page(request: HttpRequest, status: int, title: str, text: str) -> HttpResponse:
    return render(request, "error.html", {"title": title, "text": text, "status": status}, status=status)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _page(request, 400, gettext("This request cannot be read"), gettext("Go back and try again."))


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    text = gettext("Sign in with an account that may see it.")
    return _page(request, 403, gettext("This page is not open to you"), text)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    text = gettext(
        "Nothing was ordered and nothing was charged. Go back, reload the page and send the form again. "
        "Cookies must be allowed."
    )
    return _page(request, 403, gettext("This form is too old"), text)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _page(
        request,
        404,
        gettext("This page does not exist"),
        gettext("It may have moved, or the product is no longer sold."),
    )


def server_error(request: HttpRequest) -> HttpResponse:
    request._cart = None  # type: ignore[attr-defined]  the database may be what went wrong
    return _page(
        request,
        500,
        gettext("Something went wrong on our side"),
        gettext("Your cart is kept. Please try again in a few minutes."),
    )
