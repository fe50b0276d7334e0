"""A spec's words are data: whatever stands in every free text of the schema at once, no file of code changes a byte."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from checkoutgen.build.render import File, render
from checkoutgen.spec.formats import FORMATS
from tests.hostile.conftest import LoadFilled
from tests.hostile.fields import closed_texts, filled, free_texts, whole
from tests.hostile.polyglots import ALL, POLYGLOTS

Files = dict[str, File]

# The only files of a shop that hold what an author wrote.
DATA = ("checkout.yaml", "config/shop.json", "content/")


@pytest.fixture(scope="module")
def benign(load_filled: LoadFilled) -> Files:
    return render(load_filled("benign"))


def test_the_whole_spec_has_every_free_text_of_the_schema() -> None:
    _, reached = filled(whole(), lambda _: "x")
    assert len(reached) > 150
    assert free_texts() - reached == set()


def test_every_text_arrives(load_filled: LoadFilled) -> None:
    """Each place with a text of its own: all of them stand in the data files, none of them in another."""
    from pathlib import Path

    from checkoutgen.spec import load
    from tests.spec.conftest import written

    texts: dict[str, tuple[str, ...]] = {}

    def unique(path: tuple[str, ...]) -> str:
        return texts.setdefault(f"zq{len(texts)}zq", path) and f"zq{len(texts) - 1}zq"

    document, _ = filled(whole(), unique)
    spec = load(Path(load_filled("x").file), text=written(document))
    data = b"".join(file.content for path, file in render(spec).items() if path.startswith(DATA[1:]))
    code = b"".join(file.content for path, file in render(spec).items() if not path.startswith(DATA))
    assert len(texts) > 140
    assert [path for text, path in texts.items() if text.encode() not in data] == []
    assert b"zq" not in code


@pytest.mark.parametrize("name", [*POLYGLOTS, "all of them"])
def test_no_file_of_code_changes(name: str, load_filled: LoadFilled, benign: Files) -> None:
    attacked = render(load_filled(POLYGLOTS.get(name, ALL)))
    assert attacked.keys() == benign.keys()
    changed = [path for path in benign if attacked[path] != benign[path]]
    assert [path for path in changed if not path.startswith(DATA)] == []
    assert {"checkout.yaml", "config/shop.json", "content/catalogue.json", "content/legal/terms.fr.md"} <= set(changed)
    for path in changed:
        _parsed(path, attacked[path].content)


def _parsed(path: str, content: bytes) -> Any:
    if path.endswith(".json"):
        return json.loads(content)
    return yaml.safe_load(content) if path.endswith(".yaml") else content.decode()


def test_code_is_most_of_a_shop(benign: Files) -> None:
    """Else the test above would compare nothing; each kind that a text could break out into is there."""
    code = [path for path in benign if not path.startswith(DATA)]
    for ending in (
        ".py",
        ".html",
        ".js",
        ".css",
        ".toml",
        ".po",
        ".mo",
        ".txt",
        ".lock",
        "Dockerfile",
        "Makefile",
        "compose.yaml",
    ):
        assert [path for path in code if path.endswith(ending)], ending
    assert len(code) > 300


def test_a_text_in_code_would_be_seen(load_filled: LoadFilled, benign: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    from checkoutgen.build import render as renders

    known = renders.identifiers
    monkeypatch.setattr(
        renders, "identifiers", lambda data, chosen: {**known(data, chosen), "apps": [data["shop"]["name"]]}
    )
    leaking = render(load_filled("other"))
    assert [path for path in benign if path.endswith(".py") and leaking[path] != benign[path]]


@pytest.mark.parametrize("name", POLYGLOTS)
def test_closed_texts_take_no_polyglot(name: str) -> None:
    """What is no free text is used where a free one may not be: its pattern or format refuses all of these."""
    import re

    for path, schema in closed_texts():
        if schema.get("format") in ("file", "text-file"):
            continue  # `{language}` stands in a file's name, so braces may; the file has to be there too
        check = FORMATS.get(schema.get("format", ""))
        refused = re.search(schema.get("pattern", ""), POLYGLOTS[name]) is None or (check and check(POLYGLOTS[name]))
        assert refused, path
