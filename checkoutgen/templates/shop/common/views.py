"""Pages for what went wrong. They name the way out and need neither database nor session."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext


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
