"""What a mail or page of the made shop says, in words, for one spec, market and language: for rules that search there.

The shop's own templates are read: the text part of a mail, the HTML of a page without its tags. A condition that the
spec decides (has this market a right of withdrawal?) is decided; what only an order or visitor decides is taken as
said, with “…” for values nobody knows yet. Nothing here runs before a rule asks for a text, and each is made once.

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

from checkoutgen.lint.case import LOCALES, Case, Outcome
from checkoutgen.lint.texts import excerpt, find, normalise

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
DURABLE_FROM = "2026-09-27"  # the first day of the two guarantees: Directive (EU) 2024/825 article 3

_TAG = re.compile(r"(\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\})", re.DOTALL)
_WORD = re.compile(r"\"[^\"]*\"|'[^']*'|[^\s]+")
_MARKUP = re.compile(r"<[^>]*>")
_VALUE = re.compile(r"\{\{\s*([\w.]+).*?\}\}", re.DOTALL)

Node = tuple[Any, ...]
Facts = dict[str, Any]


def search(case: Case, item: dict[str, Any], kind: str) -> Iterator[Outcome]:
    """The checks ``in_mail`` and ``in_page``: what each of these texts says, by language. ``at``: what decides it."""
    names = [item[f"in_{kind}"]] if isinstance(item[f"in_{kind}"], str) else item[f"in_{kind}"]
    for name in names:
        if kind == "mail" and name not in case.derived["mails"]:
            continue  # another rule says that it is not sent, once
        lacking = []
        for language in case.languages:
            said = item["has"].get(language, item["has"].get("any"))
            if said is None:
                if case.review:
                    yield Outcome(None, "", f"no phrases are known for the language {language}")
                continue
            text = rendered(case, kind, name, language)
            for phrase in [said] if isinstance(said, str) else said:
                span = find(text, _wanted(case, phrase, language))
                if span is None:
                    lacking.append(language)
                elif case.review:
                    yield Outcome(True, "", f"{kind} `{name}`, {language}: “{excerpt(text, span)}”")
        if lacking:
            message = item.get("say", f"The {kind} `{{name}}` does not say what it must").format(name=name)
            at = item["at"].replace("{market}", case.market)
            yield Outcome(False, at, message, languages=tuple(dict.fromkeys(lacking)))


def _wanted(case: Case, phrase: str, language: str) -> str:
    """``{seller.email}`` in a phrase stands for the value that a template or the spec has by this name."""

    def value(place: re.Match[str]) -> str:
        found = _known(case, language).get(place[1])
        return found if isinstance(found, str) else str(case.get(place[1]) or "")

    return re.sub(r"\{([a-z_.]+)\}", value, phrase) if "{" in phrase else phrase


def _known(case: Case, language: str) -> Facts:
    made: dict[Any, Any] = case.texts.__dict__.setdefault("made", {})  # kept with the legal texts: one a spec
    here = language, case.market, case.day
    if here not in made:
        made[here] = _facts(case, language)
    facts: Facts = made[here]
    return facts


def rendered(case: Case, kind: str, name: str, language: str) -> str:
    """Subject and text of a mail, or the words of a page with header and footer; normalised for searches."""
    facts, made = _known(case, language), case.texts.__dict__["made"]
    key = kind, name, language, case.market, case.day
    if key not in made:
        files = [f"{name}/subject.txt", f"{name}/body.txt"] if kind == "mail" else [PAGES[name]]
        made[key] = normalise(" ".join(_say(file, language, facts) for file in files))
    words: str = made[key]
    return words


def _say(file: str, language: str, facts: Facts) -> str:
    text = "".join(_render(_with_parents(file), language, facts))
    return _MARKUP.sub(" ", text) if file.endswith(".html") else text


# --- what the spec knows ---


def _facts(case: Case, language: str) -> Facts:
    """Values and conditions of the templates, by the name they have there."""
    data, market = case.data, case.facts
    seller, support, legal = data["seller"], data["support"], data["legal"]
    consumers = data["audience"] != "b2b"
    pages = legal.get("pages") or {}
    withdrawal = market.get("withdrawal") if consumers else None
    union = consumers and bool(market.get("eu")) and case.day >= DURABLE_FROM
    phone = support.get("phone") or seller.get("phone") or ""
    products = (data["catalogue"] or {}).get("products") or []
    goods = any(product.get("kind", "goods") == "goods" for product in products)
    letters = {product.get("withdrawal_exception") for product in products}
    titles = {name: _in(entry.get("title"), language) for name, entry in pages.items()}
    attached = ("terms", "withdrawal", "withdrawal-form") if consumers else ("terms",)
    link = _in(withdrawal["link"], language) if withdrawal else ""
    years = max(market.get("guarantee_years") or 0, 2)
    facts: Facts = {
        "language": language,
        "colon": _translated(language, ":"),
        "for_staff": False,
        "shop.name": data["shop"]["name"],
        "shop.url": data["shop"]["url"],
        "shop.phone": phone,
        "shop.hours": _in(support.get("hours"), language),
        "shop.tagline": _in(data["shop"].get("tagline"), language),
        "support.phone": support.get("phone") or "",
        "support.email": support.get("email") or "",
        "support.hours": _in(support.get("hours"), language),
        "seller": list(_seller_lines(case, language)),
        "seller.legal_name": seller["legal_name"],
        "seller.vat_id": seller.get("vat_id") or "",
        "seller.email": seller["email"],
        "market.prices": market.get("prices") or "gross",
        "consumer": consumers,
        "consumer.withdrawal": bool(withdrawal),
        "consumer.withdrawal.label": link,
        "consumer.withdrawal.text": _withdrawal(withdrawal, language, goods=goods) if withdrawal else "",
        "consumer.guarantee": _guarantee(market, language) if consumers else "",
        "consumer.complaints": _complaints(case, language) if consumers else "",
        "consumer.durability": [],
        "consumer.declarations": list(_declarations(letters, language)) if withdrawal else [],
        "attachments": ", ".join(titles[name] for name in attached if name in titles),
        "withdrawal_link": bool(link),
        "withdrawal_link.title": link,
        "link_label": link,
        "legal_links": [{"id": name, "title": title, "short": True} for name, title in titles.items()],
        "start_notices": _in(legal.get("start_notices"), language),
        "delivery_note": _in(data["delivery"].get("note"), language),
        "trust.secure_payment": _in(data["trust"].get("secure_payment"), language),
        "ways_to_pay": ", ".join(
            _in(method.get("name"), language) for _, method in case.each("payment.methods[*]") if method.get("name")
        ),
        "order_button": _in(market.get("order_button"), language),
        "terms": data["checkout"].get("terms") or "link",
        "review": [{"label": words} for words in _boxes(data, letters if withdrawal else set(), language)],
        "guarantee": union and goods and legal.get("guarantee_notice") != "none",
        "guarantee.years": str(years),
        "guarantee.country": _in(market.get("name"), language) if years > 2 else "",
        "durability": union and bool(case.derived["durability"]),
        "durable": [("", "")] if union and case.derived["durability"] else [],
    }
    return facts


def _in(texts: Any, language: str) -> str:
    if isinstance(texts, dict):
        texts = texts.get(language) or next(iter(texts.values()), "")
    return str(texts or "")


def _address(address: dict[str, Any]) -> str:
    return ", ".join(str(address[key]) for key in ("street", "postcode", "city") if address.get(key))


def _seller_lines(case: Case, language: str) -> Iterator[str]:
    seller = case.data["seller"]
    register = seller.get("register") or {}
    yield seller["legal_name"]
    yield _address(seller["address"])
    yield " · ".join(filter(None, [seller.get("phone"), seller["email"]]))
    for label, value in (
        ("Legal form", seller.get("legal_form")),
        ("Register", " ".join(str(register[key]) for key in ("name", "city", "court", "number") if register.get(key))),
        ("VAT number", seller.get("vat_id")),
        ("Share capital", UNKNOWN if seller.get("share_capital") else ""),
        ("Represented by", ", ".join(seller.get("representatives") or ())),
    ):
        if value:
            yield f"{_translated(language, label)}{_translated(language, ':')} {value}"


# The sentences that `mails/contract.py` and `orders/declarations.py` of the shop put together; a test compares them.
WITHDRAWAL = (
    "You may withdraw from this contract without giving a reason within %(days)s day of receiving all items.",
    "You may withdraw from this contract without giving a reason within %(days)s days of receiving all items.",
)
WITHOUT_GOODS = (
    "You may withdraw from this contract without giving a reason within %(days)s day of today.",
    "You may withdraw from this contract without giving a reason within %(days)s days of today.",
)
ONLINE = "The instructions and a form are attached. You can also do it online:"
GUARANTEE = (
    "By law we answer for goods that are faulty or not as agreed on delivery, if it shows within %(years)s year.",
    "By law we answer for goods that are faulty or not as agreed on delivery, if it shows within %(years)s years.",
)
COMPLAINTS = "Something is not right? Write to %(email)s or to %(address)s."
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


def _withdrawal(terms: dict[str, Any], language: str, *, goods: bool) -> str:
    forms = WITHDRAWAL if goods else WITHOUT_GOODS
    words = _filled(_translated(language, *forms), {"days": str(terms["days"])})
    return f"{words} {_translated(language, ONLINE)}"


def _guarantee(market: dict[str, Any], language: str) -> str:
    years = market.get("guarantee_years")
    return _filled(_translated(language, *GUARANTEE), {"years": str(years)}) if years else ""


def _complaints(case: Case, language: str) -> str:
    seller = case.data["seller"]
    address = _address(seller.get("complaints_address") or seller["address"])
    values = {
        "email": case.data["support"].get("email") or seller["email"],
        "address": f"{seller['legal_name']}, {address}",
    }
    return _filled(_translated(language, COMPLAINTS), values)


def _declarations(letters: set[Any], language: str) -> Iterator[str]:
    for letter, sentences in DECLARATIONS.items():
        if letter in letters:
            yield from (_filled(_translated(language, sentence), {"items": UNKNOWN}) for sentence in sentences)


def _boxes(data: dict[str, Any], letters: set[Any], language: str) -> Iterator[str]:
    yield from _declarations(letters, language)
    if data["checkout"].get("terms") == "checkbox":
        yield _translated(language, "I accept the terms of sale")


# --- templates ---


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
                yield _filled(_translated(language, *node[1]), {**facts, **values})
            case "block":
                yield from _render(node[2], language, facts)
            case "include":
                yield from _render(_nodes(node[1]), language, facts)
            case "if":
                yield from _branches(node[1], language, facts)
            case "for":
                yield from _each(node, language, facts)


def _branches(branches: list[tuple[list[str] | None, list[Node]]], language: str, facts: Facts) -> Iterator[str]:
    """Every branch that can be taken: those after a condition that surely holds cannot."""
    for condition, inner in branches:
        holds = True if condition is None else _holds(condition, facts)
        if holds is not False:
            yield from _render(inner, language, facts)
            yield " "
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
def _translated(language: str, *forms: str) -> str:
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
