"""From the outbox to the mail server: at least once, always with the same Message-ID."""

import logging
import smtplib
import time
from datetime import datetime, timedelta
from email.utils import formataddr

from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from config.shop import SHOP

from .messages import Attachment, build, one_line
from .models import OutboxMail
from .outbox import DOMAIN

logger = logging.getLogger(__name__)

# A worker that dies while sending leaves its mails to be sent again after this time.
LEASE = timedelta(seconds=60)
MAX_TRIES = 14  # with the delays below: given up after about two days


def send_due(now: datetime | None = None, limit: int = 20) -> int:
    """Send what is due. A mail that fails waits longer each time, one that cannot work is set aside. Returns sent."""
    now = now or timezone.now()
    waiting = OutboxMail.objects.filter(due_at__lte=now, sent_at=None)
    if not waiting.exists():
        return 0
    mails = _claim(waiting, now, limit)
    connection = get_connection()
    begun, sent = time.monotonic(), 0
    try:
        for row in mails:
            if time.monotonic() - begun > LEASE.total_seconds() / 2:
                break  # a slow server: what is left comes back when the lease is over
            sent += _send(row, connection, now)
    finally:
        connection.close()
    return sent


@transaction.atomic
def _claim(waiting: QuerySet, now: datetime, limit: int) -> list[OutboxMail]:
    """Some of the mails, for this worker alone: the others pass over them until the lease is over."""
    rows = waiting.select_for_update(skip_locked=True, of=("self",)).select_related("order").order_by("due_at")
    mails = list(rows[:limit])
    mine = OutboxMail.objects.filter(pk__in=[row.pk for row in mails])
    mine.update(due_at=now + LEASE, tries=F("tries") + 1)
    for row in mails:
        row.tries += 1
    return mails


def _send(row: OutboxMail, connection, now: datetime) -> bool:
    mine = OutboxMail.objects.filter(pk=row.pk)
    if row.tries > MAX_TRIES:  # it took its worker down again and again
        mine.update(due_at=None, error="given up: every worker that tried to send it died")
        return False
    try:
        mail = compose(row)
    except Exception as broken:  # the same next time: set aside, with the error, for a person
        logger.exception("mail %s (%s) cannot be written", row.pk, row.kind)
        mine.update(due_at=None, error=_short(broken))
        return False
    try:
        connection.open()  # or it would be closed again after each mail
        connection.send_messages([mail])
    except (OSError, smtplib.SMTPException) as failed:
        connection.close()
        lasting = _refused_for_good(failed) or row.tries >= MAX_TRIES
        due = None if lasting else now + min(timedelta(minutes=2 ** (row.tries - 1)), timedelta(hours=6))
        mine.update(due_at=due, error=_short(failed))
        logger.warning("mail %s (%s) not sent: %s", row.pk, row.kind, type(failed).__name__)
        return False
    mine.update(sent_at=timezone.now(), due_at=None, error="")
    return True


def _refused_for_good(error: Exception) -> bool:
    """5xx answers about the addresses or the content; everything else may work later (RFC 5321 section 4.2.1)."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return all(500 <= code < 600 for code, _text in error.recipients.values())
    return isinstance(error, smtplib.SMTPDataError | smtplib.SMTPSenderRefused) and 500 <= error.smtp_code < 600


def _short(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:500]


def compose(row: OutboxMail) -> EmailMultiAlternatives:
    """The whole message. Headers come from validated addresses, numbers of ours and one-line subjects, nothing else."""
    validate_email(row.to)
    message = build(row.kind, row.order, row.language, row.context)
    sender = SHOP["mails"]["from"]
    headers = {"Message-ID": row.message_id, "Auto-Submitted": "auto-generated"}
    if row.order_id:  # one thread an order
        headers["References"] = f"<order-{row.order.number}@{DOMAIN}>"
    if row.context.get("unsubscribe_url"):  # marketing only (RFC 8058)
        headers["List-Unsubscribe"] = f"<{one_line(row.context['unsubscribe_url'])}>"
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail = EmailMultiAlternatives(
        subject=one_line(message.subject),
        body=message.text,
        from_email=formataddr((one_line(sender["name"]), sender["email"])),
        to=[row.to],
        reply_to=[SHOP["mails"]["reply_to"]] if SHOP["mails"].get("reply_to") else None,
        headers=headers,
    )
    if message.html:
        mail.attach_alternative(message.html, "text/html")
    for file in message.attachments:
        _attach(mail, file)
    return mail


def _attach(mail: EmailMultiAlternatives, file: Attachment) -> None:
    mail.attach(one_line(file.name), file.content, file.mimetype)


def send_again(rows) -> int:
    """For the back office: try mails that were set aside once more."""
    return rows.filter(sent_at=None).update(due_at=timezone.now(), tries=0)
