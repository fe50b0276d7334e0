"""A document against the schema: every problem, in plain words, at its place."""

from __future__ import annotations

import marshal
import re
import unicodedata
from collections.abc import Callable, Iterator
from difflib import get_close_matches
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from checkoutgen import schema as contract
from checkoutgen.errors import quoted
from checkoutgen.spec.formats import FORMATS
from checkoutgen.spec.reader import Path

if TYPE_CHECKING:
    import jsonschema_rs

Report = Callable[[Path, str], None]

_SECRET = re.compile(
    r"[sr]k_(?:live|test)_[0-9A-Za-z]{8,}|whsec_[0-9A-Za-z+/]{8,}|(?:live|test)_[0-9A-Za-z]{28,}|AKIA[0-9A-Z]{16}|-----BEGIN"
    r"|gh[pousr]_[0-9A-Za-z]{20,}|xox[abprs]-[0-9A-Za-z-]{10,}|eyJ[0-9A-Za-z_-]{10,500}\.eyJ"
    r"|\b[a-z][a-z0-9+]{1,20}://[^/\s:@]{0,200}:[^/\s@]{1,200}@"
)
# What every secret has in it. To look for these takes a fifteenth of the search above, and most documents have none.
_MARKS = b"live_ test_ whsec_ AKIA -----BEGIN ghp_ gho_ ghu_ ghs_ ghr_ xox eyJ".split()
_LOGIN = re.compile(rb"://[^/\s:@]*:[^/\s@]+@")
_TYPES = {"string": "text", "object": "a map", "array": "a list", "integer": "a whole number", "number": "a number",
          "boolean": "true or false", "null": "nothing"}  # fmt: skip


def validate(value: Any, report: Report) -> bool:
    """Reports every problem of a document, plain data as the reader gives it.

    Says whether it can still be resolved, so that what resolving finds can be told in the same breath.
    """
    secrets = _secrets(value)
    for path in secrets:
        report(path, "holds a secret; put it in the environment and write env:NAME")
    resolvable = not secrets  # else what is told about a name could repeat one
    if _validator().is_valid(value):  # quicker than to find no error
        return resolvable
    for error in _validator().iter_errors(value):
        if tuple(error.instance_path) in secrets:
            continue
        resolvable = resolvable and _is_harmless(error.kind)
        for path, message in _explain(error):
            report(path, message)
    return resolvable


def _is_harmless(kind: Any) -> bool:
    """Whether nothing else depends on what is wrong."""
    if kind.name == "format":
        return kind.format in ("web-address", "shop-address", "tracking-address", "mail-address", "sender-name", "iban")
    return kind.name in ("additionalProperties", "minimum", "maximum", "maxLength")


@cache
def _validator() -> jsonschema_rs.Draft202012Validator:
    import jsonschema_rs  # slow to import; only needed here

    # The specs of a run say the same things again and again.
    checks: dict[str, Callable[..., bool]] = {
        name: lru_cache(1024)(lambda value, check=check: check(value) is None) for name, check in FORMATS.items()
    }
    return jsonschema_rs.Draft202012Validator(contract.load(), formats=checks, validate_formats=True)


def _secrets(value: Any) -> set[Path]:
    """Where secrets stand. The whole document is searched as bytes first, which finds no less: most have none."""
    if not _may_hold_secret(marshal.dumps(value)):
        return set()
    return {path for path, text in _texts(value) if _SECRET.search(text)}


def _may_hold_secret(document: bytes) -> bool:
    return any(mark in document for mark in _MARKS) or _LOGIN.search(document) is not None


def _texts(value: Any) -> Iterator[tuple[Path, str]]:
    stack: list[tuple[Path, Any]] = [((), value)]
    while stack:
        path, value = stack.pop()
        if isinstance(value, str):
            yield path, value
        elif isinstance(value, dict):
            stack.extend(((*path, key), item) for key, item in value.items())
        elif isinstance(value, list):
            stack.extend(((*path, index), item) for index, item in enumerate(value))


