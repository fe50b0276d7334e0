"""Texts of the specification: maps by language. How a language writes dates and amounts."""

from collections.abc import Mapping
from functools import cache

from babel import Locale, localedata
from babel.languages import get_official_languages
from django.conf import settings
from django.utils.translation import get_language

from config.shop import HOME


def localized(texts: Mapping[str, str] | str | None, language: str | None = None) -> str:
    """The text in the language, else in the shop's first one. A plain string counts for all languages."""
    if not texts or isinstance(texts, str):
        return texts or ""
    language = language or get_language() or settings.LANGUAGE_CODE
    return texts.get(language) or texts.get(settings.LANGUAGE_CODE) or next(iter(texts.values()))


@cache
def locale(language: str) -> Locale:
    """How a language is written in the home market where it is official (fr in BE: fr_BE). Other English is British."""
    code = language.replace("-", "_")
    if code in get_official_languages(HOME, regional=True, de_facto=True) and localedata.exists(f"{code}_{HOME}"):
        return Locale.parse(f"{code}_{HOME}")
    return Locale.parse("en_GB" if code == "en" else code)
