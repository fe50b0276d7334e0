"""Files beside the spec: nothing outside its folder, nothing that runs, nothing huge."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from checkoutgen.spec import Spec
from checkoutgen.spec.files import UnusableFileError, read_inside, read_picture

from .conftest import Problems


def png(width: int, height: int, text: bytes = b"") -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"tEXt", text) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")
    )


JPEG = bytes.fromhex("ffd8ffe000104a46494600010100000100010000ffc0000b08000a001401011100ffd9")
WEBP = [
    b"RIFF" + (4 + len(chunk)).to_bytes(4, "little") + b"WEBP" + chunk
    for chunk in (
        b"VP8X\x0a\0\0\0\0\0\0\0" + (19).to_bytes(3, "little") + (9).to_bytes(3, "little"),
        b"VP8L\0\0\0\0\x2f" + (19 | 9 << 14).to_bytes(4, "little") + bytes(9),
        b"VP8 \0\0\0\0\0\0\0\x9d\x01\x2a" + (20).to_bytes(2, "little") + (10).to_bytes(2, "little"),
    )
]
SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="20" height="10">{}</svg>'


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.png", png(20, 10)),
        ("a.png", png(20, 10, b'XML:com.adobe.xmp\0<?xpacket begin=""?><x:xmpmeta xmlns:x="adobe:ns:meta/"/>')),
        ("a.jpg", JPEG),
        ("a.JPEG", JPEG),
        *[("a.webp", content) for content in WEBP],
        ("a.svg", SVG.format('<path d="M0 0" fill="url(#a)"/><use href="#b"/>').encode()),
        ("a.svg", b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 20 10"/>'),
        (
            "a.svg",
            b'<?xml version="1.0"?><!-- x --><svg xmlns="http://www.w3.org/2000/svg" width="20px" height="10px"/>',
        ),
    ],
)
def test_pictures_have_a_size(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    picture = read_picture(tmp_path, name)
    assert (picture.content, picture.width, picture.height) == (content, 20, 10)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.png", png(50_000, 50_000), "50000 by 50000 pixels"),
        ("a.png", png(0, 10), "1 to 8,000"),
        ("a.png", b"<html><script>", "does not hold a PNG"),
        ("a.png", b"<?php echo 1;", "does not hold a PNG"),
        ("a.png", png(20, 10)[:-1], "does not hold a PNG"),
        ("a.png", png(20, 10) + b"<html><script>1</script>", "something else behind"),
        ("a.png", png(20, 10) + b"\0", "something else behind"),
        ("a.png", png(20, 10, b"Comment\0<ScRipt >1</script>"), "a page or a program"),
        ("a.jpg", JPEG + b"<?php system('id');", "a page or a program"),
        ("a.webp", WEBP[0] + b"<html>", "something else behind"),
        ("a.jpg", png(20, 10), "does not hold a JPG"),
        ("a.jpg", b"\xff\xd8\xff" + b"\xff" * 50, "does not hold a JPG"),
        ("a.webp", b"RIFF\0\0\0\0WEBP", "does not hold a WEBP"),
        ("a.gif", b"GIF89a", "is not a picture"),
        ("a", b"", "is not a picture"),
        ("a.png", b"\x89PNG\r\n\x1a\n" + b"x" * (1 << 20), "larger than"),
        ("a.svg", b"<svg", "does not hold a SVG"),
        ("a.svg", b'<svg width="1" height="1"/>', "does not hold a SVG"),
        ("a.svg", b'<svg xmlns="http://www.w3.org/2000/svg"/>', "without width"),
        *[
            ("a.svg", SVG.format(inner).encode(), "not allowed")
            for inner in (
                "<script>1</script>",
                "<style>@import url(x)</style>",
                "<foreignObject/>",
                '<image href="x.png"/>',
                "<a/>",
                '<animate attributeName="href"/>',
                '<set to="x"/>',
                '<path onload="x"/>',
                '<path OnClick="x"/>',
                '<use href="https://evil.example/x.svg#a"/>',
                '<use href="data:image/svg+xml,x"/>',
                '<path fill="url(https://evil.example/x)"/>',
                '<path style="background:url(//evil)"/>',
                '<path fill="javascript:x"/>',
                '<path style="@import x"/>',
                '<path style="\\75rl(x)"/>',
                '<x:script xmlns:x="http://www.w3.org/1999/xhtml"/>',
                '<use xlink:href="file:///etc/passwd" xmlns:xlink="http://www.w3.org/1999/xlink"/>',
            )
        ],
        (
            "a.svg",
            b'<!DOCTYPE svg [<!ENTITY a "aaaa">]><svg xmlns="http://www.w3.org/2000/svg">&a;</svg>',
            "document type",
        ),
        ("a.svg", b'<?xml-stylesheet href="x"?><svg xmlns="http://www.w3.org/2000/svg"/>', "document type"),
        ("a.svg", SVG.format("").encode("utf-16"), "does not hold"),
        ("a.svg", b'<?xml version="1.0" encoding="iso-2022-jp"?>' + SVG.format("").encode(), "UTF-8"),
    ],
)
def test_h38_pictures_that_are_none(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UnusableFileError, match=words):
        read_picture(tmp_path, name)


@pytest.mark.parametrize("link", ["file", "folder"])
def test_h37_links_are_not_followed(problems_with: Callable[..., Problems], tmp_path: Path, link: str) -> None:
    secret = tmp_path.parent / f"secret-{link}"
    secret.mkdir()
    (secret / "logo.png").write_bytes(png(20, 10))
    (tmp_path / "pictures").mkdir() if link == "file" else (tmp_path / "pictures").symlink_to(secret)
    if link == "file":
        (tmp_path / "pictures" / "logo.png").symlink_to(secret / "logo.png")
    (problem,) = problems_with({"shop.theme.logo": "pictures/logo.png"})
    assert "symbolic link" in problem.message


@pytest.mark.parametrize("kind", ["fifo", "folder", "unreadable"])
def test_only_regular_files(tmp_path: Path, kind: str) -> None:
    if kind == "fifo":
        os.mkfifo(tmp_path / "x.md")
    elif kind == "folder":
        (tmp_path / "x.md").mkdir()
    else:
        (tmp_path / "x.md" / "..").parent.mkdir()
        (tmp_path / "x.md").rmdir()
    with pytest.raises(UnusableFileError):
        read_inside(tmp_path, "x.md", 100)


def test_the_spec_brings_its_files(load_with: Callable[..., Spec], tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "logo.svg").write_text(SVG.format(""))
    spec = load_with({"shop.theme.logo": "pictures/logo.svg"})
    assert spec.data["shop"]["theme"]["logo"] == {"path": "pictures/logo.svg", "width": 20, "height": 10}
    assert list(spec.files) == ["pictures/logo.svg"]
    assert tmp_path / "pictures/logo.svg" in spec.inputs
