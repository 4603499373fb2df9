"""Limits on what a client may send, and the answers to clients that exceed them.

All limits are checked before a request is stored, routed or read any further.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

MAX_HEADER_BYTES = 8_192
"""All header fields of a request together, with their names."""
MAX_PATH_BYTES = 2_048
MAX_ARTICLE_PATH_BYTES = 10_240
"""The limit for an article's address, which contains the article's id: this may be a whole URL."""
MAX_QUERY_BYTES = 8_192
MAX_BODY_BYTES = 65_536
BODY_SECONDS = 10.0
"""Seconds that a client may take to send the whole body of a request."""
MAX_PENDING_BODY_BYTES = 16_000_000
"""Bytes of all bodies together that one worker is receiving."""

_ARTICLES = "/articles/"
# RFC 9110 §9.3: the methods whose content has a meaning.
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})


@dataclass(frozen=True, slots=True)
class Refusal:
    """The answer to a refused request: a status, and the reason in one sentence."""

    status: int
    reason: str


NO_LENGTH = Refusal(411, "Send the body with a Content-Length.")
BODY_TOO_LARGE = Refusal(413, "The body is too large.")
BODY_TOO_SLOW = Refusal(408, f"The body did not arrive within {BODY_SECONDS:.0f} seconds.")
BODY_INCOMPLETE = Refusal(400, "The body is shorter than its Content-Length.")
PATH_TOO_LONG = Refusal(414, "The address is too long.")
HEADERS_TOO_LARGE = Refusal(431, "The request's header fields are too large.")
BAD_HOST = Refusal(400, "Send exactly one Host header field.")
BAD_LENGTH = Refusal(400, "Content-Length is not a number.")
BUSY = Refusal(503, "The server is busy. Try again in a moment.")


def refusal(
    path: str, query: str, headers: Sequence[tuple[str, str]], *, is_http_1_0: bool = False
) -> Refusal | None:
    """Return why a request is refused, whatever it asks for, or None. Header names are in lower case."""
    size = hosts = 0
    for name, value in headers:
        size += len(name) + len(value) + 4  # a colon, a space, and the end of the line
        hosts += name == "host"
    if size > MAX_HEADER_BYTES:
        return HEADERS_TOO_LARGE
    if (len(path) > MAX_PATH_BYTES // 4 and _is_too_long(path)) or len(query) > MAX_QUERY_BYTES:
        return PATH_TOO_LONG
    if hosts != 1 and (hosts or not is_http_1_0):  # RFC 9112 §3.2; HTTP/1.0 had no Host
        return BAD_HOST
    return None


def body_length(
    method: str, headers: Sequence[tuple[str, str]], limit: int = MAX_BODY_BYTES
) -> int | Refusal:
    """Return the number of body bytes to read, or why the request is refused before any is read.

    A chunked body has no length that could be checked first, so it is refused (RFC 9110 §15.5.12). Without
    either field there is no body (RFC 9112 §6.3). Methods whose content has no meaning count as having no
    body.
    """
    if method not in _WITH_BODY:
        return 0
    if any(name == "transfer-encoding" for name, _ in headers):
        return NO_LENGTH
    lengths = {value for name, value in headers if name == "content-length"}
    if not lengths:
        return 0
    text = lengths.pop()
    if lengths or not (text.isascii() and text.isdigit()):
        return BAD_LENGTH
    if len(text.lstrip("0")) > len(str(limit)) or int(text) > limit:
        return BODY_TOO_LARGE
    return int(text)


def _is_too_long(path: str) -> bool:
    limit = MAX_ARTICLE_PATH_BYTES if path.startswith(_ARTICLES) else MAX_PATH_BYTES
    return len(path.encode("utf-8", "surrogatepass")) > limit
