"""Products in files: Shopify's CSV export, YAML and JSON lists."""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from checkoutgen.spec import Spec
from checkoutgen.spec.html import to_markdown

from .conftest import Problems
from .test_files import png

HEADER = (
    "Handle,Title,Body (HTML),Vendor,Type,Published,Option1 Name,Option1 Value,Variant SKU,Variant Grams,"
    "Variant Inventory Qty,Variant Inventory Policy,Variant Price,Variant Compare At Price,Image Src,Image Alt Text,"
    "Variant Image,Status,SEO Title,Price / Sweden"
).split(",")


def table(*rows: dict[str, str], header: Sequence[str] = HEADER, delimiter: str = ",") -> str:
    stream = io.StringIO()
    writer = csv.DictWriter(stream, header, delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()


def row(**cells: str) -> dict[str, str]:
    return {name.replace("_", " "): value for name, value in cells.items()}


SHEET = {"Handle": "sheet", "Title": "Sheet", "Variant Price": "59.00"}


@pytest.fixture
def load_csv(load_with: Callable[..., Spec], tmp_path: Path) -> Callable[..., list[Any]]:
    def load_csv(text: str, changes: dict[str, Any] | None = None) -> list[Any]:
        (tmp_path / "products.csv").write_bytes(text.encode())
        spec = load_with({"catalogue": {"files": ["products.csv"]}, **(changes or {})})
        products: list[Any] = spec.data["catalogue"]["products"]
        return products

    return load_csv


@pytest.fixture
def csv_problems(problems_with: Callable[..., Problems], tmp_path: Path) -> Callable[..., Problems]:
    def csv_problems(text: str | bytes, changes: dict[str, Any] | None = None) -> Problems:
        (tmp_path / "products.csv").write_bytes(text.encode() if isinstance(text, str) else text)
        return problems_with({"catalogue": {"files": ["products.csv"]}, **(changes or {})})

    return csv_problems


def test_rows_of_a_handle_are_one_product(load_csv: Callable[..., list[Any]], tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(png(20, 10))
    first = SHEET | {
        "Body (HTML)": "<p>Woven in <b>Flanders</b></p>",
        "Vendor": "Lin",
        "Type": "Bed linen",
        "Option1 Name": "Size",
        "Option1 Value": "90 cm",
        "Variant SKU": "S-90",
        "Variant Grams": "700.0",
        "Variant Inventory Qty": "4",
        "Variant Compare At Price": "69.00",
        "Image Src": "a.png",
        "Image Alt Text": "Folded",
        "SEO Title": "x",
    }
    second = {
        "Handle": "sheet",
        "Option1 Value": "140 cm",
        "Variant SKU": "S-140",
        "Variant Price": "79.5",
        "Variant Inventory Qty": "0",
        "Image Src": "b.png",
        "Variant Image": "b.png",
        "Variant Compare At Price": "0.00",
    }
    third = {"Handle": "sheet", "Image Src": "a.png"}
    (product,) = load_csv(table(first, second, third))
    assert product["title"] == {"en": "Sheet"}
    assert product["description"] == {"en": "Woven in **Flanders**"}
    assert product["category"] == "bed-linen"
    assert product["options"] == {"size": {"en": "Size"}}
    assert [(picture["path"], picture["alt"]["en"], picture["width"]) for picture in product["pictures"]] == [
        ("a.png", "Folded", 20),
        ("b.png", "Sheet", 20),
    ]
    assert product["variants"] == [
        {
            "sku": "S-90",
            "options": {"size": {"en": "90 cm"}},
            "price": {"EUR": 5900},
            "was": {"EUR": 6900},
            "prior_price": None,
            "stock": 4,
            "weight": 700,
            "picture": None,
        },
        {
            "sku": "S-140",
            "options": {"size": {"en": "140 cm"}},
            "price": {"EUR": 7950},
            "was": None,
            "prior_price": None,
            "stock": 0,
            "weight": None,
            "picture": 1,
        },
    ]


def test_a_product_without_options_has_one_variant(load_csv: Callable[..., list[Any]]) -> None:
    (product,) = load_csv(table(SHEET | {"Option1 Name": "Title", "Option1 Value": "Default Title"}))
    assert product["options"] == {}
    assert [variant["sku"] for variant in product["variants"]] == ["sheet"]


def test_drafts_and_hidden_products_are_left_out(load_csv: Callable[..., list[Any]]) -> None:
    draft = {"Handle": "a", "Title": "A", "Variant Price": "1", "Status": "draft"}
    hidden = {"Handle": "b", "Title": "B", "Variant Price": "1", "Published": "FALSE"}
    assert [product["id"] for product in load_csv(table(draft, hidden, SHEET))] == ["sheet"]


def test_oversold_variants_are_not_counted(load_csv: Callable[..., list[Any]]) -> None:
    (product,) = load_csv(table(SHEET | {"Variant Inventory Qty": "-3", "Variant Inventory Policy": "continue"}))
    assert product["variants"][0]["stock"] is None


def test_prices_by_market(load_csv: Callable[..., list[Any]]) -> None:
    changes = {"markets": {"FR": {}, "SE": {}}, "delivery.methods.0.price": 0}
    (product,) = load_csv(table(SHEET | {"Price / Sweden": "679"}), changes)
    assert product["variants"][0]["price"] == {"EUR": 5900, "SEK": 67900}


@pytest.mark.parametrize(
    "encode", [lambda t: "\ufeff" + t, lambda t: t.replace("\r\n", "\n"), lambda t: t.replace("\r\n", "\r")]
)
def test_as_spreadsheets_save_it(load_csv: Callable[..., list[Any]], encode: Callable[[str], str]) -> None:
    assert load_csv(encode(table(SHEET)))[0]["id"] == "sheet"


def test_semicolons_of_european_spreadsheets(load_csv: Callable[..., list[Any]]) -> None:
    assert load_csv(table(SHEET, delimiter=";"))[0]["title"] == {"en": "Sheet"}


@pytest.mark.parametrize(
    ("cells", "column", "words"),
    [
        ({"Variant Price": "1,99"}, "Variant Price", "must be an amount"),
        ({"Variant Price": ""}, "Variant Price", "needs `price`"),
        ({"Variant Inventory Qty": "many"}, "Variant Inventory Qty", "must be a whole number"),
        ({"Variant Inventory Qty": "-1"}, "Variant Inventory Qty", "at least 0"),
        ({"Image Src": "https://cdn.example/a.png"}, "Image Src", "must"),
        ({"Image Src": "none.png"}, "Image Src", "does not exist"),
        ({"Handle": "Bad Handle"}, "Handle", "must be"),
        ({"Title": ""}, "Handle", "needs `title`"),
        ({"Variant SKU": "a"}, "Variant SKU", "used already"),
        ({"Handle": "a"}, "Variant Price", "must choose"),
    ],
)
def test_errors_name_line_and_column(
    csv_problems: Callable[..., Problems], cells: dict[str, str], column: str, words: str
) -> None:
    ordinary = {
        "Handle": "a",
        "Title": "A\nof two lines",
        "Variant SKU": "a",
        "Variant Price": "1",
        "Option1 Name": "Size",
        "Option1 Value": "S",
    }
    (problem, *_) = csv_problems(table(ordinary, SHEET | {"Variant SKU": "b"} | cells))
    assert problem.file.endswith("products.csv")
    assert problem.line == 4
    assert HEADER[problem.column - 1] == column
    assert words in problem.message
    assert problem.message.endswith(f"(column {column})")


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (b"", 1, "empty"),
        (b"Handle,Title\na,b\n", 1, "no column 'Variant Price'"),
        (b"Handle,Title,Variant Price\na,\xff,1\n", 2, "not UTF-8"),
        (b"Handle,Title,Variant Price\na,b\0,1\n", 2, "U+0000"),
        (b'Handle,Title,Variant Price\na,"b"x,1\n', 2, "not valid CSV"),
        (b"Handle,Title,Variant Price\na," + b"x" * 200_000 + b",1\n", 2, "not valid CSV"),
        (b"Handle,Title,Variant Price\n" + b"a,b,1\n" * 20_100, 20_002, "more than 20,000 rows"),
    ],
)
def test_files_that_cannot_be_read(csv_problems: Callable[..., Problems], text: bytes, line: int, words: str) -> None:
    (problem,) = csv_problems(text)
    assert problem.line == line
    assert words in problem.message


