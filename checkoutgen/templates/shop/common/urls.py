from functools import lru_cache

from django.conf import settings
from django.urls import reverse
from django.utils.translation import get_language

from config.shop import SHOP


def address(name: str, *args: str) -> str:
    """`reverse` in the active language, worked out once. Not for what does not repeat, like tokens."""
    return _address(get_language(), name, args)


@lru_cache(maxsize=8192)
def _address(language: str | None, name: str, args: tuple[str, ...]) -> str:
    return reverse(name, args=args)


def absolute(path: str) -> str:
    """The full address of a path, on the shop's public address and never on the Host header."""
    return f"{settings.PUBLIC_URL}{path}"


def inside(url: str) -> str:
    """The path of an address of this shop, so that the link works wherever it runs; other addresses as they are."""
    own = f"{SHOP['shop']['url'].rstrip('/')}/"
    return url[len(own) - 1 :] if url.startswith(own) else url
