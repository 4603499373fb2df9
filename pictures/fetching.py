"""Fetches a picture from an untrusted host: by https or http, from public addresses, within limits."""

from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import TypeVar
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from pictures.errors import PictureError
from text.limits import MAX_URL

MAX_BYTES = 10_000_000
"""The most bytes of a picture from its host."""

MAX_SECONDS = 20.0
"""Seconds for one request, from the connection to the last byte."""

MAX_REDIRECTS = 3

_CONNECT_SECONDS = 5.0
_CHUNK = 65_536
_PORTS = frozenset({80, 443})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_HEADERS = {
    "Accept": "image/webp,image/png,image/jpeg,image/gif",
    "Accept-Encoding": "identity",
    "User-Agent": "Newswire (pictures of articles)",
    "Connection": "close",
}
# Ranges that are global by their registries, but contain any IPv4 address: NAT64 (RFC 6052), 6to4, Teredo.
_LEADING_ELSEWHERE = tuple(
    ipaddress.IPv6Network(network) for network in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32")
)

Stream = TypeVar("Stream", bound=socket.socket)
Resolve = Callable[[str, int], Sequence[str]]


def addresses(host: str, port: int) -> Sequence[str]:
    """Return the IP addresses of a host. Raises OSError."""
    return [str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def is_public(address: str) -> bool:
    """Return whether an IP address is one of the public internet, and not of an internal network."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped:
            return is_public(str(parsed.ipv4_mapped))
        if any(parsed in network for network in _LEADING_ELSEWHERE):
            return False
    return parsed.is_global and not parsed.is_multicast


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetcher:
    """Fetches pictures. There is no connection to a host if any of its addresses is not `allowed`."""

    resolve: Resolve = addresses
    allowed: Callable[[str], bool] = is_public
    ports: Collection[int] = _PORTS
    seconds: float = MAX_SECONDS
    tls: ssl.SSLContext = field(default_factory=ssl.create_default_context)

    def fetch(self, url: str) -> bytes:
        """Return the bytes at `url`, after at most MAX_REDIRECTS redirects. Raises PictureError."""
        for _ in range(MAX_REDIRECTS + 1):
            response = self._get(url)
            if isinstance(response, bytes):
                return response
            url = response
        raise PictureError(f"it redirects more than {MAX_REDIRECTS} times")

    def _get(self, url: str) -> bytes | str:
        """Return the bytes at `url`, or the address to which it redirects."""
        parts, port = _split(url)
        if port not in self.ports:
            raise PictureError(f"port {port} is not a web server's")
        limit = _Limit(self.seconds)
        try:
            with limit, self._connected(parts, port, limit) as stream:
                response = _answer(stream, parts, port, url)
        except (OSError, HTTPException, UnicodeError, ValueError) as error:
            raise PictureError(limit.reason or _reason(error)) from error
        if limit.reason:  # to the client, an ended connection looks like the end of the answer
            raise PictureError(limit.reason)
        return response

    def _connected(self, parts: SplitResult, port: int, limit: _Limit) -> socket.socket:
        """Return a connection to the host, whose addresses are looked up once and must all be allowed."""
        host = parts.hostname or ""
        candidates = self.resolve(host, port)
        if not candidates or not all(map(self.allowed, candidates)):
            raise PictureError("its host is not on the public internet")
        stream = limit.watch(socket.create_connection((candidates[0], port), _CONNECT_SECONDS))
        if parts.scheme == "http":
            return stream
        try:
            secure = self.tls.wrap_socket(stream, server_hostname=host, do_handshake_on_connect=False)
            limit.watch(secure).do_handshake()
        except BaseException:
            stream.close()
            raise
        return secure


class _Limit:
    """Ends a connection after some seconds, even if bytes still arrive; `reason` is then set."""

    def __init__(self, seconds: float) -> None:
        self.reason = ""
        self._seconds = seconds
        self._stream: socket.socket | None = None
        self._timer = threading.Timer(seconds, self._stop)
        self._timer.daemon = True

    def __enter__(self) -> None:
        self._timer.start()

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()

    def watch(self, stream: Stream) -> Stream:
        """Watch this connection instead of an earlier one, and return it."""
        self._stream = stream
        return stream

    def _stop(self) -> None:
        self.reason = f"its host takes longer than {self._seconds:g} seconds"
        if self._stream:
            with suppress(OSError):
                self._stream.shutdown(socket.SHUT_RDWR)


def _split(url: str) -> tuple[SplitResult, int]:
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        (parts.hostname or "").encode("idna")
    except (ValueError, UnicodeError):
        raise PictureError("its address is not valid") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or len(url) > MAX_URL:
        raise PictureError("its address is not a web address")
    if parts.username is not None or parts.password is not None:
        raise PictureError("its address has a user name")
    return parts, port


def _answer(stream: socket.socket, parts: SplitResult, port: int, url: str) -> bytes | str:
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(parts.hostname or "", port)
    connection.sock = stream  # connected to the checked address
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._")
    query = quote(parts.query, safe="/%:@!$&'()*+,;=~-._?")
    connection.request("GET", f"{path}?{query}" if query else path, headers=_HEADERS)
    response = connection.getresponse()
    if response.status in _REDIRECTS:
        return urljoin(url, response.headers.get("Location", ""))
    if response.status != 200:
        raise PictureError(f"its host answers {response.status}")
    return _body(response)


def _body(response: HTTPResponse) -> bytes:
    if (response.length or 0) > MAX_BYTES:
        raise PictureError(f"it is larger than {MAX_BYTES:,} bytes")
    parts: list[bytes] = []
    size = 0
    while chunk := response.read(_CHUNK):
        size += len(chunk)
        if size > MAX_BYTES:
            raise PictureError(f"it is larger than {MAX_BYTES:,} bytes")
        parts.append(chunk)
    return b"".join(parts)


def _reason(error: Exception) -> str:
    if isinstance(error, socket.gaierror):
        return "its host has no address"
    if isinstance(error, TimeoutError):
        return "its host does not answer"
    return f"it cannot be fetched: {type(error).__name__}"
