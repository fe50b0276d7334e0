"""What is read without the YAML parser is what the parser reads, and no text is read so that the parser refuses."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checkoutgen.spec import events, ordinary, reader

ROOT = Path(__file__).parents[2]
WRITTEN = [
    *ROOT.glob("checkoutgen/presets/*.yaml"),
    *(ROOT / "examples").glob("*.yaml"),
    *(ROOT / "examples").glob("*/products.yaml"),
]
LIMITS = reader.MAX_BYTES, 500_000


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_presets_and_examples_are_ordinary(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    value = ordinary.read(text, *LIMITS)
    assert value is not ordinary.NOTHING
    assert_same(text, value)


def assert_same(text: str, value: object) -> None:
    document = events.read(text, "f", LIMITS[1])
    assert document.problems == []
    assert repr(document.value) == repr(value), "types and order of keys too"


# A grammar of lines that are ordinary, nearly so, or not at all: bytes alone hardly ever make a map.
PIECES = st.sampled_from(
    [
        *"a| |  |1|1.50|-1|+3|.5|no|true|null|~|12:30|0x1|1e3|2026-01-01|word word|l'eau|env:X|http://x.y".split("|"),
        *"""a:b|a : 1|a ?|é|x |""|''|"a b"|'it''s'|"\\n"|'|"|,|: |:|::|a: 1|- a|- - a|- a: 1|-|---|...""".split("|"),
        *"# c|#|x # c|x#c|[]|{}|[|]|{|}|[a, b]|[a,]|[a, [b, {c: 1}]]|{a: 1, b: [c, d e]}|{a: }|{a, b}".split("|"),
        *"""{a:b}|{a: b?, c: d}|[a: b]|{a: 1, a: 2}|[x ? y]|[x:y]|{k: "v", l: 'w'}|"a": 1|&a x|*a|!t x""".split("|"),
        *"!!int 3|a?b|? x|<<: x|<<|%|@x|`|>|>-|=".split("|"),
        *["\t", "\xa0", "x\xa0", "\r", "x\r\n  y", "|", "|-", "|+", "|2", "| x", "a: |", "- |"],
    ]
)  # fmt: skip
STARTS = st.sampled_from(
    ["", "", "- ", "-   ", "- k: ", "a: ", "b: ", "c:", "d-e: ", "1: ", "k: |\n   ", "k: |-\n      ", "# "]
)
LINES = st.tuples(
    st.sampled_from([0, 0, 2, 2, 4, 6, 1, 3]), STARTS, PIECES, st.sampled_from(["", "", " ", " # c", " x"])
)
TEXTS = st.tuples(st.lists(LINES, min_size=1, max_size=7), st.sampled_from(["", "\n", "\n\n", "\n  \n"])).map(
    lambda parts: "\n".join(f"{' ' * indent}{start}{piece}{end}" for indent, start, piece, end in parts[0]) + parts[1]
)


@settings(max_examples=2000)
@given(TEXTS)
def test_the_parser_reads_the_same(text: str) -> None:
    text = text.replace("\r\n", "\n").replace("\r", "\n")  # as the reader does
    value = ordinary.read(text, *LIMITS)
    if value is not ordinary.NOTHING:
        assert_same(text, value)


EXAMPLE = (ROOT / "examples" / "b2c.yaml").read_text(encoding="utf-8")


@settings(max_examples=500)
@given(st.integers(0, len(EXAMPLE)), st.integers(0, 12), PIECES, st.integers(100, 2000))
def test_the_parser_reads_the_same_of_a_damaged_example(at: int, cut: int, piece: str, length: int) -> None:
    start = EXAMPLE.rfind("\n", 0, max(0, at - length // 2)) + 1
    text = EXAMPLE[start:at] + piece.replace("\r", "") + EXAMPLE[at + cut : at + length]
    value = ordinary.read(text, *LIMITS)
    if value is not ordinary.NOTHING:
        assert_same(text, value)


@pytest.mark.parametrize(
    "text",
    [
        "a: 1\na: 2", "a: no", "a: ~", "a: 012", "a:\tb", "a: &x b", "a: *x", "a: !t b", '"a": 1', "a: [b, c]]",
        "a: 'b", "a: b\n  c", "a: b: c", "a: b:", "- - a", "a:\n  b: 1\n c: 2", "  a: 1", "a: |\n", "a: |\n  b",
        "a: |+\n  b\n", "---\na: 1", "a: {b: 1\n  }", "? a", "- a\nb: c", "a: -1", "", "# nothing", "x",
        "a: [" + "[" * 20 + "]" * 21,
    ],
)  # fmt: skip
def test_all_else_is_left_to_the_parser(text: str) -> None:
    assert ordinary.read(text, *LIMITS) is ordinary.NOTHING


def test_nothing_near_a_limit_is_read() -> None:
    assert ordinary.read("a: b\n" * 100, 200, 100) is ordinary.NOTHING, "values"
    assert ordinary.read(f"a: {'b' * 200}", 200, 100) is ordinary.NOTHING, "a long line"
    assert ordinary.read("a: |\n" + "  0123456789\n" * 20, 200, 100) is ordinary.NOTHING, "a long text of short lines"
    deep = "\n".join(f"{' ' * level}a:" for level in range(40))
    assert ordinary.read(deep, 20_000, 64_000) is ordinary.NOTHING
