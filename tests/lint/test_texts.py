"""Phrase search forgives what a lawyer would forgive, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkoutgen.lint.checks import _without_amount
from checkoutgen.lint.texts import GAP, REACH, Page, every, excerpt, find, normalise
from checkoutgen.spec import standard


@pytest.mark.parametrize(
    ("text", "phrase", "said"),
    [
        ("Vous avez 14 jours.", "14 jours", True),
        ("Vous avez **14\n jours**.", "14 jours", True),
        ("L’acheteur paie", "l'acheteur", True),
        ("Within FOURTEEN days", "14 days | fourteen days", True),
        ("The risk, as ever, passes to you", "risk * passes", True),
        ("The risk " + "x" * (GAP + 1) + " passes", "risk * passes", False),
        ("passes the risk", "risk * passes", False),
        ("", "14 days", False),
    ],
)
def test_find(text: str, phrase: str, said: bool) -> None:
    assert (find(normalise(text), phrase) is not None) == said


@given(st.text(max_size=60), st.text(alphabet="abcß éÉ'’", min_size=1, max_size=10), st.text(max_size=60))
def test_what_is_written_is_found(before: str, words: str, after: str) -> None:
    plain = normalise(f"{before} {words} {after}")
    if normalise(words):
        assert find(plain, words) is not None


@given(st.text(max_size=200))
def test_normalising_twice_changes_nothing(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


LONG = "lorem ipsum " * ((2 * REACH + GAP) // 6)
PIECES = [
    "risk",
    "passes",
    "a",
    "é",
    "*",
    "`",
    " ",
    "\n",
    "\n\n",
    "# ",
    "\u0301",
    "x" * GAP,
    LONG,
    LONG + "risk",
    "passes" + LONG,
]
NAMES = ["{seller.legal_name}", "{seller.email}", "{seller.phone}"]
VALUES = st.lists(st.sampled_from([*PIECES[:11], "# risk", "%s", "{seller.email}", ""]), max_size=3).map("".join)


@given(
    text=st.lists(st.sampled_from([*PIECES, *NAMES]), max_size=25).map("".join),
    values=st.tuples(VALUES, VALUES, VALUES),
    phrase=st.sampled_from(
        ["risk", "risk passes", "risk * passes", "passes*risk | é", "a é", "\u00e9", "ipsum risk", "passes lorem",
         "x*a", "risk * lorem * passes", "x" * GAP, LONG, f"{LONG} risk", "", "a | risk a"]
    ),
)  # fmt: skip
def test_a_page_says_what_can_be_found_in_it(text: str, values: tuple[str, ...], phrase: str) -> None:
    seller = dict(zip(("legal_name", "email", "phone"), values, strict=True))
    filled = standard.filler({"seller": seller})(text, "en")
    page = Page(filled)
    assert filled.text == "\n".join(filled.pieces)
    assert page.plain == normalise(filled.text)
    assert page.says(phrase) == (find(page.plain, phrase) is not None)
    assert page.is_written == bool(page.plain)


def test_every_place_is_given() -> None:
    assert len(list(every("a b a c a", "a"))) == 3


def test_excerpts_are_short_cut_between_words_and_mark_what_was_found() -> None:
    text = (
        "## the seller " + "delivers everything quickly " * 20 + "at the risk of the buyer " + "or another person " * 20
    )
    start = text.index("risk")
    told = excerpt(text, (start, start + 4))
    assert (
        told
        == "… quickly delivers everything quickly at the **risk** of the buyer or another person or another person …"
    )
    assert excerpt("# a > b", (2, 3)) == "**a** b"


@pytest.mark.parametrize(
    ("label", "words"),
    [
        ("pay now", "pay now"),
        ("pay now €49.90", "pay now"),
        ("payer ma commande (49,90 €)", "payer ma commande"),
        ("köp 499 kr", "köp"),
        ("pay now - eur 49", "pay now"),
    ],
)
def test_an_amount_may_follow_the_words_on_the_button(label: str, words: str) -> None:
    assert _without_amount(label) == words
