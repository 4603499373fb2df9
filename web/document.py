"""A document: the bytes of a feed or page, with everything that HTTP needs to know about them.

The functions are pure: they return the answer for a request's conditions. The Flask routes and the fast path
in front of them both use this module.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from sys import getsizeof
from typing import TypeVar

from text.cache import LruCache
from web.codings import ENCODERS, IDENTITY, choose_coding
from web.entity_tags import entity_tag, http_date, is_not_modified, preconditions_met

K = TypeVar("K", bound=str | tuple[object, ...])
V = TypeVar("V")

# RFC 9110 §15.4.5: a 304 has the metadata that caches need, and no other.
_WITH_BODY_ONLY = frozenset(
    {
        "Content-Security-Policy", "Cross-Origin-Opener-Policy", "Last-Modified", "Link", "Referrer-Policy",
        "X-Content-Type-Options",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers and body of an HTTP answer; the body is empty if HTTP forbids one."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True, weakref_slot=True)
class Document:
    """The bytes of a feed in one format, or of a page.

    `last_modified` is the whole second of their last change, None if it is not known. `headers` are in every
    answer with the document, and in every 304. `tag` is a digest of the bytes: the part of the entity tag
    that all codings share.
    """

    body: bytes
    mimetype: str
    last_modified: datetime | None
    headers: tuple[tuple[str, str], ...] = ()
    tag: str = field(init=False)
    _encoded: dict[str, bytes] = field(default_factory=dict, init=False, repr=False, compare=False)
    _on_growth: Callable[[int], None] | None = field(default=None, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "tag", hashlib.blake2b(self.body, digest_size=12).hexdigest())

    def encoded(self, coding: str) -> bytes:
        """Return the bytes in a content coding; each coding is computed once."""
        if coding == IDENTITY:
            return self.body
        if coding not in self._encoded:
            encoded = ENCODERS[coding](self.body)
            if self._encoded.setdefault(coding, encoded) is encoded and self._on_growth:
                self._on_growth(len(encoded))
        return self._encoded[coding]

    @property
    def size(self) -> int:
        """The bytes of memory that it takes, in all codings that were computed so far."""
        headers = sum(getsizeof(name) + getsizeof(value) for name, value in self.headers)
        return len(self.body) + headers + sum(map(len, self._encoded.values()))

    def on_growth(self, call: Callable[[int], None]) -> None:
        """Call `call` with the number of bytes of each coding that is computed from now on."""
        object.__setattr__(self, "_on_growth", call)


def store(cache: LruCache[K, V], key: K, value: V, document: Document) -> None:
    """Put `value`, which has `document`, into a cache that also counts codings computed later."""
    # Without a reference to the value: a reference cycle with its document would outlive its eviction.
    ticket = object()
    document.on_growth(lambda size: cache.grow(key, ticket, size))
    cache.put(key, value, _size_of(key) + document.size, ticket)


def _size_of(key: object) -> int:
    return getsizeof(key) + (sum(map(_size_of, key)) if isinstance(key, tuple) else 0)


def answer(document: Document, conditions: Mapping[str, str]) -> Answer:
    """Return the answer to a GET or HEAD with these request headers (lower-case names), by RFC 9110.

    Each coding has an entity tag of its own, because a strong entity tag means equal bytes (§8.8.3.3). The
    answer to HEAD is that to GET: the server leaves the body out.
    """
    coding = choose_coding(conditions.get("accept-encoding", ""))
    headers = [("ETag", entity_tag(document.tag, coding)), *document.headers, ("Vary", "Accept-Encoding")]
    if document.last_modified:
        headers.append(("Last-Modified", http_date(document.last_modified)))
    if not preconditions_met(headers[0][1], document.last_modified, conditions):
        refused = (
            headers[0],
            ("Vary", "Accept-Encoding"),
            ("Cache-Control", "no-store"),
            ("Content-Length", "0"),
        )
        return Answer(412, refused, b"")
    if is_not_modified(document.tag, document.last_modified, conditions):
        return Answer(304, tuple(header for header in headers if header[0] not in _WITH_BODY_ONLY), b"")
    body = document.encoded(coding)
    charset = "" if document.mimetype.startswith("image/") else "; charset=utf-8"
    headers.append(("Content-Type", document.mimetype + charset))
    if coding != IDENTITY:
        headers.append(("Content-Encoding", coding))
    headers.append(("Content-Length", str(len(body))))
    return Answer(200, tuple(headers), body)
