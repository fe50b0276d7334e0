"""The HTML of each page and mail of both examples, one snapshot each: what a change does to what buyers see.

`pytest tests/pages --snapshot-update` takes what is rendered now; read the diff before committing it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion

ROOT = Path(__file__).parents[2]


class Page(SingleFileSnapshotExtension):
    _write_mode = WriteMode.TEXT
    file_extension = "html"


@pytest.fixture(scope="module", params=["b2c", "b2b"])
def rendered(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, str]]:
    """(example, {page or mail: text})."""
    work = tmp_path_factory.mktemp(request.param)
    shop, out = work / "shop", work / "pages"
    out.mkdir()
    environment = {"PATH": os.environ["PATH"], "DEBUG": "1", "PUBLIC_URL": "https://shop.example", "LC_ALL": "C.UTF-8"}

    def run(*command: str, folder: Path) -> None:
        done = subprocess.run(
            [sys.executable, *command], cwd=folder, env=environment, capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]

    run("-m", "checkoutgen", "build", f"examples/{request.param}.yaml", str(shop), folder=ROOT)
    run("manage.py", "migrate", "--verbosity", "0", folder=shop)
    run("manage.py", "load_catalogue", folder=shop)
    run(str(Path(__file__).parent / "walk.py"), str(out), folder=shop)
    found = {str(path.relative_to(out)): path.read_text(encoding="utf-8") for path in sorted(out.rglob("*.*"))}
    return request.param, found


def test_pages_and_mails(rendered: tuple[str, dict[str, str]], snapshot: SnapshotAssertion) -> None:
    example, found = rendered
    assert len(found) > 80
    every = snapshot.use_extension(Page)
    changed = [name for name, text in found.items() if every(name=f"{example}-{name.replace('/', '-')}") != text]
    assert changed == []
