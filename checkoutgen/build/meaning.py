"""What a plan means to buyers and to the seller: texts, prices, taxes, methods, steps, mails, tables; before and after.

The data files of the last build are compared with those of this one. A *legal* change is one that a buyer was promised
or the law asks for. A *breaking* change takes away what a buyer, a link or an order in progress may rely on.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from checkoutgen.build.manifest import is_text

if TYPE_CHECKING:
    from checkoutgen.build.plan import Plan

CATALOGUE, SETTINGS, LEGAL = "content/catalogue.json", "config/shop.json", "content/legal/"


class Meaning(NamedTuple):
    """One change of a value; `path` is its place in the spec. None before: new; None after: gone."""

    kind: str
    path: str
    before: Any
    after: Any
    legal: bool
    breaking: bool


# Place in the spec -> kind of change, and whether it is legal. The first that matches counts.
KINDS: tuple[tuple[str, str, bool], ...] = (
    (r"catalogue\.products\[[^]]*\](\.variants\[[^]]*\])?\.(price|was|prior_price)\b", "price", False),
    (r"catalogue\.products\[[^]]*\](\.variants\[[^]]*\])?\.stock$", "stock", False),
    (r"catalogue\.products\[[^]]*\]\.(tax|withdrawal_exception|durability_guarantee_years|safety)\b", "product", True),
    (r"catalogue\.products\[[^]]*\]\.(title|description|details|pictures)\b", "text", False),
    (r"catalogue\.prices$", "tax", True),
    (r"catalogue\.", "product", False),
    (r"markets\.[A-Z]+\.tax\b", "tax", True),
    (r"markets\.[A-Z]+\.(withdrawal|order_button|guarantee_years|prices)\b", "legal", True),
    (r"markets\.", "market", False),
    (r"(legal|seller|trust)\.", "legal", True),
    (r"audience$|checkout\.(terms|order_button)\b", "legal", True),
    (r"checkout\.coupons\b", "price", False),
    (r"checkout\.", "step", False),
    (r"delivery\.methods\[[^]]*\](\.rates\[[^]]*\])?\.(price|free_from)\b", "price", True),
    (r"delivery\.methods\[[^]]*\]\.(days|rates)\b", "method", True),
    (r"payment\.methods\[[^]]*\]\.fee\b", "price", True),
    (r"(delivery|payment)\.methods\b", "method", False),
    (r"delivery\.", "method", True),
    (r"payment\.", "method", False),
    (r"mails\.", "mail", False),
    (r"shop\.languages\b", "language", False),
    (r"shop\.(tagline|name)\b|support\.", "text", False),
)
_KINDS = tuple((re.compile(pattern), kind, legal) for pattern, kind, legal in KINDS)
# What orders, links and signed-in buyers rely on, when it goes.
RELIED_ON = re.compile(
    r"(catalogue\.products|catalogue\.categories|markets|delivery\.methods|payment\.methods|shop\.languages|legal\.pages"
    r"|checkout\.coupons)[.[][^.[]+$|shop\.(currency|url)$|audience$|shop\.slug$"
)
MIGRATION = re.compile(r"([a-z_/]+)/migrations/(\d{4}_\w+)\.py")
# By what an entry of a list is known from one build to the next.
NAMES = ("id", "sku", "code", "path")


def meanings(plan: Plan) -> list[Meaning]:
    """Every change of a value since the last build, by place; empty for a first build."""
    if plan.last is None:
        return []
    before, after = {}, {}
    for path in (SETTINGS, CATALOGUE):
        before[path] = _parsed(plan.last.texts.get(path))
        after[path] = _parsed(plan.rendered[path].content)
    found = [meaning for path in before for meaning in differences(_at(path), before[path], after[path])]
    return sorted(
        [*found, *_legal_texts(plan), *_mails(plan), *_tables(plan)], key=lambda meaning: (meaning.kind, meaning.path)
    )


def differences(path: str, before: Any, after: Any) -> list[Meaning]:
    """What changed below a place of the resolved spec."""
    return [_meaning(*difference) for difference in _differences(path, before, after)]


def _at(path: str) -> str:
    return "catalogue" if path == CATALOGUE else ""


def _parsed(content: bytes | None) -> Any:
    return json.loads(content) if content else {}


def _meaning(path: str, before: Any, after: Any) -> Meaning:
    kind, legal = next(((kind, legal) for pattern, kind, legal in _KINDS if pattern.match(path)), ("setting", False))
    breaking = bool(RELIED_ON.match(path)) and before is not None
    return Meaning(kind, path, before, after, legal, breaking)


def _differences(path: str, before: Any, after: Any) -> Iterator[tuple[str, Any, Any]]:
    if before == after and json.dumps(before) == json.dumps(after):  # the order of keys counts: markets, categories
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for key in sorted({*before, *after}):
            yield from _differences(f"{path}.{key}" if path else key, before.get(key), after.get(key))
        if list(before) != list(after) and before.keys() == after.keys():
            yield path, list(before), list(after)
    elif isinstance(before, list) and isinstance(after, list):
        yield from _of_lists(path, before, after)
    else:
        yield path, before, after


def _of_lists(path: str, before: list[Any], after: list[Any]) -> Iterator[tuple[str, Any, Any]]:
    """Entries that have a name are compared by it, whatever their order; of a list of plain values, the whole."""
    name = next(
        (name for name in NAMES if all(isinstance(entry, dict) and name in entry for entry in before + after)), None
    )
    if name is None:
        yield path, before, after
        return
    old, new = ({str(entry[name]): entry for entry in entries} for entries in (before, after))
    for key in sorted({*old, *new}):
        yield from _differences(f"{path}[{key}]", old.get(key), new.get(key))
    if old.keys() == new.keys() and list(old) != list(new):
        yield path, list(old), list(new)


def _legal_texts(plan: Plan) -> Iterator[Meaning]:
    for path in _changed(plan, LEGAL):
        page, language, _ = path.removeprefix(LEGAL).rsplit(".", 2)
        before, after = _texts(plan, path)
        yield Meaning("legal", f"legal.pages.{page}.{language}", before, after, True, after is None)


def _mails(plan: Plan) -> Iterator[Meaning]:
    for path in _changed(plan, "templates/mails/"):
        if path.endswith((".txt", ".html")):
            before, after = _texts(plan, path)
            yield Meaning("mail", path, before, after, False, False)


def _tables(plan: Plan) -> Iterator[Meaning]:
    """Database migrations that are new or gone."""
    for path in _changed(plan, ""):
        if match := MIGRATION.fullmatch(path):
            before, after = _texts(plan, path)
            name = f"{match[1].replace('/', '.')}.{match[2]}"
            yield Meaning("database", name, before and match[2], after and match[2], False, before is not None)


def _changed(plan: Plan, folder: str) -> list[str]:
    """The texts below a folder that this build renders differently."""
    texts = plan.last.texts if plan.last else {}
    paths = sorted(path for path in {*texts, *plan.rendered} if path.startswith(folder))
    return [path for path in paths if texts.get(path) != _rendered(plan, path)]


def _rendered(plan: Plan, path: str) -> bytes | None:
    file = plan.rendered.get(path)
    return file.content if file and file.owner == "generated" and is_text(file.content) else None


def _texts(plan: Plan, path: str) -> tuple[str | None, str | None]:
    before, after = plan.last.texts.get(path) if plan.last else None, _rendered(plan, path)
    return (None if before is None else before.decode(), None if after is None else after.decode())
