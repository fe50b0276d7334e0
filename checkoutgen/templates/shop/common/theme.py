"""The style of a page as one constant string: colours from the specification's brand, then sheets of static/css."""

import re
from functools import cache
from pathlib import Path

from django.contrib.staticfiles import finders
from django.utils.safestring import SafeString, mark_safe

from config.shop import SHOP

FONTS = {  # stacks of fonts that devices have; nothing is downloaded
    "system": 'system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif',
    "humanist": 'Seravek,"Gill Sans Nova",Ubuntu,Calibri,"DejaVu Sans",source-sans-pro,sans-serif',
    "serif": 'Charter,"Bitstream Charter","Sitka Text",Cambria,"Noto Serif",serif',
    "rounded": 'ui-rounded,"Hiragino Maru Gothic ProN",Quicksand,Comfortaa,Manjari,"Arial Rounded MT Bold",sans-serif',
    "mono": 'ui-monospace,"Cascadia Code","Source Code Pro",Menlo,Consolas,"DejaVu Sans Mono",monospace',
}
_COLOUR = re.compile(r"#[0-9a-f]{6}\Z")
_NAMES = {
    "paper": "paper",
    "panel": "panel",
    "ink": "ink",
    "accent": "accent",
    "on_accent": "on",
    "accent_hover": "accent-h",
    "edge": "edge",
    "link": "link",
    "tint": "tint",
}
# Greys and signal colours do not follow the brand: their contrast on paper and panel is measured once and for all.
_FIXED = {
    "light": "--ink2:#5a5f69;--line:#dfe1e6;--edge-f:#85898f;--err:#b3141d;--err-t:#fdf1f1;--ok:#0b6b3a;--ok-t:#eef8f1",
    "dark": "--ink2:#a9aeb8;--line:#30343c;--edge-f:#6b717c;--err:#ff8a85;--err-t:#33191b;--ok:#5fd39a;--ok-t:#14281d",
}


def _mode(mode: str) -> str:
    tokens = SHOP["shop"]["theme"]["tokens"][mode]
    colours = [f"--{name}:{tokens[key]}" for key, name in _NAMES.items() if _COLOUR.match(tokens[key])]
    return ";".join([*colours, _FIXED[mode]])


def tokens() -> str:
    theme = SHOP["shop"]["theme"]
    mode, radius, font = theme.get("mode", "auto"), float(theme.get("radius", 0.5)), theme.get("font", "system")
    base = f"--r:{radius:g}rem;--font:{FONTS[font]}"
    if mode != "auto":
        return f":root{{color-scheme:{mode};{base};{_mode(mode)}}}"
    return (
        f":root{{color-scheme:light dark;{base};{_mode('light')}}}"
        f"@media(prefers-color-scheme:dark){{:root{{{_mode('dark')}}}}}"
    )


def minify(css: str) -> str:
    css = re.sub(r"/\*.*?\*/", "", css, flags=re.S)
    css = re.sub(r"\s+", " ", css)
    return re.sub(r" ?([{};,]) ?", r"\1", css).replace(": ", ":").replace(";}", "}").strip()


@cache
def style(*sheets: str) -> SafeString:
    """The content of a page's <style>. custom/static/css/custom.css of the agency comes last when it exists."""
    css = [tokens()]
    for sheet in (*sheets, "custom"):
        path = finders.find(f"css/{sheet}.css")
        if path:
            css.append(minify(Path(path).read_text(encoding="utf-8")))
    return mark_safe("".join(css))  # noqa: S308  our own sheets; the tokens are matched against #rrggbb
