"""Every page and mail in every language and state as files, for somebody to look through and sign."""

import logging
import re
from collections import deque
from collections.abc import Iterator
from os.path import relpath
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.staticfiles import finders
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Q
from django.test import Client
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.translation import override

from cart.models import Cart
from catalogue.models import Variant
from checkout.state import Checkout
from checkout.steps import STEPS
from checkout.views import ONE_PAGE
from config.shop import HOME, SHOP
from mails import samples
from orders.links import token
from orders.models import Order
from orders.states import OrderState
from payments import methods

# What another run would write otherwise, and nobody can use in a file.
ONCE = re.compile(r'((?:name="csrfmiddlewaretoken" value|nonce)=")[^"]+')
LINK = re.compile(r'\b(href|src|action)="(/(?!/)[^"#?]*)([^"]*)"')
# A file that somebody opens must not call the payment provider.
FOREIGN = re.compile(r'<script\b[^>]*\bsrc="https:[^>]*></script>|<link rel="stylesheet" href="https:[^>]*>')
BUYER = "ana@example.org"


class Command(BaseCommand):
    help = "Writes every page and mail in every language and state into a folder. It places orders: for a new database."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path)

    def handle(self, *args: object, folder: Path, **options: object) -> None:
        if not settings.DEVELOPMENT or Order.objects.exists():
            raise CommandError("this places orders: run it with DEBUG=1 on a database without any (VAR_DIR names one)")
        logging.getLogger("django.request").setLevel(logging.ERROR)  # what is not found is wanted here
        settings.DEBUG = False  # the shop's own page for what is not found, not Django's
        folder.mkdir(parents=True, exist_ok=True)
        call_command("preview_mails", folder / "mails", stdout=self.stdout)
        pages = {place: html for language, _ in settings.LANGUAGES for place, html in _pages(language) if html}
        files = {place: place.strip("/") + "/index.html" for place in pages}
        used: set[str] = set()
        for place, html in pages.items():
            path = folder / files[place]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(_linked(ONCE.sub(r"\1", html), files, files[place], used), encoding="utf-8")
        for name in sorted(used):
            if found := finders.find(name):
                (folder / "static" / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / "static" / name).write_bytes(Path(found).read_bytes())
        mails = sorted(path.relative_to(folder).as_posix() for path in (folder / "mails").rglob("*.html"))
        (folder / "index.html").write_text(_index([*files.values()], mails), encoding="utf-8")
        self.stdout.write(f"{len(pages)} pages and {len(mails)} mails are in {folder}.")


def _pages(language: str) -> Iterator[tuple[str, str]]:
    """(place, HTML): what a visitor can reach, the way of a purchase, and an order in each state."""
    with override(language):
        yield from _crawled(language)
        yield f"/{language}/no-such-page/", Client().get(f"/{language}/no-such-page/").content.decode()
        yield from _signed_in(language)
        yield from _purchase(language)
        for state in OrderState.values:
            yield from _order(language, f"state-{state}", {"state": state}, ["show", "thanks", "cancel"])
        for kind in dict.fromkeys(method["kind"] for method in SHOP["payment"]["methods"]):
            wanted = {"state": OrderState.PENDING_PAYMENT, "payment": kind}
            yield from _order(language, f"payment-{kind}", wanted, ["thanks", "pay"])
        for method in SHOP["payment"]["methods"]:
            if methods.in_page(method["id"]):
                yield _fields(language, method)


def _crawled(language: str) -> Iterator[tuple[str, str]]:
    """Every page of a language that a link leads to, from the home page on."""
    client = Client()
    home = f"/{language}/"
    waiting, seen = deque([home]), {home}
    while waiting:
        place = waiting.popleft()
        answer = client.get(place)
        found = [urlsplit(answer["Location"]).path] if answer.has_header("Location") else []
        if answer.status_code == 200 and answer["Content-Type"].startswith("text/html"):
            html = answer.content.decode()
            yield place, html
            found = [target for name, target, _rest in LINK.findall(html) if name == "href"]
        for target in dict.fromkeys(found):
            if target.startswith(home) and target not in seen:
                seen.add(target)
                waiting.append(target)


def _signed_in(language: str) -> Iterator[tuple[str, str]]:
    """The account of a buyer, in a shop that has accounts."""
    try:
        place = reverse("accounts:home")
    except NoReverseMatch:
        return
    client = Client()
    client.force_login(get_user_model().objects.get_or_create(email=BUYER)[0])
    yield f"{place}signed-in/", _html(client, place)


