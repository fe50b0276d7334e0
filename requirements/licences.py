"""Writes THIRD-PARTY.md: what tool and shop run on, with version and licence as each package declares it."""

from __future__ import annotations

import re
from importlib.metadata import metadata
from pathlib import Path

ROOT = Path(__file__).parent.parent
LOCKS = {
    "The tool": [ROOT / "requirements/tool.lock"],
    "A made shop": [ROOT / "checkoutgen/templates/shop/requirements.lock"],
    "A made shop, for a payment provider": sorted(
        ROOT.glob("checkoutgen/templates/payments/*/shop/requirements-*.lock")
    ),
}
PINNED = re.compile(r"^([a-z0-9][a-z0-9.-]*)(?:\[[a-z0-9,-]*\])?==([^ ;\\]+)", re.MULTILINE)
WINDOWS_ONLY = {"colorama", "pywin32", "tzdata"}


def licence(name: str) -> str:
    """The SPDX expression, or what an older package says instead."""
    about = metadata(name)
    if expression := about.get("License-Expression"):
        return str(expression)
    classified = [
        line.rpartition(" :: ")[2] for line in about.get_all("Classifier", []) if line.startswith("License ::")
    ]
    stated = (about.get("License") or "").splitlines()[:1]
    return ", ".join(classified) or "".join(stated) or "see its metadata"


def lines() -> list[str]:
    result = [
        "# Third-party licences",
        "",
        "Nothing of these packages is in this repository; they are installed beside it.",
        "",
    ]
    for title, locks in LOCKS.items():
        pinned = sorted({match.groups() for lock in locks for match in PINNED.finditer(lock.read_text())})
        result += [f"## {title}", "", "| Package | Version | Licence |", "|---|---|---|"]
        result += [
            f"| {name} | {version} | {'only on Windows' if name in WINDOWS_ONLY else licence(name)} |"
            for name, version in pinned
        ]
        result.append("")
    return result


if __name__ == "__main__":
    (ROOT / "THIRD-PARTY.md").write_text("\n".join(lines()))
