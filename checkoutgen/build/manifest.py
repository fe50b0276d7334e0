"""What the last build wrote: `.checkoutgen/manifest.json` (digests, owners, reasons) and `base.zip` (the texts).

Both are committed with the shop and equal on every machine: keys and names sorted, no time, no path outside the shop.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from checkoutgen import __version__
from checkoutgen.errors import UsageError

if TYPE_CHECKING:
    from checkoutgen.build.render import File

FOLDER = ".checkoutgen"
MANIFEST = f"{FOLDER}/manifest.json"
BASE = f"{FOLDER}/base.zip"
FORMAT = 1


@dataclass(frozen=True)
class Entry:
    """One generated file as the last build rendered it."""

    digest: str
    executable: bool
    owner: str
    sources: tuple[str, ...]


@dataclass(frozen=True)
class Manifest:
    """`tool`: its version. `made_by`: digest of its code and templates. `inputs`: digest of each file it read."""

    tool: str
    made_by: str
    inputs: dict[str, str]
    files: dict[str, Entry]

    def dump(self) -> bytes:
        """One file a line, so that two branches that built different things merge."""
        encode = json.JSONEncoder(ensure_ascii=False).encode
        files = ",\n".join(f"{encode(path)}: {encode(vars(entry))}" for path, entry in sorted(self.files.items()))
        read = ",\n".join(f"{encode(path)}: {encode(known)}" for path, known in sorted(self.inputs.items()))
        made = f'"format": {FORMAT}, "tool": {encode(self.tool)}, "made_by": {encode(self.made_by)}'
        return f'{{{made}, "inputs": {{\n{read}\n}}, "files": {{\n{files}\n}}}}\n'.encode()


def load(content: bytes) -> Manifest:
    """Reads a manifest; it comes with the shop's repository, so nothing in it is trusted."""
    try:
        data = json.loads(content)
        files = {
            _inside(path): Entry(
                str(e["digest"]), bool(e["executable"]), str(e["owner"]), tuple(map(str, e["sources"]))
            )
            for path, e in data["files"].items()
        }
        inputs = {str(path): str(known) for path, known in data["inputs"].items()}
        return Manifest(str(data["tool"]), str(data["made_by"]), inputs, files)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise UsageError(
            f"{MANIFEST} is damaged: restore it from your repository, or build into an empty folder"
        ) from None


def of(files: dict[str, File], inputs: dict[str, str], made_by: str) -> Manifest:
    entries = {
        path: Entry(digest(file.content), file.executable, file.owner, file.sources) for path, file in files.items()
    }
    return Manifest(__version__, made_by, inputs, entries)


def release(version: str) -> tuple[int, ...]:
    """ "1.10.2" as (1, 10, 2); what follows the numbers does not count."""
    numbers = re.match(r"\d+(?:\.\d+)*", version)
    return tuple(map(int, numbers[0].split("."))) if numbers else ()


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def archive(files: dict[str, File]) -> bytes:
    """The generated texts as a zip with one date, one mode and no compression.

    Deflate gives other bytes under another zlib (zlib-ng), and git compresses the file anyway. Binary files are left
    out: they are never merged, their digest is enough.
    """
    import io
    import zipfile

    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as zipped:
        for path, file in sorted(files.items()):
            if file.owner == "generated" and is_text(file.content):
                member = zipfile.ZipInfo(path, (1980, 1, 1, 0, 0, 0))
                member.create_system = 3  # Unix, on every system
                member.external_attr = 0o100644 << 16
                zipped.writestr(member, file.content)
    return buffer.getvalue()


class Base:
    """The texts of the last build; the archive is opened only when one is asked for."""

    def __init__(self, archive: bytes) -> None:
        self._archive = archive

    @cached_property
    def texts(self) -> dict[str, bytes]:
        import io
        import zipfile

        try:
            with zipfile.ZipFile(io.BytesIO(self._archive)) as zipped:
                return {name: zipped.read(name) for name in zipped.namelist()}
        except zipfile.BadZipFile:
            raise UsageError(f"{BASE} is damaged: restore it from your repository") from None


def is_text(content: bytes) -> bool:
    if b"\0" in content:
        return False
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def _inside(path: str) -> str:
    """A path that a build can have made: no other is deleted, written to, or repeated in a log or a pull request."""
    parts = path.split("/")
    if not re.fullmatch(r"[A-Za-z0-9._{}/ -]+", path) or any(part in ("", ".", "..", ".git") for part in parts):
        raise ValueError(path)
    return path
