"""The only place that makes outgoing requests: one request, one answer, or a word on what may have happened.

Knows no service and decides nothing: it never retries, follows no redirect, and lets no address out of here.

Connecting (name lookup, TCP, TLS, a proxy's tunnel) is over before the first byte of a request leaves. So
whatever fails there is `Unsent`, and whatever fails later is `Ambiguous`. A server may close a kept-alive
connection at any moment, and a request that goes out just then is ambiguous for no good reason; hence a
connection is used again only within MAX_IDLE seconds, far below any server's idle limit. A new one for every
request would close that gap wholly, at the price of a TLS handshake each (and, measured on loopback without
TLS, a third of the speed).
"""

from __future__ import annotations

import http.client
import io
import logging
import re
import socket
import ssl
import time
from collections.abc import Iterator
from http.cookiejar import DefaultCookiePolicy
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from urllib3 import BaseHTTPResponse, HTTPConnectionPool, HTTPSConnectionPool, Retry, Timeout
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError, NameResolutionError, ReadTimeoutError

from bot.errors import BotError
from bot.services import Request, Response
from bot.services.secret import Secret

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

MAX_BODY = 64 * 1024
"""Bytes of an answer that are read; the rest is never asked for."""

MAX_IDLE = 2.0
"""Seconds after which a kept-alive connection is no longer trusted to be open."""

TIMEOUTS = (5.0, 15.0)
"""Seconds to connect, and seconds for the whole answer from the moment the request is out."""


_MOST_KNOWN = 256
_BREAKDOWNS = (requests.RequestException, HTTPError, http.client.HTTPException, OSError, ValueError)
"""What requests, urllib3, http.client and sockets raise while a request is under way."""


class TransportError(BotError):
    """No answer came; the text says why, in one line that holds no address."""


class Unsent(TransportError):  # noqa: N818 - a finding, not a fault
    """It is proven that the service did not get the request: sending it again duplicates nothing."""


class Ambiguous(TransportError):  # noqa: N818 - a finding, not a fault
    """The service may have got the request and acted on it."""


class Transport:
    """Sends requests over `session`, which it makes its own: no retries, no cookies, no environment.

    `timeouts` are the seconds to connect, and for the whole answer. A proxy is used when `session.proxies`
    names one; HTTPS_PROXY and ~/.netrc are not read, since either could send a webhook's address, or a
    password, to where the operator never meant it to go.
    """

    def __init__(
        self, session: requests.Session, *, user_agent: str, timeouts: tuple[float, float] = TIMEOUTS
    ) -> None:
        session.trust_env = False
        session.headers.clear()
        session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
        for scheme in ("https://", "http://"):
            session.mount(scheme, _Adapter(max_retries=Retry(total=False)))
        self._session = session
        self._timeout = Timeout(connect=timeouts[0], read=timeouts[1])
        self._known: dict[tuple[str, Secret], requests.PreparedRequest] = {}
        self._headers = {
            "User-Agent": user_agent,
            "Content-Type": "application/json; charset=utf-8",
            "Accept-Encoding": "identity",
        }

    def send(self, request: Request) -> Response:
        """Return the answer to `request`, whatever its status.

        Raises Unsent when nothing was posted for certain, Ambiguous when it may have been.
        """
        answer = self._attempt(request)
        if isinstance(answer, TransportError):
            # Raised here, where no exception is being handled: its context would hold the address.
            raise answer
        return answer

    def _attempt(self, request: Request) -> Response | TransportError:
        known = self._prepared(request.method, request.url)
        if isinstance(known, Unsent):
            return known
        try:
            return self._exchange(known, request)
        except _NotConnectedError as error:
            return Unsent(str(error))
        except _BREAKDOWNS as error:
            return Ambiguous(_breakdown(error))

    def _exchange(self, known: requests.PreparedRequest, request: Request) -> Response | Ambiguous:
        """Do what the session's adapter does in `send`, but for what it makes of answers and errors.

        And not what Session.send does: all that it adds is redirects, cookies and hooks, none of which have
        a place here.
        """
        session, url, method = self._session, known.url, known.method
        assert url is not None and method is not None
        adapter: Any = session.get_adapter(url)
        proxies, verify = dict(session.proxies), True if session.verify is None else session.verify
        pool = adapter.get_connection_with_tls_context(known, verify, proxies, session.cert)
        adapter.cert_verify(pool, url, verify, session.cert)
        body = request.content()
        headers = CaseInsensitiveDict(known.headers)
        headers.update(request.headers)
        answer = pool.urlopen(
            method,
            adapter.request_url(known, proxies),
            body,
            {**headers, "Content-Length": str(len(body))},
            retries=adapter.max_retries,
            redirect=False,
            assert_same_host=False,
            timeout=self._timeout,
            preload_content=False,
            decode_content=False,
        )
        return _answer(answer)

    def _prepared(self, method: str, url: Secret) -> requests.PreparedRequest | Unsent:
        """Return a request without a body; the address is checked, and the headers are made, once."""
        known = self._known.get((method, url))
        if known is not None:
            return known
        fault = fault_of(url)
        if fault:
            return Unsent(fault)
        try:
            made = self._session.prepare_request(
                requests.Request(method, url.reveal(), headers=self._headers)
            )
        except (requests.RequestException, ValueError):
            return Unsent("the webhook's address is not a valid URL")
        if len(self._known) >= _MOST_KNOWN:
            self._known.clear()
        self._known[method, url] = made
        return made


