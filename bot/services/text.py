"""Prepares texts for chat services: cleans, measures and shortens them.

This module knows no service's markup: the function that escapes a text is a parameter.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Iterator
from urllib.parse import quote, urlsplit

from text.urls import ascii_host

ELLIPSIS = "…"

MAX_WORD = 30
"""The most characters that a cut may move back to the end of a word: some scripts have no spaces."""

MAX_MARKS = 8
"""Combining marks in a row: Hebrew and Tibetan need up to six; Unicode's limit is 30 (UAX #15 §13)."""

_BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Letters and symbols without a visible shape: Hangul fillers, and the Braille pattern without dots."""

_NONCHARACTERS = "".join(chr(plane << 16 | low) for plane in range(17) for low in (0xFFFE, 0xFFFF))
# Controls that are not white space, invisible characters that hide text from filters, direction overrides
# that would affect the rest of the message, lone surrogates (which cannot be encoded) and noncharacters.
_UNSEEN = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u200b\u202a-\u202e\u2066-\u2069\ufeff"
    f"\ud800-\udfff\ufdd0-\ufdef{_NONCHARACTERS}]"
)
# Texts without these characters, which is most western texts, have no combining marks.
_PERHAPS_MARK = re.compile("[\u0300-\u1fff\u20d0-\U0010ffff]")
_HOST = re.compile(r"[a-z0-9._-]+")
_LOOSE_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_URL_SAFE = "%/:@!$&'()*+,;=~-._?"
_LABEL = "[a-z0-9_-]{1,63}"
_SAFE = r"[\w/:@!$&'()*+,;=~.-]"
_QUOTED = f"(?:%[0-9A-Fa-f]{{2}}{_SAFE}*)*"
# Addresses that `web_url` returns unchanged, which is nearly all: this check takes a tenth of the time.
_PLAIN_URL = re.compile(
    rf"https?://{_LABEL}(?:\.{_LABEL})*(?:/{_SAFE}*{_QUOTED})?(?:\?{_SAFE}+{_QUOTED})?", re.ASCII
)


_LOOK_ALIKES = {"*": "\u2217", "~": "\u223c", "`": "\u02cb", "|": "\u01c0"}
_TO_LOOK_ALIKES = str.maketrans(_LOOK_ALIKES)
_FROM_LOOK_ALIKES = str.maketrans({**{alike: mark for mark, alike in _LOOK_ALIKES.items()}, "\u02cd": "_"})
_LOOSE_UNDERSCORE = re.compile(r"(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")


def look_alike(text: str) -> str:
    """Return `text` with some services' markup characters replaced by characters that look the same.

    This is for services without escaping. An underscore within a word stays, as it is not markup there.
    """
    return _LOOSE_UNDERSCORE.sub("\u02cd", text.translate(_TO_LOOK_ALIKES))


def from_look_alike(text: str) -> str:
    """Return the original of a text that `look_alike` returned."""
    return text.translate(_FROM_LOOK_ALIKES)


def clean(text: str) -> str:
    """Return `text` on one line, with single spaces and without invisible characters.

    The result is empty if no character is visible, as in a text of soft hyphens. Of the combining marks on
    one letter, the first MAX_MARKS stay: hundreds would cover other messages.
    """
    # Fast for most western texts: what is removed is not printable, and what is printable and not in
    # _PERHAPS_MARK is visible.
    if text.isprintable() and "  " not in text and (text.isascii() or not _PERHAPS_MARK.search(text)):
        return text.strip()
    cleaned = " ".join(_UNSEEN.sub("", text).split())
    if not any(map(_is_visible, cleaned)):
        return ""
    return "".join(_few_marks(cleaned)) if _PERHAPS_MARK.search(cleaned) else cleaned


def _few_marks(text: str) -> Iterator[str]:
    marks = 0
    for character in text:
        marks = marks + 1 if _is_mark(character) else 0
        if marks <= MAX_MARKS:
            yield character


def _is_mark(character: str) -> bool:
    return unicodedata.category(character).startswith("M")


def _is_visible(character: str) -> bool:
    return character not in _BLANK and unicodedata.category(character)[0] not in "CMZ"


def units(text: str) -> int:
    """Return the length of `text` in UTF-16 units, in which an emoji counts as two or more.

    Discord counts code points, and Slack documents only "characters"; the UTF-16 length is never less.
    """
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def fit(text: str, limit: int, render: Callable[[str], str] = str) -> str:
    """Return `render(text)`, shortened with "…" so that it is at most `limit` UTF-16 units long.

    The cut is made in `text` before `render` escapes it, so it is never inside an escape sequence. It is
    never inside a grapheme cluster, and is between two words if a word ends nearby. `render` may make a text
    longer, but not shorter.
    """
    whole = render(text)
    if units(whole) <= limit:
        return whole
    ends = [end for end in range(min(len(text), limit) + 1) if not _inside_cluster(text, end)]
    fitting = bisect_right(ends, limit, key=lambda end: units(render(text[:end] + ELLIPSIS)))
    if not fitting:
        return ""
    return render(text[: _word_end(text, ends[fitting - 1])].rstrip() + ELLIPSIS)


def web_url(url: str, limit: int) -> str | None:
    """Return `url` in ASCII, with characters encoded that could be markup; None if it is not usable.

    It is usable if it is an absolute http(s) address without credentials, of at most `limit` characters: a
    link that is cut does not work. Encoding follows RFC 3986 §2.1, and IDNA for the host.
    """
    if len(url) <= limit and _PLAIN_URL.fullmatch(url):
        return url
    try:
        parts = urlsplit(clean(url))
        host = ascii_host(parts.hostname or "") or ""
        port = f":{parts.port}" if parts.port is not None else ""
    except ValueError:
        return None
    if parts.scheme not in {"http", "https"} or not _HOST.fullmatch(host) or "@" in parts.netloc:
        return None
    query = f"?{_quoted(parts.query)}" if parts.query else ""
    fragment = f"#{_quoted(parts.fragment)}" if parts.fragment else ""
    safe = f"{parts.scheme}://{host}{port}{_quoted(parts.path)}{query}{fragment}"
    return safe if len(safe) <= limit else None


def without_mention(address: str) -> str:
    """Return an address without a mention: `/@name` is common in paths, and `/%40name` is equivalent."""
    return address.replace("@", "%40")


def _quoted(part: str) -> str:
    return quote(_LOOSE_PERCENT.sub("%25", part), safe=_URL_SAFE)


def _word_end(text: str, cut: int) -> int:
    if text[cut : cut + 1].isspace():
        return cut
    space = text.rfind(" ", max(cut - MAX_WORD, cut // 2), cut)
    return cut if space < 0 else space


def _inside_cluster(text: str, at: int) -> bool:
    """Return whether a cut at `at` would be inside a grapheme cluster (UAX #29, simplified)."""
    if not 0 < at < len(text):
        return False
    before, after = text[at - 1], text[at]
    return (
        before == "\u200d"
        or _extends(after)
        or ("\u1160" <= after <= "\u11ff" and "\u1100" <= before <= "\u11ff")
        or (_is_flag_half(before) and _is_flag_half(after) and _flag_halves_before(text, at) % 2 == 1)
    )


def _extends(character: str) -> bool:
    return (
        character in "\u200c\u200d"
        or "\U0001f3fb" <= character <= "\U0001f3ff"
        or "\U000e0020" <= character <= "\U000e007f"
        or unicodedata.category(character).startswith("M")
    )


def _is_flag_half(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _flag_halves_before(text: str, at: int) -> int:
    start = at
    while start and _is_flag_half(text[start - 1]):
        start -= 1
    return at - start
