"""What mails and pages say: read from the shop's own templates, and the same as a running shop writes."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from shops import Shop, good

from checkoutgen.lint import rendered, rulebook, said
from checkoutgen.lint.engine import Options, _Judge, judge
from checkoutgen.lint.texts import normalise
from checkoutgen.spec import load

ROOT = Path(__file__).parents[2]
SHOP = ROOT / "checkoutgen" / "templates" / "shop"
LANGUAGES = ("en", "fr", "de", "sv", "nl", "es", "it")
CHECKS = [
    (rule.id, number)
    for rule in rulebook.rules().values()
    for number, item in enumerate(rule.checks)
    if item["kind"] in ("in_mail", "in_page")
]


def case_of(shop: Shop, folder: Path, *, review: bool = False) -> Any:
    judge_ = _Judge(shop.load(folder), Options(day=shop.day, review=review))
    return judge_.case(shop.market)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    """The mails that the shop of an example writes: language -> mail -> subject and text."""
    shop = tmp_path_factory.mktemp("running") / "shop"
    environment = {"PATH": os.environ["PATH"], "DEBUG": "1", "PUBLIC_URL": "https://maison-lin.example"}
    program = (
        "import json, django; django.setup()\n"
        "from django.utils.translation import override\n"
        "from mails.samples import message\n"
        "found = {}\n"
        "for language in ('fr', 'en', 'de', 'sv'):\n"
        "    for kind in ('order-confirmation', 'withdrawal-received'):\n"
        "        mail = message(kind, language)\n"
        "        found.setdefault(language, {})[kind] = mail.subject + ' ' + mail.text\n"
        "print(json.dumps(found))\n"
    )

    def run(*command: str, folder: Path) -> str:
        done = subprocess.run(
            [sys.executable, *command],
            cwd=folder,
            env=environment | {"DJANGO_SETTINGS_MODULE": "config.settings"},
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr[-4000:]
        return done.stdout

    run("-m", "checkoutgen", "build", "examples/b2c.yaml", str(shop), folder=ROOT)
    run("manage.py", "migrate", "--verbosity", "0", folder=shop)
    run("manage.py", "load_catalogue", folder=shop)
    found: dict[str, dict[str, str]] = json.loads(run("-c", program, folder=shop))
    return found


def sentences(text: str) -> list[str]:
    """The longer runs of words between values that only an order knows."""
    return [piece.strip() for piece in re.split(r"…|[.!?] |: ", text) if len(piece.strip()) > 12]


@pytest.mark.parametrize("name", ["order-confirmation", "withdrawal-received"])
def test_a_running_shop_writes_the_same(name: str, running: dict[str, dict[str, str]]) -> None:
    work = _Judge(load(ROOT / "examples" / "b2c.yaml"), Options(day="2026-11-22", review=True))
    case = work.case("FR")  # samples are orders of the home market, in any language
    for language in ("fr", "en", "de", "sv"):
        written = normalise(running[language][name])
        told = normalise(said._filled(case, said.text(case, "mail", name, language), language))
        # What only some orders have, and the postcode, which each country writes in its own place.
        some = [normalise(rendered.translated(language, words)) for words in ("Purchase order number", "How to pay")]
        expected = [each for each in sentences(told) if each not in some and "59800" not in each]
        assert len(expected) > 8
        assert [each for each in expected if each not in written] == []
        for value in ("maison lin sas", "bonjour@maison-lin.example", "fr31904217387", "claire martin"):
            assert value in told
            assert value in written


@pytest.mark.parametrize(("name", "number"), CHECKS)
def test_each_check_finds_its_words_missing(name: str, number: int, tmp_path: Path) -> None:
    """A mail or page that says nothing is found, in every language, where the rule says."""
    item = rulebook.rules()[name].checks[number]
    shop = good("FR")
    if "derived.durability" in item.get("when", {}):
        shop.patch({"catalogue.products[0].durability_guarantee_years": 5})
    kind = item["kind"].removeprefix("in_")
    case = case_of(shop, tmp_path)
    with mock.patch.object(said, "text", return_value="nothing at all"):
        (found, *others) = list(said.search(case, item, kind))
    assert found.ok is False
    assert found.languages == ("fr",)
    assert found.path == item["at"].replace("{market}", "FR")
    assert len(others) == (len(item["in_page"]) - 1 if isinstance(item.get("in_page"), list) else 0)


@pytest.mark.parametrize(("name", "number"), CHECKS)
def test_each_check_knows_every_language(name: str, number: int) -> None:
    has = rulebook.rules()[name].checks[number]["has"]
    jurisdiction = rulebook.rules()[name].jurisdiction
    assert "any" in has or set(LANGUAGES) <= set(has) or jurisdiction == "gb"


def test_the_sentences_of_python_are_those_of_the_shop() -> None:
    source = (SHOP / "mails" / "contract.py").read_text() + (SHOP / "orders" / "declarations.py").read_text()
    together = re.sub(r'"\s*\n\s*"', "", source)
    for forms in (
        rendered.WITHDRAWAL,
        rendered.WITHOUT_GOODS,
        rendered.ONLINE,
        rendered.GUARANTEE,
        rendered.COMPLAINTS,
        *rendered.DECLARATIONS.values(),
    ):
        for words in forms:
            assert f'"{words}"' in together


@pytest.mark.parametrize("language", LANGUAGES)
def test_words_are_looked_up_as_gettext_does(language: str) -> None:
    import gettext

    with (rendered.LOCALES / language / "shop.mo").open("rb") as file:
        catalogue = gettext.GNUTranslations(file)
    for words in ("Complaints", "Legal guarantee of conformity", "no such words at all"):
        assert rendered.translated(language, words) == catalogue.gettext(words)
    assert rendered.translated(language, *rendered.GUARANTEE) == catalogue.ngettext(*rendered.GUARANTEE, 5)


def test_what_the_spec_decides_is_decided(tmp_path: Path) -> None:
    shop = good("FR")
    with_right = said.text(case_of(shop, tmp_path), "mail", "order-confirmation", "fr")
    assert "droit de rétractation" in with_right
    assert "{seller.phone}" in with_right
    shop.resolved["markets.FR.withdrawal"] = None
    shop.patch({"support.phone": None, "seller.phone": None})
    without = said.text(case_of(shop, tmp_path), "mail", "order-confirmation", "fr")
    assert "vous rétracter" not in without
    assert "{seller.phone}" not in without


def test_the_notice_on_guarantees_has_its_day(tmp_path: Path) -> None:
    shop = good("ES")
    shop.day = "2026-09-26"
    assert "garantía legal de conformidad" not in said.text(case_of(shop, tmp_path), "page", "product", "es")
    shop.day = "2026-09-27"
    page = said.text(case_of(shop, tmp_path), "page", "product", "es")
    assert "garantía legal de conformidad" in page
    assert "en {guarantee.country} son {guarantee.years} años" in page


def test_declarations_are_asked_where_a_product_rests_on_them(tmp_path: Path) -> None:
    shop = good("DE")
    assert "ausdrücklich" not in said.text(case_of(shop, tmp_path), "page", "review", "de")
    shop.patch({"catalogue.products[0].kind": "digital_content", "catalogue.products[0].withdrawal_exception": "m"})
    case = case_of(shop, tmp_path)
    for text in (said.text(case, "page", "review", "de"), said.text(case, "mail", "order-confirmation", "de")):
        assert "ich stimme ausdrücklich zu" in text


def test_the_reviewer_reads_the_words_with_their_values(tmp_path: Path) -> None:
    spec = good("FR").load(tmp_path)
    _, reviewed, _ = judge(spec, Options(day="2026-11-22", review=True))
    proofs = [f.message for f in reviewed if f.root == "eu-durable-confirmation"]
    assert any(
        "hello@linen.example" in proof and proof.startswith("mail `order-confirmation`, fr: ") for proof in proofs
    )
    assert not any("{" in proof for proof in proofs)


def test_kept_texts_are_made_again_when_a_template_changes(tmp_path: Path) -> None:
    case = case_of(good("FR"), tmp_path)
    said._texts.cache_clear()
    first = said.text(case, "mail", "order-confirmation", "fr")
    said._texts.cache_clear()
    with mock.patch.object(rendered, "text", side_effect=AssertionError("read from what was kept")):
        assert said.text(case, "mail", "order-confirmation", "fr") == first
    said._texts.cache_clear()
    with (
        mock.patch.object(said, "_time", return_value=1),
        mock.patch.object(rendered, "text", return_value="made again") as made,
    ):
        assert said.text(case, "mail", "order-confirmation", "fr") == "made again"
        assert made.called
    said._texts.cache_clear()
