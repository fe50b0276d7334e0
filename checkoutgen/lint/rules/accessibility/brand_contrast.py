"""Contrast of the brand colour with white: WCAG's relative luminance, https://www.w3.org/TR/WCAG22/#dfn-relative-luminance."""

from collections.abc import Iterator

from checkoutgen.lint.case import Case, Outcome

ENOUGH = 3.0  # for large text, fields and icons: WCAG 1.4.3 and 1.4.11


def luminance(colour: str) -> float:
    """Of a colour like ``#7a4b2e``, 0 to 1."""
    digits = colour.lstrip("#")
    digits = digits if len(digits) == 6 else "".join(digit * 2 for digit in digits[:3])
    channels = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def check(case: Case) -> Iterator[Outcome]:
    brand = case.get("shop.theme.brand")
    if not isinstance(brand, str) or not case.given("shop.theme.brand"):
        return
    contrast = 1.05 / (luminance(brand) + 0.05)
    if contrast < ENOUGH:
        yield Outcome(
            False,
            "shop.theme.brand",
            f"{brand} has a contrast of {contrast:.1f}:1 with white; for text and lines the shop takes a darker shade",
        )
