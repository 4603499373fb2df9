"""The connections of requests, which distinguish failures before the first byte from later ones.

They are urllib3's with four differences: any failure to connect is a NotConnectedError; before the first byte
of a request, a check decides whether to continue; head and body are sent in one piece; and one deadline
applies to the whole answer. A `PublicAdapter` also refuses private addresses.
"""

from __future__ import annotations

import http.client
import io
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from http import HTTPStatus
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError, NameResolutionError
from urllib3.util.ssl_ import create_urllib3_context

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

MAX_IDLE = 2.0
"""Seconds after which a kept-alive connection is not used again, as the server may have closed it."""

MaySend = Callable[[], str | None]
"""Called with an open connection, before anything is sent: returns why to stop, or None to continue."""

_NAT64 = IPv6Network("64:ff9b::/96")
_may_send: ContextVar[MaySend] = ContextVar("may_send")


@contextmanager
def asking(may_send: MaySend) -> Iterator[None]:
    """Call `may_send` before the first byte of each request that this thread makes within the context."""
    token = _may_send.set(may_send)
    try:
        yield
    finally:
        _may_send.reset(token)


def causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and its causes, the error itself first."""
    current: BaseException | None = error
    while current:
        yield current
        current = current.__cause__ or current.__context__


def is_public(address: str) -> bool:
    """Return whether an IP address, and the IPv4 address embedded in it, is one of the public internet."""
    ip: IPv4Address | IPv6Address = ip_address(address)
    if isinstance(ip, IPv6Address):
        embedded = IPv4Address(int(ip) & 0xFFFFFFFF) if ip in _NAT64 else ip.ipv4_mapped or ip.sixtofour
        ip = embedded or ip
    return ip.is_global and not ip.is_multicast


class NotConnectedError(Exception):
    """There is no connection. urllib3 does not know this error, so it passes it on unchanged."""


def no_connection(error: BaseException) -> str:
    """Return why there is no connection, from the error and its causes."""
    chain = list(causes(error))
    for cause in chain:
        if isinstance(cause, NameResolutionError):
            return "the host's name cannot be resolved"
        if isinstance(cause, TimeoutError):
            return "no connection in time"
        if isinstance(cause, ssl.SSLError):
            return tls_failure(cause)
        if isinstance(cause, ConnectionRefusedError):
            return "the connection was refused"
    return f"no connection ({type(chain[-1]).__name__})"


def tls_failure(error: ssl.SSLError) -> str:
    """Return why TLS failed: what is wrong with the certificate, or else the name of the error."""
    if isinstance(error, ssl.SSLCertVerificationError):
        # OpenSSL's words, without the host that a certificate is not valid for.
        return f"TLS failed ({error.verify_message.partition(',')[0]})"
    return f"TLS failed ({error.reason or type(error).__name__})"


class _Timed(io.RawIOBase):
    """A socket's incoming bytes, with one deadline for all of them.

    A socket's own timeout starts again with every byte, so a server could send slowly forever.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._raw = sock.makefile("rb", buffering=0)
        timeout = sock.gettimeout()
        self._deadline = None if timeout is None else time.monotonic() + timeout

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int | None:
        if self._deadline is not None:
            seconds_left = self._deadline - time.monotonic()
            if seconds_left <= 0:
                raise TimeoutError("the answer took too long")
            self._sock.settimeout(seconds_left)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Incoming:
    """The part of a socket's interface that http.client needs to read an answer."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Timed(self._sock))


class _TimedResponse(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(_Incoming(sock), *args, **kwargs)  # type: ignore[arg-type]

    def _read_status(self) -> tuple[str, int, str]:
        """Return the status, or 100 for every interim one, such as 103: of these, http.client skips only 100.

        The answer follows an interim one, of which there may be several (RFC 9110 §15.2).
        """
        version, status, reason = super()._read_status()  # type: ignore[misc]
        return version, HTTPStatus.CONTINUE if HTTPStatus.PROCESSING <= status < 200 else status, reason


class _Connection(HTTPConnection):
    response_class = _TimedResponse
    _last_used = 0.0
    _pieces: list[bytes] | None = None

    def connect(self) -> None:
        try:
            super().connect()
        except (HTTPError, OSError, http.client.HTTPException, ValueError) as error:
            raise NotConnectedError(no_connection(error)) from None

    @property
    def is_connected(self) -> bool:
        return super().is_connected and time.monotonic() - self._last_used < MAX_IDLE

    def request(self, *args: Any, **kwargs: Any) -> None:
        """Send head and body in one piece, which saves a system call, a packet, and a wake-up of the server.

        The check comes as late as possible, as the process may have been frozen while it connected.
        """
        self._last_used = time.monotonic()
        self._pieces = []
        try:
            super().request(*args, **kwargs)
            pieces = self._pieces
        finally:
            self._pieces = None
        if self.sock is None:
            self.connect()
        if refusal := _refusal():
            raise NotConnectedError(refusal)
        super().send(b"".join(pieces))

    def send(self, data: Any) -> None:
        if self._pieces is None:
            super().send(data)
        else:
            self._pieces.append(data)


def _refusal() -> str | None:
    try:
        return _may_send.get(_always)()
    except Exception as error:  # noqa: BLE001 - whatever failed, nothing was sent
        return f"the claim of the post cannot be checked ({type(error).__name__})"


def _always() -> None:
    return None


class _SecureConnection(_Connection, HTTPSConnection):
    pass


class _PublicConnection(_SecureConnection):
    def _new_conn(self) -> socket.socket:
        """Connect to a looked-up address that is public, without a second look-up, which could differ."""
        try:
            candidates = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise NotConnectedError("the host's name cannot be resolved") from error
        addresses = [str(info[4][0]).partition("%")[0] for info in candidates]
        if not all(map(is_public, addresses)):
            raise NotConnectedError("the host's address is not public: set `allow_private` to allow it")
        return socket.create_connection((addresses[0], self.port), self.timeout)


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class _PublicPool(HTTPSConnectionPool):
    ConnectionCls = _PublicConnection


class Adapter(HTTPAdapter):
    """Creates these connections; certificates in `ca_file` are trusted besides those that requests trusts."""

    pools: ClassVar[Mapping[str, type[HTTPConnectionPool]]] = {"http": _Pool, "https": _SecurePool}

    def __init__(self, *args: Any, ca_file: Path | None = None, **kwargs: Any) -> None:
        self._context = _trusting(ca_file) if ca_file else None
        super().__init__(*args, **kwargs)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Create the pools of direct connections to a server."""
        super().init_poolmanager(*args, ssl_context=self._context, **kwargs)
        self.poolmanager.pool_classes_by_scheme = dict(self.pools)

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        """Return the pools of connections through a proxy."""
        contexts: dict[str, Any] = {"ssl_context": self._context, "proxy_ssl_context": self._context}
        manager = super().proxy_manager_for(proxy, **contexts, **kwargs)
        manager.pool_classes_by_scheme = dict(self.pools)
        return manager


class PublicAdapter(Adapter):
    """Connects only over TLS, and only to public addresses."""

    pools = {"https": _PublicPool}  # noqa: RUF012 - declared by the base class


def _trusting(ca_file: Path) -> ssl.SSLContext:
    context = create_urllib3_context()
    context.load_verify_locations(ca_file)
    return context
