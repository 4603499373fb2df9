"""Converts an untrusted picture into two small pictures in WebP.

Call it in a process of its own, as attacks with pictures aim at decoders. It needs Pillow.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from io import BytesIO

from PIL import ExifTags, Image, ImageOps

from pictures.errors import PictureError
from pictures.rules import LARGE, SMALL

MAX_PIXELS = 25_000_000
"""The most pixels of a picture, checked before it is decoded."""

MIN_SIDE = 16
"""The fewest pixels of a side: smaller pictures are tracking pixels."""

_QUALITY = 80
_LYING = frozenset({5, 6, 7, 8})
"""Orientations (EXIF 2.32 §4.6.4) whose width becomes the height."""
_MOST_TIMES_AS_HIGH = 3
# https://mimesniff.spec.whatwg.org/#matching-an-image-type-pattern. SVG is not among them: it is a document.
_SIGNATURES = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResizedPicture:
    """A picture in both of WIDTHS, as WebP; `width` and `height` are the larger one's, in pixels."""

    width: int
    height: int
    small: bytes
    large: bytes


def resized(data: bytes) -> ResizedPicture:
    """Return a picture resized, upright and without its metadata. Raises PictureError."""
    kind = _kind(data)
    if kind is None:
        raise PictureError("it is not a JPEG, PNG, GIF or WebP")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(BytesIO(data), formats=(kind,)) as opened:
                return _scaled(opened)
    except PictureError:
        raise
    # Decoders raise exceptions of any type for invalid data.
    except (OSError, ValueError, SyntaxError, ArithmeticError, LookupError, TypeError, MemoryError) as error:
        raise PictureError(f"it cannot be read: {type(error).__name__}") from error
    except Image.DecompressionBombError as error:
        raise PictureError("it has too many pixels") from error


def _kind(data: bytes) -> str | None:
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    return next((name for start, name in _SIGNATURES if data.startswith(start)), None)


def _scaled(opened: Image.Image) -> ResizedPicture:
    width, height = opened.size
    if width * height > MAX_PIXELS:
        raise PictureError(f"it has more than {MAX_PIXELS:,} pixels")
    if min(width, height) < MIN_SIDE:
        raise PictureError(f"a side of it has fewer than {MIN_SIDE} pixels")
    most = (LARGE, LARGE * _MOST_TIMES_AS_HIGH)
    if opened.getexif().get(ExifTags.Base.Orientation) in _LYING:
        most = most[1], most[0]
    scale = min(1.0, most[0] / width, most[1] / height)
    # A JPEG is decoded at the smallest size that is enough.
    opened.draft("RGB", (max(1, round(width * scale)), max(1, round(height * scale))))
    # Resized first, so that a large picture is in memory only once or twice, and not five times.
    plain = _plain(opened)
    plain.thumbnail(most, Image.Resampling.LANCZOS)
    large = ImageOps.exif_transpose(plain)
    small = large.copy()
    small.thumbnail((SMALL, SMALL * _MOST_TIMES_AS_HIGH), Image.Resampling.LANCZOS)
    return ResizedPicture(width=large.width, height=large.height, small=_webp(small), large=_webp(large))


def _plain(opened: Image.Image) -> Image.Image:
    """Return the picture in colours that can be scaled, with its transparency."""
    mode = "RGBA" if opened.has_transparency_data else "RGB"
    return opened if opened.mode == mode else opened.convert(mode)


def _webp(image: Image.Image) -> bytes:
    output = BytesIO()
    image.save(output, "WEBP", quality=_QUALITY, method=4, exif=b"", icc_profile=None, xmp=b"")
    return output.getvalue()
