"""What the mails and pages of the made shop say: the checks ``in_mail`` and ``in_page``.

The spec decides which parts of a template are said at all; the words are the same for every spec. So a text is made
once for a language and a set of such decisions (`rendered` does it from the shop's own templates, and takes twenty
times as long as the rest), kept beside the compiled rules, and has places like ``{seller.email}`` for the values.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from checkoutgen import __version__
from checkoutgen.lint.case import Case, Outcome
from checkoutgen.lint.texts import excerpt, find, normalise

Facts = dict[str, Any]

DURABLE_FROM = (
    "2026-09-27"  # the first day of the notice and the label on guarantees: Directive (EU) 2024/825 article 3
)
FREE = ("start",)  # texts that the spec itself may write
DECLARED = {"m", "a"}  # letters of article 16 that rest on a declaration of the buyer


def search(case: Case, item: dict[str, Any], kind: str) -> Iterator[Outcome]:
    """What each of these texts says, by language. ``at``: the path of the spec that decides it."""
    names = item[f"in_{kind}"]
    for name in [names] if isinstance(names, str) else names:
        if kind == "mail" and name not in case.derived["mails"]:
            continue  # another rule says that it is not sent, once
        lacking = []
        for language in case.languages:
            said = item["has"].get(language, item["has"].get("any"))
            if said is None:
                if case.review:
                    yield Outcome(None, "", f"no phrases are known for the language {language}")
                continue
            words = text(case, kind, name, language)
            filled = case.review or name in FREE
            if filled:
                words = normalise(_filled(case, words, language))
            for phrase in [said] if isinstance(said, str) else said:
                span = find(words, _filled(case, phrase, language) if filled else phrase)
                if span is None:
                    lacking.append(language)
                elif case.review:
                    yield Outcome(True, "", f"{kind} `{name}`, {language}: “{excerpt(words, span)}”")
        if lacking:
            message = item.get("say", f"The {kind} `{{name}}` does not say what it must").format(name=name)
            at = item["at"].replace("{market}", case.market)
            yield Outcome(False, at, message, languages=tuple(dict.fromkeys(lacking)))


def text(case: Case, kind: str, name: str, language: str) -> str:
    """Subject and text of a mail, or the words of a page with header and footer: normalised, with places for values."""
    kept = case.texts.__dict__.setdefault("decided", {})  # with the legal texts: one a spec
    if (case.market, case.day) not in kept:
        kept[case.market, case.day] = json.dumps(facts(case))
    words = _texts(language, kept[case.market, case.day])
    if f"{kind} {name}" not in words:
        from checkoutgen.lint import rendered

        words[f"{kind} {name}"] = rendered.text(kind, name, language, json.loads(kept[case.market, case.day]))
        _keep(language, kept[case.market, case.day], words)
    found: str = words[f"{kind} {name}"]
    return found


def facts(case: Case) -> Facts:
    """What templates ask for, by the name it has there, as far as the spec decides it: yes, no, a word or a list."""
    data, market = case.data, case.facts
    seller, support, legal, checkout = data["seller"], data["support"], data["legal"], data["checkout"]
    products = data["catalogue"].get("products") or []
    consumers = data["audience"] != "b2b"
    withdrawal = consumers and bool(market.get("withdrawal"))
    union = consumers and bool(market.get("eu")) and case.day >= DURABLE_FROM
    goods = any(product.get("kind", "goods") == "goods" for product in products)
    letters = sorted({product.get("withdrawal_exception") or "" for product in products} & DECLARED)
    given = {
        "shop.phone": support.get("phone") or seller.get("phone"),
        "shop.hours": support.get("hours"),
        "shop.tagline": data["shop"].get("tagline"),
        "support.phone": support.get("phone"),
        "support.email": support.get("email"),
        "support.hours": support.get("hours"),
        "seller.phone": seller.get("phone"),
        "seller.vat_id": seller.get("vat_id"),
        "seller.legal_form": seller.get("legal_form"),
        "seller.share_capital": seller.get("share_capital"),
        "seller.representatives": seller.get("representatives"),
        "start_notices": legal.get("start_notices"),
        "delivery_note": data["delivery"].get("note"),
        "trust.secure_payment": data["trust"].get("secure_payment"),
        "seller.complaints_address": seller.get("complaints_address"),
    }
    return {
        **{name: bool(value) for name, value in given.items()},
        "seller.register": [
            key for key in ("name", "city", "court", "number") if (seller.get("register") or {}).get(key)
        ],
        "market.prices": market.get("prices") or "gross",
        "terms": checkout.get("terms") or "link",
        "consumer": consumers,
        "consumer.withdrawal": withdrawal,
        "consumer.guarantee": consumers and bool(market.get("guarantee_years")),
        "goods": goods,
        "declared": letters if withdrawal else [],
        "pages": list(legal.get("pages") or {}),
        "guarantee": union and goods and legal.get("guarantee_notice") != "none",
        "guarantee.country": (market.get("guarantee_years") or 0) > 2,
        "durability": union and bool(case.derived["durability"]),
    }


# --- values, for people who read the evidence ---


def _filled(case: Case, words: str, language: str) -> str:
    first, *rest = words.split("{")
    parts = [piece.partition("}") for piece in rest]
    return first + "".join(_value(case, name, language) + after for name, _, after in parts)


def _value(case: Case, name: str, language: str) -> str:
    """The value behind a place of a text."""
    support, seller, market = case.data["support"], case.data["seller"], case.facts
    found: Any = {
        "shop.phone": support.get("phone") or seller.get("phone"),
        "shop.hours": support.get("hours"),
        "answers.email": support.get("email") or seller["email"],
        "start_notices": case.data["legal"].get("start_notices"),
        "delivery_note": case.data["delivery"].get("note"),
        "order_button": market.get("order_button"),
        "withdrawal_link.title": (market.get("withdrawal") or {}).get("link"),
        "guarantee.country": market.get("name"),
        "guarantee.years": max(market.get("guarantee_years") or 0, 2),
        "ways_to_pay": [method.get("name") for _, method in case.each("payment.methods[*]")],
    }.get(name)
    found = case.get(name) if found is None else found
    return ", ".join(_in(each, language) for each in (found if isinstance(found, list) else [found]))


def _in(texts: Any, language: str) -> str:
    if isinstance(texts, dict):
        texts = texts.get(language) or next(iter(texts.values()), "")
    return str(texts or "")


# --- kept texts ---


@lru_cache(maxsize=512)
def _texts(language: str, decided: str) -> dict[str, str]:
    """The texts of a language under the decisions of a spec, as far as they were made; whoever makes one adds it."""
    from checkoutgen.lint.rulebook import cache_folders

    for folder in cache_folders():
        try:
            kept = json.loads((folder / _file(language, decided)).read_bytes())
        except (OSError, ValueError):
            continue
        if kept["decided"] == decided and all(_time(name) == time for name, time in kept["files"]):
            found: dict[str, str] = kept["texts"]
            return found
    return {}


def _keep(language: str, decided: str, texts: dict[str, str]) -> None:
    from checkoutgen.lint import rendered
    from checkoutgen.lint.rulebook import cache_folders, write_atomically

    files = [[name, _time(name)] for name in rendered.files(language)]
    kept = json.dumps({"decided": decided, "files": files, "texts": texts}, ensure_ascii=False)
    for folder in cache_folders():
        if write_atomically(folder / _file(language, decided), kept):
            return


def _file(language: str, decided: str) -> str:
    from zlib import crc32

    return f"said-{__version__}-{language}-{crc32(decided.encode()):08x}.json"


def _time(name: str) -> int:
    try:
        return os.stat(name).st_mtime_ns  # noqa: PTH116  a path costs more than the call
    except OSError:
        return 0
