"""Standard legal texts, and the seller's details put into a legal text.

A text names a value of the spec as `{seller.vat_id}`. A line that names a value which the spec does not give is left
out, and so is a heading that then stands over nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache, lru_cache
from itertools import groupby
from operator import add
from pathlib import Path
from typing import Any

from checkoutgen import schema as contract
from checkoutgen.spec import resolve
from checkoutgen.spec.money import digits

LOCALES = Path(__file__).parent.parent / "locales"
PREFIX = "standard:"
_NAME = re.compile(r"\{((?:shop|seller|legal)(?:\.[a-z_]+)+)\}")
_MARKED = re.compile(r"[\\`*\[\]<>|]")
_HEADING = re.compile(r"(#{1,6}) ")


@cache
def names(language: str) -> list[str]:
    """The standard texts of a language: terms, terms.b2b, withdrawal, ..."""
    return sorted(path.stem for path in (LOCALES / language / "legal").glob("*.md"))


@lru_cache(maxsize=256)
def read(name: str, language: str) -> str | None:
    """A standard text, for example `terms` in `fr`; None when there is none."""
    return (LOCALES / language / "legal" / f"{name}.md").read_text("utf-8") if name in names(language) else None


@lru_cache(maxsize=256)
def _pieces(text: str) -> list[list[str]]:
    """The text in pieces: lines that name nothing as one; each other line as words and names in turns."""
    pieces: list[list[str]] = []
    for names_some, group in groupby(text.split("\n"), key=lambda line: _NAME.search(line) is not None):
        lines = list(group)
        pieces += [_NAME.split(line) for line in lines] if names_some else [["\n".join(lines)]]
    return pieces


@lru_cache(maxsize=256)
def _template(text: str) -> tuple[list[str], str]:
    """The names in a text, and the text with `%(name)s` in their place, which is filled in one step."""
    return sorted(set(_NAME.findall(text))), _NAME.sub(r"%(\1)s", text.replace("%", "%%"))


@lru_cache(maxsize=256)
def _without(text: str, missing: tuple[str, ...]) -> str:
    """The text without the lines that name one of these, and without headings that then stand over nothing."""
    kept = [line for line in text.split("\n") if not set(_NAME.findall(line)).intersection(missing)]
    return _without_empty_sections(kept)


@lru_cache(maxsize=256)
def unknown(text: str) -> list[str]:
    """The values that a text names and that no spec can have."""
    return sorted({path for path in _NAME.findall(text) if contract.at(tuple(path.split("."))) is None})


def filler(data: dict[str, Any]) -> Callable[[str, str], str]:
    """What fills a text of a language with the values of the resolved spec in place of their names."""

    @cache  # legal pages name the same few values again and again
    def value(path: str, language: str) -> str:
        return _words(_look_up(path, data), data, language)

    def fill(text: str, language: str) -> str:
        given = {path: value(path, language) for path in _template(text)[0]}
        if all(map(_is_ordinary, given.values())):
            missing = tuple(path for path, words in given.items() if not words)
            return _template(_without(text, missing) if missing else text)[1] % given
        kept: list[str] = []
        is_whole = True
        for words, *rest in _pieces(text):
            values = [value(path, language) for path in rest[::2]]
            if all(values):
                kept.append(words + "".join(map(add, values, rest[1::2])))
            else:
                is_whole = False
        filled = "\n".join(kept)
        return filled if is_whole else _without_empty_sections(filled.split("\n"))

    return fill


def _is_ordinary(words: str) -> bool:
    """Whether a value can neither begin a line as a heading nor leave one empty: then only which are missing counts."""
    return not words or (words[0] != "#" and words.strip() == words and "\n" not in words)


def _look_up(path: str, data: dict[str, Any]) -> Any:
    found: Any = data
    for key in path.split("."):
        found = found.get(key) if isinstance(found, dict) else None
    return found


def _words(value: Any, data: dict[str, Any], language: str) -> str:
    """A value on one line; "" for nothing. Kinds of waste scheme that we know are named in the language."""
    if not value:
        return ""
    if isinstance(value, list):
        return "; ".join(_words(item, data, language) for item in value)
    if not isinstance(value, dict):
        return _plain(str(value))
    if "street" in value:
        town = f"{value.get('postcode', '')} {value['city']}".strip()
        country = _country(value.get("country", data["seller"]["country"]), language)
        parts = (value["street"], value.get("extra"), town, value.get("region"), country)
        return _plain(", ".join(part for part in parts if part))
    if "scheme" in value:
        scheme = resolve.words(language)["epr"].get(value["scheme"], value["scheme"])
        return _plain(f"{_country(value['country'], language)}, {scheme}: {value['id']}")
    if language in value:
        return _plain(value[language])
    return _amount(*next(iter(value.items())))


def _plain(text: str) -> str:
    """Text that Markdown takes as it stands."""
    return _MARKED.sub(r"\\\g<0>", text) if _MARKED.search(text) else text


def _country(code: str, language: str) -> str:
    facts = resolve.market_facts(code)
    return facts["name"].get(language, facts["name"]["en"]) if facts else code


def _amount(currency: str, units: int) -> str:
    places = digits(currency) or 0
    whole, part = divmod(units, 10**places)
    return f"{whole:,}".replace(",", "\u00a0") + (f",{part:0{places}}" if part else "") + f"\u00a0{currency}"


def _without_empty_sections(lines: list[str]) -> str:
    kept: list[str] = []
    below = 0  # what comes next below: 0 for nothing, 1 to 6 for a heading of that level, 7 for text
    for line in reversed(lines):
        if heading := _HEADING.match(line):
            level = len(heading[1])
            if below <= level:
                continue
            below = level
        elif line.strip():
            below = 7
        kept.append(line)
    return re.sub(r"\n{3,}", "\n\n", "\n".join(reversed(kept))).strip("\n") + "\n"