def test_formulas_are_text(load_csv: Callable[..., list[Any]]) -> None:
    (product,) = load_csv(table(SHEET | {"Title": '=HYPERLINK("https://evil.example")'}))
    assert product["title"] == {"en": '=HYPERLINK("https://evil.example")'}


def test_10_000_rows_are_quick(load_csv: Callable[..., list[Any]]) -> None:
    rows = [
        {"Handle": f"p{n}", "Title": f"Product {n}", "Variant SKU": f"S{n}", "Variant Price": "9.90"}
        for n in range(10_000)
    ]
    start = time.process_time()
    assert len(load_csv(table(*rows))) == 10_000
    assert time.process_time() - start < 10


@pytest.mark.parametrize("name", ["more.yaml", "more.json"])
def test_lists_of_products(load_with: Callable[..., Spec], tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(json.dumps([{"id": "b", "title": "B", "price": "2.50"}]))
    spec = load_with({"catalogue.files": [name]})
    assert [product["id"] for product in spec.data["catalogue"]["products"]] == ["sheet", "b"]
    assert spec.place("catalogue.products[1].price").file.endswith(name)
    assert spec.source["catalogue"]["files"] == [name]
    assert len(spec.source["catalogue"]["products"]) == 1


def test_problems_in_a_list_stand_in_its_file(problems_with: Callable[..., Problems], tmp_path: Path) -> None:
    (tmp_path / "more.yaml").write_text("- id: b\n  title: B\n  price: x\n  colur: red\n")
    problems = problems_with({"catalogue.files": ["more.yaml"]})
    assert [(Path(p.file).name, p.line, p.path) for p in problems] == [
        ("more.yaml", 3, "catalogue.products[1].price"),
        ("more.yaml", 4, "catalogue.products[1].colur"),
    ]


@pytest.mark.parametrize(
    ("name", "words"), [("a.txt", "must end in"), ("none.csv", "does not exist"), ("../a.csv", "must not contain")]
)
def test_files_that_are_none(problems_with: Callable[..., Problems], tmp_path: Path, name: str, words: str) -> None:
    (tmp_path / "a.txt").write_text("x")
    (problem,) = problems_with({"catalogue.files": [name]})
    assert (problem.path, words in problem.message) == ("catalogue.files[0]", True)


@pytest.mark.parametrize(
    ("html", "markdown"),
    [
        ("<p>A <strong>b</strong> <em>c</em></p><p>d</p>", "A **b** *c*\n\nd"),
        ("<ul><li>x</li><li>y</li></ul>", "- x\n- y"),
        ("<ol><li>x</li></ol>", "1. x"),
        ("<h2>T</h2>x", "## T\n\nx"),
        ('<a href="https://x.example/a">x</a>', "[x](https://x.example/a)"),
        ('<a href="javascript:alert(1)">x</a>', "x"),
        ('<a href="https://x.example/) <script>">x</a>', "x"),
        ("<script>alert(1)</script>x<style>y</style>", "x"),
        ("<img src=x onerror=alert(1)>x", "x"),
        ("a &lt;script&gt; *b* [c](d)", r"a \<script\> \*b\* \[c\](d)"),
        ("<svg><p>x</p></svg>y", "y"),
    ],
)
def test_html_becomes_markdown(html: str, markdown: str) -> None:
    assert to_markdown(html) == markdown
