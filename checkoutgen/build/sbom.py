"""What a shop is made of, for a scanner: the locked packages as CycloneDX 1.6 (https://cyclonedx.org/docs/1.6/json/)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

PINNED = re.compile(r"^([a-z0-9][a-z0-9.-]*)(?:\[[a-z0-9,-]*\])?==([^ ;\\]+)", re.MULTILINE)


def sbom(locks: Iterable[str]) -> dict[str, Any]:
    """The packages of lock files, each once, without time or serial number: equal locks give equal bytes."""
    pinned = sorted({match.groups() for lock in locks for match in PINNED.finditer(lock)})
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "components": [
            {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}
            for name, version in pinned
            for purl in [f"pkg:pypi/{name}@{version}"]
        ],
    }
