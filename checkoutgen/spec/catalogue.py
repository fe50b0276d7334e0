"""Products in files beside the spec, appended to catalogue.products as if they were written there, with their places.

CSV files have the columns that Shopify exports (https://help.shopify.com/manual/products/import-export/using-csv): one
row a variant or a further picture, the product's own cells in the first row of its handle. Columns that the shop does
not use are passed over. YAML and JSON files hold a list of products as in the spec.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Any, NamedTuple

from checkoutgen.errors import Problem, SpecError, quoted
from checkoutgen.spec import reader
from checkoutgen.spec.files import UnusableFileError, read_inside
from checkoutgen.spec.formats import file as check_name
from checkoutgen.spec.layers import Merged, Places
from checkoutgen.spec.resolve import market_facts, slug

MAX_BYTES = 32 << 20
MAX_ROWS = 20_000
MAX_VALUES = 500_000
MAX_CELL = reader.MAX_TEXT

Data = dict[str, Any]


def expand(merged: Merged, catalogue: Data) -> Merged:
    """The document with the products of catalogue.files appended. Raises SpecError when one cannot be read at all."""
    inline = catalogue.get("products")
    products = list(inline) if isinstance(inline, list) else []
    categories = dict(catalogue["categories"]) if isinstance(catalogue.get("categories"), dict) else {}
    finds: list[Callable[[], Places]] = [lambda: merged.places]
    full = Merged(
        merged.file,
        merged.root,
        {**merged.value, "catalogue": {**catalogue, "products": products, "categories": categories}},
        lambda: {path: place for find in finds for path, place in find().items()},
    )
    full.problems += merged.problems
    full.inputs |= merged.inputs
    for index, name in enumerate(catalogue["files"]):
        if isinstance(name, str) and check_name(name) is None:
            try:
                finds.append(_append(name, full, products, categories))
            except UnusableFileError as problem:
                place = merged.place(("catalogue", "files", index))
                full.problems.append(Problem(*place, f"catalogue.files[{index}]", f"{name} {problem}"))
    return full


def _append(name: str, full: Merged, products: list[Any], categories: Data) -> Callable[[], Places]:
    """Appends the products of one file, and gives what finds their places. Raises UnusableFileError."""
    raw = full.inputs[full.root / name] = read_inside(full.root, name, MAX_BYTES)
    shown = str(full.root / name)
    if name.lower().endswith(".csv"):
        return _Csv(raw, shown, full, products, categories).append()
    if not name.lower().endswith((".yaml", ".yml", ".json")):
        raise UnusableFileError("must end in .csv, .yaml or .json")
    document = reader.read(raw, shown, MAX_BYTES, MAX_VALUES)
    if not isinstance(document.value, list):
        raise UnusableFileError("must be a list of products")
    full.problems.extend(document.problems)
    start = len(products)
    products.extend(document.value)
    return lambda: {
        ("catalogue", "products", start + path[0], *path[1:]): (shown, *at)
        for path, at in document.places.items()
        if path and isinstance(path[0], int)
    }


class _Row(NamedTuple):
    line: int
    cells: list[str]


class _Csv:
    """One CSV file on its way into the list of products."""

    def __init__(self, raw: bytes, file: str, full: Merged, products: list[Any], categories: Data) -> None:
        self.file = file
        self.full = full
        self.places: Places = {}
        self.products = products
        self.categories = categories
        self.rows = _rows(raw, file)
        header = next(self.rows, None)
        if header is None:
            raise _stop(file, 1, "the file is empty")
        self.header = [cell.strip() for cell in header.cells]
        self.column = {name.casefold(): index for index, name in enumerate(self.header) if name}
        for needed in ("Handle", "Title", "Variant Price"):
            if needed.casefold() not in self.column:
                raise _stop(
                    file,
                    header.line,
                    f"has no column {needed!r}; the first line names the columns as Shopify exports them",
                )
        self.full.columns[file] = self.header
        self.prices = self._price_columns("Variant Price", "Price / ")
        self.crossed_out = self._price_columns("Variant Compare At Price", "Compare At Price / ")

    def append(self) -> Callable[[], Places]:
        known: dict[str, int | None] = {}
        for row in self.rows:
            if not any(row.cells):
                continue
            handle = self.cell(row, "Handle")
            if handle not in known:
                known[handle] = None if self._hidden(row) else self._product(row, handle)
            index = known[handle]
            if index is not None:
                self._picture(row, index)
                self._variant(row, index)
        return lambda: self.places

    def cell(self, row: _Row, name: str) -> str:
        index = self.column.get(name.casefold())
        return row.cells[index].strip() if index is not None and index < len(row.cells) else ""

    def place(self, at: reader.Path, row: _Row, name: str) -> None:
        self.places["catalogue", "products", *at] = (self.file, row.line, self.column.get(name.casefold(), 0) + 1)

    def put(self, target: Data, at: reader.Path, row: _Row, key: str, value: Any, name: str) -> None:
        """A value with the place of its cell; nothing for an empty cell."""
        if value not in ("", None):
            target[key] = value
            self.place((*at, key), row, name)

    def _price_columns(self, plain: str, by_market: str) -> list[tuple[str, str]]:
        """(currency, column): the plain column in the shop's currency, then one for each market that the file knows."""
        markets = self.full.value.get("markets")
        currencies = {country: _currency(country, markets) for country in markets} if isinstance(markets, dict) else {}
        shop = self.full.value.get("shop")
        own = shop.get("currency") if isinstance(shop, dict) else None
        columns = {own or next(iter(currencies.values()), ""): plain}
        for country, currency in currencies.items():
            for title in (country, (market_facts(country) or {}).get("name", {}).get("en", country)):
                if (by_market + title).casefold() in self.column:
                    columns.setdefault(currency, by_market + title)
        return list(columns.items())

    def _hidden(self, row: _Row) -> bool:
        return (
            self.cell(row, "Status").lower() in ("draft", "archived") or self.cell(row, "Published").lower() == "false"
        )

    def _product(self, row: _Row, handle: str) -> int:
        index = len(self.products)
        product: Data = {}
        self.place((index,), row, "Handle")
        put = partial(self.put, product, (index,), row)
        put("id", handle, "Handle")
        put("title", self.cell(row, "Title"), "Title")
        put("description", markdown(self.cell(row, "Body (HTML)")), "Body (HTML)")
        put("vendor", self.cell(row, "Vendor"), "Vendor")
        put("category", self._category(row), "Type")
        if self.cell(row, "Gift Card").lower() == "true":
            put("kind", "gift_card", "Gift Card")
        elif self.cell(row, "Variant Requires Shipping").lower() == "false":
            put("kind", "digital_content", "Variant Requires Shipping")
        if self.cell(row, "Variant Taxable").lower() == "false":
            put("tax", "zero", "Variant Taxable")
        put("unit", self._unit(row), "Unit Price Total Measure")
        self._metafields(product, index, row)
        names = {slug(name): name for number in (1, 2, 3) if (name := self.cell(row, f"Option{number} Name"))}
        if self.cell(row, "Option1 Value") != "Default Title":
            put("options", names, "Option1 Name")
        product["variants"] = []
        self.products.append(product)
        return index

    def _metafields(self, product: Data, index: int, row: _Row) -> None:
        """Columns such as `Manufacturer (product.metafields.safety.manufacturer)`: safety data, and rows of details."""
        safety: Data = {}
        details: list[Data] = []
        for name in self.header:
            if (found := _METAFIELD.fullmatch(name)) and (value := self.cell(row, name)):
                if found["group"] == "safety":
                    self.put(safety, (index, "safety"), row, found["key"], value, name)
                else:
                    self.place((index, "details", len(details)), row, name)
                    details.append({"name": found["title"], "value": value})
        self.put(product, (index,), row, "safety", safety or None, "Handle")
        self.put(product, (index,), row, "details", details or None, "Handle")

    def _category(self, row: _Row) -> str:
        title = self.cell(row, "Type") or self.cell(row, "Product Category").rpartition(">")[2].strip()
        if not title:
            return ""
        name = slug(title)
        self.categories.setdefault(name, {"title": title})
        return name

    def _unit(self, row: _Row) -> Data | None:
        content, unit = (
            self.cell(row, "Unit Price Total Measure"),
            self.cell(row, "Unit Price Total Measure Unit").lower(),
        )
        if unit not in _UNITS:
            return None
        measure, factor = _UNITS[unit]
        try:
            return {"content": format(Decimal(content) * factor, "f"), "measure": measure}
        except InvalidOperation:
            return {"content": content, "measure": measure}

    def _picture(self, row: _Row, index: int) -> None:
        source = self.cell(row, "Image Src")
        pictures = self.products[index].setdefault("pictures", [])
        if not source or any(picture["file"] == source for picture in pictures):
            return
        at: reader.Path = (index, "pictures", len(pictures))
        picture: Data = {}
        self.put(picture, at, row, "file", source, "Image Src")
        self.put(picture, at, row, "alt", self.cell(row, "Image Alt Text"), "Image Alt Text")
        self.place(at, row, "Image Src")
        pictures.append(picture)

    def _variant(self, row: _Row, index: int) -> None:
        if not self.cell(row, "Variant Price") and not self.cell(row, "Variant SKU"):
            return  # a row that only brings a further picture
        product = self.products[index]
        at: reader.Path = (index, "variants", len(product["variants"]))
        variant: Data = {}
        put = partial(self.put, variant, at, row)
        self.place(at, row, "Variant Price")
        put("sku", self.cell(row, "Variant SKU").lstrip("'"), "Variant SKU")
        put("price", self._amounts(row, self.prices, (*at, "price")), "Variant Price")
        put("was", self._crossed_out(row, variant.get("price"), at), "Variant Compare At Price")
        if self.cell(row, "Variant Inventory Policy").lower() != "continue":
            put("stock", _whole(self.cell(row, "Variant Inventory Qty")), "Variant Inventory Qty")
        put("weight", _whole(self.cell(row, "Variant Grams")), "Variant Grams")
        names = list(product.get("options", {}))
        put(
            "options",
            {names[n]: v for n in range(len(names)) if (v := self.cell(row, f"Option{n + 1} Value"))},
            "Option1 Value",
        )
        picture = self.cell(row, "Variant Image")
        places = [n for n, known in enumerate(product["pictures"]) if known["file"] == picture]
        put("picture", next(iter(places), None), "Variant Image")
        product["variants"].append(variant)

    def _amounts(self, row: _Row, columns: list[tuple[str, str]], at: reader.Path) -> dict[str, str] | None:
        result: dict[str, str] = {}
        for currency, name in columns:
            self.put(result, at, row, currency, self.cell(row, name), name)
        return result or None

    def _crossed_out(self, row: _Row, price: dict[str, str] | None, at: reader.Path) -> dict[str, str] | None:
        """Shopify exports the price itself, or 0, where nothing is crossed out."""
        amounts = self._amounts(row, self.crossed_out, (*at, "was")) or {}
        return {c: a for c, a in amounts.items() if a != (price or {}).get(c) and a.strip("0.")} or None


