"""What the shop's admin pages have in common."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from common.money import format_amount


class ReadOnly:
    """For records that nobody writes by hand: they can be looked at, and acted on by actions."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ReadOnlyInline(ReadOnly, admin.TabularInline):
    extra = 0
    show_change_link = False


def amount(value: int, currency: str) -> str:
    return format_amount(value, currency, get_language() or "en")


def pairs(values: dict[str, Any]) -> SafeString:
    """A small map, one line an entry."""
    rows = [(key, value) for key, value in values.items() if value not in ("", None, {}, [])]
    if not rows:
        return SafeString("–")
    return format_html("<dl class='pairs'>{}</dl>", format_html_join("", "<dt>{}</dt><dd>{}</dd>", rows))
