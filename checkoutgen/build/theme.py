"""Colours of the pages from one brand colour, each pair readable (WCAG 2.2 1.4.3 and 1.4.11).

Lightness is moved in OKLCH (https://bottosson.github.io/posts/oklab/), so that the hue stays the brand's.
"""

from __future__ import annotations

import math

Triple = tuple[float, float, float]

PAPER = {"light": ("#ffffff", "#f6f6f7", "#16181d"), "dark": ("#121417", "#1b1e23", "#f2f3f5")}


def tokens(brand: str) -> dict[str, dict[str, str]]:
    """`#rrggbb` -> {"light" | "dark": {token: "#rrggbb"}}. The brand colour itself is never altered as a fill."""
    brand = _hex(_rgb(brand))
    _, chroma, hue = _oklch(brand)
    label = "#ffffff" if contrast(brand, "#ffffff") >= 4.5 else "#000000"  # one of the two reaches 4.58 on every colour
    result = {}
    for mode, (paper, panel, ink) in PAPER.items():
        light = mode == "light"
        away = -1 if light else 1
        tint = _from_oklch(0.965 if light else 0.27, min(chroma, 0.02 if light else 0.035), hue)
        result[mode] = {
            "paper": paper,
            "panel": panel,
            "ink": ink,
            "accent": brand,
            "on_accent": label,
            "accent_hover": _hover(brand, label),
            "edge": _shifted(brand, (paper, panel), 3.0, away),
            "link": _shifted(brand, (paper, panel, tint), 4.5, away),
            "tint": tint,
        }
    return result


def contrast(one: str, other: str) -> float:
    """The contrast ratio of WCAG 2.2, 1 to 21."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _hover(fill: str, label: str) -> str:
    """The fill moved away from its label, or the other way where there is no room."""
    lightness, chroma, hue = _oklch(fill)
    away = -1 if label == "#ffffff" else 1
    for step in (0.06, 0.045, 0.03, -0.03, -0.045, -0.06):
        colour = _from_oklch(lightness + away * step, chroma, hue)
        if colour != fill and contrast(colour, label) >= 4.5:
            return colour
    return fill


def _shifted(colour: str, backgrounds: tuple[str, ...], needed: float, direction: int) -> str:
    lightness, chroma, hue = _oklch(colour)
    while min(contrast(colour, background) for background in backgrounds) < needed and 0 <= lightness <= 1:
        lightness += direction * 0.004
        colour = _from_oklch(lightness, chroma, hue)
    return colour


def _rgb(colour: str) -> Triple:
    digits = colour.lstrip("#")
    if len(digits) == 3:
        digits = "".join(digit * 2 for digit in digits)
    return int(digits[0:2], 16) / 255, int(digits[2:4], 16) / 255, int(digits[4:6], 16) / 255


def _hex(colour: Triple) -> str:
    return "#" + "".join(f"{round(max(0, min(1, part)) * 255):02x}" for part in colour)


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)


def _gamma(part: float) -> float:
    return 12.92 * part if part <= 0.0031308 else float(1.055 * part ** (1 / 2.4) - 0.055)


def _luminance(colour: str) -> float:
    red, green, blue = map(_linear, _rgb(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _oklch(colour: str) -> Triple:
    red, green, blue = map(_linear, _rgb(colour))
    long = (0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue) ** (1 / 3)
    medium = (0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue) ** (1 / 3)
    short = (0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue) ** (1 / 3)
    lightness = 0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * short
    a = 1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short
    b = 0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short
    return lightness, math.hypot(a, b), math.atan2(b, a)


def _from_oklch(lightness: float, chroma: float, hue: float) -> str:
    """The nearest colour that a screen shows: chroma falls until red, green and blue are in range."""
    lightness = max(0.0, min(1.0, lightness))
    for _ in range(60):
        colour = _unclipped(lightness, chroma, hue)
        if all(-1e-4 <= part <= 1.0001 for part in colour):
            break
        chroma *= 0.93
    return _hex((_gamma(max(0.0, colour[0])), _gamma(max(0.0, colour[1])), _gamma(max(0.0, colour[2]))))


def _unclipped(lightness: float, chroma: float, hue: float) -> Triple:
    a, b = chroma * math.cos(hue), chroma * math.sin(hue)
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    )
