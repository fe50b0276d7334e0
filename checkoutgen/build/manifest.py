"""What the last build wrote: `.checkoutgen/manifest.json` (digests, owners, reasons) and `base` (the texts).

Both are committed with the shop and equal on every machine: keys and names sorted, no time, no path outside the shop.
"""

from __future__ import annotations

import hashlib
import json
import re
from functools import cached_property
from itertools import accumulate
from typing import TYPE_CHECKING, Any, NamedTuple

from checkoutgen import __version__
from checkoutgen.errors import UsageError

if TYPE_CHECKING:
    from checkoutgen.build.render import File

FOLDER = ".checkoutgen"
MANIFEST = f"{FOLDER}/manifest.json"
BASE = f"{FOLDER}/base"
ZIPPED_BASE = f"{BASE}.zip"  # what the first builds left in its place
FORMAT = 1


class Entry(NamedTuple):
    """One generated file as the last build rendered it."""

    digest: str
    executable: bool
    owner: str
    sources: tuple[str, ...]


class Override(NamedTuple):
    """The digest of a file of yours in `custom/`, and of the shop's own that it was written to stand in front of."""

    yours: str
    ours: str


class Manifest(NamedTuple):
    """`tool`: its version. `made_by`: digest of its code and templates. `inputs`: digest of each file it read."""

    tool: str
    made_by: str
    inputs: dict[str, str]
    files: dict[str, Entry]
    overrides: dict[str, Override]

    def dump(self) -> bytes:
        """One file a line, so that two branches that built different things merge."""
        encode = json.JSONEncoder(ensure_ascii=False).encode

        def lines(entries: dict[str, Any]) -> str:
            inner = ",\n".join(f"{encode(path)}: {encode(entry)}" for path, entry in sorted(entries.items()))
            return f"{{\n{inner}\n}}"

        files = lines({path: entry._asdict() for path, entry in self.files.items()})
        overrides = lines({path: override._asdict() for path, override in self.overrides.items()})
        made = f'"format": {FORMAT}, "tool": {encode(self.tool)}, "made_by": {encode(self.made_by)}'
        return f'{{{made}, "inputs": {lines(self.inputs)}, "overrides": {overrides}, "files": {files}}}\n'.encode()


def load(content: bytes) -> Manifest:
    """Reads a manifest; it comes with the shop's repository, so nothing in it is trusted."""
    try:
        data = json.loads(content)
        if data["format"] > FORMAT:
            raise UsageError(f"{MANIFEST} was written by a newer checkoutgen: update this one first")
        files = {
            _inside(path): Entry(
                str(e["digest"]), bool(e["executable"]), str(e["owner"]), tuple(map(str, e["sources"]))
            )
            for path, e in data["files"].items()
        }
        inputs = {str(path): str(known) for path, known in data["inputs"].items()}
        overrides = {
            _inside(path): Override(str(e["yours"]), str(e["ours"])) for path, e in data.get("overrides", {}).items()
        }
        return Manifest(str(data["tool"]), str(data["made_by"]), inputs, files, overrides)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise UsageError(
            f"{MANIFEST} is damaged: restore it from your repository, or build into an empty folder"
        ) from None


def of(files: dict[str, File], inputs: dict[str, str], made_by: str) -> Manifest:
    """The manifest of rendered files, in front of which nothing of yours stands yet."""
    entries = {
        path: Entry(digest(file.content), file.executable, file.owner, file.sources) for path, file in files.items()
    }
    return Manifest(__version__, made_by, inputs, entries, {})


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
        if self._archive.startswith(b"PK"):
            return _unzipped(self._archive)
        head, _, body = self._archive.partition(b"\n")
        try:
            lengths = {str(path): int(length) for path, length in json.loads(head).items()}
            if min(lengths.values(), default=0) < 0 or sum(lengths.values()) != len(body):
                raise ValueError(BASE)
        except (ValueError, TypeError, AttributeError, OverflowError, RecursionError):
            raise _damaged_base() from None
        ends = accumulate(lengths.values())
        return {path: body[end - length : end] for (path, length), end in zip(lengths.items(), ends, strict=True)}


def _unzipped(archive: bytes) -> dict[str, bytes]:
    """The texts of a zip as the first builds wrote it: nothing in it is compressed, and so nothing can burst."""
    import io
    import zipfile

    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as zipped:
            if any(member.compress_type != zipfile.ZIP_STORED for member in zipped.infolist()):
                raise zipfile.BadZipFile
            return {name: zipped.read(name) for name in zipped.namelist()}
    except (zipfile.BadZipFile, ValueError, RuntimeError, NotImplementedError):
        raise _damaged_base() from None


def _damaged_base() -> UsageError:
    return UsageError(f"{BASE} is missing or damaged: restore it from your repository")


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
