"""A made shop is right for every spec, not only for the examples: it is sound, sells, and passes its own tests."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from .conftest import ROOT, checkoutgen

SECRETS = """ADYEN_API_KEY ADYEN_HMAC_KEY ADYEN_MERCHANT_ACCOUNT ALMA_API_KEY DEMO_WEBHOOK_SECRET MOLLIE_API_KEY
PAYPAL_CLIENT_ID PAYPAL_CLIENT_SECRET PAYPLUG_SECRET_KEY STRIPE_SECRET_KEY STRIPE_WEBHOOK_SECRET""".split()
PRODUCTION = {"SECRET_KEY": "not-a-secret-" * 5, "ALLOW_DEMO_PROVIDER": "1", **dict.fromkeys(SECRETS, "not-a-secret")}

BASE = """
shop: {name: Savon du Nord, url: "https://savon-du-nord.example"}
seller:
  legal_name: Savon du Nord SARL
  country: FR
  address: {street: 8 quai du Wault, postcode: "59800", city: Lille}
  email: bonjour@savon-du-nord.example
  vat_id: FR31904217387
catalogue:
  products:
    - {id: soap, title: Savon, description: Savon doux., price: 6.50, weight: 120, unit: {content: 0.12, measure: kg}}
    - {id: towel, title: Drap, price: 29, stock: 40, options: {size: Taille},
       variants: [{options: {size: S}}, {options: {size: L}, price: 39}]}
