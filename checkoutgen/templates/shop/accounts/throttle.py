"""Slows down guessing of passwords and orders: a quarter of an hour's failures, by account, by address and by both."""

from datetime import timedelta

from django.conf import settings
from django.db.models import Count
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import salted_hmac

from accounts.models import SignInFailure, normal_email

WINDOW = timedelta(minutes=15)
# Together they stop a guesser; alone they are high enough that nobody locks another one out, or an office itself.
LIMITS = {"both": 10, "account": 50, "address": 100}


def client_address(request: HttpRequest) -> str:
    """The address of the visitor; behind a trusted proxy the one that the proxy itself added last."""
    if settings.SECURE_PROXY_SSL_HEADER and (forwarded := request.headers.get("X-Forwarded-For")):
        return forwarded.rpartition(",")[2].strip()
    return request.META.get("REMOTE_ADDR", "")


def _keys(request: HttpRequest, email: str, purpose: str) -> dict[str, str]:
    address, account = client_address(request), normal_email(email)
    parts = {"both": f"{address} {account}", "account": account, "address": address}
    return {
        salted_hmac(f"{purpose}.{name}", text, algorithm="sha256").hexdigest(): name for name, text in parts.items()
    }


def blocked(request: HttpRequest, email: str, purpose: str = "sign-in") -> bool:
    keys = _keys(request, email, purpose)
    counts = (
        SignInFailure.objects.filter(key__in=keys, at__gt=timezone.now() - WINDOW)
        .values("key")
        .annotate(failures=Count("pk"))
    )
    return any(row["failures"] >= LIMITS[keys[row["key"]]] for row in counts)


def failed(request: HttpRequest, email: str, purpose: str = "sign-in") -> None:
    SignInFailure.objects.filter(at__lte=timezone.now() - WINDOW).delete()
    SignInFailure.objects.bulk_create(SignInFailure(key=key) for key in _keys(request, email, purpose))


def forget(request: HttpRequest, email: str) -> None:
    """After a sign-in that worked: the failures of this account from this address do not count any more."""
    keys = [key for key, name in _keys(request, email, "sign-in").items() if name != "address"]
    SignInFailure.objects.filter(key__in=keys).delete()
