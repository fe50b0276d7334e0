"""Which template files a shop gets: one table of what needs what, and the walk that applies it.

Spec -> {path in the shop: Chosen}. Reads folder listings, never a file.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

PACKAGE = Path(__file__).resolve().parent.parent
TEMPLATES = PACKAGE / "templates"
LOCALES = PACKAGE / "locales"

Data = dict[str, Any]


class Chosen(NamedTuple):
    """A template file and the spec paths that asked for it (none: every shop has it)."""

    source: Path
    because: tuple[str, ...] = ()


class Need(NamedTuple):
    because: str
    holds: Callable[[Data], bool]


def _identification(data: Data) -> bool:
    asked = data["checkout"]["identification"]
    return bool(asked["sign_in"]) or asked["account"] != "none"


# An app that is not named here is in every shop.
# `templates/<app>/`, `static/<app>/` and `tests/test_<app>*.py` follow their app.
NEEDS: dict[str, Need] = {
    "accounts": Need("checkout.identification", _identification),
    "business": Need("audience", lambda data: data["audience"] != "b2c"),
    "insights": Need("insights.funnel", lambda data: bool(data["insights"]["funnel"])),
    "returns": Need("audience", lambda data: data["audience"] != "b2b"),
    "reviews": Need("trust.reviews.enabled", lambda data: bool(data["trust"]["reviews"]["enabled"])),
}
# The user model stays whatever the spec says: no database changes it once it holds orders
# (https://docs.djangoproject.com/en/5.2/topics/auth/customizing/#changing-to-a-custom-user-model-mid-project).
# The withdrawal function counts wrong guesses there too.
ALWAYS = (
    "accounts/__init__.py",
    "accounts/apps.py",
    "accounts/models.py",
    "accounts/throttle.py",
    "accounts/migrations/",
)

# What running or checking the templates in place leaves behind.
LEFT_BEHIND = {
    "__pycache__",
    "var",
    "media",
    "staticfiles",
    ".ruff_cache",
    ".mypy_cache",
    ".pytest_cache",
    ".hypothesis",
}
LEFT_BEHIND_ENDINGS = (".pyc", ".sqlite3", ".sqlite3-wal", ".sqlite3-shm", "~")


def select(data: Data) -> dict[str, Chosen]:
    """The chosen template files by their path in the shop, still with its ending (`.jinja`, `.mjml`)."""
    return {**_shop(data), **_providers(data), **_mails(data), **_locales(data)}


def providers(data: Data) -> dict[str, str]:
    """The payment folders that the methods use, each with the spec path of the first method that does."""
    found: dict[str, str] = {}
    there = set(folders(TEMPLATES / "payments"))
    for index, method in enumerate(data["payment"]["methods"]):
        for name in (method.get("provider"), method["kind"]):
            if name in there:
                found.setdefault(name, f"payment.methods[{index}]")
    return found


@cache
def read(path: Path) -> bytes:
    """A file of checkoutgen; in fewer calls to the system than usual, for a shop is hundreds of them."""
    with open(path, "rb", buffering=0) as file:
        return file.read()


def folders(parent: Path) -> list[str]:
    if not parent.is_dir():
        return []
    return sorted(entry.name for entry in os.scandir(parent) if entry.is_dir() and entry.name not in LEFT_BEHIND)


def walk(top: Path, below: str = "") -> Iterator[str]:
    """Every file below `top`, as a path with `/`, in sorted order."""
    with os.scandir(top / below) as entries:
        found = sorted(entries, key=lambda entry: entry.name)
    for entry in found:
        if entry.name in LEFT_BEHIND or entry.name.endswith(LEFT_BEHIND_ENDINGS):
            continue
        path = below + entry.name
        if entry.is_dir():
            yield from walk(top, path + "/")
        else:
            yield path


def _shop(data: Data) -> dict[str, Chosen]:
    top = TEMPLATES / "shop"
    refused = {app for app, need in NEEDS.items() if not need.holds(data)}
    chosen = {}
    for path in walk(top):
        app = None if path.startswith(ALWAYS) else _app(path)
        if app in refused:
            continue
        because = (NEEDS[app].because,) if app in NEEDS else ()
        chosen[path] = Chosen(top / path, because)
    return chosen


def _app(path: str) -> str:
    """The app that a file belongs to: `returns` for `templates/returns/form.html` and `tests/test_returns_form.py`."""
    first, *rest = path.split("/")
    if first in ("templates", "static", "tests") and rest:
        name = rest[0].removeprefix("test_").split(".")[0]
        return next((app for app in NEEDS if name == app or name.startswith(app + "_")), first)
    return first


def _providers(data: Data) -> dict[str, Chosen]:
    chosen = {}
    for name, because in providers(data).items():
        top = TEMPLATES / "payments" / name / "shop"
        if top.is_dir():
            chosen.update({path: Chosen(top / path, (because,)) for path in walk(top)})
    return chosen


def _mails(data: Data) -> dict[str, Chosen]:
    chosen = {}
    top = TEMPLATES / "mails"
    asked = set(data["mails"]["send"])
    for name in folders(top):
        if name in asked:
            for path in walk(top / name):
                chosen[f"templates/mails/{name}/{path}"] = Chosen(top / name / path, ("mails.send",))
    return chosen


def _locales(data: Data) -> dict[str, Chosen]:
    chosen = {}
    for language in data["shop"]["languages"]:
        for ending in ("po", "mo"):
            source = LOCALES / language / f"shop.{ending}"
            if source.exists():
                path = f"locale/{language.replace('-', '_')}/LC_MESSAGES/django.{ending}"
                chosen[path] = Chosen(source, ("shop.languages",))
    return chosen
