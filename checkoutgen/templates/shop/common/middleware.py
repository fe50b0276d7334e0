"""In development too, what is not found is the shop's own page: what a buyer sees, and what browser tests judge."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from common.views import not_found


class OwnNotFoundMiddleware:
    """Django shows developers its list of addresses instead; the log still names the path."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        return not_found(request) if response.status_code == 404 else response
