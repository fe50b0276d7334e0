"""Mails as rows: written in the transaction of what they report, sent by the worker."""

from typing import Any
from urllib.parse import urlsplit

from django.utils.crypto import get_random_string

from config.shop import SHOP

from .models import OutboxMail

DOMAIN = urlsplit(SHOP["shop"]["url"]).hostname or "localhost"
# Never switched off, whatever the specification lists: the proof of the contract, and the warning to the seller.
ALWAYS = ("order-confirmation", "order-review")


def enqueue(
    kind: str, *, order: Any = None, to: str, language: str, key: str, context: dict[str, Any] | None = None
) -> None:
    """Write a mail into the outbox, inside the caller's transaction. The same key is written once."""
    if kind not in ALWAYS and kind not in SHOP["mails"]["send"]:
        return
    OutboxMail.objects.bulk_create(
        [
            OutboxMail(
                kind=kind,
                order=order,
                to=to,
                language=language,
                key=key,
                context=context or {},
                message_id=f"<{get_random_string(32)}@{DOMAIN}>",
            )
        ],
        ignore_conflicts=True,
    )
