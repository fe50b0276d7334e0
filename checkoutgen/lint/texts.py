"""Phrase search in the legal texts: forgiving of case, spaces, apostrophes and Markdown emphasis, and quick.

A phrase is plain words a lawyer can read: ``14 days | fourteen days`` gives alternatives, ``risk * passes`` allows up
to ``GAP`` characters between the two. No regular expressions: hundreds of them would cost more to compile than the
whole lint."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import cache, lru_cache
from typing import Any

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


class Texts:
    """The legal pages of one spec, normalised once. ``pages``: page -> language -> Markdown."""

    def __init__(self, pages: dict[str, dict[str, str]]) -> None:
        self.pages = pages
        self._plain: dict[tuple[str, str], str] = {}

    @classmethod
    def of(cls, data: dict[str, Any]) -> Texts:
        pages = (data.get("legal") or {}).get("pages") or {}
        return cls({name: bodies(page) for name, page in pages.items()})

    def raw(self, page: str, language: str) -> str:
        return self.pages.get(page, {}).get(language, "")

    def plain(self, page: str, language: str) -> str:
        key = (page, language)
        if key not in self._plain:
            self._plain[key] = normalise(self.raw(page, language))
        return self._plain[key]

    def line(self, page: str, language: str, phrase: str) -> int:
        """The line of the Markdown that says the phrase; 1 when it runs over several lines."""
        for number, line in enumerate(self.raw(page, language).splitlines(), 1):
            if find(normalise(line), phrase):
                return number
        return 1


def bodies(page: Any) -> dict[str, str]:
    """The Markdown of a resolved page by language."""
    body = page.get("body", page) if isinstance(page, dict) else {}
    return (
        {language: text for language, text in body.items() if isinstance(text, str)} if isinstance(body, dict) else {}
    )
