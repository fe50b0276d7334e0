"""How often one visitor may guess at orders."""

from django.core.cache import cache
from django.http import HttpRequest

FAILURES = 10
SECONDS = 3600


def _key(request: HttpRequest) -> str:
    return f"returns:tries:{request.META.get('REMOTE_ADDR', '')}"


def allowed(request: HttpRequest) -> bool:
    return cache.get(_key(request), 0) < FAILURES


def failed(request: HttpRequest) -> None:
    cache.add(_key(request), 0, SECONDS)
    cache.incr(_key(request))
