"""Every page and mail of a shop, in every language and state, as files that somebody can look through and sign."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from checkoutgen.build import signoff
from checkoutgen.build.serve import interpreter, manage
from checkoutgen.build.write import build
from checkoutgen.errors import UsageError, quoted
from checkoutgen.spec import load


def preview(path: Path, out: Path) -> str:
    """Builds the shop of the spec at `path` for the occasion and writes the files into `out`, a new or empty folder.

    Says in a line what was written. UsageError when the folder cannot be used.
    """
    if out.is_symlink() or (out.exists() and not out.is_dir()) or (out.is_dir() and any(out.iterdir())):
        raise UsageError(f"{quoted(str(out))} is not a new or an empty folder; name another")
    spec = load(path)
    python = interpreter(spec)
    with tempfile.TemporaryDirectory(prefix="checkoutgen-") as work:
        shop = Path(work, "shop")
        build(spec, shop)
        environment = {
            **{key: value for key, value in os.environ.items() if key not in ("DATABASE_URL", "VAR_DIR")},
            "DEBUG": "1",
            "PUBLIC_URL": spec.data["shop"]["url"],
        }
        for command in (["migrate", "--no-input", "--verbosity", "0"], ["load_catalogue"]):
            manage(python, shop, environment, *command)
        said = manage(python, shop, environment, "preview", str(out.absolute()))
    (out / "promises.txt").write_text("\n".join([*signoff.sheet(spec), ""]), encoding="utf-8")
    return said.splitlines()[-1]
