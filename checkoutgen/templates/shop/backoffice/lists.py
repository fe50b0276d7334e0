"""What the shop's admin pages have in common."""

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from common.money import format_amount

from .words import CODES, detail


@cache
def _in_words(model: type[models.Model], field: str) -> Callable[[models.Model], str]:
    """A column of the admin that shows the codes of a field in words."""
    words = CODES[f"{model._meta.label}.{field}"]

    @admin.display(description=model._meta.get_field(field).verbose_name, ordering=field)
    def column(record: models.Model) -> str:
        code = getattr(record, field)
        return str(words.get(code, code)) or "–"

    column.__name__ = field
    return column


def _columns(model: type[models.Model], shown: Iterable[Any]) -> list:
    return [_in_words(model, each) if f"{model._meta.label}.{each}" in CODES else each for each in shown]


class CodeFilter(admin.AllValuesFieldListFilter):
    """The codes that there are, in words."""

    def choices(self, changelist: Any) -> Any:
        words = CODES[str(self.field)]  # app.Model.field
        for each in super().choices(changelist):
            yield each | {"display": words.get(each["display"], each["display"])}


class ReadOnly:
    """For records that nobody writes by hand: they can be looked at, and acted on by actions. Codes are shown in words.

    Mixed into a ModelAdmin or an InlineModelAdmin.
    """

    def get_list_display(self, request: HttpRequest) -> list:
        return _columns(self.model, super().get_list_display(request))

    def get_list_filter(self, request: HttpRequest) -> list:
        return [
            (each, CodeFilter) if f"{self.model._meta.label}.{each}" in CODES else each
            for each in super().get_list_filter(request)
        ]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list:
        return _columns(self.model, super().get_fields(request, obj))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list:
        return _columns(self.model, super().get_readonly_fields(request, obj))

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
    """A small map, one line an entry, in words where there are any."""
    rows = [detail(key, value) for key, value in values.items() if value not in ("", None, {}, [])]
    if not rows:
        return SafeString("–")
    return format_html("<dl class='pairs'>{}</dl>", format_html_join("", "<dt>{}</dt><dd>{}</dd>", rows))
