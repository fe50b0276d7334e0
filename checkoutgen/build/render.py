"""Spec -> {path: File}: every byte that a build would write, before anything on disk is looked at.

Three kinds of files. Code is chosen (`select`) and copied; the few templates that end in `.jinja` get identifiers only.
What the spec says goes to data files, written by libraries. Mails are compiled from MJML to plain Django templates.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from json.encoder import encode_basestring
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from checkoutgen.build.sbom import sbom
from checkoutgen.build.select import Chosen, package, providers, select
from checkoutgen.build.written import written

if TYPE_CHECKING:
    from checkoutgen.spec import Spec

Owner = Literal["generated", "seeded"]
Data = dict[str, Any]

# Written once, then the agency's: never merged, never deleted.
SEEDED = ("custom/",)
# Maps whose order means something to buyers: the first market is home, categories stand in the menu as written.
ORDERED = {"markets", "categories", "options"}
LOCK = re.compile(r"requirements[a-z0-9-]*\.lock")
IDENTIFIER = re.compile(r"[a-z][a-z0-9_.-]*")


class File(NamedTuple):
    """One file of a shop. `sources` are the spec paths that made it; none means that every shop has it."""

    content: bytes
    executable: bool = False
    owner: Owner = "generated"
    sources: tuple[str, ...] = ()


def render(spec: Spec) -> dict[str, File]:
    """Every file of the shop by its path, sorted."""
    chosen = select(spec.data)
    code = _code(spec.data, chosen)
    locks = [file.content.decode() for path, file in sorted(code.items()) if LOCK.fullmatch(path)]
    files = {**code, **_mails(chosen), **_data(spec), "sbom.cdx.json": File(sbom(locks))}
    return dict(sorted(files.items()))


def _code(data: Data, chosen: dict[str, Chosen]) -> dict[str, File]:
    files = {}
    names: dict[str, list[str]] | None = None
    for template, (source, because) in chosen.items():
        if template.endswith(".mjml"):
            continue
        content = package()[source]
        path = template.removesuffix(".jinja")
        if path != template:
            names = names or identifiers(data, chosen)
            content = _filled(path, content, names)
        owner: Owner = "seeded" if path.startswith(SEEDED) else "generated"
        files[path] = File(content, content.startswith(b"#!"), owner, because)
    return files


def identifiers(data: Data, chosen: dict[str, Chosen]) -> dict[str, list[str]]:
    """All that a `.jinja` template can know: names of apps, providers, languages and mails, each checked."""
    names = {
        "apps": [name for name in sorted(_packages(chosen)) if name != "common" and not name.startswith("custom.")],
        "providers": sorted(name.replace("-", "_") for name in providers(data)),
        "languages": list(data["shop"]["languages"]),
        "mails": sorted(data["mails"]["send"]),
    }
    for name in (name for group in names.values() for name in group):
        if not IDENTIFIER.fullmatch(name):
            raise ValueError(f"not an identifier: {name!a}")
    return names


def _packages(chosen: dict[str, Chosen]) -> list[str]:
    return [path.removesuffix("/apps.py").replace("/", ".") for path in chosen if path.endswith("/apps.py")]


def _filled(path: str, template: bytes, names: dict[str, list[str]]) -> bytes:
    from minijinja import Environment

    environment = Environment(
        undefined_behavior="strict",
        auto_escape_callback=lambda _: False,  # code, and nothing but identifiers goes in
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
        block_start_string="[%",
        block_end_string="%]",
        variable_start_string="[[",
        variable_end_string="]]",
        comment_start_string="[#",
        comment_end_string="#]",
    )
    return environment.render_str(template.decode(), path, **names).encode()


def _mails(chosen: dict[str, Chosen]) -> dict[str, File]:
    from checkoutgen.build import mails

    return {
        path.removesuffix("mail.mjml") + "body.html": File(mails.body(path.split("/")[-2]).encode(), sources=because)
        for path, (_, because) in chosen.items()
        if path.endswith("/mail.mjml")
    }


def _data(spec: Spec) -> dict[str, File]:
    data = spec.data
    pages: Data = data["legal"]["pages"]
    files = {
        "checkout.yaml": File(_yaml(spec.source), sources=("",)),
        "config/shop.json": File(_json(settings(data)), sources=tuple(sorted(data))),
        "content/catalogue.json": File(_json({"products": data["catalogue"]["products"]}), sources=("catalogue",)),
    }
    for page, texts in pages.items():
        for language, body in texts["body"].items():
            content = body.encode().rstrip(b"\n") + b"\n"
            files[f"content/legal/{page}.{language}.md"] = File(content, sources=(f"legal.pages.{page}",))
    places: dict[str, list[str]] = {}
    for path, place in _pictures(data):
        places.setdefault(path, []).append(place)
    for path, content in spec.files.items():
        files[f"static/{path}"] = File(content, sources=tuple(places.get(path, ())))
    return files


def settings(data: Data) -> Data:
    """`config/shop.json`: the resolved spec without products and bodies of legal pages."""
    catalogue = {key: value for key, value in data["catalogue"].items() if key not in ("files", "products")}
    pages = {
        page: {key: value for key, value in texts.items() if key != "body"}
        for page, texts in data["legal"]["pages"].items()
    }
    return {
        **{key: value for key, value in data.items() if key != "extends"},
        "catalogue": catalogue,
        "legal": {**data["legal"], "pages": pages},
    }


def _pictures(data: Data) -> Iterator[tuple[str, str]]:
    """Each picture's path with the place of the resolved spec that names it."""
    if logo := data["shop"]["theme"].get("logo"):
        yield logo["path"], "shop.theme.logo"
    for index, badge in enumerate(data["trust"]["badges"]):
        if picture := badge.get("picture"):
            yield picture["path"], f"trust.badges[{index}].picture"
    for number, product in enumerate(data["catalogue"]["products"]):
        for index, picture in enumerate(product["pictures"]):
            yield picture["path"], f"catalogue.products[{number}].pictures[{index}]"


def _json(value: Data) -> bytes:
    return f"{_indented(value)}\n".encode()


def _indented(value: Any, line: str = "\n", keep: bool = False) -> str:
    """JSON with two spaces a level, keys sorted but for the maps whose order means something.

    json.dumps leaves its C code as soon as it indents, and takes three times as long.
    """
    inner = line + "  "
    if isinstance(value, str):
        return encode_basestring(value)
    if isinstance(value, dict) and value:
        items = value.items() if keep else sorted(value.items())
        members = [f"{encode_basestring(key)}: {_indented(child, inner, key in ORDERED)}" for key, child in items]
        return f"{{{inner}{f',{inner}'.join(members)}{line}}}"
    if isinstance(value, list) and value:
        return f"[{inner}{f',{inner}'.join([_indented(child, inner) for child in value])}{line}]"
    return json.dumps(value)


def _yaml(source: Data) -> bytes:
    """The spec as written, with what `extends` brought in."""
    head = "# What this shop was made from, with everything that the spec `extends` brought in."
    return f"{head}\n{written(source)}".encode()
