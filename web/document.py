"""A document: the bytes of a feed or page, with everything that HTTP needs to know about them.

The functions are pure: they return the answer for a request's conditions. The Flask routes and the fast path
in front of them both use this module.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from sys import getsizeof
from typing import TypeVar

import brotli
import zstandard

from text.cache import LruCache

K = TypeVar("K", bound=str | tuple[object, ...])
V = TypeVar("V")

IDENTITY = "identity"
MAX_ACCEPT_ENCODING = 1_000
"""Characters of an Accept-Encoding field that are read."""


def _gzip(body: bytes) -> bytes:
    # mtime=0: the time of compression must not change the bytes.
    return gzip.compress(body, compresslevel=9, mtime=0)


def _brotli(body: bytes) -> bytes:
    # With its default window of 4 MiB, Brotli needs 25 MB in every thread that compresses, and the feed is no
    # smaller than with a window of 64 KiB, which needs 2 MB.
    compressed: bytes = brotli.compress(body, mode=brotli.MODE_TEXT, quality=9, lgwin=16)
    return compressed


def _zstd(body: bytes) -> bytes:
    # The default tables need 21 MB for a feed of 1 MB. These need 2 MB and half the time, for 1 % more bytes;
    # the result for a feed of 64 KB is the same.
    parameters = zstandard.ZstdCompressionParameters.from_level(
        12, source_size=len(body), window_log=19, chain_log=18, hash_log=18, write_checksum=False
    )
    return zstandard.ZstdCompressor(compression_params=parameters).compress(body)


ENCODERS: Mapping[str, Callable[[bytes], bytes]] = {
    "br": _brotli,
    "zstd": _zstd,
    "gzip": _gzip,
}
"""The supported content codings, the best first."""

_OLD_NAMES = {"x-gzip": "gzip"}  # RFC 9110 §8.4.1.3
# RFC 9110 §15.4.5: a 304 has the metadata that caches need, and no other.
_WITH_BODY_ONLY = frozenset(
    {
        "Content-Security-Policy", "Cross-Origin-Opener-Policy", "Last-Modified", "Link", "Referrer-Policy",
        "X-Content-Type-Options",
    }
)  # fmt: skip
_MEMBER = re.compile(r'(?:W/)?"[^"]*"')
_CODING_SUFFIX = re.compile(r"-(?:gzip|br|zstd)$")
_QVALUE = re.compile(r"q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)")


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


def entity_tag(tag: str, coding: str) -> str:
    """Return the strong entity tag (RFC 9110 §8.8.3) of a document in a coding."""
    return f'"{tag}"' if coding == IDENTITY else f'"{tag}-{coding}"'


def preconditions_met(tag: str, last_modified: datetime | None, conditions: Mapping[str, str]) -> bool:
    """Return whether If-Match and If-Unmodified-Since are met; if not, the answer is 412 (RFC 9110 §13.1).

    `tag` is the entity tag in the coding that would be sent. Weak tags never match. If-Match alone decides if
    it is present (§13.2.2).
    """
    if_match = conditions.get("if-match")
    if if_match is not None:
        return if_match.strip() == "*" or tag in _MEMBER.findall(if_match)
    since = _http_date(conditions.get("if-unmodified-since", ""))
    return since is None or last_modified is None or last_modified.replace(microsecond=0) <= since


def is_not_modified(tag: str, last_modified: datetime | None, conditions: Mapping[str, str]) -> bool:
    """Return whether the answer to a conditional request is 304 (RFC 9110 §13.2.2).

    If-None-Match alone decides if it is present. It matches the tag of any coding, even with a suffix by a
    proxy, as the document is the same. If-Modified-Since has to be exactly Last-Modified, as with file
    servers: another machine may have given a later date for an older document.
    """
    if_none_match = conditions.get("if-none-match")
    if if_none_match is not None:
        tags = _MEMBER.findall(if_none_match)
        return if_none_match.strip() == "*" or any(_same_document(member, tag) for member in tags)
    since = _http_date(conditions.get("if-modified-since", ""))
    return since is not None and last_modified is not None and last_modified.replace(microsecond=0) == since


def choose_coding(accept_encoding: str) -> str:
    """Return the best supported coding that the client accepts (RFC 9110 §12.5.3), or identity."""
    weights: dict[str, float] = {}
    for part in accept_encoding[:MAX_ACCEPT_ENCODING].lower().split(","):
        name, _, parameters = part.partition(";")
        match = _QVALUE.fullmatch(parameters.strip()) if parameters else None
        coding = _OLD_NAMES.get(name.strip(), name.strip())
        weights[coding] = float(match[1]) if match else 0.0 if parameters else 1.0
    other = weights.get("*", 0.0)
    best = max(ENCODERS, key=lambda coding: weights.get(coding, other))
    weight = weights.get(best, other)
    return best if weight > 0 and weight >= weights.get(IDENTITY, 0.0) else IDENTITY


def http_date(time: datetime) -> str:
    """Return a time as an HTTP date (RFC 9110 §5.6.7)."""
    return format_datetime(time.astimezone(UTC).replace(microsecond=0), usegmt=True)


def _http_date(text: str) -> datetime | None:
    """Return the time, or None for text that is not an HTTP date, which is ignored (RFC 9110 §13.1.3)."""
    try:
        time = parsedate_to_datetime(text)
        return time if time.tzinfo else time.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def _same_document(member: str, tag: str) -> bool:
    opaque = member.removeprefix("W/").strip('"')
    return _CODING_SUFFIX.sub("", _CODING_SUFFIX.sub("", opaque)) == tag
