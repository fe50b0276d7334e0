"""A plan in the words of a reviewer, as text, JSON and Markdown."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from checkoutgen.build import report
from checkoutgen.build.meaning import CATALOGUE, Meaning, meanings
from checkoutgen.build.plan import plan
from checkoutgen.spec import Spec
from tests.build.conftest import Edit, build

Make = Callable[..., Spec]


@pytest.fixture
def change(make_spec: Make, out: Path) -> Callable[[Edit], Any]:
    """change(edit) -> the plan of what `edit` does to a shop that was built before."""

    def of(edit: Edit) -> Any:
        build(make_spec(), out)
        return plan(make_spec(edit), out)

    return of


def only(found: list[Meaning]) -> Meaning:
    assert len(found) == 1, found
    return found[0]


def product(source: dict[str, Any], number: int) -> dict[str, Any]:
    chosen: dict[str, Any] = source["catalogue"]["products"][number]
    return chosen


def test_a_first_build_means_nothing_and_neither_does_the_same_spec(make_spec: Make, out: Path) -> None:
    assert meanings(plan(make_spec(), out)) == []
    build(make_spec(), out)
    assert meanings(plan(make_spec(), out)) == []


def test_a_price(change: Callable[[Edit], Any]) -> None:
    planned = change(lambda source: product(source, 1).update(price="13.50"))
    found = meanings(planned)
    assert {(meaning.kind, meaning.legal, meaning.breaking) for meaning in found} == {("price", False, False)}
    assert {(meaning.before, meaning.after) for meaning in found} == {(1200, 1350)}
    assert any("12.00 EUR → 13.50 EUR" in line for line in report.text(planned))


@pytest.mark.parametrize(
    ("edit", "kind", "path", "legal", "breaking"),
    [
        (lambda s: s["shop"].update(tagline="Du chanvre"), "text", "shop.tagline", False, False),
        (lambda s: product(s, 1).update(tax="reduced"), "product", "catalogue.products[serviette].tax", True, False),
        (lambda s: s["seller"].update(legal_name="X"), "legal", "seller.legal_name", True, False),
        (lambda s: s["legal"]["pages"].update(terms="# Autres\n"), "legal", "legal.pages.terms.", True, False),
        (lambda s: s["delivery"].update(cut_off="15:30"), "method", "delivery.cut_off", True, False),
        (
            lambda s: s["delivery"]["methods"][0].update(days=[4, 9]),
            "method",
            "delivery.methods[home].days",
            True,
            False,
        ),
        (lambda s: s["payment"]["methods"][0].update(fee="1"), "price", "payment.methods[card].fee", True, False),
        (lambda s: s.update(checkout={"layout": "one-page"}), "step", "checkout.layout", False, False),
        (lambda s: s["markets"].pop("BE"), "market", "markets.BE", False, True),
        (lambda s: s["catalogue"]["products"].pop(0), "product", "catalogue.products[drap]", False, True),
        (lambda s: s["payment"]["methods"][0].update(id="carte"), "method", "payment.methods[card]", False, True),
    ],
)
def test_what_kind_of_change_it_is(
    edit: Edit, kind: str, path: str, legal: bool, breaking: bool, change: Callable[[Edit], Any]
) -> None:
    found = [meaning for meaning in meanings(change(edit)) if meaning.path.startswith(path)]
    assert found
    assert {(meaning.kind, meaning.legal, meaning.breaking) for meaning in found} == {(kind, legal, breaking)}


def test_a_new_feature_brings_its_tables(make_spec: Make, out: Path) -> None:
    def businesses(source: dict[str, Any]) -> None:
        source["audience"] = "b2b"

    build(make_spec(businesses), out)
    tables = [meaning for meaning in meanings(plan(make_spec(), out)) if meaning.kind == "database"]
    assert "returns.0001_initial" in [meaning.path for meaning in tables]
    assert all(meaning.before is None and not meaning.breaking for meaning in tables)
    build(make_spec(), out)
    gone = [meaning for meaning in meanings(plan(make_spec(businesses), out)) if meaning.kind == "database"]
    assert all(meaning.breaking for meaning in gone)


def test_another_order_of_categories_is_a_change(change: Callable[[Edit], Any]) -> None:
    def swap(source: dict[str, Any]) -> None:
        categories = source["catalogue"]["categories"]
        categories["sheets"] = categories.pop("sheets")

    meaning = only([meaning for meaning in meanings(change(swap)) if meaning.path == "catalogue.categories"])
    assert (meaning.before, meaning.after) == (["sheets", "bath"], ["bath", "sheets"])


def test_json_tells_legal_breaking_and_conflict_apart(make_spec: Make, out: Path) -> None:
    build(make_spec(), out)

    def flags(edit: Edit) -> tuple[bool, bool, bool]:
        content = json.loads(report.as_json(plan(make_spec(edit), out)))
        assert content["format"] == 1
        return content["legal_change"], content["breaking_change"], content["conflict"]

    assert flags(lambda s: s["shop"].update(tagline="Du chanvre")) == (False, False, False)
    assert flags(lambda s: s["seller"].update(legal_name="X")) == (True, False, False)
    assert flags(lambda s: s["markets"].pop("BE"))[1:] == (True, False)
    path = out / "config/shop.json"
    path.write_text(path.read_text().replace("Petit Lin", "Mon Lin"))
    assert flags(lambda s: s["shop"].update(name="Grand Lin"))[2]


@pytest.mark.parametrize(
    "hostile", ["a | b\nc", "`code` ``more``", "<script>", "@everyone [x](javascript:1)", "\x1b[2J"]
)
def test_nothing_in_a_value_acts_in_markdown(hostile: str, make_spec: Make, out: Path) -> None:
    build(make_spec(), out)
    planned = plan(make_spec(), out)
    shop = json.loads(planned.rendered["config/shop.json"].content)
    shop["shop"]["name"] = hostile
    file = planned.rendered["config/shop.json"]._replace(content=json.dumps(shop).encode())
    row = only_row(report.markdown(planned._replace(rendered={**planned.rendered, "config/shop.json": file})))
    cell = row.split(" | ")[-1].removesuffix(" |")
    fence = cell[: len(cell) - len(cell.lstrip("`"))]
    assert fence
    assert cell.endswith(fence)
    assert fence not in cell[len(fence) : -len(fence)]
    assert row.replace("\\|", "").count("|") == 5
    assert row.isprintable()


def only_row(text: str) -> str:
    rows = [line for line in text.splitlines() if "`shop.name`" in line]
    assert len(rows) == 1
    return rows[0]


def test_markdown_fits_into_a_comment_and_tells_the_weighty_first(make_spec: Make, out: Path) -> None:
    def many(price: str) -> Edit:
        def edit(source: dict[str, Any]) -> None:
            source["catalogue"]["products"] += [
                {"id": f"p{number}", "title": "Serviette", "price": price} for number in range(900)
            ]

        return edit

    def dearer(source: dict[str, Any]) -> None:
        many("13")(source)
        source["seller"]["legal_name"] = "X"
        source["catalogue"]["products"].pop(0)

    build(make_spec(many("12")), out)
    planned = plan(make_spec(dearer), out)
    said = report.markdown(planned)
    assert len(said) < 65_536
    rows = [line for line in said.splitlines() if line.startswith("| ") and "`" in line]
    assert "`seller.legal_name`" in rows[0]
    assert "`catalogue.products[drap]`" in rows[1]
    more = next(line for line in said.splitlines() if line.startswith("and "))
    assert more == f"and {len(meanings(planned)) - len(rows):,} more, which `checkoutgen plan` lists"
    assert f"- update `{CATALOGUE}`" in said
    assert len(json.loads(report.as_json(planned))["meaning"]) > 900
