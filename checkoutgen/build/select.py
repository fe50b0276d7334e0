"""Which files of checkoutgen a shop gets: one table of what needs what, and the walk that applies it.

Spec -> {path in the shop: Chosen}.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

PACKAGE = Path(__file__).resolve().parent.parent
TEMPLATES = PACKAGE / "templates"
# Parts of checkoutgen that no build reads.
UNREAD = ("lint/", "report/", "templates/starter/", "cli.py", "__main__.py")

Data = dict[str, Any]


class Chosen(NamedTuple):
    """A file by its path in the package, and the spec paths that asked for it (none: every shop has it)."""

    source: str
    because: tuple[str, ...] = ()


class Need(NamedTuple):
    because: str
    holds: Callable[[Data], bool]


def _identification(data: Data) -> bool:
    asked = data["checkout"]["identification"]
    return bool(asked["sign_in"]) or asked["account"] != "none"


def _withdrawal(data: Data) -> bool:
    """Whether some buyer may withdraw: a consumer, in a country whose law says so."""
    return data["audience"] != "b2b" and any(market["withdrawal"] for market in data["markets"].values())


# An app that is not named here is in every shop.
# `templates/<app>/`, `static/<app>/` and `tests/test_<app>*.py` follow their app.
NEEDS: dict[str, Need] = {
    "accounts": Need("checkout.identification", _identification),
    "business": Need("audience", lambda data: data["audience"] != "b2c"),
    "insights": Need("insights.funnel", lambda data: bool(data["insights"]["funnel"])),
    "returns": Need("markets", _withdrawal),
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
    there = {path.split("/")[2] for path in package() if path.startswith("templates/payments/")}
    for index, method in enumerate(data["payment"]["methods"]):
        for name in (method.get("provider"), method["kind"]):
            if name in there:
                found.setdefault(name, f"payment.methods[{index}]")
    return found


@cache
def package() -> dict[str, bytes]:
    """All that checkoutgen builds with (code, templates, markets, words) by its path in the package, sorted."""
    paths = (path for path in walk(PACKAGE) if not path.startswith(UNREAD))
    return {path: read(f"{PACKAGE}/{path}") for path in sorted(paths)}


def read(path: str, flags: int = 0) -> bytes:
    """A whole file, in half of the system calls that open() takes: a shop is hundreds of files."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | flags)
    try:
        parts = []
        while part := os.read(handle, 1 << 16):
            parts.append(part)
        return b"".join(parts)
    finally:
        os.close(handle)


def walk(top: Path, below: str = "") -> Iterator[str]:
    """Every file below `top`, as a path with `/`."""
    with os.scandir(top / below) as entries:
        for entry in entries:
            if entry.name in LEFT_BEHIND or entry.name.endswith(LEFT_BEHIND_ENDINGS):
                continue
            if entry.is_dir():
                yield from walk(top, f"{below}{entry.name}/")
            else:
                yield below + entry.name


def _below(folder: str) -> Iterator[tuple[str, str]]:
    """Each file of a folder of the package: its path from there, and its path in the package."""
    return ((path.removeprefix(folder), path) for path in package() if path.startswith(folder))


def _shop(data: Data) -> dict[str, Chosen]:
    refused = {app for app, need in NEEDS.items() if not need.holds(data)}
    chosen = {}
    for path, source in _below("templates/shop/"):
        app = None if path.startswith(ALWAYS) else _app(path)
        if app not in refused:
            chosen[path] = Chosen(source, (NEEDS[app].because,) if app in NEEDS else ())
    return chosen


def _app(path: str) -> str:
    """The app that a file belongs to: `returns` for `templates/returns/form.html` and `tests/test_returns_form.py`."""
    first, *rest = path.split("/")
    if first in ("templates", "static", "tests") and rest:
        name = rest[0].removeprefix("test_").split(".")[0]
        return next((app for app in NEEDS if name == app or name.startswith(app + "_")), first)
    return first


def _providers(data: Data) -> dict[str, Chosen]:
    return {
        path: Chosen(source, (because,))
        for name, because in providers(data).items()
        for path, source in _below(f"templates/payments/{name}/shop/")
    }


def _mails(data: Data) -> dict[str, Chosen]:
    asked = set(data["mails"]["send"])
    return {
        f"templates/mails/{path}": Chosen(source, ("mails.send",))
        for path, source in _below("templates/mails/")
        if path.partition("/")[0] in asked
    }


def _locales(data: Data) -> dict[str, Chosen]:
    found = {}
    for language in data["shop"]["languages"]:
        for ending in ("po", "mo"):
            source = f"locales/{language}/shop.{ending}"
            if source in package():
                path = f"locale/{language.replace('-', '_')}/LC_MESSAGES/django.{ending}"
                found[path] = Chosen(source, ("shop.languages",))
    return found
