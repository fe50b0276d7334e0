"""The inventory of scripts that run where buyers pay (PCI DSS 4.0.1, requirement 6.4.3), and the policy made from it.

`payments/scripts.json` lists the shop's own, `payments/providers/<name>/scripts.json` those of a provider: by use
(`fields`, `express`) a list of scripts in the order in which they load, each with the reason why it runs and, where the
provider publishes one, its hash; and the hosts that the page may reach. A page loads what stands there, nothing else.
"""

import json
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from csp.constants import NONCE, SELF
from django.http import HttpResponse
from django.templatetags.static import static

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Script:
    """`integrity` is empty where `without` says why there is no hash to hold a foreign script against."""

    src: str
    reason: str
    integrity: str = ""
    without: str = ""

    @property
    def foreign(self) -> bool:
        return self.src.startswith("https://")

    @property
    def url(self) -> str:
        return self.src if self.foreign else static(self.src)


def _listed(provider: str) -> dict[str, Any]:
    path = HERE / "providers" / provider / "scripts.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}  # type: ignore[no-any-return]


def has_page(provider: str, use: str) -> bool:
    """Whether a script of the provider runs in a page of the shop for this use; PayPal in the cart needs none."""
    return use in _listed(provider)


def _entry(provider: str, use: str, currency: str) -> dict[str, Any]:
    """The provider's part of the inventory, its addresses filled in (test or live, client id, currency)."""
    entry: dict[str, Any] = _listed(provider)[use]
    places: dict[str, str] = import_module(f"payments.providers.{provider}.{use}").places(currency)

    def filled(value: Any) -> Any:
        if isinstance(value, str):
            for name, text in places.items():
                value = value.replace(f"{{{name}}}", text)
            return value
        if isinstance(value, dict):
            return {key: filled(each) for key, each in value.items()}
        return [filled(each) for each in value]

    return filled(entry)  # type: ignore[no-any-return]


def own() -> list[Script]:
    return [Script(**each) for each in json.loads((HERE / "scripts.json").read_text(encoding="utf-8"))]


def scripts(provider: str, use: str, currency: str) -> list[Script]:
    """All scripts of a page in the order in which they load, the shop's own first."""
    return own() + [Script(**each) for each in _entry(provider, use, currency)["scripts"]]


def styles(provider: str, use: str, currency: str) -> list[Script]:
    return [Script(**each) for each in _entry(provider, use, currency).get("styles", [])]


def protect(response: HttpResponse, provider: str, use: str, currency: str) -> HttpResponse:
    """The policy of the page: what every page has, a nonce for scripts, and the hosts of this one provider.

    The provider learns from which shop the buyer comes, but never the address of the page, which leads to the order.
    """
    entry = _entry(provider, use, currency)
    more: dict[str, list[Any]] = {"script-src": [NONCE], "connect-src": [SELF]}
    for kind, directive in (("scripts", "script-src"), ("styles", "style-src")):
        for each in entry.get(kind, []):
            if each["src"].startswith("https://"):
                parts = urlsplit(each["src"])
                more.setdefault(directive, []).append(f"{parts.scheme}://{parts.netloc}")
    for directive, hosts in entry["hosts"].items():
        more.setdefault(directive, []).extend(SELF if host == "self" else host for host in hosts)
    response._csp_update = more  # type: ignore[attr-defined]  # noqa: SLF001  as csp.decorators do
    response.headers["Referrer-Policy"] = "strict-origin"
    return response
