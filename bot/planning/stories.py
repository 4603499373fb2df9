"""Derives from an article's link the key of its story, which is equal for all addresses of one page.

This module does not know what was posted. tests/bot/test_stories.py has the cases that define equality.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from articles.article import Article
from text.urls import ascii_host, canonical_url

_VERSION = "2:"
"""The prefix of every key, by which no key is equal to one that an earlier version of this module wrote."""

_DEFAULT_PORTS = {"http": 80, "https": 443}

_TRACKING_NAMES = frozenset(
    {
        "amp", "cmp", "cmpid", "dclid", "fbclid", "ftag", "gbraid", "gclid", "guccounter", "igsh", "igshid",
        "intcid", "li_fat_id", "mc_cid", "mc_eid", "mkt_tok", "msclkid", "ocid", "ref", "ref_src", "ref_url",
        "smid", "source", "ttclid", "twclid", "wbraid", "xtor", "yclid", "_hsenc", "_hsmi",
    }
)  # fmt: skip
_TRACKING_PREFIXES = ("utm_", "at_")
"""Prefixes of parameters that only show where a reader came from, or which form of the page is shown."""

_TEXT_FRAGMENT = ":~:"
"""The delimiter before directives for the browser: https://wicg.github.io/scroll-to-text-fragment/"""

_INDEX_FILE = re.compile(r"/(?:index\.(?:x?html?|shtml|php|aspx?|jsp)|default\.(?:html?|aspx?))$", re.I)
_AMP_ENDING = re.compile(r"(?:/amp(?:\.html)?|\.amp)$", re.I)
_AMP_HTML = re.compile(r"\.amp(?=\.html?$)", re.I)
_VARIANT_LABELS = frozenset({"www", "m", "mobile", "amp"})
_PERCENT = re.compile(r"%([0-9A-Fa-f]{2})")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryKeys:
    """The keys of a story, which are equal for all articles about it.

    `key` is stored with new deliveries. `legacy` is the form that the first version stored, by which old
    deliveries are found. A key of one form is never equal to a key of the other.
    """

    key: str
    legacy: str

    def __iter__(self) -> Iterator[str]:
        """Yield every key that a delivery of this story may be stored with."""
        yield self.key
        yield self.legacy


def story_keys(article: Article) -> StoryKeys | None:
    """Return the keys of an article's story; None for an article that exists only on this site.

    The translations of an article are one story. An address that was built from a pattern does not identify a
    story, as another article may have it too.
    """
    if article.story:
        key = _VERSION + article.story
        return StoryKeys(key=key, legacy=canonical_url(article.link) if article.link else key)
    if not article.link:
        return None
    return StoryKeys(key=_VERSION + story_address(article.link), legacy=canonical_url(article.link))


def story_of_address(url: str) -> str:
    """Return the key of the story at an address."""
    return _VERSION + story_address(url)


def story_address(url: str) -> str:
    """Return an address without the parts that do not distinguish stories.

    These are the scheme and its default port, `www.`, `m.` and `amp.` in the host, index files, `/amp`
    endings, final slashes, tracking parameters and fragments, and differences in percent-encoding (RFC 3986
    §6.2.2). Any other text is returned unchanged.
    """
    try:
        parts = urlsplit(url)
        if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
            return url
        port = _port(parts)
    except ValueError:
        return url
    query = "&".join(part for part in _plain(parts.query).split("&") if part and not _is_tracking(part))
    fragment = _fragment(_plain(parts.fragment))
    return (
        f"{_host(parts.hostname)}{port}{_path(_plain(parts.path))}"
        f"{'?' if query else ''}{query}{'#' if fragment else ''}{fragment}"
    )


def _port(parts: SplitResult) -> str:
    usual = parts.port is None or parts.port in _DEFAULT_PORTS.values()
    return "" if usual else f":{parts.port}"


def _host(name: str) -> str:
    labels = (ascii_host(name.rstrip(".")) or name).split(".")
    # The last two labels are the site's; `m` may also be in the middle, as in en.m.wikipedia.org.
    own, site = labels[:-2], labels[-2:]
    return ".".join([label for label in own if label not in _VARIANT_LABELS] + site)


def _path(path: str) -> str:
    path = _INDEX_FILE.sub("/", path).rstrip("/")
    path = _AMP_HTML.sub("", _AMP_ENDING.sub("", path))
    return _INDEX_FILE.sub("/", path).rstrip("/")


def _fragment(fragment: str) -> str:
    page_part = fragment.partition(_TEXT_FRAGMENT)[0]
    pieces = page_part.split("&")
    return "" if all("=" in piece and _is_tracking(piece) for piece in pieces) else page_part


def _is_tracking(parameter: str) -> bool:
    name = parameter.partition("=")[0].lower()
    return name in _TRACKING_NAMES or name.startswith(_TRACKING_PREFIXES)


def _plain(part: str) -> str:
    """Return a part of an address with percent-encoding only where it is needed, in upper case."""
    return _PERCENT.sub(_decoded, part)


def _decoded(match: re.Match[str]) -> str:
    character = chr(int(match[1], 16))
    return character if character in _UNRESERVED else match[0].upper()
