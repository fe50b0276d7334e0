"""Markdown of the specification to safe HTML: raw HTML is text, links are https, mailto or tel, no pictures."""

from collections.abc import Sequence
from functools import lru_cache
from urllib.parse import urlsplit

from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.token import Token

from common.urls import inside

_markdown = MarkdownIt("commonmark", {"html": False, "typographer": False}).enable("table").disable("image")


def _level(tokens: Sequence[Token], index: int) -> str:
    """Headings of a text stand below the page's own h1, whether the text begins with # or with ##."""
    top = min(int(token.tag[1]) for token in tokens if token.type == "heading_open")
    return f"h{min(int(tokens[index].tag[1]) - top + 2, 6)}"


_markdown.add_render_rule("heading_open", lambda self, tokens, i, options, env: f"<{_level(tokens, i)}>")
_markdown.add_render_rule("heading_close", lambda self, tokens, i, options, env: f"</{_level(tokens, i)}>\n")


def _allowed(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in ("https", "mailto", "tel") or (not parts.scheme and not parts.netloc and url.startswith("#"))


_markdown.validateLink = _allowed  # type: ignore[method-assign]


def _inside(tokens: Sequence[Token], index: int) -> str:
    """A link to the shop's own address stays in the shop, wherever it runs; mails print the whole address."""
    return f'<a href="{escapeHtml(inside(str(tokens[index].attrGet("href"))))}">'


_markdown.add_render_rule("link_open", lambda self, tokens, i, options, env: _inside(tokens, i))


@lru_cache(maxsize=512)
def render(markdown: str) -> SafeString:
    return mark_safe(_markdown.render(markdown))  # noqa: S308  markdown-it escapes all text when html is off
