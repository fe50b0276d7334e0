"""The whole rendered tree of both examples, one snapshot a file.

A file that is a copy is compared with what it is a copy of; kept as a snapshot it would only double the repository.
`pytest tests/build/test_snapshots.py --snapshot-update` takes what is rendered now; read the diff before committing it.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from checkoutgen.build.render import File, render
from checkoutgen.build.select import package, select
from checkoutgen.spec import load

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion

ROOT = Path(__file__).parents[2]
EXAMPLES = ("b2c", "b2b")


class TextFile(SingleFileSnapshotExtension):
    _write_mode = WriteMode.TEXT
    file_extension = "txt"


@pytest.fixture
def snapshot(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    return snapshot.use_extension(TextFile)


@cache
def rendered(example: str) -> tuple[dict[str, File], dict[str, bytes]]:
    """The files of a shop, and the sources of those that are copies."""
    spec = load(ROOT / f"examples/{example}.yaml")
    copies = {
        path: package()[chosen.source]
        for path, chosen in select(spec.data).items()
        if not path.endswith((".jinja", ".mjml"))
    }
    copies |= {f"static/{path}": content for path, content in spec.files.items()}
    for page, texts in spec.data["legal"]["pages"].items():
        copies |= {f"content/legal/{page}.{language}.md": body.encode() for language, body in texts["body"].items()}
    return render(spec), copies


@pytest.mark.parametrize("example", EXAMPLES)
def test_which_files_there_are(example: str, snapshot: SnapshotAssertion) -> None:
    files, _ = rendered(example)
    lines = [
        f"{'755' if file.executable else '644'} {file.owner:<9} {path}"
        + (f"  <- {', '.join(file.sources)}" if file.sources else "")
        for path, file in files.items()
    ]
    assert "\n".join([*lines, ""]) == snapshot(name=example)


@pytest.mark.parametrize("example", EXAMPLES)
def test_copies_are_copies(example: str) -> None:
    files, copies = rendered(example)
    assert len(copies) > 200
    assert [path for path in copies if files[path].content.strip() != copies[path].strip()] == []


@pytest.mark.parametrize("example", EXAMPLES)
def test_what_is_made_from_the_spec(example: str, snapshot: SnapshotAssertion) -> None:
    files, copies = rendered(example)
    made = [path for path in files if path not in copies and not path.startswith("templates/mails/")]
    assert {
        "config/shop.json",
        "config/installed.py",
        "content/catalogue.json",
        "checkout.yaml",
        "sbom.cdx.json",
    } == set(made)
    for path in made:
        assert files[path].content.decode() == snapshot(name=f"{example}-{path.replace('/', '-')}")


def test_the_mails(snapshot: SnapshotAssertion) -> None:
    """Compiled from the same MJML whatever the spec, so each stands here once."""
    mails: dict[str, bytes] = {}
    for example in EXAMPLES:
        for path, file in rendered(example)[0].items():
            if path.startswith("templates/mails/") and path.endswith("/body.html"):
                assert mails.setdefault(path, file.content) == file.content
    assert len(mails) > 10
    for path, content in sorted(mails.items()):
        assert content.decode() == snapshot(name=path.split("/")[2])


def test_no_placeholder_is_left() -> None:
    for example in EXAMPLES:
        for path, file in rendered(example)[0].items():
            if path not in rendered(example)[1] and not path.startswith(
                ("content/", "checkout.yaml", "config/shop.json")
            ):
                assert b"[[" not in file.content, path
                assert b"[%" not in file.content, path
        assert json.loads(rendered(example)[0]["config/shop.json"].content)["version"] == 1
