"""docs/spec.md from the schema: `python -m checkoutgen.spec.reference > docs/spec.md`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from checkoutgen import schema as contract
from checkoutgen.schema import Schema
from checkoutgen.spec import catalogue, files, layers, reader

_INTRO = f"""# The spec language, version 1

This page is made from `checkoutgen/schema/checkout.schema.json`; `checkoutgen schema` prints the same for your editor.

## How a spec is written

- One YAML file in UTF-8, at most {reader.MAX_BYTES >> 20} MiB. Keys are plain text; anchors, aliases, tags and merge keys are not
  part of the language. What YAML readers disagree about (`no`, `012`, `22:30`, `2026-12-24`) is refused until it stands in
  quotes.
- **Text** is one text for all languages, or a map by language that has every language of `shop.languages`.
- **Long text** is Markdown written the same way, or `{{file: legal/{{lang}}/terms.md}}`, where `{{lang}}` stands for the
  language.
- **Amount** is a decimal in the shop's currency (`5.90` or `"5.90"`), or a map by currency (`{{EUR: 5.90, SEK: 69}}`). It is
  read exactly. It must be there in the currency of every market that uses it; a plain `0` holds in every currency.
- **Day** is `"2026-12-24"` and **time** is `"14:00"`, both in quotes.
- **Id** is a name of small letters, digits and hyphens that begins with a letter.
- **File** and **picture** are paths relative to the spec. Pictures are SVG, PNG, JPEG or WebP, at most
  {files.MAX_PICTURE >> 20} MiB and {files.MAX_SIDE:,} pixels a side. An SVG may draw, but not run, load, link or animate.
- **Secret** is `env:NAME`, the environment variable that holds it. A secret written out is refused.
- A section left empty (`FR:`) takes all its defaults.
- `extends` names presets (`preset:b2c-fr`) and other specs. Maps merge deeply; lists and single values of the later file
  win. Files named anywhere are looked up beside the first spec.

Every problem is reported with file, line, column and path, all at once.
"""

_CSV = f"""## Products in files

`catalogue.files` names CSV files in the layout that Shopify exports, or YAML or JSON files that hold a list of products as
in `catalogue.products`. A CSV file has at most {catalogue.MAX_ROWS:,} rows. These columns are read, the others passed over:

| Column | Becomes |
|---|---|
| `Handle` | `id`; rows with the same handle are one product |
| `Title`, `Vendor` | `title`, `vendor` |
| `Body (HTML)` | `description`, as Markdown without scripts, pictures or unsafe links |
| `Type`, else the end of `Product Category` | `category`; one that the spec does not list is added |
| `Published`, `Status` | `false`, `draft` and `archived` leave the product out |
| `Option1 Name`, `Option1 Value`, to 3 | `options` |
| `Variant SKU`, `Variant Grams` | `sku`, `weight` |
| `Variant Inventory Qty` | `stock`, unless `Variant Inventory Policy` is `continue` |
| `Variant Price`, `Variant Compare At Price` | `price`, `was`, in the shop's currency |
| `Price / SE` or `Price / Sweden`, `Compare At Price / …` | the same in the market's currency |
| `Variant Requires Shipping`, `Gift Card`, `Variant Taxable` | `kind`, `tax` |
| `Unit Price Total Measure`, `Unit Price Total Measure Unit` | `unit` |
| `… (product.metafields.details.KEY)` | a row of `details`, named by what stands before the bracket |
| `… (product.metafields.safety.KEY)` | that key of `safety` |
| `Image Src`, `Image Alt Text`, `Variant Image` | `pictures`; a file beside the spec, not an address |
"""

_RESOLVED = f"""## What the defaults become

Later steps see the *resolved* spec. In it a text is a map with every language of the shop, an amount is a map of whole minor
units by currency, a decimal is text, a legal page is `{{title, body}}`, a picture is `{{path, width, height}}`, and a market
carries the facts of its country: `name`, `tax`, `order_button`, `withdrawal`, `holidays`, `eu`, `guarantee_years`,
`parameters`. A key without value and default is absent; products and variants alone have every key, null where there is
nothing. A product without variants has one, without options.

`holidays` lists rules: `12-25` is a day of every year, `easter+1` a number of days from Easter Sunday, `sat 06-20` the first
Saturday on or after that day.

