# ruff: noqa: E501  tables read better whole
"""One notice taken out at a time: the rule that must fire does, and no other new one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from shops import good

MUTATIONS: list[tuple[str, str, dict[str, Any], tuple[str, str, str] | None]] = [
    # market, rule, change to the spec, (page, old, new) in the market's first language
    ("FR", "eu-withdrawal-info", {}, ("withdrawal", "14 jours", "quelque temps")),
    ("FR", "eu-return-cost", {}, ("withdrawal", "Les frais directs de renvoi sont à votre charge.", "")),
    ("FR", "fr-mediator", {}, ("terms", "Vous pouvez recourir gratuitement au médiateur de la consommation.\n", "")),
    ("FR", "fr-guarantee-box", {}, ("terms", "300 000 euros", "beaucoup")),
    ("FR", "fr-precontract-info", {}, ("terms", "Vous disposez de la garantie légale de conformité et de la garantie des vices cachés", "Vous disposez de la garantie légale, décrite avec celle des vices")),
    ("FR", "fr-mentions-legales", {}, ("imprint", "Hébergeur : Hoster SA, Paris.", "")),
    ("FR", "fr-mentions-legales", {"seller.publication_director": None}, None),
    ("FR", "eu-trader-identity", {"seller.phone": None, "seller.country": "BE", "seller.register.number": "0428.759.497"}, None),
    ("DE", "de-impressum", {"seller.representatives": None}, None),
    ("DE", "eu-technical-steps", {}, ("terms", "Der Vertragstext wird gespeichert und Ihnen per E-Mail gesendet.\n", "")),
    ("DE", "eu-refund-rules", {}, ("withdrawal", "über dasselbe Zahlungsmittel", "bald")),
    ("DE", "de-bfsg", {}, ("accessibility", "Zuständige Marktüberwachungsbehörde: MLBF, Magdeburg.", "")),
    ("DE", "de-vsbg-info", {"seller.adr.participates": False}, ("terms", "Wir nehmen an keinem Streitbeilegungsverfahren vor einer Verbraucherschlichtungsstelle teil.\n", "")),
    ("DE", "eu-privacy-notice", {}, ("privacy", "Sie können sich bei der Aufsichtsbehörde beschweren.\n", "")),
    ("SE", "se-conformity", {}, ("terms", " i tre år", "")),
    ("SE", "se-adr-arn", {"seller.adr.participates": False}, ("terms", "Tvister prövas av Allmänna reklamationsnämnden (ARN), Box 174, 101 23 Stockholm, www.arn.se.\n", "")),
    ("SE", "eu-model-withdrawal-form", {"legal.pages.withdrawal-form": None}, None),
    ("BE", "eu-eaa-service-info", {"legal.pages.accessibility": None}, None),
    ("NL", "nl-identity", {"seller.register.number": "12"}, None),
    ("ES", "es-guarantee", {}, ("terms", " de tres años", "")),
    ("IT", "eu-delivery-date-complaints", {}, ("terms", "I reclami vanno al nostro servizio.\n", "")),
    ("GB", "gb-conformity", {}, ("terms", "your statutory rights under the Consumer Rights Act 2015 and ", "")),
    ("GB", "gb-model-cancellation-form", {"legal.pages.withdrawal-form": None}, None),
    ("US", "us-no-withdrawal-right", {"legal.pages.returns": None}, None),
]  # fmt: skip
# Statutes that ask for the same notice, so that two rules of one market speak together.
TOGETHER = {
    "fr-mediator": {"eu-adr-info"},
    "eu-trader-identity": {"be-identity"},
    "fr-precontract-info": {"fr-guarantee-box"},
    "fr-guarantee-box": set(),
    "es-guarantee": set(),
    "us-no-withdrawal-right": {"us-ca-return-policy", "us-ca-internet-vendor"},
    "gb-model-cancellation-form": {"eu-model-withdrawal-form"},
}  # fmt: skip


@pytest.mark.parametrize(("market", "rule", "spec", "text"), MUTATIONS)
def test_only_the_rule_of_the_missing_notice_fires(
    market: str, rule: str, spec: dict[str, Any], text: tuple[str, str, str] | None, tmp_path: Path
) -> None:
    shop = good(market)
    shop.patch(spec)
    if text:
        page, old, new = text
        texts = shop.texts[shop.language]
        assert old in texts[page]
        texts[page] = texts[page].replace(old, new)
        if rule in ("se-conformity", "es-guarantee"):
            texts["guarantee"] = "-"
    fired = {name for f in shop.lint(tmp_path) for name in ({f.rule, f.root} & {rule} or {f.root})}
    assert rule in fired
    assert fired - {rule} <= TOGETHER.get(rule, set())
