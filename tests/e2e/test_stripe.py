"""A guest pays by Stripe in a browser: the shop's adapter and the official SDK, with a pretended Stripe and a bank.

Stripe's page sends the buyer on to another site before it shows anything, as 3-D Secure and wallets do: what a browser
makes of that depends on the shop's Content-Security-Policy.
"""

from __future__ import annotations

import json
import re
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

import pytest
from playwright.sync_api import expect

from .buyer import HOME, Buyer
from .conftest import ROOT, Shop, Visit, serve

Open = Callable[..., Visit]


@dataclass
class Stripe:
    """Two servers of one process: Stripe's API and page, and a bank on an address of its own."""

    sessions: dict[str, dict[str, Any]] = field(default_factory=dict)
    url: str = ""
    bank: str = ""

    def answer(self, method: str, path: str, body: str) -> tuple[int, dict[str, str], str]:
        session_id = path.rsplit("/", 1)[-1]
        if path == "/v1/checkout/sessions" and method == "POST":
            return self.json(self.open(dict(parse_qsl(body))))
        if path.startswith("/v1/checkout/sessions/"):
            return self.json(self.sessions[session_id])
        if path.startswith("/pay/"):
            return 302, {"Location": f"{self.bank}/confirm/{session_id}"}, ""
        if path.startswith("/confirm/"):
            page = f'<title>Bank</title><a id="yes" href="{self.url}/done/{session_id}">Yes</a>'
            page += f'<a id="no" href="{self.sessions[session_id]["cancel_url"]}">No</a>'
            return 200, {"Content-Type": "text/html"}, page
        if path.startswith("/done/"):
            self.sessions[session_id] |= {"status": "complete", "payment_status": "paid"}
            return 302, {"Location": self.sessions[session_id]["success_url"]}, ""
        return 404, {}, ""

    def open(self, asked: dict[str, str]) -> dict[str, Any]:
        session_id = f"cs_test_{len(self.sessions) + 1}"
        self.sessions[session_id] = {
            "id": session_id,
            "object": "checkout.session",
            "url": f"{self.url}/pay/{session_id}",
            "status": "open",
            "payment_status": "unpaid",
            "client_reference_id": asked["client_reference_id"],
            "amount_total": int(asked["line_items[0][price_data][unit_amount]"]),
            "currency": asked["line_items[0][price_data][currency]"],
            "success_url": asked["success_url"],
            "cancel_url": asked["cancel_url"],
            "payment_intent": None,
        }
        return self.sessions[session_id]

    @staticmethod
    def json(content: dict[str, Any]) -> tuple[int, dict[str, str], str]:
        return 200, {"Content-Type": "application/json"}, json.dumps(content)


def listen(stripe: Stripe) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            status, headers, content = stripe.answer(self.command, self.path.partition("?")[0], body)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content.encode())

        do_GET = do_POST = _answer  # noqa: N815  as the library names them

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


@pytest.fixture(scope="module")
def stripe() -> Iterator[Stripe]:
    pretended = Stripe()
    servers = [listen(pretended), listen(pretended)]
    pretended.url, pretended.bank = (f"http://127.0.0.1:{server.server_port}" for server in servers)
    yield pretended
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="module")
def stripe_shop(stripe: Stripe, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    work = tmp_path_factory.mktemp("stripe")
    shutil.copytree(ROOT / "examples", work / "examples")
    spec = work / "examples" / "b2c.yaml"
    text = spec.read_text("utf-8").replace("provider: demo", "provider: stripe")
    spec.write_text(re.sub(r"(?m)^  providers: .*\n", "", text), "utf-8")
    secrets = {"STRIPE_SECRET_KEY": "sk_test_x", "STRIPE_WEBHOOK_SECRET": "whsec_x"}
    yield from serve(spec, work, STRIPE_API_BASE=stripe.url, **secrets)


def at_the_bank(shop: Shop, it: Visit, language: str, email: str, javascript: bool = True) -> Buyer:
    buyer = Buyer(it.page, shop.url, language, javascript)
    buyer.take("plaid-laine", HOME[language].country)
    buyer.contact(email)
    buyer.deliver(HOME[language])
    buyer.pay_with("card")
    buyer.order()
    expect(it.page).to_have_title("Bank")
    return buyer


@pytest.mark.parametrize("javascript", [True, False], ids=["script", "noscript"])
def test_guest_pays(stripe_shop: Shop, visit: Open, javascript: bool) -> None:
    it = visit("fr", javascript=javascript)
    email = f"stripe-{javascript}@example.org".lower()
    buyer = at_the_bank(stripe_shop, it, "fr", email, javascript)
    it.page.click("#yes")
    number = buyer.thanked()
    mail = stripe_shop.mail_to(email)
    assert number in str(mail["Subject"]) + mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]


def test_guest_comes_back_without_paying_and_pays_then(stripe_shop: Shop, visit: Open, stripe: Stripe) -> None:
    it = visit("de", width=390)
    buyer = at_the_bank(stripe_shop, it, "de", "stripe-later@example.org")
    known = len(stripe.sessions)
    it.page.click("#no")
    expect(it.page).to_have_url(re.compile(r"/order/.+/pay/"))
    it.page.check("input[name=payment-method][value=card]")
    it.page.locator("main form button.btn[type=submit]").last.click()
    expect(it.page).to_have_title("Bank")
    assert len(stripe.sessions) == known, "the same payment goes on"
    it.page.click("#yes")
    buyer.thanked()


def test_back_from_the_bank_leads_to_the_shop(stripe_shop: Shop, visit: Open) -> None:
    it = visit("sv")
    at_the_bank(stripe_shop, it, "sv", "stripe-back@example.org")
    it.page.go_back()
    expect(it.page).to_have_url(re.compile(re.escape(stripe_shop.url)))
