"""The words of a mail: subject, text and HTML, with what has to be attached."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.template import Context
from django.template.loader import get_template
from django.utils.translation import override

from orders.models import Order

from .facts import facts
from .words import one_line

SUBJECT_LENGTH = 60  # more is cut off by mail programs on a telephone


@dataclass(frozen=True)
class Attachment:
    name: str
    content: str
    mimetype: str


@dataclass(frozen=True)
class Message:
    subject: str
    text: str
    html: str
    attachments: tuple[Attachment, ...] = ()


def build(kind: str, order: Order | None, language: str, context: Mapping[str, Any] | None = None) -> Message:
    """Render a mail.

    Args:
        kind: a folder of templates/mails.
        order: what the mail is about; None for mails about an account.
        language: in which to write, one of settings.LANGUAGES.
        context: JSON that came with the mail. Which keys a kind reads stands in `facts.BY_KIND` and its sample.json.
    """
    with override(language):
        values = facts(kind, order, language, context or {})
        subject = shortened(one_line(_render(f"mails/{kind}/subject.txt", values)))
        values["subject"] = subject
        text = tidy(_render(f"mails/{kind}/body.txt", values))
        html = get_template(f"mails/{kind}/body.html").template.render(Context(values))
    files = tuple(Attachment(page.name, page.text, "text/plain") for page in values.get("attached", ()))
    return Message(subject, text, html, files)


def _render(template: str, values: dict[str, Any]) -> str:
    """Plain text: what would be escaped in HTML stands as it is."""
    return get_template(template).template.render(Context(values, autoescape=False))


def shortened(subject: str) -> str:
    return subject if len(subject) <= SUBJECT_LENGTH else subject[: SUBJECT_LENGTH - 1].rstrip() + "…"


def tidy(text: str) -> str:
    """No blanks at line ends and never two empty lines in a row, wherever template tags stood."""
    lines = "\n".join(line.strip(" \t") for line in text.splitlines())
    return re.sub(r"\n{3,}", "\n\n", lines).strip("\n") + "\n"
