"""The size of a picture is read from the beginning of its file, whatever the file contains."""

from __future__ import annotations

import os
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pictures.size import MAX_JPEG, PictureSizes, size_of
from tests.site import ArticleSite, Web


def picture(kind: str, size: tuple[int, int] = (123, 45), **options: Any) -> bytes:
    """Return the bytes of a picture."""
    data = BytesIO()
    Image.new("RGBA" if options.pop("alpha", False) else "RGB", size).save(data, kind, **options)
    return data.getvalue()


def turned(orientation: int) -> Image.Exif:
    """Return EXIF data with an orientation."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("PNG", {}),
        ("GIF", {}),
        ("JPEG", {}),
        ("JPEG", {"progressive": True}),
        ("JPEG", {"comment": b"x" * 60_000}),
        ("WEBP", {}),
        ("WEBP", {"lossless": True}),
        ("WEBP", {"alpha": True, "exif": turned(1)}),
    ],
)
def test_size_of_each_format(kind: str, options: dict[str, Any]) -> None:
    """A size is also found where a JPEG's first frame comes late, and for each of the three forms of WebP."""
    assert size_of(BytesIO(picture(kind, **options))) == (123, 45)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_photograph(orientation: int) -> None:
    """From the fifth orientation of EXIF on, browsers exchange width and height."""
    data = picture("JPEG", exif=turned(orientation))
    assert size_of(BytesIO(data)) == ((45, 123) if orientation > 4 else (123, 45))


@pytest.mark.parametrize(
    ("svg", "size"),
    [
        ('<?xml version="1.0"?><svg xmlns="x" width="520" height=\'150.5px\'>', (520, 150)),
        ('<svg xmlns="x" viewBox="0 0 48,24.5">', (48, 24)),
        ('<svg width="100%" height="100%" viewBox="0 0 4 3">', (4, 3)),
        ('<svg width="10em" height="0">', None),
        ('<svg data-width="3" stroke-width="2" height="2">', None),
        ("<svg>", None),
    ],
)
def test_a_drawing(svg: str, size: tuple[int, int] | None) -> None:
    """A drawing has the size that it states in pixels, or else the proportions of its view box."""
    assert size_of(BytesIO(svg.encode())) == size


@given(st.sampled_from(["PNG", "GIF", "JPEG", "WEBP"]), st.integers(0, 400), st.binary(max_size=40))
def test_any_bytes(kind: str, length: int, rest: bytes) -> None:
    """Truncated or damaged files have a size or none, and raise no error."""
    size = size_of(BytesIO(picture(kind)[:length] + rest))
    assert size is None or min(size) > 0


def test_little_of_a_jpeg_is_read() -> None:
    """A JPEG without a frame within the byte limit or the first 100 segments has no size."""
    segment = b"\xff\xe2\xff\xff" + b"x" * 65_533
    assert size_of(BytesIO(b"\xff\xd8" + segment * (MAX_JPEG // 65_535 + 2) + picture("JPEG")[2:])) is None
    assert size_of(BytesIO(b"\xff\xd8" + b"\xff\xe2\0\2" * 200 + picture("JPEG")[2:])) is None


def test_a_file_that_changed_is_read_again(tmp_path: Path) -> None:
    """A size is cached by the file's time and length, and a deleted file has none."""
    sizes, file = PictureSizes(), tmp_path / "a.png"
    assert sizes.of(file) is None
    for width in (10, 20):
        file.write_bytes(picture("PNG", (width, 5)))
        os.utime(file, ns=(width, width))
        assert sizes.of(file) == sizes.of(file) == (width, 5)


def test_pictures_of_a_page_have_their_size(site: ArticleSite, web: Web) -> None:
    """Pictures of the article folder have a size, in the text and above it, so that nothing moves."""
    site.raw("p ü.png", picture("PNG", (640, 480)))
    text = '![a](p%20ü.png) ![b](p%20ü.png) <img src="p%20ü.png" width="64"> ![d](https://b.example/x.png)'
    site.write("a.md", text)
    site.write("lead.md", "Text", image="p ü.png")
    web.refresh()
    page = web.get("/articles/a").text
    start = '<img src="/articles/p%20%C3%BC.png" alt='
    assert f'{start}"a" width="640" height="480" decoding="async">' in page
    assert f'{start}"b" width="640" height="480" loading="lazy" decoding="async">' in page
    assert f'{start}"" width="64" height="48" loading="lazy" decoding="async">' in page
    assert 'alt="" fetchpriority="high" width="640" height="480"></figure>' in web.get("/articles/lead").text
