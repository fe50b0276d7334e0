"""The words of a mail or page of the made shop, from the shop's own templates: see `said`, which keeps them.

The text part of a mail is read, or the HTML of a page without its tags. A condition that the spec decides (has this
market a right of withdrawal?) is decided; what only an order or visitor decides is taken as said, with “…” for values
that nobody knows yet, and places like ``{seller.email}`` for those of the spec.

A template understands `extends`, `block`, `include`, `if`, `for`, `translate` and `blocktranslate`; other tags say
nothing. A test compares the mails with those of a running shop.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from functools import cache, lru_cache
from pathlib import Path
from struct import unpack_from
from typing import Any

from checkoutgen.lint.case import LOCALES
from checkoutgen.lint.texts import normalise

TEMPLATES = Path(__file__).parent.parent / "templates"
PAGES = {
    "home": "catalogue/home.html",
    "product": "catalogue/product.html",
    "cart": "cart/show.html",
    "start": "includes/start_notices.html",  # what the cart says beside the button to the checkout
    "review": "checkout/steps/review.html",
    "withdrawal": "returns/find.html",
}
UNKNOWN = "…"

_TAG = re.compile(r"(\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\})", re.DOTALL)
_WORD = re.compile(r"\"[^\"]*\"|'[^']*'|[^\s]+")
_MARKUP = re.compile(r"<[^>]*>")
_VALUE = re.compile(r"\{\{\s*([\w.]+).*?\}\}", re.DOTALL)

Node = tuple[Any, ...]
Facts = dict[str, Any]


def text(kind: str, name: str, language: str, decided: Facts) -> str:
    """Subject and text of a mail, or the words of a page (a key of `PAGES`) with header and footer; normalised."""
    facts = _facts(decided, language)
    names = [f"{name}/subject.txt", f"{name}/body.txt"] if kind == "mail" else [PAGES[name]]
    return normalise(" ".join(_say(file, language, facts) for file in names))


def files(language: str) -> list[str]:
    """What the texts of a language rest on, as far as it was read."""
    return [str(LOCALES / language / "shop.mo"), *sorted(_read)]


def _say(file: str, language: str, facts: Facts) -> str:
    words = "".join(_render(_with_parents(file), language, facts))
    return _MARKUP.sub(" ", words) if file.endswith(".html") else words


# --- what the spec decides, in the templates' own names ---

_ALWAYS = (
    "shop.name",
    "shop.url",
    "seller.legal_name",
    "seller.email",
    "order_button",
    "guarantee.years",
    "ways_to_pay",
)
_IF_GIVEN = (
    "shop.phone", "shop.hours", "shop.tagline", "support.phone", "support.email", "support.hours", "seller.vat_id",
    "start_notices", "delivery_note", "trust.secure_payment", "guarantee.country",
)  # fmt: skip


def _facts(decided: Facts, language: str) -> Facts:
    link = "{withdrawal_link.title}" if decided["consumer.withdrawal"] else ""
    attached = ("terms", "withdrawal", "withdrawal-form") if decided["consumer"] else ("terms",)
    titles = {name: f"{{legal.pages.{name}.title}}" for name in decided["pages"]}
    boxes = _declarations(decided["declared"], language)
    if decided["terms"] == "checkbox":
        boxes = [*boxes, translated(language, "I accept the terms of sale")]
    return {
        **{name: f"{{{name}}}" for name in _ALWAYS},
        **{name: f"{{{name}}}" if decided[name] else "" for name in _IF_GIVEN},
        "language": language,
        "colon": translated(language, ":"),
        "for_staff": False,
        "seller": list(_seller_lines(decided, language)),
        "market.prices": decided["market.prices"],
        "terms": decided["terms"],
        "consumer": decided["consumer"],
        "consumer.withdrawal": decided["consumer.withdrawal"],
        "consumer.withdrawal.label": link,
        "consumer.withdrawal.text": _withdrawal(language, goods=decided["goods"]) if link else "",
        "consumer.guarantee": _sentence_of(language, GUARANTEE, years="{guarantee.years}")
        if decided["consumer.guarantee"]
        else "",
        "consumer.complaints": _complaints(decided, language) if decided["consumer"] else "",
        "consumer.durability": [],
        "consumer.declarations": _declarations(decided["declared"], language),
        "attachments": ", ".join(titles[name] for name in attached if name in titles),
        "withdrawal_link": bool(link),
        "withdrawal_link.title": link,
        "link_label": link,
        "legal_links": [{"id": name, "title": title, "short": True} for name, title in titles.items()],
        "review": [{"label": words} for words in boxes],
        "guarantee": decided["guarantee"],
        "durability": decided["durability"],
        "durable": [("", "")] if decided["durability"] else [],
    }


def _address(path: str) -> str:
    return ", ".join(f"{{{path}.{key}}}" for key in ("street", "postcode", "city"))


def _seller_lines(decided: Facts, language: str) -> Iterator[str]:
    yield "{seller.legal_name}"
    yield _address("seller.address")
    yield " · ".join(["{seller.phone}"] * decided["seller.phone"] + ["{seller.email}"])
    for label, value in (
        ("Legal form", "{seller.legal_form}" if decided["seller.legal_form"] else ""),
        ("Register", " ".join(f"{{seller.register.{key}}}" for key in decided["seller.register"])),
        ("VAT number", "{seller.vat_id}" if decided["seller.vat_id"] else ""),
        ("Share capital", UNKNOWN if decided["seller.share_capital"] else ""),
        ("Represented by", "{seller.representatives}" if decided["seller.representatives"] else ""),
    ):
        if value:
            yield f"{translated(language, label)}{translated(language, ':')} {value}"


# The sentences that `mails/contract.py` and `orders/declarations.py` of the shop put together; a test compares them.
WITHDRAWAL = (
    "You may withdraw from this contract without giving a reason within %(days)s day of receiving all items.",
    "You may withdraw from this contract without giving a reason within %(days)s days of receiving all items.",
)
WITHOUT_GOODS = (
    "You may withdraw from this contract without giving a reason within %(days)s day of today.",
    "You may withdraw from this contract without giving a reason within %(days)s days of today.",
)
ONLINE = ("The instructions and a form are attached. You can also do it online:",)
GUARANTEE = (
    "By law we answer for goods that are faulty or not as agreed on delivery, if it shows within %(years)s year.",
    "By law we answer for goods that are faulty or not as agreed on delivery, if it shows within %(years)s years.",
)
COMPLAINTS = ("Something is not right? Write to %(email)s or to %(address)s.",)
DECLARATIONS = {
    "m": (
        "I expressly agree that you begin with %(items)s before the withdrawal period ends.",
        "I know that I lose my right of withdrawal from %(items)s as soon as you begin.",
    ),
    "a": (
        "I expressly ask you to begin with %(items)s before the withdrawal period ends. If I withdraw before it is"
        " finished, I pay for what was done until then.",
        "I know that I lose my right of withdrawal from %(items)s once it has been performed in full.",
    ),
}


def _sentence_of(language: str, forms: tuple[str, ...], **values: str) -> str:
    return _filled(translated(language, *forms), values)


def _withdrawal(language: str, *, goods: bool) -> str:
    words = _sentence_of(language, WITHDRAWAL if goods else WITHOUT_GOODS, days="{market.withdrawal.days}")
    return f"{words} {_sentence_of(language, ONLINE)}"


def _complaints(decided: Facts, language: str) -> str:
    address = _address("seller.complaints_address" if decided["seller.complaints_address"] else "seller.address")
    return _sentence_of(language, COMPLAINTS, email="{answers.email}", address="{seller.legal_name}, " + address)


def _declarations(letters: list[str], language: str) -> list[str]:
    return [
        _sentence_of(language, (sentence,), items=UNKNOWN)
        for letter, sentences in DECLARATIONS.items()
        if letter in letters
        for sentence in sentences
    ]


# --- templates ---


_read: set[str] = set()


@cache
def _source(file: str) -> str:
    """A template by the name the shop gives it: mails stand in folders of their own, their parts with the shop's."""
    shop = TEMPLATES / "shop" / "templates"
    kind, _, name = file.rpartition("/")
    for path in (
        TEMPLATES / "mails" / file,
        shop / file,
        shop / "mails" / "parts" / name if kind == "mails/parts" else shop,
    ):
        if path.is_file():
            _read.add(str(path))
            return path.read_text(encoding="utf-8")
    return ""


