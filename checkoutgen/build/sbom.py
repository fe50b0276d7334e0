"""What a shop is made of, for a scanner: the locked packages as CycloneDX 1.6 (https://cyclonedx.org/docs/1.6/json/)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

# A package with its version, and the lines below it that name its files.
PINNED = re.compile(
    r"^([a-z0-9][a-z0-9.-]*)(?:\[[a-z0-9,-]*\])?==([^ ;\\]+)[^\n]*\n((?: +--hash=[^\n]*\n)*)", re.MULTILINE
)
HASH = re.compile(r"sha256:([0-9a-f]{64})")


def sbom(locks: Iterable[str]) -> bytes:
    """The packages of lock files, one a line, without time or serial number: equal locks give equal bytes."""
    pinned = {(match[1], match[2]): HASH.findall(match[3]) for lock in locks for match in PINNED.finditer(lock)}
    packages = sorted(pinned.items())
    components = [json.dumps(_component(name, version, hashes)) for (name, version), hashes in packages]
    head = '{"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1, "components": [\n'
    return (head + ",\n".join(components) + "\n]}\n").encode()


def _component(name: str, version: str, hashes: list[str]) -> dict[str, Any]:
    """`hashes` are those of the files that the package may be installed from, one for each system and Python."""
    purl = f"pkg:pypi/{name}@{version}"
    listed = [{"alg": "SHA-256", "content": content} for content in hashes]
    return {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl, "hashes": listed}
