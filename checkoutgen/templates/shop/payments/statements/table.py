"""A bank's CSV file, by the columns that the specification names (payment.statements.csv)."""

import csv
import io
import re
from collections.abc import Iterator
from datetime import date
from typing import IO, Any

from config.shop import SHOP, section
from payments.units import from_text

from . import Entry, Ids, StatementError

MAX_PREAMBLE = 50  # lines about the account before the names of the columns
_ORDERS = {"day-month-year": (2, 1, 0), "year-month-day": (0, 1, 2), "month-day-year": (2, 0, 1)}


def columns() -> dict[str, Any] | None:
    found: dict[str, Any] | None = (section("payment").get("statements") or {}).get("csv")
    return found


def entries(file: IO[bytes], named: dict[str, Any]) -> Iterator[Entry]:
    """The rows of the file. StatementError when it has not got the columns, or is not text."""
    encoding = {"utf-8": "utf-8-sig"}.get(named["encoding"], named["encoding"])
    text = io.TextIOWrapper(file, encoding=encoding, newline="")
    delimiter = "\t" if named["delimiter"] == "tab" else named["delimiter"]
    rows = csv.reader(text, delimiter=delimiter, strict=True)
    try:
        places = _places(rows, named)
        ids = Ids()
        for row in rows:
            if any("\0" in cell for cell in row):  # no database keeps it, and no bank writes it
                raise StatementError(f"line {rows.line_num} is no text")
            if any(cell.strip() for cell in row):
                yield _entry(row, places, named, ids)
    except UnicodeDecodeError:
        raise StatementError(f"line {rows.line_num + 1} is not {named['encoding']}") from None
    except csv.Error as broken:
        raise StatementError(f"line {rows.line_num}: {broken}") from None
    finally:
        text.detach()  # the file is the caller's to close


def _places(rows: Iterator[list[str]], named: dict[str, Any]) -> dict[str, int]:
    """Where each column stands, from the first line that names them all."""
    optional = [named[key] for key in ("currency", "reference") if named.get(key)]
    wanted = [named["date"], named["amount"], *named["text"], *optional]
    for _, row in zip(range(MAX_PREAMBLE), rows, strict=False):
        cells = [cell.strip() for cell in row]
        if all(name in cells for name in wanted):
            return {name: cells.index(name) for name in wanted}
    raise StatementError(f"no line names the columns {', '.join(map(ascii, wanted))}")


def _entry(row: list[str], places: dict[str, int], named: dict[str, Any], ids: Ids) -> Entry:
    def cell(name: str | None) -> str:
        place = places.get(name or "", len(row))
        return row[place].strip()[:500] if place < len(row) else ""

    texts = tuple(filter(None, (cell(name) for name in named["text"])))
    day = _day(cell(named["date"]), named["day"])
    currency = cell(named.get("currency")).upper() or SHOP["shop"]["currency"]
    currency = currency if re.fullmatch(r"[A-Z]{3}", currency) else ""
    sign, amount = _amount(cell(named["amount"]), named["decimal"], currency)
    own = cell(named.get("reference"))
    return Entry(
        id=f"csv:{own}" if own else "csv:" + ids.of(day, sign, amount, currency, *texts),
        day=day,
        amount=amount,
        currency=currency,
        credit=sign != "-",
        texts=texts,
    )


def _amount(text: str, decimal: str, currency: str) -> tuple[str, int | None]:
    """The sign, and the amount without it; None for what is no amount."""
    thousands = "." if decimal == "," else ","
    text = re.sub(r"[\s'’\u00a0\u202f]", "", text).replace(thousands, "").replace(decimal, ".").replace("−", "-")
    if text.endswith(("-", "+")):
        text = text[-1] + text[:-1]
    found = re.fullmatch(r"([+-]?)([0-9]{1,15}(?:\.[0-9]{1,5})?)", text)
    if found is None or not currency:
        return "", None
    return found[1], from_text(found[2], currency)


def _day(text: str, order: str) -> date | None:
    parts = re.findall(r"[0-9]+", text[:10])
    if len(parts) != 3:
        return None
    year, month, day = (int(parts[place]) for place in _ORDERS[order])
    try:
        return date(year if year > 99 else 2000 + year, month, day)
    except ValueError:
        return None
