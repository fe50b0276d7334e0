"""Mails as rows: written in the transaction of what they report, sent by the worker."""

from typing import Any

from django.conf import settings
from django.utils.crypto import get_random_string

from config.shop import SHOP

from .models import OutboxMail

# What the seller may switch off in the spec; a confirmation and a warning to the seller are always sent.
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
                message_id=f"<{get_random_string(32)}@{settings.MAIL_DOMAIN}>",
            )
        ],
        ignore_conflicts=True,
    )
