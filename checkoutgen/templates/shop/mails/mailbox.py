"""Pages of the development mailbox: what was sent, as a mail program would show it. They exist only with DEBUG."""

import re
from collections.abc import Callable
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import wraps
from pathlib import Path

from csp.constants import NONE, SELF
from csp.decorators import csp, csp_update
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_GET

NAME = re.compile(r"[0-9]{8}-[0-9]{6}-[0-9]{6}\Z")
SHOWN_HEADERS = (
    "From",
    "To",
    "Reply-To",
    "Subject",
    "Date",
    "Message-ID",
    "References",
    "Auto-Submitted",
    "List-Unsubscribe",
)


def development_only(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    @wraps(view)
    def guarded(request: HttpRequest, **values: str) -> HttpResponse:
        if not settings.DEBUG:
            raise Http404
        return view(request, **values)

    return require_GET(never_cache(guarded))


def _folder() -> Path:
    return settings.VAR_DIR / "mailbox"


def _read(name: str) -> EmailMessage:
    path = _folder() / f"{name}.eml"
    if not NAME.match(name) or not path.is_file():
        raise Http404(name)
    return message_from_bytes(path.read_bytes(), policy=policy.default)  # type: ignore[return-value]


def _part(mail: EmailMessage, subtype: str) -> str:
    part = mail.get_body((subtype,))
    return part.get_content() if part else ""


@development_only
def inbox(request: HttpRequest) -> HttpResponse:
    names = sorted((path.stem for path in _folder().glob("*.eml") if NAME.match(path.stem)), reverse=True)[:200]
    rows = []
    for name in names:
        mail = _read(name)
        rows.append({"name": name, "to": mail["To"], "subject": mail["Subject"], "date": mail["Date"]})
    return render(request, "mailbox/inbox.html", {"rows": rows})


@csp_update({"frame-src": [SELF]})
@development_only
def show(request: HttpRequest, name: str) -> HttpResponse:
    mail = _read(name)
    headers = [(key, mail[key]) for key in SHOWN_HEADERS if mail[key]]
    files = [part.get_filename() for part in mail.iter_attachments()]
    text, html = _part(mail, "plain"), _part(mail, "html")
    values = {"name": name, "headers": headers, "text": text, "html": html, "files": files}
    return render(request, "mailbox/mail.html", values)


# A mail brings its own inline style, as mails do; nothing else of it may run or load.
@csp(
    {
        "default-src": [NONE],
        "style-src": ["'unsafe-inline'"],
        "img-src": [SELF, "data:"],
        "form-action": [NONE],
        "base-uri": [NONE],
        "frame-ancestors": [SELF],
    }
)
@xframe_options_sameorigin
@development_only
def html(request: HttpRequest, name: str) -> HttpResponse:
    return HttpResponse(_part(_read(name), "html"))
