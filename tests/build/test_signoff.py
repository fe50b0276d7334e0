"""What a shop promises, on a sheet with a digest, and a build that stops until it is signed."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from checkoutgen.build import signoff
from checkoutgen.build.meaning import differences
from checkoutgen.build.render import settings
from checkoutgen.build.signoff import UnsignedError, promised, require, sheet
from checkoutgen.errors import UsageError
from checkoutgen.spec import Spec, load
from tests.hostile.fields import PICTURE, whole
from tests.spec.conftest import written

Make = Callable[..., Spec]
ROOT = Path(__file__).parents[2]


def sign(spec: Spec, line: str | None = None) -> None:
    signoff.signatures(spec).write_text(line or f"# reviewed\n\n{promised(spec.data)} 2026-11-22 Claire Martin\n")


def test_a_build_needs_a_signature_of_exactly_this(make_spec: Make) -> None:
    with pytest.raises(UnsignedError, match="nobody signed"):
        require(make_spec())
    sign(make_spec())
    require(make_spec())


@pytest.mark.parametrize(
    "edit",
    [
        lambda s: s["legal"]["pages"].update(terms="# Autres\n"),
        lambda s: s["seller"].update(legal_name="X"),
        lambda s: s["catalogue"]["products"][0].update(price="6.00"),
        lambda s: s["delivery"]["methods"][0].update(days=[4, 9]),
        lambda s: s["markets"].pop("BE"),
        lambda s: s["payment"]["methods"][0].update(mode="fields"),
    ],
)
def test_a_changed_promise_needs_a_new_one(edit: Callable[[dict[str, Any]], object], make_spec: Make) -> None:
    sign(make_spec())
    with pytest.raises(UnsignedError):
        require(make_spec(edit))


@pytest.mark.parametrize(
    "edit",
    [
        lambda s: s["catalogue"]["products"][0].update(stock=99),
        lambda s: s["shop"].update(theme={"brand": "#123456"}),
        lambda s: s["catalogue"]["products"][0].update(pictures=[]),
    ],
)
def test_stock_and_colours_are_no_promise(edit: Callable[[dict[str, Any]], object], make_spec: Make) -> None:
    sign(make_spec())
    require(make_spec(edit))


def _changed(value: Any) -> Iterator[Any]:
    """The value with one of the texts, numbers or truths in it changed, for each of them."""
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            for other in _changed(value[key]):
                copied = copy.copy(value)
                copied[key] = other
                yield copied
    elif value is not None:
        yield (not value) if isinstance(value, bool) else value + (1 if isinstance(value, int) else "x")


def test_whatever_a_plan_calls_a_legal_change_needs_a_new_one(tmp_path: Path) -> None:
    (tmp_path / "picture.svg").write_text(PICTURE)
    data = load(tmp_path / "spec.yaml", text=written(whole())).data
    legal = {"": 0, "catalogue.products": 0}
    for changed in _changed(data):
        for place, before, after in (
            ("", settings(data), settings(changed)),
            ("catalogue.products", data["catalogue"]["products"], changed["catalogue"]["products"]),
        ):
            found = [meaning for meaning in differences(place, before, after) if meaning.legal]
            legal[place] += bool(found)
            assert not found or promised(changed) != promised(data), found
    assert legal[""] > 100
    assert legal["catalogue.products"] > 5


def test_a_line_that_is_no_signature_is_named(make_spec: Make) -> None:
    sign(make_spec(), "yes, all fine\n")
    with pytest.raises(UsageError, match=r"shop\.signoff.*:1: not a signature"):
        require(make_spec())


@pytest.mark.parametrize("example", ["b2c", "b2b", "minimal"])
def test_the_sheet_says_it_in_sentences(example: str) -> None:
    spec = load(ROOT / f"examples/{example}.yaml")
    lines = sheet(spec)
    assert lines[-1] == f"Digest: {promised(spec.data)}"
    text = "\n".join(lines)
    assert spec.data["seller"]["legal_name"] in text
    assert "None" not in text
    assert "{" not in text


def test_the_sheet_promises_to_consumers_what_businesses_do_not_get(make_spec: Make) -> None:
    consumers = "\n".join(sheet(make_spec()))
    assert "Consumers may withdraw within 14 days." in consumers
    assert "Goods are guaranteed to consumers by law for 2 years." in consumers
    businesses = "\n".join(sheet(make_spec(lambda source: source.update(audience="b2b"))))
    assert "withdraw" not in businesses.partition("Texts, version")[0]
    assert "guaranteed" not in businesses


def test_the_sheet_tells_every_price_of_delivery_and_payment(make_spec: Make) -> None:
    def edit(source: dict[str, Any]) -> None:
        source["delivery"]["methods"][0] |= {
            "free_from": "90",
            "rates": [
                {"markets": ["BE"], "price": "7.90", "free_from": "120"},
                {"markets": ["FR"], "from_weight": 20_000, "price": "39", "days": [4, 6]},
            ],
        }
        source["payment"]["methods"][0]["fee"] = "0.50"

    said = sheet(make_spec(edit))
    home = next(number for number, line in enumerate(said) if line.endswith("4.90 EUR, free from 90.00 EUR"))
    assert said[home].endswith(": 2 to 3 working days, 4.90 EUR, free from 90.00 EUR")
    assert said[home + 1] == "        to BE: 2 to 3 working days, 7.90 EUR, free from 120.00 EUR"
    assert said[home + 2] == "        to FR from 20000 g: 4 to 6 working days, 39.00 EUR"
    assert any(line.startswith("Payment: ") and line.endswith(" (for 0.50 EUR).") for line in said)