"""
DEMO = "payment: {methods: [{id: card, kind: card, provider: demo}]}"
STORE = "address: {street: 8 quai du Wault, postcode: '59800', city: Lille, country: FR}"
# Every currency of a shop in which a plain amount is not enough.
WORLD = "{EUR: 5, SEK: 55, CHF: 5, GBP: 4, USD: 5, DKK: 40, PLN: 20}"

VARIANTS = {
    "english-guests": """
        extends: [preset:b2c-gb, base.yaml]
        checkout: {identification: {guest: true, sign_in: false, account: none}}
        payment: {methods: [{id: card, kind: card, provider: mollie}]}
        insights: {funnel: false}""",
    "swedish-accounts": """
        extends: [preset:b2c-se, base.yaml]
        checkout: {identification: {guest: false, sign_in: true, account: required}}
        payment: {methods: [{id: swish, kind: swish, provider: stripe}]}""",
    "french-one-page": """
        extends: [preset:b2c-fr, base.yaml]
        checkout:
          layout: one-page
          terms: checkbox
          fields: {phone: required, phone_reason: Pour le livreur., company: required, address_line2: required,
                   order_note: required}
        payment: {methods: [{id: transfer, kind: bank-transfer, iban: FR7616958000010021047358415}]}""",
    "german-businesses": """
        extends: [preset:b2b-de, base.yaml]
        checkout: {layout: one-page}
        payment: {methods: [{id: invoice, kind: invoice, terms_days: 30}]}""",
    "collected-only": f"""
        extends: [preset:b2c-fr, base.yaml]
        delivery:
          methods:
            - id: collect
              kind: click-and-collect
              stores:
                - {{id: lille, name: Lille, {STORE}}}
                - {{id: roubaix, name: Roubaix, {STORE}}}
        payment: {{methods: [{{id: till, kind: cash-at-pickup}}]}}""",
    "downloads-only": """
        extends: [preset:b2c-fr, base.yaml]
        catalogue: {products: [{id: patron, title: Patron, kind: digital_content, price: 9}]}
        delivery: {methods: [{id: online, kind: digital}]}
        payment: {methods: [{id: paypal, kind: paypal, provider: paypal}]}""",
    "payment-before-delivery": """
        extends: [preset:b2c-fr, base.yaml]
        checkout: {steps: [payment, contact, delivery, review]}
        payment: {methods: [{id: card, kind: card, provider: payplug}]}""",
    "delivery-first-and-free": """
        extends: [preset:b2c-fr, base.yaml]
        checkout: {steps: [delivery, contact, payment, review], identification: {account: optional}}
        delivery: {methods: [{id: home, kind: home, days: [2, 3]}]}
        payment: {methods: [{id: alma, kind: instalments, provider: alma}, {id: card, kind: card, provider: adyen}]}""",
    "swiss-francs": f"""
        extends: [preset:b2c-fr, base.yaml]
        shop: {{languages: [de, fr], currency: CHF}}
        markets: {{CH: , FR: {{currency: CHF}}}}
        catalogue: {{prices: net}}
        delivery: {{methods: [{{id: home, kind: home, days: [2, 3], price: 7}}]}}
        {DEMO}""",
    "american-dollars": """
        extends: [preset:b2c-us, base.yaml]
        catalogue: {prices: net}""",
    "many-countries": f"""
        extends: [base.yaml]
        shop: {{languages: [fr, en, de, sv, nl, es, it]}}
        markets: {{{", ".join(f"{code}: " for code in "FR BE DE AT NL LU ES IT PT IE FI SE CH GB US DK PL".split())}}}
        catalogue: {{products: [{{id: soap, title: Savon, price: {WORLD}}}]}}
        delivery: {{methods: [{{id: home, kind: home, days: [2, 3], price: {WORLD}}}]}}
        {DEMO}""",
    "consumers-and-businesses": """
        extends: [preset:b2c-fr, base.yaml]
        audience: mixed
        shop: {languages: [fr, de]}
        markets: {FR: , DE: }
        business: {vat_id: optional, volume_prices: [{product: soap, from: 10, price: 5}]}""",
}
# Their own tests as well: a language alone, no accounts, no door to deliver to, another order of steps.
THOROUGH = ("english-guests", "collected-only", "payment-before-delivery")

pytestmark = pytest.mark.xdist_group("variants")


@pytest.fixture(scope="module")
def specs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("variants")
    (folder / "base.yaml").write_text(BASE, encoding="utf-8")
    for name, text in VARIANTS.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return folder


def made(specs: Path, name: str) -> Path:
    """The shop of a variant, built once."""
    shop = specs / "shops" / name
    if not shop.exists():
        built = checkoutgen("build", specs / f"{name}.yaml", shop)
        assert built.returncode == 0, built.stdout + built.stderr
    return shop


def run(shop: Path, *command: str | Path, **environment: str) -> str:
    """What a command says in a made shop; it has to succeed."""
    done = subprocess.run(
        [sys.executable, *map(str, command)],
        cwd=shop,
        env={"PATH": os.environ["PATH"], "VAR_DIR": str(shop / "var"), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout[-4000:]
    return done.stdout


@pytest.mark.parametrize("name", VARIANTS)
def test_its_code_and_settings_are_sound(specs: Path, name: str) -> None:
    shop = made(specs, name)
    run(shop, "-m", "ruff", "check", "--no-cache")
    run(shop, "manage.py", "check", "--deploy", "--fail-level", "WARNING", **PRODUCTION)


@pytest.mark.parametrize("name", VARIANTS)
def test_it_sells_in_each_language(specs: Path, name: str) -> None:
    shop = made(specs, name)
    bought = run(shop, ROOT / "tests" / "examples" / "purchase.py", DEBUG="1").splitlines()
    languages = yaml.safe_load((specs / f"{name}.yaml").read_text(encoding="utf-8")).get("shop", {}).get("languages")
    assert [line.split()[0] for line in bought] == (languages or [bought[0].split()[0]])


@pytest.mark.parametrize("name", THOROUGH)
def test_its_own_tests_pass(specs: Path, name: str) -> None:
    shop = made(specs, name)
    # Payments are tested in full in the shops of the examples: they do not depend on what varies here.
    tests = [f"tests.{path.stem}" for path in sorted(shop.glob("tests/test_*.py")) if "payments" not in path.stem]
    assert "\nOK" in run(shop, "manage.py", "test", *tests, DEBUG="1")


def test_the_lint_judges_each(specs: Path) -> None:
    """What these short specs lack is found, and nothing of it is a fault of the lint."""
    found = checkoutgen("lint", *(specs / f"{name}.yaml" for name in VARIANTS), "--as-of", "2026-11-22")
    assert found.returncode == 1, found.stdout + found.stderr
    assert not found.stderr
    rules: dict[str, Any] = {name: found.stdout.count(f"{name}.yaml:") for name in VARIANTS}
    assert all(rules.values()), rules
