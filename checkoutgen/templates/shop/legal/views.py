"""The legal texts of the specification, and how to reach the shop."""

from datetime import date
from functools import cache
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from config.shop import section

TEXTS = settings.BASE_DIR / "content" / "legal"


@cache
def text(page: str, language: str) -> str | None:
    """Markdown of content/legal/<page>.<language>.md, read once; None when the page has no text."""
    path = TEXTS / f"{page}.{language}.md"
    return path.read_text(encoding="utf-8") if path.is_file() else None


def pages() -> dict[str, Any]:
    return section("legal").get("pages") or {}


def _day(version: str) -> date | None:
    """The day that a version is named after, if it is."""
    try:
        return date.fromisoformat(version)
    except ValueError:
        return None


@require_safe
def page(request: HttpRequest, page: str) -> HttpResponse:
    # Only pages of the specification: the name in the address never reaches the file system otherwise.
    language = get_language() or settings.LANGUAGE_CODE
    body = text(page, language) if page in pages() else None
    if body is None:
        raise Http404("no such page")
    version = section("legal").get("version") or ""
    context = {"page": page, "title": pages()[page]["title"], "body": body, "version": version, "since": _day(version)}
    return render(request, "legal/page.html", context)


@require_safe
def contact(request: HttpRequest) -> HttpResponse:
    return render(request, "legal/contact.html", {"faq": section("support").get("faq") or []})
