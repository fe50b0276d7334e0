"""Files that a spec names, opened without following links out of its folder, bounded and checked."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from typing import NamedTuple

MAX_PICTURE = 1 << 20
MAX_SIDE = 8_000


class UnusableFileError(Exception):
    """What is wrong with a file, in words that follow its name."""


class Picture(NamedTuple):
    content: bytes
    width: int
    height: int


def read_regular(path: Path, limit: int) -> bytes:
    """A regular file of at most `limit` bytes, named by the user on the command line or beside their spec."""
    try:
        return _read(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), limit)
    except OSError as error:
        raise UnusableFileError(_why(error)) from None
    except ValueError:
        raise UnusableFileError("has a name that no file can have") from None


def read_inside(root: Path, name: str, limit: int) -> bytes:
    """A regular file below `root`. `name` is relative, with /; no part of it may be a symbolic link."""
    folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        *folders, last = name.split("/")
        for part in folders:
            inner = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
            os.close(folder)
            folder = inner
        return _read(os.open(last, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder), limit)
    except OSError as error:
        raise UnusableFileError(_why(error)) from None
    finally:
        os.close(folder)


def _read(descriptor: int, limit: int) -> bytes:
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise UnusableFileError("is not a regular file")
        content = b""
        while len(content) <= limit and (more := os.read(descriptor, min(found.st_size, limit) + 1)):
            content += more
    finally:
        os.close(descriptor)
    if len(content) > limit:
        raise UnusableFileError(f"is larger than {limit:,} bytes")
    return content


def _why(error: OSError) -> str:
    match error:
        case FileNotFoundError():
            return "does not exist"
        case PermissionError():
            return "cannot be read: permission denied"
        case IsADirectoryError():
            return "is a folder"
    if error.errno in (20, 40):  # ENOTDIR and ELOOP: O_NOFOLLOW met a symbolic link
        return "is reached through a symbolic link or a file in place of a folder, which is not allowed"
    return f"cannot be read: {(error.strerror or 'unknown').lower()}"


def read_picture(root: Path, name: str) -> Picture:
    """A picture that is what its name says and nothing else, at most 1 MiB and 8,000 pixels a side."""
    content = read_inside(root, name, MAX_PICTURE)
    ending = name.rpartition(".")[2].lower()
    measure = _MEASURES.get(ending)
    if measure is None:
        raise UnusableFileError("is not a picture: its name must end in .svg, .png, .jpg or .webp")
    size = measure(content)
    if size is None:
        raise UnusableFileError(f"does not hold a {ending.upper()} picture, whatever its name says")
    if not all(0 < side <= MAX_SIDE for side in size):
        raise UnusableFileError(f"measures {size[0]} by {size[1]} pixels; a side may have 1 to {MAX_SIDE:,}")
    if ending != "svg" and _MARKUP.search(content):
        raise UnusableFileError("is a picture and a page or a program at once; save it again in a picture editor")
    return Picture(content, *size)


# What makes a page or a program of a file for those who do not go by its name.
_MARKUP = re.compile(rb"<(?:!doctype|html|head|body|script|iframe|\?php)[\s>]", re.IGNORECASE)


def _png(content: bytes) -> tuple[int, int] | None:
    if content[:8] != b"\x89PNG\r\n\x1a\n" or content[12:16] != b"IHDR":
        return None
    at, kind = 8, b""
    while kind != b"IEND":
        if at + 12 > len(content):
            return None
        kind = content[at + 4 : at + 8]
        at += 12 + int.from_bytes(content[at : at + 4])
    _refuse_more(content, at)
    return int.from_bytes(content[16:20]), int.from_bytes(content[20:24])


def _jpeg(content: bytes) -> tuple[int, int] | None:
    if content[:3] != b"\xff\xd8\xff":
        return None
    at = 2
    while at + 9 <= len(content) and content[at] == 0xFF:
        marker = content[at + 1]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):  # start of frame
            return int.from_bytes(content[at + 7 : at + 9]), int.from_bytes(content[at + 5 : at + 7])
        at += 1 if marker == 0xFF else 2 + int.from_bytes(content[at + 2 : at + 4])
    return None


def _webp(content: bytes) -> tuple[int, int] | None:
    length = 8 + int.from_bytes(content[4:8], "little")
    if content[:4] != b"RIFF" or content[8:12] != b"WEBP" or not 30 <= length <= len(content):
        return None
    _refuse_more(content, length + length % 2)
    match content[12:16]:
        case b"VP8X":
            return 1 + int.from_bytes(content[24:27], "little"), 1 + int.from_bytes(content[27:30], "little")
        case b"VP8L":
            bits = int.from_bytes(content[21:25], "little")
            return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
        case b"VP8 " if content[23:26] == b"\x9d\x01\x2a":
            return int.from_bytes(content[26:28], "little") & 0x3FFF, int.from_bytes(content[28:30], "little") & 0x3FFF
    return None


def _refuse_more(content: bytes, length: int) -> None:
    if len(content) > length:
        raise UnusableFileError("holds something else behind the picture; save it again in a picture editor")


# Drawing only: nothing here runs, loads, links or animates. style elements stay out because CSS can load.
_SVG_ELEMENTS = frozenset(
    "svg g defs symbol use title desc path rect circle ellipse line polyline polygon text tspan linearGradient "
    "radialGradient stop clipPath mask pattern marker filter feGaussianBlur feOffset feMerge feMergeNode feColorMatrix "
    "feBlend feFlood feComposite feDropShadow".split()
)
_SVG_ATTRIBUTE = re.compile(r"(?!on)[a-zA-Z][a-zA-Z0-9-]*\Z", re.IGNORECASE)
_SVG_ODD = re.compile(r"url|script|expression|@|\\", re.IGNORECASE)
_SVG_OWN = re.compile(r"url\(\s*['\"]?#[\w.-]+['\"]?\s*\)", re.ASCII)
_SVG = "http://www.w3.org/2000/svg}"
_XML = "http://www.w3.org/XML/1998/namespace}"


def _svg(content: bytes) -> tuple[int, int] | None:
    from xml.parsers import expat

    found: list[tuple[str, dict[str, str]]] = []

    def refuse(*_: object) -> None:
        raise UnusableFileError(
            "is an SVG with a document type, entities or processing instructions, which is not allowed"
        )

    def utf8(_version: str, encoding: str | None, _standalone: int) -> None:
        if encoding and encoding.lower() != "utf-8":
            raise UnusableFileError("is an SVG in another encoding than UTF-8; save it as UTF-8")

    parser = expat.ParserCreate(namespace_separator="}")
    parser.XmlDeclHandler = utf8
    parser.StartElementHandler = lambda name, attributes: found.append((name, attributes))
    parser.StartDoctypeDeclHandler = parser.ProcessingInstructionHandler = refuse
    try:
        parser.Parse(content.decode(), True)
    except (expat.ExpatError, ValueError):
        return None
    if found[0][0] != f"{_SVG}svg":
        return None
    seen: set[tuple[str, str]] = set()
    values = [value for _, attributes in found for value in attributes.values()]
    odd = _SVG_ODD.search("\n".join(values))  # one look at all of them; then each only where there is something
    for name, attributes in found:
        if name.removeprefix(_SVG) not in _SVG_ELEMENTS:
            raise UnusableFileError(f"is an SVG with the element {ascii(name)[:80]}, which is not allowed")
        for attribute, value in attributes.items():
            pair = attribute, value if odd or attribute.endswith("href") else ""
            if pair not in seen:  # a drawing says the same thing many times
                seen.add(pair)
                _svg_attribute(attribute, value)
    return _svg_size(found[0][1])


def _svg_attribute(name: str, value: str) -> None:
    if name == "href" or name.endswith("}href"):
        if not re.fullmatch(r"#[\w.-]+", value, re.ASCII):
            raise UnusableFileError("is an SVG that refers to something outside itself, which is not allowed")
        return
    odd = _SVG_ODD.search(value) and _SVG_ODD.search(_SVG_OWN.sub("", value))
    if odd or not _SVG_ATTRIBUTE.match(name.removeprefix(_XML)):
        raise UnusableFileError(f"is an SVG with the attribute {ascii(name)[:60]}, which is not allowed here")


def _svg_size(attributes: dict[str, str]) -> tuple[int, int]:
    sides = [re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)(?:px)?", attributes.get(name, "")) for name in ("width", "height")]
    if sides[0] and sides[1]:
        return round(float(sides[0][1])), round(float(sides[1][1]))
    box = re.split(r"[\s,]+", attributes.get("viewBox", "").strip())
    if len(box) == 4 and all(re.fullmatch(r"-?[0-9]+(?:\.[0-9]+)?", number) for number in box):
        return round(float(box[2])), round(float(box[3]))
    raise UnusableFileError("is an SVG without width and height or viewBox; add one")


_MEASURES = {"png": _png, "jpg": _jpeg, "jpeg": _jpeg, "webp": _webp, "svg": _svg}