def fault_of(webhook: Secret) -> str | None:
    """Return what is wrong with a webhook's address, in words that do not repeat it; None when it will do.

    It has to be https, as the address is the password; plain http is for a server on this very machine.
    """
    try:
        parts = urlsplit(webhook.reveal())
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "the webhook's address is not a valid URL"
    if parts.scheme not in {"http", "https"} or not host:
        return "the webhook's address is not an http(s) URL"
    if parts.scheme == "http" and not _is_loopback(host):
        return "the webhook's address has to begin with https://"
    return None


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _answer(answer: BaseHTTPResponse) -> Response | Ambiguous:
    """Return the answer whose head has come; when the rest does not, a refusal is still a refusal."""
    try:
        body = answer.read(MAX_BODY, decode_content=True)
    except _BREAKDOWNS as error:
        if answer.status < 300:
            return Ambiguous(f"HTTP {answer.status}, and then {_breakdown(error)}")
        body = b""
    finally:
        answer.close()
        answer.release_conn()
    return Response(status=answer.status, headers=dict(answer.headers), body=body)


def _breakdown(error: BaseException) -> str:
    """Return what broke with the request under way; a class name, as messages repeat the address."""
    chain = list(_causes(error))
    if any(isinstance(cause, (ReadTimeoutError, TimeoutError)) for cause in chain):
        return "no complete answer in time"
    return f"the connection broke ({type(chain[-1]).__name__})"


def _causes(error: BaseException) -> Iterator[BaseException]:
    found: BaseException | None = error
    while found:
        yield found
        found = found.__cause__ or found.__context__


class _NotConnectedError(Exception):
    """Raised through urllib3, which knows nothing of it and therefore neither wraps nor swallows it."""


def _no_connection(error: BaseException) -> str:
    chain = list(_causes(error))
    for cause in chain:
        if isinstance(cause, NameResolutionError):
            return "the host's name cannot be resolved"
        if isinstance(cause, TimeoutError):
            return "no connection in time"
        if isinstance(cause, ssl.SSLError):
            return f"TLS failed ({cause.reason or type(cause).__name__})"
        if isinstance(cause, ConnectionRefusedError):
            return "the connection was refused"
    return f"no connection ({type(chain[-1]).__name__})"


class _Timed(io.RawIOBase):
    """A socket's incoming bytes, all of which have to come before one deadline.

    A socket's own timeout starts anew with every byte, so that a server could drip for ever.
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
            left = self._deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError("the answer took too long")
            self._sock.settimeout(left)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Incoming:
    """As much of a socket as http.client asks of one when it reads an answer."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Timed(self._sock))


class _TimedResponse(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(_Incoming(sock), *args, **kwargs)  # type: ignore[arg-type]


class _Connection(HTTPConnection):
    response_class = _TimedResponse
    _last_used = 0.0
    _pieces: list[bytes] | None = None

    def connect(self) -> None:
        try:
            super().connect()
        except (HTTPError, OSError, http.client.HTTPException, ValueError) as error:
            raise _NotConnectedError(_no_connection(error)) from None

    @property
    def is_connected(self) -> bool:
        return super().is_connected and time.monotonic() - self._last_used < MAX_IDLE

    def request(self, *args: Any, **kwargs: Any) -> None:
        """Send head and body in one piece: each is a system call, a packet, and a wake-up of the server."""
        self._last_used = time.monotonic()
        self._pieces = []
        try:
            super().request(*args, **kwargs)
            pieces = self._pieces
        finally:
            self._pieces = None
        super().send(b"".join(pieces))

    def send(self, data: Any) -> None:
        if self._pieces is None:
            super().send(data)
        else:
            self._pieces.append(data)


class _SecureConnection(_Connection, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(*args, **kwargs)
        manager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}
        return manager


class _WithoutAddresses(logging.Filter):
    """Takes paths and URLs out of urllib3's own log lines: a webhook's path is its password."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple("***" if _is_address(argument) else argument for argument in record.args)
        return True


def _is_address(argument: object) -> bool:
    return isinstance(argument, str) and re.match(r"/|\w+://", argument) is not None


for _name in ("urllib3.connectionpool", "urllib3.connection", "urllib3.util.retry"):
    logging.getLogger(_name).addFilter(_WithoutAddresses())
