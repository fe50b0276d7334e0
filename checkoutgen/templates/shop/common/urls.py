from django.conf import settings


def absolute(path: str) -> str:
    """The full address of a path, on the shop's public address and never on the Host header."""
    return f"{settings.PUBLIC_URL}{path}"
