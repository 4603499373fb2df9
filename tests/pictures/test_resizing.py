"""Pictures of any kind are reduced, or refused."""

from __future__ import annotations

import struct
import zlib
from contextlib import suppress
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("PIL")

from PIL import Image

from pictures.errors import PictureError
from pictures.resizing import resized


def picture(
    kind: str = "PNG", size: tuple[int, int] = (64, 48), mode: str = "RGB", **options: object
) -> bytes:
    """Return a picture's bytes."""
    written = BytesIO()
    Image.new(mode, size).save(written, kind, **options)
    return written.getvalue()


def opened(data: bytes) -> Image.Image:
    """Return a resized picture, which must be WebP."""
    return Image.open(BytesIO(data), formats=("WEBP",))


@pytest.mark.parametrize(
    ("kind", "mode"),
    [("PNG", "RGBA"), ("PNG", "P"), ("PNG", "1"), ("PNG", "I;16"), ("JPEG", "CMYK"), ("JPEG", "L"),
     ("GIF", "P"), ("WEBP", "RGBA")],
)  # fmt: skip
def test_every_kind_becomes_webp_in_two_widths(kind: str, mode: str) -> None:
    """Pictures in all modes are converted, and never enlarged."""
    copies = resized(picture(kind, (1600, 800), mode))
    assert (copies.width, copies.height) == (1200, 600) == opened(copies.large).size
    assert opened(copies.small).size == (320, 160)
    assert resized(picture(kind, (40, 30), mode)).width == 40


def test_a_photo_is_turned_upright_and_says_nothing_of_its_place() -> None:
    """EXIF's orientation is applied, and all of EXIF is removed."""
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "secret place"
    copies = resized(picture("JPEG", (80, 40), exif=exif.tobytes()))
    assert (copies.width, copies.height) == (40, 80)
    assert b"secret" not in copies.large
    assert not opened(copies.large).getexif()


def test_an_animation_becomes_its_first_picture() -> None:
    """A thumbnail is not animated."""
    frames = [Image.new("RGB", (40, 40), colour) for colour in ("red", "blue", "green")]
    written = BytesIO()
    frames[0].save(written, "GIF", save_all=True, append_images=frames[1:])
    assert getattr(opened(resized(written.getvalue()).large), "n_frames", 1) == 1


def bomb(width: int, height: int) -> bytes:
    """Return a PNG of that size in a few bytes."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(bytes(1000)))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "not a JPEG"),
        (b"<?xml version='1.0'?><svg/>", "not a JPEG"),
        (b"<html>not found</html>", "not a JPEG"),
        (b"%PDF-1.7", "not a JPEG"),
        (b"%!PS-Adobe-3.0", "not a JPEG"),
        (b"II*\x00" + bytes(100), "not a JPEG"),
        (b"BM" + bytes(100), "not a JPEG"),
        (b"", "not a JPEG"),
        (bomb(8_000, 8_000), "more than 25,000,000 pixels"),
        (bomb(2**31 - 1, 2**31 - 1), "pixels"),
        (picture(size=(1, 1)), "fewer than 16"),
        (picture(size=(4000, 3)), "fewer than 16"),
        (picture("JPEG", (640, 480))[:300], "cannot be read"),
        (bomb(64, 64), "cannot be read"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_what_is_no_picture_to_show_is_refused(data: bytes, reason: str) -> None:
    """Drawings, documents, tracking pixels, oversized and truncated pictures are refused."""
    with pytest.raises(PictureError, match=reason):
        resized(data)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(["PNG", "JPEG", "GIF", "WEBP"]), st.data())
def test_damage_is_an_error_or_a_picture(kind: str, data: st.DataObject) -> None:
    """Any changed bytes give a picture or PictureError."""
    damaged = bytearray(picture(kind, (32, 32)))
    for _ in range(data.draw(st.integers(1, 6))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    with suppress(PictureError):
        assert resized(bytes(damaged)).width > 0
