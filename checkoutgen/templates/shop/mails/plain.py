"""Markdown as plain text, for legal texts that travel with a mail."""

from functools import lru_cache

from markdown_it import MarkdownIt
from markdown_it.token import Token

_markdown = MarkdownIt("commonmark", {"html": False}).enable("table")


@lru_cache(maxsize=64)  # the same few texts go with every mail
def plain(markdown: str) -> str:
    """Paragraphs, lists, headings and tables as they read on paper; a link is followed by its address."""
    lines: list[str] = []
    lists: list[int] = []  # the next number of each open list, 0 for bullets
    prefix = ""
    cells: list[str] | None = None
    for token in _markdown.parse(markdown):
        match token.type:
            case "bullet_list_open":
                lists.append(0)
            case "ordered_list_open":
                lists.append(int(token.attrGet("start") or 1))
            case "bullet_list_close" | "ordered_list_close":
                lists.pop()
                if not lists:
                    lines.append("")
            case "list_item_open":
                indent = "   " * (len(lists) - 1)
                prefix = indent + (f"{lists[-1]}. " if lists[-1] else "– ")
                lists[-1] += bool(lists[-1])
            case "tr_open":
                cells = []
            case "tr_close":
                lines.append(" | ".join(cells or ()))
                cells = None
            case "table_close":
                lines.append("")
            case "hr":
                lines += ["–" * 20, ""]
            case "fence" | "code_block":
                lines += [*token.content.splitlines(), ""]
            case "inline" if cells is not None:
                cells.append(_words(token))
            case "inline":
                first, *rest = _words(token).split("\n")
                blank = " " * len(prefix) if lists else ""
                lines += [prefix + first, *(blank + line for line in rest)]
                prefix = " " * len(prefix) if lists else ""
            case "heading_close":
                lines += [("=" if token.tag == "h1" else "-") * len(lines[-1]), ""]
            case "paragraph_close" if not lists:
                lines.append("")
    return "\n".join(lines).strip() + "\n"


def _words(inline: Token) -> str:
    words, address = "", ""
    start = 0
    for token in inline.children or ():
        if token.type == "link_open":
            address, start = str(token.attrGet("href") or ""), len(words)
        elif token.type == "link_close":
            shown = address.removeprefix("mailto:").removeprefix("tel:")
            words += "" if words[start:] in (address, shown) else f" ({shown})"
        elif token.type == "softbreak":
            words += " "
        elif token.type == "hardbreak":
            words += "\n"
        else:
            words += token.content
    return words
