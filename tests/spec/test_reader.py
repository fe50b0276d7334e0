"""Hostile and careless YAML: an error at its place, or the right value (the numbers are those of docs/security.md)."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checkoutgen.errors import SpecError
from checkoutgen.spec import reader

BOMB = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 10))
MERGE_BOMB = "a0: &a0 {x: 1}\n" + "".join(
    f"a{n}: &a{n}\n  <<: [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9)
)

REFUSED = [
    pytest.param(BOMB, 1, "anchors", id="H01 alias bomb"),
    pytest.param(MERGE_BOMB, 1, "anchors", id="H02 merge-key bomb"),
    pytest.param("<<: {a: 1}", 1, "merge keys", id="H02 merge key alone"),
    pytest.param("a: &a [*a]", 1, "anchors", id="H03 list in itself"),
    pytest.param("a: &a {b: *a}", 1, "anchors", id="H03 map in itself"),
    pytest.param("a: " + "[" * 5000, 1, "nested deeper", id="H04 brackets"),
    pytest.param("\n".join("  " * n + f"a{n}:" for n in range(500)), 33, "nested deeper", id="H04 nested maps"),
    pytest.param("a: " + "x" * 5_000_000, 1, "larger than", id="H05 long scalar"),
    pytest.param("a: " + "x" * 70_000, 1, "text is longer", id="H05 scalar"),
    pytest.param("\n".join(f"k{n}: 1" for n in range(60_000)), 10000, "more than 20,000 values", id="H05 keys"),
    pytest.param("a: " + "9" * 5000, 1, "quotes", id="H06 long integer"),
    pytest.param("a: 0x" + "f" * 60_000, 1, "quotes", id="H06 hexadecimal"),
    pytest.param("a: 1" + ":59" * 100, 1, "quotes", id="H06 sexagesimal"),
    pytest.param('a: 1\nb: 2\n"a": 3', 3, "first in line 1", id="H07 duplicate key"),
    pytest.param("e\u0301: 1\n\u00e9: 2", 2, "first in line 1", id="H07 duplicate after NFC"),
    *[
        pytest.param(f"a: {value}", 1, "put it in quotes", id=f"H08 {value}")
        for value in "NO yes no on Off y n 012 1_000 22:30 2024-01-02 1e3 .nan .inf -.INF 0o7 0x1F +.5 5. True".split()
    ],
    pytest.param("a: null", 1, "leave the value empty", id="null"),
    pytest.param("a: ~", 1, "leave the value empty", id="tilde"),
    pytest.param("a: 2024-13-45", 1, "put it in quotes", id="H09 no such day"),
    *[
        pytest.param(f"a: {value}", 1, "tags", id=f"H10 {value}")
        for value in (
            "!!python/object/apply:os.system [id]",
            "!foo x",
            '!!binary "@@@"',
            "!!bool x",
            "!!int x",
            "!!timestamp x",
        )
    ],
    pytest.param("%TAG ! tag:yaml.org,2002:python/\n---\na: 1", 1, "%TAG", id="H10 %TAG"),
    pytest.param("%YAML 1.1\n---\na: 1", 1, "%YAML", id="H10 %YAML"),
    pytest.param("a: 1\n---\nb: 2", 2, "only one document", id="H11 two documents"),
    pytest.param("a:\n\tb: 1", 2, "tab", id="H12 tab"),
    pytest.param('a: "x', 1, "not valid YAML", id="H12 quote"),
    pytest.param("a: *b", 1, "anchors", id="H12 alias"),
    pytest.param("a: [1, 2\nb: 3", 2, "not valid YAML", id="H12 bracket"),
    *[
        pytest.param(f"a: x\nb: x{character}y", 2, f"U+{ord(character):04X}", id=f"H13 raw {ord(character):04X}")
        for character in "\0\x1b\x85\u2028\u202e\u2066\u200b\ufffe\U000e0041"
    ],
    *[
        pytest.param(f'a: "x{escape}"', 1, "U+", id=f"H13 escape {escape}")
        for escape in ("\\x00", "\\u202e", "\\e", "\\N", "\\L", "\\U000E0041")
    ],
    pytest.param('a: "\\ud800"', 1, "not valid YAML", id="H13 surrogate"),
    pytest.param("a: x\nb: \ufeffy", 2, "U+FEFF", id="H14 byte order mark inside"),
    pytest.param("? [a]\n: b", 1, "key", id="H16 list as key"),
    pytest.param("{a: 1}: b", 1, "key", id="H16 map as key"),
    pytest.param("a" * 200 + ": 1", 1, "longer than 128", id="long key"),
]


@pytest.mark.parametrize(("text", "line", "words"), REFUSED)
def test_refused_at_its_place(text: str, line: int, words: str) -> None:
    start = time.process_time()
    problem = problem_of(text.encode())
    assert time.process_time() - start < 1
    assert (problem.file, problem.line) == ("f.yaml", line)
    assert words in problem.message
    assert str(problem).isascii()
    assert len(str(problem)) < 300


def problem_of(raw: bytes) -> reader.Problem:
    try:
        document = reader.read(raw, "f.yaml")
    except SpecError as error:
        return error.problems[0]
    assert document.problems, "was read without a word"
    return document.problems[0]


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ("a: b".encode("utf-16"), "UTF-16"),
        ("a: b".encode("utf-32"), "UTF-16"),
        ("a: é".encode("latin-1"), "0xE9 is not UTF-8"),
        (b"a: \xc0\xaf", "0xC0 is not UTF-8"),
        (b"a: \xed\xa0\x80", "0xED is not UTF-8"),
    ],
)
def test_h14_only_utf8(raw: bytes, words: str) -> None:
    assert words in problem_of(raw).message


def test_h14_leading_byte_order_mark_is_fine() -> None:
    assert reader.read(b"\xef\xbb\xbfa: b", "f").value == {"a": "b"}


@pytest.mark.parametrize("text", ["a: 1\r\nb: x\r\n", "a: 1\rb: x", "a: 1\nb: x"])
def test_h15_line_ends(text: str) -> None:
    document = reader.read(text.encode(), "f")
    assert document.value == {"a": 1, "b": "x"}
    assert document.places["b",] == (2, 1)


def test_values_are_what_they_look_like() -> None:
    text = 'a: 5.90\nb: "012"\nc: true\nd: -3\ne:\nf: Noël\ng: "no"\nh: 2.50\ni: ""\nj: +33 1\nk: v1.2.3\n1: x\ntrue: y'
    assert reader.read(text.encode(), "f").value == {
        "a": "5.90",
        "b": "012",
        "c": True,
        "d": -3,
        "e": None,
        "f": "Noël",
        "g": "no",
        "h": "2.50",
        "i": "",
        "j": "+33 1",
        "k": "v1.2.3",
        "1": "x",
        "true": "y",
    }


@pytest.mark.parametrize("text", ["می\u200cخواهم", "👩\u200d👩\u200d👧", "שלום\u200f", "日本語"])
def test_joiners_that_languages_need_are_kept(text: str) -> None:
    assert reader.read(f"a: {text}".encode(), "f").value == {"a": text}


def test_places_of_keys_and_items() -> None:
    document = reader.read(b"a:\n  - b: 1\n    c: [x,\n        y]\n", "f")
    assert document.places == {
        (): (1, 1),
        ("a",): (1, 1),
        ("a", 0): (2, 5),
        ("a", 0, "b"): (2, 5),
        ("a", 0, "c"): (3, 5),
        ("a", 0, "c", 0): (3, 9),
        ("a", 0, "c", 1): (4, 9),
    }


def test_every_lesser_problem_is_collected() -> None:
    document = reader.read(b"a: no\nb: 012\nb: 1\nc: 1_0", "f")
    assert [problem.line for problem in document.problems] == [1, 2, 3, 4]


# A grammar that meets every rule of the reader: bytes alone hardly ever get past the first token.
SCALARS = st.one_of(
    st.sampled_from(
        [
            "no",
            "012",
            "1e3",
            "22:30",
            "&a x",
            "*a",
            "!!int x",
            "<<",
            "- x",
            "? x",
            "[",
            "{",
            "]",
            "}",
            "'",
            '"',
            "|",
            ">",
            "%",
            "@",
            "`",
            "#",
            "2024-13-45",
            "\t",
            "\x00",
            "\u2028",
            "\ufeff",
            "---",
            "...",
            "!!python/name:os.system",
            "''",
            '"\\x"',
            "9" * 40,
            ".inf",
            "~",
            ":",
            "?",
            "é",
            "\ud7ff",
        ]
    ),
    st.text(max_size=12),
    st.integers().map(str),
    st.decimals(allow_nan=False).map(str),
)


def yaml_like(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    indented = inner.map(lambda text: "\n" + "\n".join("  " + line for line in text.split("\n")))
    return st.one_of(
        st.lists(st.tuples(SCALARS, indented | inner).map(": ".join), max_size=4).map("\n".join),
        st.lists(inner.map("- {}".format), max_size=4).map("\n".join),
        st.lists(inner, max_size=4).map(lambda items: "[" + ", ".join(items) + "]"),
        st.lists(st.tuples(SCALARS, inner).map(": ".join), max_size=4).map(lambda items: "{" + ", ".join(items) + "}"),
    )


DOCUMENTS = st.recursive(SCALARS, yaml_like, max_leaves=12)


def only_spec_errors(text: str) -> None:
    raw = text.encode("utf-8", "surrogatepass")
    try:
        document = reader.read(raw, "f.yaml")
    except SpecError as error:
        for problem in error.problems:
            assert problem.line >= 1
            assert problem.column >= 1
            assert str(problem).isascii()
            assert "\n" not in str(problem)
    else:
        assert document.value is None or () in document.places


@given(DOCUMENTS)
@settings(max_examples=400, deadline=None)
def test_nothing_but_spec_errors(text: str) -> None:
    only_spec_errors(text)


@pytest.mark.slow
@given(DOCUMENTS)
@settings(max_examples=20_000, deadline=None)
def test_nothing_but_spec_errors_in_20_000_documents(text: str) -> None:
    only_spec_errors(text)


@given(st.binary(max_size=200))
@settings(max_examples=200, deadline=None)
def test_nothing_but_spec_errors_from_bytes(raw: bytes) -> None:
    only_spec_errors(raw.decode("utf-8", "surrogateescape").encode("utf-8", "replace").decode())


def test_no_letter_that_is_looked_over_quickly_is_forbidden() -> None:
    quick = [chr(code) for code in range(0x110000) if reader._USUAL.fullmatch(chr(code))]
    assert len(quick) > 1000
    assert [character for character in quick if reader._FORBIDDEN.search(character)] == []
