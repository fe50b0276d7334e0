"""The mails as written: the compiler takes any tag and attribute without a word, so they are checked here."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from checkoutgen.build import mails

COMMON = {"padding", "align", "css-class", "mj-class"}
# https://documentation.mjml.io/: what each component knows, of what we use.
ATTRIBUTES: dict[str, set[str]] = {
    "mjml": {"lang", "dir"},
    "mj-head": set(),
    "mj-title": set(),
    "mj-preview": set(),
    "mj-attributes": set(),
    "mj-style": set(),
    "mj-raw": set(),
    "mj-all": {"font-family"},
    "mj-class": {"name", "font-size", "line-height", "color"},
    "mj-body": {"width", "background-color", "css-class"},
    "mj-wrapper": {"background-color", "border-radius", "css-class", "padding"},
    "mj-section": {"padding", "background-color", "css-class"},
    "mj-column": {"padding"},
    "mj-text": COMMON | {"font-size", "font-weight", "line-height", "color"},
    "mj-table": COMMON | {"font-size", "line-height", "color"},
    "mj-image": COMMON | {"src", "alt", "width", "height", "href"},
    "mj-divider": COMMON | {"border-width", "border-color"},
    "mj-button": COMMON
    | {"href", "background-color", "color", "border", "border-radius", "inner-padding"}
    | {"font-size", "font-weight", "line-height"},
}
PARENTS = {
    "mj-section": {"mj-body", "mj-wrapper"},
    "mj-wrapper": {"mj-body"},
    "mj-column": {"mj-section"},
    **{tag: {"mj-column"} for tag in ("mj-text", "mj-table", "mj-button", "mj-image", "mj-divider")},
}
DJANGO = re.compile(r"{%.*?%}|{{.*?}}", re.S)


def tree(name: str) -> ET.Element:
    """The mail with its parts, Django's tags taken out of the way."""
    source = mails._with_parts((mails.MAILS / name / "mail.mjml").read_text("utf-8"))
    # mj-raw holds HTML, which need not be XML.
    source = re.sub(r"<mj-raw>.*?</mj-raw>", "<mj-raw/>", DJANGO.sub("x", source), flags=re.S)
    return ET.fromstring(source)


@pytest.mark.parametrize("name", mails.names())
def test_components_and_attributes_exist(name: str) -> None:
    root = tree(name)
    parents = {child: parent for parent in root.iter() for child in parent}
    for element in root.iter():
        if not element.tag.startswith("mj"):
            continue
        assert element.tag in ATTRIBUTES, element.tag
        if parents.get(element) is not None and parents[element].tag != "mj-attributes":
            assert parents[element].tag in PARENTS.get(element.tag, {parents[element].tag}), element.tag
        assert set(element.attrib) <= ATTRIBUTES[element.tag], (element.tag, element.attrib)


@pytest.mark.parametrize("name", mails.names())
def test_tags_inside_tables_are_wrapped(name: str) -> None:
    """A bare {% for %} between rows is moved out of the table by every HTML parser, and the rows with it."""
    source = mails._with_parts((mails.MAILS / name / "mail.mjml").read_text("utf-8"))
    for table in re.findall(r"<mj-table(?![^>]*/>)[^>]*>(.*?)</mj-table>", source, re.S):
        between = re.sub(r"<!--.*?-->|<tr\b.*?</tr>", "", table, flags=re.S)
        assert not between.strip(), between


@pytest.mark.parametrize("name", mails.names())
def test_every_mail_is_whole(name: str) -> None:
    folder = mails.MAILS / name
    for file in ("subject.txt", "body.txt", "sample.json"):
        assert (folder / file).read_text("utf-8").strip(), file
    sample = json.loads((folder / "sample.json").read_text("utf-8"))
    assert "context" in sample


@pytest.mark.parametrize("name", mails.names())
def test_compiled_mail_loads_nothing_from_elsewhere(name: str) -> None:
    html = mails.body(name)
    assert "<mj-" not in html
    assert "@import" not in html
    assert "target=" not in html
    assert not re.search(r'(?:src|background)="https?:', html)
    assert '<html lang="{{ language }}" dir="{{ direction }}"' in html


def test_mails_are_those_of_the_schema() -> None:
    schema = Path(mails.__file__).parent.parent / "schema" / "checkout.schema.json"
    known = re.search(r'"enum": \[\s*"order-confirmation".*?\]', schema.read_text("utf-8"), re.S)
    assert known is not None
    assert set(re.findall(r'"([a-z-]+)"', known[0])) - {"enum"} == set(mails.names())
