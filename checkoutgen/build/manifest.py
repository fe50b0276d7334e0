"""What the last build wrote: `.checkoutgen/manifest.json` (digests, owners, reasons) and `base` (the texts).

Both are committed with the shop and equal on every machine: keys and names sorted, no time, no path outside the shop.
"""

from __future__ import annotations

import hashlib
import json
import re
from functools import cached_property
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

from checkoutgen import __version__
from checkoutgen.errors import UsageError

if TYPE_CHECKING:
    from checkoutgen.build.render import File

FOLDER = ".checkoutgen"
MANIFEST = f"{FOLDER}/manifest.json"
BASE = f"{FOLDER}/base"
FORMAT = 1


class Entry(NamedTuple):
    """One generated file as the last build rendered it."""

    digest: str
    executable: bool
    owner: str
    sources: tuple[str, ...]


class Manifest(NamedTuple):
    """`tool`: its version. `made_by`: digest of its code and templates. `inputs`: digest of each file it read."""

    tool: str
    made_by: str
    inputs: dict[str, str]
    files: dict[str, Entry]

    def dump(self) -> bytes:
        """One file a line, so that two branches that built different things merge."""
        encode = json.JSONEncoder(ensure_ascii=False).encode
        files = ",\n".join(f"{encode(path)}: {encode(entry._asdict())}" for path, entry in sorted(self.files.items()))
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
    """The generated texts one after another, behind a line that says how long each is: {"path": bytes}.

    Nothing is compressed: other versions of zlib give other bytes, and git compresses the file anyway. Binary files are
    left out: they are never merged, their digest is enough.
    """
    texts = {
        path: file.content
        for path, file in sorted(files.items())
        if file.owner == "generated" and is_text(file.content)
    }
    lengths = json.dumps({path: len(content) for path, content in texts.items()})
    return b"".join([lengths.encode(), b"\n", *texts.values()])


class Base:
    """The texts of the last build; the archive is taken apart only when one is asked for."""

    def __init__(self, archive: bytes) -> None:
        self._archive = archive

    @cached_property
    def texts(self) -> dict[str, bytes]:
        head, _, body = self._archive.partition(b"\n")
        try:
            lengths = {str(path): int(length) for path, length in json.loads(head).items()}
            if min(lengths.values(), default=0) < 0 or sum(lengths.values()) != len(body):
                raise ValueError(BASE)
        except (ValueError, TypeError, AttributeError, OverflowError, RecursionError):
            raise UsageError(f"{BASE} is damaged: restore it from your repository") from None
        ends = accumulate(lengths.values())
        return {path: body[end - length : end] for (path, length), end in zip(lengths.items(), ends, strict=True)}


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
