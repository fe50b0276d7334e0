"""The sender's domain is the shop's, so that it can be authorised (SPF, DKIM, DMARC)."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from checkoutgen.lint.case import Case, Outcome


def check(case: Case) -> Iterator[Outcome]:
    host = (urlsplit(case.get("shop.url") or "").hostname or "").removeprefix("www.")
    domain = str(case.get("mails.from.email") or "").rpartition("@")[2].lower()
    if host and domain and not (host == domain or host.endswith("." + domain) or domain.endswith("." + host)):
        yield Outcome(False, "mails.from.email", f"Mails come from {domain}, the shop is {host}")