@cache
def _nodes(file: str) -> tuple[Node, ...]:
    return tuple(_parse(_TAG.split(re.sub(r"\{% comment %\}.*?\{% endcomment %\}", "", _source(file), flags=re.S))))


def _parse(pieces: list[str]) -> list[Node]:
    nodes, _ = _until(pieces, 0, ())
    return nodes


def _until(pieces: list[str], at: int, ends: tuple[str, ...]) -> tuple[list[Node], int]:
    """The nodes up to a tag that ends them, and the place of that tag."""
    nodes: list[Node] = []
    while at < len(pieces):
        piece = pieces[at]
        if piece.startswith("{{"):
            nodes.append(("value", piece[2:-2].strip()))
        elif not piece.startswith("{%"):
            if piece and not piece.startswith("{#"):
                nodes.append(("text", piece))
        else:
            words = _WORD.findall(piece[2:-2])
            if words[0] in ends:
                return nodes, at
            node, at = _tag(words, pieces, at)
            if node:
                nodes.append(node)
        at += 1
    return nodes, at


def _tag(words: list[str], pieces: list[str], at: int) -> tuple[Node | None, int]:
    name = words[0]
    if name == "if":
        branches: list[tuple[list[str] | None, list[Node]]] = []
        condition: list[str] | None = words[1:]
        while True:
            inner, at = _until(pieces, at + 1, ("elif", "else", "endif"))
            branches.append((condition, inner))
            end = _WORD.findall(pieces[at][2:-2])
            if end[0] == "endif":
                return ("if", branches), at
            condition = end[1:] if end[0] == "elif" else None
    if name == "for":
        inner, at = _until(pieces, at + 1, ("empty", "endfor"))
        if pieces[at][2:-2].split()[0] == "empty":
            _, at = _until(pieces, at + 1, ("endfor",))
        names = "".join(words[1 : words.index("in")]).split(",")
        return ("for", names, words[words.index("in") + 1], inner), at
    if name in ("blocktranslate", "blocktrans"):
        last = next(n for n in range(at, len(pieces)) if pieces[n].startswith("{% endblocktrans"))
        return _sentence(words[1:], pieces[at + 1 : last]), last
    if name == "block":
        inner, at = _until(pieces, at + 1, ("endblock",))
        return ("block", words[1], inner), at
    if name in ("translate", "trans"):
        return ("words", (words[1].strip("\"'"),), {}), at
    if name in ("include", "extends") and words[1][0] in "\"'":
        return (name, words[1].strip("\"'")), at
    return None, at


