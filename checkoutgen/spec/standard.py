"""Standard legal texts, and the seller's details put into a legal text.

A text names a value of the spec as `{seller.vat_id}`. A line that names a value which the spec does not give is left
out, and so is a heading that then stands over nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache, lru_cache
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

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


class Filled(NamedTuple):
    """A text with the values of a spec in it: `pieces`, joined by line ends.

    `template` is the text that they were put into (see `template_pieces`), the same in all shops that take it and
    lack the same values; "" when what was left out depends on the values themselves.
    """

    text: str
    template: str
    pieces: list[str]


@lru_cache(maxsize=256)
def template_pieces(template: str) -> list[tuple[str, bool]]:
    """A text in pieces: each line that names values, with `%(name)s` for a name; all lines up to the next such as one.

    Says of each whether it names any.
    """
    pieces: list[tuple[str, bool]] = []
    for names_some, group in groupby(template.split("\n"), key=lambda line: _NAME.search(line) is not None):
        if names_some:
            pieces += [(_NAME.sub(r"%(\1)s", line.replace("%", "%%")), True) for line in group]
        else:
            pieces.append(("\n".join(group), False))
    return pieces


@lru_cache(maxsize=256)
def _named(text: str) -> list[str]:
    """The names of values in a text."""
    return sorted(set(_NAME.findall(text)))


@lru_cache(maxsize=256)
def unknown(text: str) -> list[str]:
    """The values that a text names and that no spec can have."""
    return [path for path in _named(text) if contract.at(tuple(path.split("."))) is None]


def filler(data: dict[str, Any]) -> Callable[[str, str], Filled]:
    """What fills a text of a language with the values of the resolved spec in place of their names."""

    @cache  # legal pages name the same few values again and again
    def value(path: str, language: str) -> str:
        return _words(_look_up(path, data), data, language)

    def fill(text: str, language: str) -> Filled:
        given = {path: value(path, language) for path in _named(text)}
        missing = tuple(path for path, words in given.items() if not words)
        is_ordinary = all(map(_is_ordinary, given.values()))
        template = _without(text, missing, is_ordinary) if missing else text
        pieces = [piece % given if names_some else piece for piece, names_some in template_pieces(template)]
        filled = "\n".join(pieces)
        if missing and not is_ordinary:
            filled = _without_empty_sections(filled.split("\n"))
            return Filled(filled, "", [filled])
        return Filled(filled, template, pieces)

    return fill


@lru_cache(maxsize=256)
def _without(text: str, missing: tuple[str, ...], is_ordinary: bool) -> str:
    """The text without the lines that name one of these values and, where no other value can change which they are,
    without headings that then stand over nothing."""
    kept = [line for line in text.split("\n") if not set(_NAME.findall(line)).intersection(missing)]
    return _without_empty_sections(kept) if is_ordinary else "\n".join(kept)


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
