"""The ways to subscribe to a feed: its addresses, links into well-known readers, and a QR code."""

from __future__ import annotations

from dataclasses import dataclass
from sys import getsizeof
from urllib.parse import quote

from markupsafe import Markup

from feeds.formats import FORMATS
from feeds.model import Feed
from text.cache import LruCache
from text.phrases import phrase

_LABELS = {"rss": "RSS", "atom": "Atom", "json": "JSON Feed"}

ON_THIS_DEVICE = phrase("Feed reader on this device")
"""The name of the link to a `feed:` address, in place of a reader's name."""

# The addresses at which each service accepts a feed, from its help pages and share buttons.
_READERS = (
    ("Feedly", "https://feedly.com/i/subscription/feed%2F{}"),
    ("Inoreader", "https://www.inoreader.com/?add_feed={}"),
    ("NewsBlur", "https://www.newsblur.com/?url={}"),
    ("The Old Reader", "https://theoldreader.com/feeds/subscribe?url={}"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedAddress:
    """A feed's address in one format."""

    label: str
    extension: str
    url: str
    mimetype: str


CACHE_BYTES = 300_000
"""Bytes of cached QR codes: drawing one takes as long as the rest of its page."""
_drawings = LruCache[str, Markup](CACHE_BYTES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """The content of the panel for subscribing; `readers` are pairs of name and link."""

    title: str
    addresses: tuple[FeedAddress, ...]
    readers: tuple[tuple[str, str], ...]
    qr_code: Markup | None


def subscription(feed: Feed, *, with_qr_code: bool = True) -> Subscription:
    """Return the ways to subscribe to `feed`. The QR code leads to its page: phones show feeds as raw XML."""
    addresses = tuple(
        FeedAddress(
            label=_LABELS[extension],
            extension=extension,
            url=feed.address(extension),
            mimetype=fmt.MIMETYPE,
        )
        for extension, fmt in FORMATS.items()
    )
    preferred = addresses[0].url
    encoded = quote(preferred, safe="")
    return Subscription(
        title=feed.title,
        addresses=addresses,
        readers=(
            (ON_THIS_DEVICE, f"feed:{preferred}"),
            *((name, address.format(encoded)) for name, address in _READERS),
        ),
        qr_code=qr_code(feed.page_url) if with_qr_code else None,
    )


def qr_code(url: str) -> Markup | None:
    """Return a URL's QR code as an inline SVG without inline style; None if the URL is too long for one."""
    drawing = _drawings.get(url)
    if drawing is None:
        drawing = _drawing(url)
        _drawings.put(url, drawing, getsizeof(url) + getsizeof(drawing))
    return drawing or None


def _drawing(url: str) -> Markup:
    """Return the SVG, "" for a URL that is too long."""
    import segno  # here, as commands and the bot do not need it

    try:
        code = segno.make_qr(url, error="m")
    except segno.DataOverflowError:
        return Markup()
    return Markup(code.svg_inline(border=3, omitsize=True, svgclass="qr", lineclass=None))  # noqa: S704 - made of digits
