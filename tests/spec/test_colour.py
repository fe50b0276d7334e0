"""Derived colours hold their contrast for any brand."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkoutgen.spec.colour import contrast, theme

GRID = [f"#{r:02x}{g:02x}{b:02x}" for r in range(0, 256, 17) for g in range(0, 256, 17) for b in range(0, 256, 17)]


def holds(brand: str) -> None:
    for mode, tokens in theme(brand).items():
        assert all(re.fullmatch("#[0-9a-f]{6}", colour) for colour in tokens.values())
        assert tokens["accent"] == brand
        assert contrast(tokens["accent"], tokens["on_accent"]) >= 4.5, (brand, mode)
        assert contrast(tokens["accent_hover"], tokens["on_accent"]) >= 4.5, (brand, mode)
        for ground in ("paper", "panel"):
            assert contrast(tokens["edge"], tokens[ground]) >= 3, (brand, mode, ground)
        for ground in ("paper", "panel", "tint"):
            assert contrast(tokens["link"], tokens[ground]) >= 4.5, (brand, mode, ground)
            assert contrast(tokens["ink"], tokens[ground]) >= 7, (brand, mode, ground)


def test_4096_colours_hold_their_contrast() -> None:
    assert len(GRID) == 4096
    for brand in GRID:
        holds(brand)


@given(st.integers(0, 0xFFFFFF))
def test_any_colour_holds_its_contrast(number: int) -> None:
    holds(f"#{number:06x}")


@pytest.mark.parametrize(
    ("one", "other", "ratio"), [("#000000", "#ffffff", 21), ("#777777", "#ffffff", 4.48), ("#123456", "#123456", 1)]
)
def test_contrast_is_that_of_wcag(one: str, other: str, ratio: float) -> None:
    assert contrast(one, other) == pytest.approx(ratio, abs=0.005)
    assert contrast(one, other) == contrast(other, one)


def test_hover_differs_from_the_fill_for_nearly_every_colour() -> None:
    same = [brand for brand in GRID[::16] if theme(brand)["light"]["accent_hover"] == brand]
    assert len(same) <= len(GRID[::16]) // 50
