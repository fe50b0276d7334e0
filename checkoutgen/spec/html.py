"""HTML of a catalogue export as Markdown. Only structure survives: no scripts, styles, pictures or unsafe links."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from checkoutgen.spec.formats import web_address

_MARKS = {"b": "**", "strong": "**", "i": "*", "em": "*"}
_BLOCKS = frozenset("p div section article table tr h1 h2 h3 h4 h5 h6 ul ol blockquote".split())
_DROPPED = frozenset("script style iframe object svg math template noscript title head".split())


def to_markdown(html: str) -> str:
    parser = _Markdown()
    parser.feed(html)
    parser.close()
    text = re.sub(r"[ \t]*\n[ \t]*", "\n", "".join(parser.parts))
    return re.sub(r"\n{3,}", "\n\n", text).strip()


class _Markdown(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self.dropped = 0
        self.lists: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _DROPPED:
            self.dropped += 1
        elif self.dropped:
            return
        elif tag in _MARKS:
            self.parts.append(_MARKS[tag])
        elif tag == "br":
            self.parts.append("  \n")
        elif tag == "li":
            self.parts.append("\n1. " if self.lists[-1:] == ["ol"] else "\n- ")
        elif tag == "a":
            address = (dict(attrs).get("href") or "").strip()
            safe = web_address(address) is None and not re.search(r"[()<>]", address)
            self.links.append(address if safe else "")
            self.parts.append("[" if safe else "")
        elif tag in _BLOCKS:
            self.parts.append("\n\n" + ("#" * int(tag[1]) + " " if re.fullmatch("h[1-6]", tag) else ""))
            if tag in ("ul", "ol"):
                self.lists.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in _DROPPED:
            self.dropped = max(0, self.dropped - 1)
        elif self.dropped:
            return
        elif tag in _MARKS:
            self.parts.append(_MARKS[tag])
        elif tag == "a" and self.links:
            address = self.links.pop()
            self.parts.append(f"]({address})" if address else "")
        elif tag in _BLOCKS:
            self.parts.append("\n\n")
            if tag in ("ul", "ol") and self.lists:
                self.lists.pop()

    def handle_data(self, data: str) -> None:
        if not self.dropped:
            self.parts.append(re.sub(r"([\\`*_\[\]<>#|])", r"\\\1", re.sub(r"\s+", " ", data)))
