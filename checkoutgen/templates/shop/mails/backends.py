"""The mailbox of development: nothing leaves the machine."""

from datetime import UTC, datetime

from django.conf import settings
from django.core.mail.backends.base import BaseEmailBackend


class MailboxBackend(BaseEmailBackend):
    """Prints the text part and keeps each mail as an .eml file in var/mailbox/, shown by the page /mailbox/."""

    def send_messages(self, email_messages) -> int:
        folder = settings.VAR_DIR / "mailbox"
        folder.mkdir(parents=True, exist_ok=True)
        for message in email_messages:
            stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S-%f")
            (folder / f"{stamp}.eml").write_bytes(message.message().as_bytes())
            print(f"\n--- mail to {', '.join(message.to)}: {message.subject}\n{message.body}\n---", flush=True)
        return len(email_messages)