def _explain(error: jsonschema_rs.ValidationError) -> Iterator[tuple[Path, str]]:
    path: Path = tuple(error.instance_path)
    kind: Any = error.kind
    instance: Any = error.instance
    schema = contract.at(path) or {}
    match kind.name:
        case "additionalProperties":
            for key in kind.unexpected:
                yield (*path, key), _unknown(key, list(schema.get("properties", {})))
        case "propertyNames":
            for key in _wrong_names(instance, contract.follow(schema["propertyNames"])):
                yield (*path, key), _unknown(key, [], contract.follow(schema["propertyNames"])["x-words"])
        case "required":
            missing = contract.follow(schema["properties"][kind.property])
            yield path, f"needs `{kind.property}`: {_lower(missing['description'])}{_sample(missing)}"
        case "type":
            yield path, _type(instance, kind.types)
        case "enum":
            yield path, _enum(instance, kind.options)
        case "pattern":
            yield path, f"must be {schema['x-words']}, not {quoted(instance)}"
        case "format":
            yield path, f"{FORMATS[kind.format](instance)}; it is {quoted(instance)}"
        case "const":
            yield path, f"must be {kind.expected_value}, not {quoted(instance)}"
        case name:
            yield path, _limit(name, getattr(kind, "limit", None), instance)


def _wrong_names(value: dict[str, Any], names: contract.Schema) -> list[str]:
    pattern, check = names["pattern"], FORMATS.get(names.get("format", ""))
    return [key for key in value if not re.search(pattern, key) or (check and check(key))]


def _unknown(key: str, known: list[str], words: str = "") -> str:
    odd = [c for c in key if not c.isascii()]
    plain = "".join(_LOOKALIKES.get(c, c) for c in key)
    close = get_close_matches(plain, known, 1, 0.6)
    message = f"unknown key {quoted(key, 40)}"
    if known and not odd and not close:
        message += f"; known here: {', '.join(known[:12])}{', ...' if len(known) > 12 else ''}"
    if words:
        message = f"{quoted(key, 40)} cannot be a key here; write {words}"
        if hint := FORMATS["country"](key):
            message = hint
    if odd:
        name = unicodedata.name(odd[0], "unnamed")
        message += f"; it has U+{ord(odd[0]):04X} ({name}), which is not the letter it looks like"
    return message + (f"; did you mean `{close[0]}`?" if close else "")


_LOOKALIKES = dict(zip("аеорсухіјѕԁɡαοеνρ", "aeopcyxijsdgaoevp", strict=True))


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def _sample(schema: contract.Schema) -> str:
    sample = schema["examples"][0]
    return "" if isinstance(sample, dict | list) else f" For example: {sample}"


def _type(value: Any, types: list[str]) -> str:
    given = {dict: "a map", list: "a list", str: "text", bool: "true or false", int: "a number"}.get(
        type(value), "empty"
    )
    wanted = [_TYPES[name] for name in types if name != "null"]
    if value is None:
        return f"is empty; write {' or '.join(wanted)}, or delete the key"
    message = f"must be {' or '.join(wanted)}, not {given}"
    if "string" in types and isinstance(value, int):
        return f"{message}; put it in quotes"
    if isinstance(value, str | int):
        message += f" ({quoted(value)})"
    return message


def _enum(value: Any, options: list[Any]) -> str:
    close = get_close_matches(str(value), [str(option) for option in options], 1, 0.5)
    listed = ", ".join(map(str, options))
    return f"{quoted(value)} is none of: {listed}" + (f"; did you mean `{close[0]}`?" if close else "")


def _limit(name: str, limit: Any, value: Any) -> str:
    match name:
        case "minimum" | "exclusiveMinimum":
            return f"must be at least {limit}, not {quoted(value)}"
        case "maximum" | "exclusiveMaximum":
            return f"must be at most {limit}, not {quoted(value)}"
        case "minLength":
            return "must not be empty"
        case "maxLength":
            return f"is longer than {limit:,} characters"
        case "minItems":
            return f"needs at least {limit} {'entry' if limit == 1 else 'entries'}"
        case "maxItems":
            return f"has more than {limit:,} entries"
        case "minProperties":
            return "needs at least one entry"
        case "maxProperties":
            return f"has more than {limit:,} entries"
    return f"is not allowed here ({name})"
