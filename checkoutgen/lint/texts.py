"""Phrase search in the legal texts: forgiving of case, spaces, apostrophes and Markdown emphasis, and quick.

A phrase is plain words a lawyer can read: ``14 days | fourteen days`` gives alternatives, ``risk * passes`` allows up
to ``GAP`` characters between the two. No regular expressions: hundreds of them would cost more to compile than the
whole lint."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import cache, cached_property, lru_cache
from typing import Any

from checkoutgen.spec import standard

GAP = 80
# Replaced one by one: `str.translate` takes twenty times as long.
_PLAIN = (
    *((mark, "'") for mark in "’‘ʼ"),
    *((mark, "-") for mark in "–—‑"),
    ("*", ""),
    ("`", ""),
)


def normalise(text: str) -> str:
    """One form for texts and phrases: NFC, folded case, single spaces, straight apostrophes and hyphens."""
    return " ".join(filter(None, map(_line, text.split("\n")))) if "\n" in text else _line(text)


@lru_cache(maxsize=4096)
def _line(text: str) -> str:
    """One line normalised. The shops of a fleet share most lines of their legal texts: ten times as fast."""
    text = unicodedata.normalize("NFC", text)
    for mark, plain in _PLAIN:
        if mark in text:
            text = text.replace(mark, plain)
    return " ".join(text.casefold().split())  # split() takes no-break spaces for spaces


@cache
def _alternatives(phrase: str) -> tuple[tuple[str, ...], ...]:
    found = []
    for alternative in phrase.split("|"):
        pieces = tuple(piece for piece in (normalise(piece) for piece in alternative.split("*")) if piece)
        if pieces:
            found.append(pieces)
    return tuple(found)


def _spans(text: str, pieces: tuple[str, ...]) -> Iterator[tuple[int, int]]:
    start = text.find(pieces[0])
    while start >= 0:
        end = start + len(pieces[0])
        for piece in pieces[1:]:
            position = text.find(piece, end, end + GAP + len(piece))
            if position < 0:
                break
            end = position + len(piece)
        else:
            yield start, end
        start = text.find(pieces[0], start + 1)


def find(text: str, phrase: str) -> tuple[int, int] | None:
    """Where a normalised text says the phrase first, by the order of its alternatives, or None."""
    for pieces in _alternatives(phrase):
        if pieces[0] in text and (span := next(_spans(text, pieces), None)):
            return span
    return None


def every(text: str, phrase: str) -> list[tuple[int, int]]:
    """Each place where a normalised text says the phrase; mostly none, so the first words are looked for by `in`."""
    return [span for pieces in _alternatives(phrase) if pieces[0] in text for span in _spans(text, pieces)]


def excerpt(text: str, span: tuple[int, int], around: int = 50) -> str:
    """The words of a span between ``**``, with some whole words before and after; without Markdown's own marks."""
    before, after = text[: span[0]], text[span[1] :]
    if len(before) > around:
        before = "… " + before[-around:].partition(" ")[2]
    if len(after) > around:
        after = after[:around].rpartition(" ")[0] + " …"
    said = f"{before}**{text[slice(*span)].strip()}**{after}"
    return " ".join(word for word in said.split() if word.strip("#>|-")).strip()


@lru_cache(maxsize=4096)
def _reach(phrase: str) -> int:
    """How many characters of a text the phrase can take at most."""
    return max((sum(map(len, pieces)) + GAP * (len(pieces) - 1) for pieces in _alternatives(phrase)), default=0)


REACH = 120  # of nearly all phrases
_APART = "\0" * (GAP + 1)  # stands for what was cut out: YAML has no such character, and no phrase reaches across


@lru_cache(maxsize=256)
def _fixed(template: str) -> tuple[str, list[str | None]]:
    """What is the same in all texts made of a template, normalised: long passages, which can be searched once for all
    of them; and piece by piece with long ones cut down to their two ends, None in the place of what differs."""
    long: list[str] = []
    pieces: list[str | None] = []
    for piece, differs in standard.template_pieces(template):
        plain = normalise(piece)
        if not differs and len(plain) > 2 * REACH + len(_APART):
            long.append(plain)
            plain = plain[:REACH] + _APART + plain[-REACH:]
        pieces.append(None if differs else plain)
    return _APART.join(long), pieces


@lru_cache(maxsize=16384)
def _fixed_says(text: str, phrase: str) -> bool:
    return find(text, phrase) is not None


class Page:
    """A legal page in one language. It is searched at once where it is fixed and where the shop's own words stand."""

    def __init__(self, filled: standard.Filled) -> None:
        self.raw = filled.text
        self._filled = filled

    @cached_property
    def plain(self) -> str:
        return normalise(self.raw)

    @cached_property
    def _parts(self) -> tuple[str, str]:
        """The long fixed passages; and all the rest with what stands around it, as far as phrases reach."""
        if not self._filled.template:
            return "", self.plain
        fixed, edges = _fixed(self._filled.template)
        both = zip(edges, self._filled.pieces, strict=True)
        return fixed, " ".join(filter(None, (normalise(own) if edge is None else edge for edge, own in both)))

    @property
    def is_written(self) -> bool:
        return bool(self._parts[1])

    def says(self, phrase: str) -> bool:
        """Whether the page says the phrase: the same as to find it in `plain`, in a fraction of the time."""
        if _reach(phrase) > REACH:
            return find(self.plain, phrase) is not None
        fixed, around = self._parts
        return _fixed_says(fixed, phrase) or find(around, phrase) is not None

    def line(self, phrase: str) -> int:
        """The line of the Markdown that says the phrase; 1 when it runs over several lines."""
        for number, line in enumerate(self.raw.splitlines(), 1):
            if find(normalise(line), phrase):
                return number
        return 1


NO_PAGE = Page(standard.Filled("", "", []))


class Texts:
    """The legal pages of one spec by name and language."""

    def __init__(self, pages: dict[str, dict[str, Page]]) -> None:
        self.pages = pages

    @classmethod
    def of(cls, spec: Any) -> Texts:
        pages = (spec.data.get("legal") or {}).get("pages") or {}
        return cls({name: _languages(spec, name, bodies(page)) for name, page in pages.items()})

    def page(self, name: str, language: str) -> Page:
        try:
            return self.pages[name][language]
        except KeyError:
            return NO_PAGE


def _languages(spec: Any, name: str, bodies: dict[str, str]) -> dict[str, Page]:
    found = {}
    for language, text in bodies.items():
        filled = spec.legal.get((name, language))
        is_it = filled is not None and filled.text is text
        found[language] = Page(filled if is_it else standard.Filled(text, "", [text]))
    return found


def bodies(page: Any) -> dict[str, str]:
    """The Markdown of a resolved page by language."""
    body = page.get("body", page) if isinstance(page, dict) else {}
    return (
        {language: text for language, text in body.items() if isinstance(text, str)} if isinstance(body, dict) else {}
    )
