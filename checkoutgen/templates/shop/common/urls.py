from django.conf import settings

from config.shop import SHOP


def absolute(path: str) -> str:
    """The full address of a path, on the shop's public address and never on the Host header."""
    return f"{settings.PUBLIC_URL}{path}"


def inside(url: str) -> str:
    """The path of an address of this shop, so that the link works wherever it runs; other addresses as they are."""
    own = f"{SHOP['shop']['url'].rstrip('/')}/"
    return url[len(own) - 1 :] if url.startswith(own) else url