def _sentence(words: list[str], inner: list[str]) -> Node:
    trimmed = "trimmed" in words
    forms = "".join(inner).split("{% plural %}")
    if trimmed:
        forms = [" ".join(line.strip() for line in form.strip().splitlines()) for form in forms]
    values = dict(word.split("=", 1) for word in words if "=" in word)
    return ("words", tuple(_VALUE.sub(r"%(\1)s", form) for form in forms), values)


@cache
def _with_parents(file: str) -> tuple[Node, ...]:
    """The nodes of a template, its blocks put into those of the template that it extends."""
    nodes = _nodes(file)
    parent = next((node[1] for node in nodes if node[0] == "extends"), "")
    if not parent:
        return nodes
    blocks = {node[1]: node for node in nodes if node[0] == "block"}
    return tuple(_replaced(list(_with_parents(parent)), blocks))


def _replaced(nodes: list[Node], blocks: dict[str, Node]) -> Iterator[Node]:
    for node in nodes:
        if node[0] == "block":
            inner = blocks[node[1]][2] if node[1] in blocks else list(_replaced(node[2], blocks))
            yield ("block", node[1], inner)
        elif node[0] == "if":
            yield ("if", [(condition, list(_replaced(inner, blocks))) for condition, inner in node[1]])
        else:
            yield node


