"""Run inside a made shop: prints the visible words of its pages and mails as {language: {page: words}} in JSON."""

from __future__ import annotations

import json
import os
import sys
from html.parser import HTMLParser
from pathlib import Path

MOST = 50  # pages a language


class Reader(HTMLParser):
    """What a visitor reads or hears: texts, names of pictures and controls; and where the links go."""

    def __init__(self, html: bytes) -> None:
        super().__init__()
        self.words: list[str] = []
        self.links: list[str] = []
        self._unread = 0
        self._foreign = False
        self.feed(html.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self._unread += tag in ("style", "script")
        if tag == "a":
            self.links.append(given.get("href") or "")
            # A link to another language is named in that language.
            self._foreign = "lang" in given
        self.words += [given[name] or "" for name in ("alt", "title", "aria-label", "placeholder") if given.get(name)]

    def handle_endtag(self, tag: str) -> None:
        self._unread -= tag in ("style", "script")
        self._foreign = self._foreign and tag != "a"

    def handle_data(self, data: str) -> None:
        if not self._unread and not self._foreign and data.strip():
            self.words.append(" ".join(data.split()))


def crawl(language: str) -> dict[str, list[str]]:
    """Cart, every step of the checkout with wrong and right answers, an order's pages, the rest by its links."""
    from catalogue.models import Product
    from django.test import Client
    from django.urls import reverse
    from django.utils.translation import override
    from mails import samples
    from orders import links

    client = Client()
    pages: dict[str, list[str]] = {}
    with override(language):
        product = Product.objects.filter(published=True).first()
        order = samples.order_for({"state": "confirmed"}, language, "Ana Müller")
        token = links.token(order)
        waiting = [reverse(name) for name in ("cart:show", "catalogue:home", "returns:withdraw")]
        waiting += [reverse(f"orders:{name}", args=[token]) for name in ("show", "thanks", "pay", "cancel", "account")]
        waiting += [f"{reverse('returns:withdraw')}?order={token}", reverse("catalogue:product", args=[product.handle])]
        forms = [reverse(name) for name in ("returns:withdraw", "accounts:register", "accounts:sign-in")]
        steps = [reverse("checkout:step", args=[slug]) for slug in ("contact", "delivery", "payment", "review")]
        client.post(reverse("cart:add"), {"sku": product.variants.first().sku, "quantity": 1})
    answers = [
        {"email": "ana@example.org"},
        {"delivery-method": order.delivery["method"]}
        | {f"shipping-{key}": value for key, value in order.shipping_address.items()},
        {"payment-method": order.payment_method, "payment-same": "on"},
    ]
    for path, answer in zip(steps, answers, strict=False):
        pages[f"wrong {path}"] = Reader(client.post(path, {}, follow=True).content).words
        pages[f"right {path}"] = Reader(client.post(path, answer, follow=True).content).words
    for path in forms:
        pages[f"wrong {path}"] = Reader(client.post(path, {}, follow=True).content).words
    waiting[:0] = steps
    while waiting and len(pages) < MOST:
        path = waiting.pop(0).split("#")[0]
        if path not in pages and path.startswith(f"/{language}/"):
            page = Reader(client.get(path, follow=True).content)
            pages[path] = page.words
            waiting += page.links
    for kind in samples.kinds():
        mail = samples.message(kind, language)
        pages[f"mail {kind}"] = [mail.subject, *filter(None, mail.text.splitlines())]
    return pages


def main() -> None:
    sys.path.insert(0, str(Path.cwd()))
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    import django

    django.setup()
    from django.conf import settings
    from django.core.management import call_command

    for command in ("migrate", "load_catalogue"):
        call_command(command, verbosity=0, stdout=sys.stderr)
    json.dump({code: crawl(code) for code, _name in settings.LANGUAGES}, sys.stdout, ensure_ascii=False)


if __name__ == "__main__":
    main()
