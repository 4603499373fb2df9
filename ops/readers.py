"""Recognises feed readers by their User-Agent header: the product, and the subscribers that it reports.

Clients can send any text: names and numbers are limited, and used only for statistics.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

UNKNOWN = "(unknown)"
BROWSER = "(browser)"
MAX_SUBSCRIBERS = 10_000_000
MAX_USER_AGENT = 500
"""Characters of a User-Agent header that are read and stored."""

# As Feedly, Inoreader, NewsBlur, The Old Reader and others send it: "42 subscribers", "1 reader".
_SUBSCRIBERS = re.compile(r"\b(\d{1,9}) (?:subscriber|reader)s?\b", re.IGNORECASE)
_PRODUCT = re.compile(r"[A-Za-z][A-Za-z0-9._-]*(?: [A-Za-z][A-Za-z0-9._-]*)*")
_COMPATIBLE = re.compile(r"\(compatible; *([^;)/]+)")
_ENGINES = {"mozilla", "applewebkit", "khtml", "gecko", "chrome", "safari", "version", "mobile", "edg", "opr",
            "firefox", "chromium", "headlesschrome"}  # fmt: skip
_MAX_PRODUCT = 40


@dataclass(frozen=True, slots=True)
class Reader:
    """A feed reader: the product's name, and the number of subscribers that it reports, or None."""

    product: str
    subscribers: int | None


def reader(user_agent: str) -> Reader:
    """Return the reader with a User-Agent header, of which the first `MAX_USER_AGENT` characters are read."""
    return _reader(user_agent[:MAX_USER_AGENT])


@lru_cache(maxsize=1024)
def _reader(user_agent: str) -> Reader:
    subscribers = _SUBSCRIBERS.search(user_agent)
    return Reader(
        product=_product(user_agent),
        subscribers=min(int(subscribers[1]), MAX_SUBSCRIBERS) if subscribers else None,
    )


def without_count(user_agent: str) -> str:
    """Return the header without the number of subscribers, which changes while the reader is the same."""
    return _SUBSCRIBERS.sub("", user_agent[:MAX_USER_AGENT])


def _product(user_agent: str) -> str:
    if compatible := _COMPATIBLE.search(user_agent):
        return _name(compatible[1])
    products = [token.partition("/")[0] for token in re.sub(r"\([^)]*\)?", " ", user_agent).split()]
    if products and products[0].lower() != "mozilla":
        return _name(user_agent.partition("/")[0].partition("(")[0])
    own_names = [product for product in products if product.lower() not in _ENGINES]
    return _name(own_names[0]) if own_names else BROWSER if products else UNKNOWN


def _name(text: str) -> str:
    match = _PRODUCT.match(text.strip())
    return match[0][:_MAX_PRODUCT].rstrip() if match else UNKNOWN
