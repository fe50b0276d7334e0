"""Colours for a whole shop from one brand colour, each with enough contrast for its use (WCAG 2.2).

Lightness moves in OKLCH, so hue and strength stay those of the brand (https://bottosson.github.io/posts/oklab/).
"""

from __future__ import annotations

import math
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

TEXT = 4.5  # WCAG 1.4.3, text
EDGE = 3.0  # WCAG 1.4.11, borders and controls

Tokens = dict[str, str]


class _Ground(NamedTuple):
    paper: str
    panel: str
    ink: str
    away: int  # which way lightness moves to gain contrast: -1 darker, 1 lighter
    tint_lightness: float
    tint_chroma: float


_GROUNDS = {
    "light": _Ground("#ffffff", "#f6f6f7", "#16181d", -1, 0.965, 0.02),
    "dark": _Ground("#121417", "#1b1e23", "#f2f3f5", 1, 0.27, 0.035),
}


def theme(brand: str) -> dict[str, Tokens]:
    """Tokens of the light and the dark mode: paper, panel, ink, accent, on_accent, accent_hover, edge, link, tint.

    The accent is the brand colour itself in both modes; only what surrounds it changes.
    """
    return {mode: dict(_mode(brand.lower(), ground)) for mode, ground in _GROUNDS.items()}


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours, 1 to 21 (WCAG 2.2)."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@lru_cache(maxsize=256)
def _mode(brand: str, ground: _Ground) -> Tokens:
    _, chroma, hue = _to_oklch(brand)
    label = "#ffffff" if contrast(brand, "#ffffff") >= TEXT else "#000000"  # one of the two always reaches 4.58
    tint = _from_oklch(ground.tint_lightness, min(chroma, ground.tint_chroma), hue)
    return {
        "paper": ground.paper,
        "panel": ground.panel,
        "ink": ground.ink,
        "accent": brand,
        "on_accent": label,
        "accent_hover": _hover(brand, label),
        "edge": _shift(brand, (ground.paper, ground.panel), EDGE, ground.away),
        "link": _shift(brand, (ground.paper, ground.panel, tint), TEXT, ground.away),
        "tint": tint,
    }


def _hover(fill: str, label: str) -> str:
    """The fill a little further from its label's colour, or towards it where there is no room."""
    lightness, chroma, hue = _to_oklch(fill)
    away = -1 if label == "#ffffff" else 1
    for change in (0.06, 0.045, 0.03, -0.03, -0.045, -0.06):
        colour = _from_oklch(lightness + away * change, chroma, hue)
        if colour != fill and contrast(colour, label) >= TEXT:
            return colour
    return fill


def _shift(colour: str, grounds: tuple[str, ...], needed: float, away: int) -> str:
    lightness, chroma, hue = _to_oklch(colour)
    nearest = (min if away < 0 else max)(grounds, key=_luminance)  # enough against this one is enough against all
    while contrast(colour, nearest) < needed and 0 <= lightness <= 1:
        lightness += away * 0.004
        colour = _from_oklch(lightness, chroma, hue)
    return colour


def _channels(colour: str) -> tuple[float, ...]:
    return tuple(_linear(int(colour[start:end], 16) / 255) for start, end in pairwise((1, 3, 5, 7)))


def _linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


def _encoded(value: float) -> float:
    return 12.92 * value if value <= 0.0031308 else 1.055 * value ** (1 / 2.4) - 0.055


def _luminance(colour: str) -> float:
    red, green, blue = _channels(colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _to_oklch(colour: str) -> tuple[float, float, float]:
    r, g, b = _channels(colour)
    long = (0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b) ** (1 / 3)
    medium = (0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b) ** (1 / 3)
    short = (0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b) ** (1 / 3)
    lightness = 0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * short
    a = 1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short
    b = 0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short
    return lightness, math.hypot(a, b), math.atan2(b, a)


def _from_oklch(lightness: float, chroma: float, hue: float) -> str:
    lightness = max(0.0, min(1.0, lightness))
    channels = _unbounded(lightness, chroma, hue)
    for _ in range(60):  # less and less chroma until the screen can show it
        if all(-1e-4 <= channel <= 1.0001 for channel in channels):
            break
        chroma *= 0.93
        channels = _unbounded(lightness, chroma, hue)
    return "#" + "".join(f"{round(_encoded(max(0.0, min(1.0, channel))) * 255):02x}" for channel in channels)


def _unbounded(lightness: float, chroma: float, hue: float) -> tuple[float, float, float]:
    a, b = chroma * math.cos(hue), chroma * math.sin(hue)
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    )
