"""Texts of the specification: maps by language."""

from collections.abc import Mapping

from django.conf import settings
from django.utils.translation import get_language


def localized(texts: Mapping[str, str] | str | None, language: str | None = None) -> str:
    """The text in the language, else in the shop's first one. A plain string counts for all languages."""
    if not texts or isinstance(texts, str):
        return texts or ""
    language = language or get_language() or settings.LANGUAGE_CODE
    return texts.get(language) or texts.get(settings.LANGUAGE_CODE) or next(iter(texts.values()))