At most {layers.MAX_FILES} files extend one another. A file may hold {reader.MAX_VALUES:,} values, nested {reader.MAX_DEPTH} deep, each
text {reader.MAX_TEXT:,} characters.
"""

_NAMES = {
    "line": "line of text", "id": "id", "language": "language", "country": "country", "currency": "currency",
    "text": "text", "longText": "long text", "amount": "amount", "decimal": "decimal", "day": "day", "time": "time",
    "url": "https address", "email": "e-mail address", "phone": "phone number", "colour": "colour", "file": "file",
    "picture": "picture", "secret": "secret", "question": "question and answer", "address": "address",
}  # fmt: skip


def reference() -> str:
    schema = contract.load()
    parts = [_INTRO, "## Top level\n", _table(_rows(schema, deep=False))]
    for name, given in schema["properties"].items():
        section = contract.follow(given)
        if section["type"] in ("integer", "string", "array"):
            continue
        parts += [f"## {name}\n", section["description"] + "\n", _table(_rows(section, name))]
    parts += ["## Addresses\n", _table(_rows(contract.follow({"$ref": "#/$defs/address"}))), _CSV, _RESOLVED]
    return "\n".join(parts)


def _rows(schema: Schema, at: str = "", deep: bool = True) -> Iterator[tuple[str, str, str, str]]:
    """(key, kind, default, meaning) of every key below a map, those of lists with [] and of maps with <name>."""
    for key, inner in schema.get("properties", {}).items():
        here = f"{at}.{key}" if at else key
        yield here, _kind(inner), _default(key, inner, schema), _meaning(inner)
        if deep and _shared(inner) not in _NAMES and here != "payment.providers":  # each provider documents its own
            yield from _below(contract.follow(inner), here)
    if "additionalProperties" in schema and isinstance(schema["additionalProperties"], dict):
        yield from _below(schema, at)


def _below(schema: Schema, here: str) -> Iterator[tuple[str, str, str, str]]:
    if "items" in schema and _shared(schema["items"]) not in _NAMES:
        yield from _rows(contract.follow(schema["items"]), f"{here}[]")
    elif isinstance(schema.get("additionalProperties"), dict) and _shared(schema["additionalProperties"]) not in _NAMES:
        name = _shared(schema["propertyNames"])
        yield from _rows(contract.follow(schema["additionalProperties"]), f"{here}.<{name}>")
    elif "properties" in schema:
        yield from _rows(schema, here)


def _shared(schema: Schema) -> str:
    return str(schema.get("$ref", "")).removeprefix("#/$defs/")


def _kind(schema: Schema) -> str:
    if _shared(schema) in _NAMES:
        return _NAMES[_shared(schema)]
    schema = contract.follow(schema)
    if "enum" in schema:
        return " \\| ".join(f"`{option}`" for option in schema["enum"])
    if "const" in schema:
        return f"`{schema['const']}`"
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    if "array" in types:
        return (
            f"list of {_kind(schema['items'])}" if "enum" not in schema["items"] else f"list: {_kind(schema['items'])}"
        )
    if "object" in types:
        inner = schema.get("additionalProperties")
        return f"map of {_kind(inner)} by {_shared(schema['propertyNames'])}" if isinstance(inner, dict) else "map"
    if "number" in types:
        return "decimal"
    return {"boolean": "`true` \\| `false`", "integer": "whole number", "string": "text"}[types[0]]


def _default(key: str, schema: Schema, parent: Schema) -> str:
    if key in parent.get("required", []):
        return "**required**"
    if "default" in schema:
        return f"`{_written(schema['default'])}`" if schema["default"] not in ({}, []) else ""
    return str(schema.get("x-default", "")).replace("nothing", "")


def _meaning(schema: Schema) -> str:
    sample = schema["examples"][0]
    example = "" if "enum" in schema or isinstance(sample, bool) else f" Example: `{_written(sample)}`"
    return f"{schema['description']}{example}".replace("|", "\\|")


def _written(value: Any) -> str:
    """A value as one would write it in YAML."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_written(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_written, value)) + "]"
    if isinstance(value, str) and (re.search(r"[,:{}\[\]#&*]", value) or re.fullmatch(r"[0-9-]+|\+[0-9 ]+", value)):
        return json.dumps(value, ensure_ascii=False)
    return json.dumps(value) if isinstance(value, bool) else str(value)


def _table(rows: Iterator[tuple[str, str, str, str]]) -> str:
    lines = [f"| `{key}` | {kind} | {default} | {meaning} |" for key, kind, default, meaning in rows]
    return "\n".join(["| Key | Kind | Default | Meaning |", "|---|---|---|---|", *lines, ""])


if __name__ == "__main__":
    print(reference(), end="")
