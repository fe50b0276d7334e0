"""MJML to the Django templates that a shop ships, so that it needs no MJML at run time."""

from __future__ import annotations

import re
from functools import cache

import mjml

from checkoutgen.build.select import TEMPLATES, package

MAILS = TEMPLATES / "mails"
# Where a line may break without a mail client seeing it: inside tables and the head. Merges need lines to hold on to.
BREAK = re.compile(r"<(?=(?:table|tr|td|th|style|meta|body)\b)")
INCLUDE = re.compile(r'<mj-include path="([a-z-]+\.mjml)"\s*/>')


def names() -> list[str]:
    """Every mail there is: a folder of templates/mails with a mail.mjml in it."""
    return sorted(path.parent.name for path in MAILS.glob("*/mail.mjml"))


def body(name: str) -> str:
    """The HTML body of a mail, as a Django template."""
    source = _with_parts(_read(f"{name}/mail.mjml"))
    # fonts={}: MJML would add an @import of Google's server for every font name it knows.
    html = mjml.mjml2html(source, fonts={}).replace(' target="_blank"', "")
    return BREAK.sub("\n<", html) + "\n"


def _with_parts(source: str) -> str:
    """Parts are put in as text: mrml's own include forgets the width that Outlook needs around a section."""
    return INCLUDE.sub(lambda match: _part(match[1]), source)


@cache
def _part(name: str) -> str:
    return _with_parts(_read(f"parts/{name}").strip())


def _read(path: str) -> str:
    return package()[f"templates/mails/{path}"].decode()
