"""Reads the width and height of a picture from the first bytes of its file, without decoding it.

PNG: https://www.w3.org/TR/png-3/#11IHDR. GIF: https://www.w3.org/Graphics/GIF/spec-gif89a.txt, §18. JPEG: ITU
T.81 §B.2.2, and Exif 2.32 §4.6.5 for the orientation. WebP: RFC 9649 §2.
SVG: https://www.w3.org/TR/SVG2/coords.html.
"""

from __future__ import annotations

import os
import re
import struct
from pathlib import Path
from typing import IO, NamedTuple

from text.cache import LruCache

MAX_HEAD = 4_096
"""Bytes at the beginning of a file that are searched for the size, except in JPEG."""
MAX_JPEG = 1_000_000
"""The most bytes before the size of a JPEG, such as those of a preview, which are skipped."""
MAX_SIDE = 65_535
"""The most pixels of a width or a height."""

_MAX_SEGMENTS = 100
_MAX_EXIF = 65_536
_CACHE_BYTES = 500_000
_NO_FRAME = (0xC4, 0xC8, 0xCC)  # of the markers C0 to CF, those that begin no frame
_SVG = re.compile(rb"<svg\s[^<>]{0,3000}>")
_SVG_SIDE = {
    side: re.compile(rb"\s" + side + rb"\s*=\s*[\"']\s*(\d{1,5})(?:\.\d{1,9})?(?:px)?\s*[\"']")
    for side in (b"width", b"height")
}
_SVG_BOX = re.compile(
    rb"\sviewBox\s*=\s*[\"']\s*[-\d.]{1,20}[\s,]+[-\d.]{1,20}[\s,]+"
    rb"(\d{1,5})(?:\.\d{1,9})?[\s,]+(\d{1,5})(?:\.\d{1,9})?\s*[\"']"
)


class Size(NamedTuple):
    """A width and a height in pixels, as a browser shows the picture."""

    width: int
    height: int


class PictureSizes:
    """The sizes of pictures in files, each read once unless the file changes. Thread-safe."""

    def __init__(self) -> None:
        self._known = LruCache[Path, tuple[tuple[int, int], Size | None]](_CACHE_BYTES)

    def of(self, file: Path) -> Size | None:
        """Return the size of the picture in a file; None if it cannot be read, or has another format."""
        try:
            with file.open("rb") as data:
                status = os.fstat(data.fileno())
                signature = (status.st_mtime_ns, status.st_size)
                cached = self._known.get(file)
                if cached is None or cached[0] != signature:
                    cached = (signature, size_of(data))
                    self._known.put(file, cached, len(str(file)) + 100)
        except OSError:
            return None
        return cached[1]


def size_of(data: IO[bytes]) -> Size | None:
    """Return the size of the picture at the beginning of a file; None for other data."""
    head = data.read(MAX_HEAD)
    try:
        size = _size(head, data)
    except (struct.error, IndexError):  # it is cut off
        return None
    return size if size and all(0 < side <= MAX_SIDE for side in size) else None


def _size(head: bytes, data: IO[bytes]) -> Size | None:
    if head.startswith(b"\x89PNG\r\n\x1a\n") and head[12:16] == b"IHDR":
        return Size(*struct.unpack_from(">II", head, 16))
    if head[:6] in (b"GIF87a", b"GIF89a"):
        return Size(*struct.unpack_from("<HH", head, 6))
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return _webp(head)
    if head.startswith(b"\xff\xd8"):
        return _jpeg(data)
    return _svg(head)


def _webp(head: bytes) -> Size | None:
    kind = head[12:16]
    if kind == b"VP8X":
        width, height = head[24:27], head[27:30]
        return Size(int.from_bytes(width, "little") + 1, int.from_bytes(height, "little") + 1)
    if kind == b"VP8L" and head[20] == 0x2F:
        bits = int.from_bytes(head[21:25], "little")
        return Size((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
    if kind == b"VP8 " and head[23:26] == b"\x9d\x01\x2a":
        width, height = struct.unpack_from("<HH", head, 26)
        return Size(width & 0x3FFF, height & 0x3FFF)
    return None


def _jpeg(data: IO[bytes]) -> Size | None:
    """Walk over the segments to the first frame; a picture that is shown turned has its sides exchanged."""
    place, is_turned = 2, False
    for _ in range(_MAX_SEGMENTS):
        if place > MAX_JPEG:
            return None
        data.seek(place)
        start, marker, length = struct.unpack(">BBH", data.read(4))
        if start != 0xFF:
            return None
        if marker == 0xFF:  # a byte that fills
            place += 1
            continue
        if 0xC0 <= marker <= 0xCF and marker not in _NO_FRAME:
            height, width = struct.unpack(">xHH", data.read(5))
            return Size(height, width) if is_turned else Size(width, height)
        if marker == 0xE1:
            is_turned = _orientation(data.read(min(length - 2, _MAX_EXIF))) >= 5 or is_turned
        place += 2 + max(2, length)
    return None


def _orientation(segment: bytes) -> int:
    """Return the Exif orientation, 1 to 8; from 5 on, the picture is rotated by 90 degrees."""
    if not segment.startswith(b"Exif\0\0"):
        return 1
    exif = segment[6:]
    order = "<" if exif[:2] == b"II" else ">"
    try:
        (first,) = struct.unpack_from(f"{order}I", exif, 4)
        (count,) = struct.unpack_from(f"{order}H", exif, first)
        for number in range(min(count, _MAX_SEGMENTS)):
            tag, _, _, value = struct.unpack_from(f"{order}HHIH", exif, first + 2 + 12 * number)
            if tag == 0x0112:
                return int(value)
    except struct.error:
        return 1
    return 1


def _svg(head: bytes) -> Size | None:
    """Return the size of an SVG, or else that of its view box."""
    tag = _SVG.search(head)
    if tag is None:
        return None
    sides = [pattern.search(tag[0]) for pattern in _SVG_SIDE.values()]
    if all(sides):
        return Size(*(int(side[1]) for side in sides if side))
    box = _SVG_BOX.search(tag[0])
    return Size(int(box[1]), int(box[2])) if box and not any(sides) else None
