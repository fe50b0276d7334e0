"""What every page with a provider's fields has to keep to, whoever the provider is."""

from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit

from django.urls import reverse
from django.utils.translation import override

from orders import links
from orders.models import Order
from payments import scripts


class Tags(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.found.append((tag, {name: value or "" for name, value in attrs}))

    def all(self, *names: str) -> list[dict[str, str]]:
        return [attrs for tag, attrs in self.found if tag in names]


def policy(page: Any) -> dict[str, list[str]]:
    parts = page.headers["Content-Security-Policy"].split("; ")
    return {name: sources for name, *sources in (part.split() for part in parts)}


class PayFields:
    """For test cases of a provider whose methods have `mode: fields`."""

    client: Any
    assertEqual: Any  # noqa: N815  as unittest names its own
    assertNotRegex: Any  # noqa: N815
    assertTrue: Any  # noqa: N815
    assertGreater: Any  # noqa: N815

    def url(self, order: Order, method: str = "card") -> str:
        with override(order.language):
            return reverse("pay:fields", args=[links.token(order), method])

    def give(self, order: Order, typed: str, after: str = "", method: str = "card") -> Any:
        """What the provider's script brings to the shop."""
        return self.client.post(self.url(order, method), {"typed": typed, "after": after})

    def check_page(self, order: Order, provider: str, *domains: str) -> Any:
        """The page takes no card data, loads what its inventory names and reaches nobody but the provider."""
        page = self.client.get(self.url(order))
        text, sources = page.content.decode(), policy(page)
        tags = Tags(text)
        names = {field.get("name") for field in tags.all("input", "select", "textarea")}
        self.assertEqual(names, {"csrfmiddlewaretoken", "after"})
        self.assertNotRegex(text, r'autocomplete="[^"]*cc-|name="[^"]*(card|number|cvc|cvv|expir)')
        listed = scripts.scripts(provider, "fields", order.currency)
        self.assertEqual([tag["src"] for tag in tags.all("script")], [script.url for script in listed])
        nonce = next(source for source in sources["script-src"] if source.startswith("'nonce-"))
        for tag, script in zip(tags.all("script")[1:], listed[1:], strict=True):
            self.assertEqual(tag["nonce"], nonce.removeprefix("'nonce-").removesuffix("'"))
            self.assertEqual(tag.get("integrity", ""), script.integrity)
            self.assertGreater(len(script.reason), 20)
            self.assertTrue(not script.foreign or script.integrity or script.without)
        self.assertNotRegex(" ".join(sources["script-src"]), "unsafe|data:|blob:|[*] |[*]$")
        self.assertEqual((sources["form-action"], sources["default-src"]), (["'self'"], ["'none'"]))
        hosts = {urlsplit(source).hostname or "" for each in sources.values() for source in each if "//" in source}
        for host in hosts:
            self.assertTrue(any(host == domain or host.endswith(f".{domain}") for domain in domains), host)
        self.assertEqual(page.headers["Referrer-Policy"], "strict-origin")
        return page
