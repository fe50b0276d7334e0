# ruff: noqa: E501  tables read better whole
"""The law of the day: what a rule asks begins and ends on its dates."""

from __future__ import annotations

from pathlib import Path

import pytest
from shops import Shop, good

from checkoutgen.lint.engine import Options, upcoming


def found(shop: Shop, day: str, tmp_path: Path) -> set[str]:
    shop.day = day
    folder = tmp_path / day
    folder.mkdir()
    return {finding.root for finding in shop.lint(folder)}


@pytest.mark.parametrize(
    ("before", "from_then", "rule", "spec", "said"),
    [
        ("2026-06-18", "2026-06-19", "eu-withdrawal-function-ack", {}, "no acknowledgement"),
        ("2026-09-26", "2026-09-27", "eu-harmonised-guarantee-notice", {"legal.guarantee_notice": "none"}, ""),
        ("2025-07-19", "2025-07-20", "eu-odr-link-removed", {}, "Voir https://ec.europa.eu/consumers/odr pour la plateforme."),
        ("2026-11-19", "2026-11-20", "eu-bnpl-consumer-credit",
         {"payment.methods[2]": {"id": "later", "kind": "pay-later", "provider": "demo"}}, "unsaid"),
    ],
)  # fmt: skip
def test_two_days_differ_by_one_rule(
    before: str, from_then: str, rule: str, spec: dict[str, object], said: str, tmp_path: Path
) -> None:
    shop = good("FR")
    shop.patch(spec)
    if said == "no acknowledgement":
        shop.resolved["mails.send"] = ["order-confirmation"]
    elif said == "unsaid":
        shop.texts["fr"]["terms"] = shop.texts["fr"]["terms"].replace("emprunter de l'argent coûte de l'argent", "…")
    elif said:
        shop.texts["fr"]["terms"] += said + "\n"
    assert found(shop, from_then, tmp_path) - found(shop, before, tmp_path) == {rule}


def test_the_withdrawal_page_names_the_function_from_its_day_on(tmp_path: Path) -> None:
    shop = good("FR")
    shop.texts["fr"]["withdrawal"] = shop.texts["fr"]["withdrawal"].replace(
        "en ligne avec « Renoncer au contrat ici »", "par écrit"
    )
    assert "eu-withdrawal-info" not in found(shop, "2026-06-18", tmp_path)
    assert "eu-withdrawal-info" in found(shop, "2026-06-19", tmp_path)


def test_a_market_that_opens_later_is_judged_by_its_opening_day(tmp_path: Path) -> None:
    shop = good("FR")
    shop.patch({"legal.guarantee_notice": "none"})
    assert "eu-harmonised-guarantee-notice" not in found(shop, "2026-01-01", tmp_path)
    shop.patch({"markets.FR.launch_date": "2026-10-01"})
    assert "eu-harmonised-guarantee-notice" in found(shop, "2026-01-02", tmp_path)


def test_upcoming_says_what_breaks_and_when(tmp_path: Path) -> None:
    shop = good("FR")
    seal = {
        "id": "seal",
        "kind": "seal",
        "name": "Guild",
        "url": "https://guild.example/1",
        "issuer": "Guild",
        "valid_until": "2027-01-31",
    }
    shop.patch({"trust.badges": [seal]})
    spec = shop.load(tmp_path)
    options = Options(day=shop.day)
    assert [(f.since, f.root) for f in upcoming(spec, options, "2027-05-21")] == [
        ("2027-02-01", "eu-trust-badge-authenticity")
    ]
    assert upcoming(spec, options, "2027-01-31") == []