_METAFIELD = re.compile(r"(?P<title>.+) \(product\.metafields\.(?P<group>safety|details)\.(?P<key>[a-z_]+)\)")

# Shopify's units of measure as ours, and how many of ours one of theirs is.
_UNITS = {
    "mg": ("kg", Decimal("0.000001")), "g": ("kg", Decimal("0.001")), "kg": ("kg", Decimal(1)),
    "ml": ("l", Decimal("0.001")), "cl": ("l", Decimal("0.01")), "l": ("l", Decimal(1)), "m3": ("m3", Decimal(1)),
    "mm": ("m", Decimal("0.001")), "cm": ("m", Decimal("0.01")), "m": ("m", Decimal(1)), "m2": ("m2", Decimal(1)),
}  # fmt: skip


def _currency(country: str, markets: Data) -> str:
    market = markets[country]
    own = market.get("currency") if isinstance(market, dict) else None
    return own if isinstance(own, str) else (market_facts(country) or {}).get("currency", "")


def _whole(text: str) -> int | str:
    """A whole number; anything else stays text, which the schema then refuses at its place."""
    number = text.removesuffix(".0")  # Shopify writes weights so
    return int(number) if re.fullmatch("-?[0-9]{1,15}", number) else text


def _stop(file: str, line: int, message: str) -> SpecError:
    return SpecError([Problem(file, line, 1, "", message)])


def _rows(raw: bytes, file: str) -> Iterator[_Row]:
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise _stop(file, line, f"byte 0x{raw[error.start]:02X} is not UTF-8; save the file as CSV UTF-8") from None
    if found := reader.forbidden(text.replace("\r", "\n")):
        line = text.count("\n", 0, found.start()) + 1
        raise _stop(file, line, f"character U+{ord(found[0]):04X} is not allowed; delete it")
    first = text.partition("\n")[0]
    delimiter = ";" if first.count(";") > first.count(",") else ","
    csv.field_size_limit(MAX_CELL)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    try:
        for count, cells in enumerate(rows):
            if count > MAX_ROWS:
                raise _stop(file, line, f"more than {MAX_ROWS:,} rows in one file")
            yield _Row(line, cells)
            line = rows.line_num + 1
    except csv.Error as error:
        raise _stop(file, line, f"not valid CSV: {quoted(str(error))}; check the quotes of this row") from None


def markdown(html: str) -> str:
    """A description in HTML as Markdown: paragraphs, lists, headings, bold, italic, https links; the rest is text."""
    if "<" not in html and "&" not in html:
        return html
    from checkoutgen.spec.html import to_markdown

    return to_markdown(html)
