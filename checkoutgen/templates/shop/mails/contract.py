"""What has to be confirmed to a consumer together with the order, and the legal texts that travel with it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, override

from catalogue import guarantees
from common.texts import localized
from common.urls import absolute
from config.shop import SHOP, market, section
from orders import declarations, links
from orders.models import Order, OrderLine

from .plain import plain
from .words import address_lines

Facts = dict[str, Any]


@dataclass(frozen=True)
class LegalPage:
    """A legal text as it is sent along: the law wants it on a durable medium, which a link is not (CJEU C-49/11)."""

    title: str
    name: str
    text: str


def contract(order: Order, language: str) -> Facts:
    """What article 8(7) of Directive 2011/83/EU wants confirmed; nothing of it for businesses."""
    wanted = ("terms", "withdrawal", "withdrawal-form") if is_consumer(order) else ("terms",)
    pages = list(_legal_pages(language, wanted))
    return {"consumer": consumer(order, language), "attached": pages, "attachments": [page.title for page in pages]}


def is_consumer(order: Order) -> bool:
    return SHOP["audience"] != "b2b" and not (order.company or {}).get("vat_id")


def consumer(order: Order, language: str) -> Facts | None:
    if not is_consumer(order):
        return None
    facts, seller = market(order.market), SHOP["seller"]
    lines = list(order.lines.select_related("variant__product"))
    years = facts.get("guarantee_years") or 0
    guarantee = ngettext(
        "By law we answer for goods that are faulty or not as agreed on delivery, if it shows within %(years)s year.",
        "By law we answer for goods that are faulty or not as agreed on delivery, if it shows within %(years)s years.",
        years,
    )
    address = address_lines(seller.get("complaints_address") or seller["address"])
    return {
        "withdrawal": _withdrawal(order, lines, facts.get("withdrawal"), language),
        "guarantee": guarantee % {"years": years} if years else "",
        "durability": list(_durability(order, lines, language)),
        "declarations": declarations.statements(order),
        "complaints": _("Something is not right? Write to %(email)s or to %(address)s.")
        % {
            "email": section("support").get("email") or seller["email"],
            "address": ", ".join([seller["legal_name"], *address]),
        },
    }


def _durability(order: Order, lines: list[OrderLine], language: str) -> Iterator[str]:
    """The producers' guarantees that the pages spoke of: article 6(1)(la) belongs to what is confirmed."""
    for line in lines:
        product = line.variant.product if line.variant else None
        years = product and guarantees.durability(product, order.market, timezone.localdate(order.placed_at))
        if years:
            words = _("%(title)s: the producer guarantees its durability for %(years)s years.")
            yield words % {"title": localized(line.title, language), "years": years}


def _withdrawal(order: Order, lines: list[OrderLine], terms: Mapping[str, Any] | None, language: str) -> Facts | None:
    if not terms or not apps.is_installed("returns"):
        return None
    products = [line.variant.product if line.variant else None for line in lines]
    excluded = [
        localized(line.title, language)
        for line, product in zip(lines, products, strict=True)
        if product and declarations.is_excepted(order, product)
    ]
    if len(excluded) == len(lines):
        return None
    days = terms["days"]
    if all(product and product.kind != "goods" for product in products):
        text = ngettext(
            "You may withdraw from this contract without giving a reason within %(days)s day of today.",
            "You may withdraw from this contract without giving a reason within %(days)s days of today.",
            days,
        )
    else:
        text = ngettext(
            "You may withdraw from this contract without giving a reason within %(days)s day of receiving all items.",
            "You may withdraw from this contract without giving a reason within %(days)s days of receiving all items.",
            days,
        )
    words = [text % {"days": days}]
    if excluded:
        words.append(_("This does not apply to: %(items)s.") % {"items": ", ".join(excluded)})
    words.append(_("The instructions and a form are attached. You can also do it online:"))
    return {"text": " ".join(words), "label": localized(terms["link"], language), "url": withdrawal_url(order)}


def withdrawal_url(order: Order) -> str:
    with override(order.language):
        return absolute(reverse("returns:withdraw")) + "?order=" + links.token(order)


def _legal_pages(language: str, wanted: tuple[str, ...]) -> Iterator[LegalPage]:
    pages = section("legal").get("pages") or {}
    for page in wanted:
        path = settings.BASE_DIR / "content" / "legal" / f"{page}.{language}.md"
        if page in pages and path.is_file():
            title = localized(pages[page]["title"], language)
            heading = f"{title}\n{SHOP['seller']['legal_name']}\n\n"
            yield LegalPage(title, f"{slugify(title) or page}.txt", heading + plain(path.read_text(encoding="utf-8")))
