"""The demo provider in a shop whose address is a real one."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from checkoutgen.lint.case import Case, Outcome

# Names that no public host can have: RFC 2606 and RFC 6761.
NOT_REAL = (".example", ".test", ".localhost", ".invalid", ".example.com", ".example.org", ".example.net")


def check(case: Case) -> Iterator[Outcome]:
    host = urlsplit(case.get("shop.url") or "").hostname or ""
    if ("." + host).endswith(NOT_REAL):
        return
    for path, method in case.each("payment.methods[*]"):
        if method.get("provider") == "demo":
            yield Outcome(False, f"{path}.provider", f"“{method['id']}” takes no money: its provider is the demo")
