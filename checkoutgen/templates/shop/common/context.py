"""What every page knows. Whatever does not depend on the visitor is worked out once per language."""

from collections.abc import Callable
from datetime import date
from functools import cache, lru_cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, get_language_info, override

from cart.session import current as current_cart
from cart.summary import pieces
from catalogue import markets
from catalogue.categories import categories
from common import theme
from common.texts import localized
from common.urls import inside
from config.shop import HAS_ACCOUNTS, MARKETS, SHOP, section


@cache
def _language_name(code: str) -> str:
    return dict(settings.LANGUAGES)[code]


@cache
def _direction(language: str) -> str:
    return "rtl" if get_language_info(language)["bidi"] else "ltr"


# Buyers look for the first ones; those stand below the checkout too.
_LEGAL_ORDER = ["terms", "privacy", "withdrawal", "delivery", "imprint"]


@cache
def legal_links(language: str) -> list[dict[str, Any]]:
    """Footer links to the legal pages; "short" marks those that the checkout shows."""
    if "legal" not in settings.LOCAL_APPS:
        return []
    pages: dict[str, Any] = section("legal").get("pages") or {}
    with override(language):
        return [
            {
                "id": page,
                "title": localized(pages[page]["title"]),
                "url": reverse("legal:page", args=[page]),
                "short": page in _LEGAL_ORDER,
            }
            for page in sorted(pages, key=lambda page: (*_LEGAL_ORDER, page).index(page))
        ]


@cache
def withdrawal_link(market_code: str, language: str) -> dict[str, str] | None:
    """The withdrawal function of article 11a, Directive 2011/83/EU, in the words of the market."""
    facts = MARKETS[market_code].get("withdrawal")
    if not facts or "returns" not in settings.LOCAL_APPS:
        return None
    with override(language):
        return {"title": localized(facts["link"]), "url": reverse("returns:withdraw")}


def _other_languages(request: HttpRequest, language: str) -> Callable[[], list[dict[str, Any]]]:
    def links() -> list[dict[str, Any]]:
        prefix = f"/{language}/"
        rest = request.path.removeprefix(prefix) if request.path.startswith(prefix) and request.method == "GET" else ""
        return [
            {"code": code, "name": _language_name(code), "url": f"/{code}/{rest}", "current": code == language}
            for code, _ in settings.LANGUAGES
        ]

    return links


@lru_cache(maxsize=64)
def trust(language: str, today: date) -> dict[str, Any]:
    """The trust section without seals that have expired; a link to a page of the shop leads to it in the language."""
    given = section("trust")
    badges = []
    for badge in given.get("badges") or []:
        if badge.get("valid_until") and date.fromisoformat(badge["valid_until"]) < today:
            continue
        url = inside(badge.get("url") or "")
        first, _slash, rest = url.removeprefix("/").partition("/")
        if first in dict(settings.LANGUAGES) and url.startswith("/"):
            url = f"/{language}/{rest}"
        badges.append(badge | {"url": url})
    return given | {"badges": badges}


def _market_choices() -> list[dict[str, str]]:
    return [{"code": code, "name": localized(facts["name"])} for code, facts in MARKETS.items()]


def shop(request: HttpRequest) -> dict[str, Any]:
    language = get_language() or settings.LANGUAGE_CODE
    code = markets.current(request)

    def cart_count() -> int:
        cart = current_cart(request)
        return pieces(cart) if cart else 0

    return {
        "shop": SHOP["shop"],
        "public_url": settings.PUBLIC_URL,
        "seller": SHOP["seller"],
        "support": section("support"),
        "trust": trust(language, timezone.localdate()),
        "language": language,
        "direction": _direction(language),
        "market": MARKETS[code],
        "market_code": code,
        "market_choices": _market_choices,
        "language_links": _other_languages(request, language),
        "categories": categories(language),
        "legal_links": legal_links(language),
        "withdrawal_link": withdrawal_link(code, language),
        "cart_count": cart_count,
        "has_accounts": HAS_ACCOUNTS,
        "shop_style": theme.style("base", "shop"),
        "checkout_style": theme.style("base", "checkout"),
    }
