"""How & and < are written in XML, so that clients with inexact parsers also read them correctly.

| client | named (`&amp;`) | hexadecimal (`&#x26;`) |
| --- | --- | --- |
| fast-xml-parser, and what is built on it without options | right | not decoded |
| Ruby's rss | right | content loses a level of escaping |
| @rowanmanning/feed-parser | decodes titles twice | links and images are not decoded |
| @extractus/feed-extractor | decodes titles and summaries twice, and drops what then is a tag | right |
| feedsmith, rss-parser, feedparser of npm, feedparser of Python | right | right |

So the named form is used, with one exception: an ampersand in a title or a summary that would be the
beginning of a reference after a second decoding. `tests/readers` runs the clients.
"""

from __future__ import annotations

import re

_REFERENCE = rb"(?:#\d{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});"
_PLAIN_TEXT = re.compile(rb"<(title|summary|description)( [^<>]*)?>([^<]+)</")
_AMBIGUOUS = re.compile(rb"&amp;(?=" + _REFERENCE + rb")")
# A description in RSS is HTML: each & in it already begins a reference, and only a tag or a second reference
# would be lost.
_AMBIGUOUS_IN_HTML = re.compile(rb"&amp;(?=lt;|amp;" + _REFERENCE + rb")")


def respelled(document: bytes) -> bytes:
    """Return the XML with the hexadecimal form where a client would decode the named form twice."""
    # Most documents have none, and searching for one is faster than finding all elements with plain text.
    return _PLAIN_TEXT.sub(_respell, document) if _AMBIGUOUS.search(document) else document


def _respell(element: re.Match[bytes]) -> bytes:
    text = element[0]
    if b"&amp;" not in text:
        return text
    pattern = _AMBIGUOUS_IN_HTML if element[1] == b"description" else _AMBIGUOUS
    return pattern.sub(b"&#x26;", text)