def _purchase(language: str) -> Iterator[tuple[str, str]]:
    """The cart and each step of the checkout: as it is first seen, sent with nothing filled in, and in the end all."""
    client = Client()
    wanted = Variant.objects.filter(Q(stock=None) | Q(stock__gte=10)).first()
    if wanted is None:
        return
    client.post(reverse("cart:add"), {"sku": wanted.sku, "quantity": "10" if SHOP["audience"] == "b2b" else "1"})
    yield f"/{language}/cart/with-goods/", _html(client, reverse("cart:show"))
    cart = Cart.objects.latest("pk")
    for step in STEPS:
        place = reverse("checkout:start") if ONE_PAGE else reverse("checkout:step", args=[step.slug])
        yield f"/{language}/checkout/{step.slug}/", _html(client, place)
        if step is not STEPS[-1]:
            client.post(place, {})
            yield f"/{language}/checkout/{step.slug}/nothing-filled-in/", _html(client, place)
        cart.refresh_from_db()
        checkout = Checkout(cart, None, timezone.now())
        checkout.accept(step.slug, _answer(step.slug, checkout))
        cart.save(update_fields=["data"])
        if step is not STEPS[-1]:
            yield f"/{language}/checkout/{step.slug}/filled-in/", _html(client, place)


def _answer(slug: str, checkout: Checkout) -> dict[str, Any]:
    """What a made-up buyer says in a step."""
    if slug == "contact":
        company = {"name": "Atelier Ana", "vat_id": ""} if SHOP["audience"] == "b2b" else {}
        return {"email": BUYER, "phone": "", "as": "guest", "company": company}
    if slug == "delivery":
        option = checkout.options[0]
        return {"address": _address(), "method": option.id, "store": option.stores[0].id if option.stores else ""}
    if slug == "payment":
        return {"method": checkout.methods[0]["id"], "billing_same": True, "billing": _address()}
    return {}


def _address() -> dict[str, str]:
    seller = SHOP["seller"]["address"]
    return {"name": "Ana Müller", "country": HOME} | {key: seller[key] for key in ("street", "postcode", "city")}


def _order(language: str, name: str, wanted: dict[str, str], views: list[str]) -> Iterator[tuple[str, str]]:
    order = samples.order_for(wanted, language, "Ana Müller")
    for view in views:
        html = _html(Client(), reverse(f"orders:{view}", args=[token(order)]))
        yield f"/{language}/order/{name}/" + ("" if view == "show" else f"{view}/"), html


def _fields(language: str, method: dict[str, Any]) -> tuple[str, str]:
    """The page where the provider's fields will stand, as buyers see it until they are there."""
    wanted = {"state": OrderState.PENDING_PAYMENT, "payment": method["kind"]}
    order = samples.order_for(wanted, language, "Ana Müller")
    html = _html(Client(), reverse("pay:fields", args=[token(order), method["id"]]))
    return f"/{language}/order/fields-{method['id']}/", FOREIGN.sub("", html)


def _html(client: Client, place: str) -> str:
    """A page; nothing where the shop leads somewhere else."""
    answer = client.get(place)
    return answer.content.decode() if answer.status_code == 200 else ""


def _linked(html: str, files: dict[str, str], here: str, used: set[str]) -> str:
    """Links lead to the files; those that lead to no file lead nowhere. Static files that are named go to `used`."""

    def link(match: re.Match[str]) -> str:
        name, place, rest = match.groups()
        place = unquote(urlsplit(place).path)
        if place.startswith(settings.STATIC_URL):
            used.add(place.removeprefix(settings.STATIC_URL))
            return f'{name}="{relpath(place.strip("/"), Path(here).parent)}"'
        target = files.get(place)
        return f'{name}="{relpath(target, Path(here).parent) + rest if target else "#"}"'

    return LINK.sub(link, html)


def _index(pages: list[str], mails: list[str]) -> str:
    lists = format_html_join(
        "",
        "<h2>{}</h2><ul>{}</ul>",
        (
            (heading, format_html_join("", '<li><a href="{0}">{0}</a></li>', ((path,) for path in sorted(paths))))
            for heading, paths in (("Pages", pages), ("Mails", mails))
        ),
    )
    head = '<!doctype html><html lang="en"><meta charset="utf-8"><title>{0}</title><h1>{0}</h1>{1}</html>\n'
    return format_html(head, SHOP["shop"]["name"], lists)