def _render(nodes: tuple[Node, ...] | list[Node], language: str, facts: Facts) -> Iterator[str]:
    for node in nodes:
        match node[0]:
            case "text":
                yield node[1]
            case "value":
                yield _value(node[1], facts)
            case "words":
                values = {name: _value(source, facts) for name, source in node[2].items()}
                yield _filled(translated(language, *node[1]), {**facts, **values})
            case "block":
                yield from _render(node[2], language, facts)
            case "include":
                yield from _render(_nodes(node[1]), language, facts)
            case "if":
                yield from _branches(node[1], language, facts)
            case "for":
                yield from _each(node, language, facts)


def _branches(branches: list[tuple[list[str] | None, list[Node]]], language: str, facts: Facts) -> Iterator[str]:
    """Every branch that can be taken, each a sentence of its own: those after a condition that surely holds cannot."""
    apart = ""
    for condition, inner in branches:
        holds = True if condition is None else _holds(condition, facts)
        apart = f" {UNKNOWN} " if holds is None else apart
        if holds is not False:
            yield from _render(inner, language, facts)
            yield apart
        if holds is True:
            return


def _each(node: Node, language: str, facts: Facts) -> Iterator[str]:
    _, names, source, inner = node
    items = facts.get(source.split("|")[0])
    if not isinstance(items, list):
        yield from _render(inner, language, facts)
        return
    for item in items:
        local = dict(facts)
        if isinstance(item, dict):
            local |= {f"{names[0]}.{key}": value for key, value in item.items()} | {names[0]: True}
        else:
            local |= dict(zip(names, item if isinstance(item, tuple) else (item,), strict=False))
        yield from _render(inner, language, local)


def _value(source: str, facts: Facts) -> str:
    found = facts.get(source.split("|")[0].strip())
    return UNKNOWN if found is None or found is True or isinstance(found, list) else str(found or "")


def _holds(words: list[str], facts: Facts) -> bool | None:
    """Whether a condition holds; None when the spec alone does not say."""
    for operator, decided in (("or", True), ("and", False)):
        if operator in words:
            at = words.index(operator)
            found = {_holds(words[:at], facts), _holds(words[at + 1 :], facts)}
            return decided if decided in found else None if None in found else not decided
    if words[0] == "not":
        held = _holds(words[1:], facts)
        return None if held is None else not held
    left = facts.get(words[0].split("|")[0])
    if left is None:
        return None
    if len(words) == 1:
        return bool(left)
    if len(words) == 3 and words[1] in ("==", "!=") and words[2][0] in "\"'":
        return bool(left == words[2].strip("\"'")) is (words[1] == "==")
    return None


_PLACE = re.compile(r"%\(([\w.]+)\)s")


def _filled(words: str, values: dict[str, Any]) -> str:
    def value(place: re.Match[str]) -> str:
        found = values.get(place[1])
        return found if isinstance(found, str) and found else UNKNOWN

    return _PLACE.sub(value, words).replace("%%", "%") if "%" in words else words


# --- words ---


@cache
def _catalogue(language: str) -> tuple[bytes, int, int, int]:
    """A compiled catalogue as it lies on disk: content, number of entries, places of the two tables.

    https://www.gnu.org/software/gettext/manual/html_node/MO-Files.html
    """
    try:
        content = (LOCALES / language / "shop.mo").read_bytes()
        return content, *unpack_from("<3I", content, 8)
    except OSError:
        return b"", 0, 0, 0


@lru_cache(maxsize=4096)
def translated(language: str, *forms: str) -> str:
    """The words of the shop in a language; of singular and plural the plural.

    One entry is looked up in the sorted table: to read all 800 of them would take longer than the whole lint.
    """
    content, count, keys, texts = _catalogue(language)
    wanted = "\0".join(forms).encode()

    def entry(table: int, index: int) -> bytes:
        length, start = unpack_from("<2I", content, table + 8 * index)
        return content[start : start + length]

    index = bisect_left(range(count), wanted, key=lambda number: entry(keys, number))
    if index == count or entry(keys, index) != wanted:
        return forms[-1]
    return entry(texts, index).decode().split("\0")[-1] or forms[-1]
