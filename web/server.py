"""Connects the web server with the WSGI application: reads requests, chooses their threads, sends answers.

granian calls this by its interface RSGI (https://github.com/emmett-framework/granian, docs/spec/RSGI.md). A
client that sends or reads slowly then occupies some kilobytes, but no thread: a request is checked and its
body read before a thread runs the application, and the server itself sends files and large bodies in pieces.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol

from web import limits
from web.document import Answer
from web.limits import Refusal, body_length, refusal
from web.memory_files import LARGE_BODY, LargeBodies, MemoryFile
from web.sockets import allow_many_connections, disconnect_silent_clients
from web.thread_groups import Pool, ThreadGroup, ThreadJob, begin_at_once, settle
from web.unread_connections import LARGE_ANSWER, UnreadConnections
from web.wsgi import Headers, call, environ_of

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication
    from granian.rsgi import Scope


class HTTPProtocol(Protocol):
    """The part of RSGI's HTTP protocol interface that is used."""

    def __aiter__(self) -> AsyncIterator[bytes]: ...

    def response_str(self, status: int, headers: Headers, body: str) -> None:
        """Answer with a text."""

    def response_bytes(self, status: int, headers: Headers, body: bytes) -> None:
        """Answer with bytes."""

    def response_file_range(self, status: int, headers: Headers, file: str, start: int, end: int) -> None:
        """Answer with a file's bytes from `start` to before `end`; the server opens the file later."""


Quick = Callable[[str, str, Mapping[str, str]], Answer | None]
"""Returns the answer to a request without a query by method, path and header fields; None: use a thread."""

_SHORT_PATH = limits.MAX_PATH_BYTES // 4  # characters, of at most four bytes each
_SMALL_HEADERS = limits.MAX_HEADER_BYTES // 2
_OPENING_SECONDS = 1.0
"""Seconds that a file in memory is kept for the server, which opens it right after the answer."""


class Server:
    """An RSGI application: `quick` answers at once if it can, or else the WSGI `application` in a thread.

    `group` returns a request's group by path and query; pages have `threads` threads, every other group has
    one. `body_limits` has the limits in bytes of paths whose limit is not `limits.MAX_BODY_BYTES`.
    `on_refusal` is called with the status of each refused request. `prefix` is the decoded path of the site,
    such as /news, which is removed from the paths of requests unless a proxy has removed it.
    """

    def __init__(
        self,
        application: WSGIApplication,
        *,
        threads: int,
        group: Callable[[str, str], ThreadGroup] = lambda path, query: ThreadGroup.PAGES,
        quick: Quick | None = None,
        body_limits: Mapping[str, int] | None = None,
        on_refusal: Callable[[int], None] = lambda status: None,
        prefix: str = "",
    ) -> None:
        self._pools = {
            group: Pool(group, threads if group is ThreadGroup.PAGES else 1) for group in ThreadGroup
        }
        self._application = application
        self._group = group
        self._quick = quick
        self._body_limits = body_limits or {}
        self._on_refusal = on_refusal
        self._prefix = prefix
        self._pending_bytes = 0
        self._large = LargeBodies()
        self._opening = deque[tuple[float, MemoryFile]]()
        self._opening_lock = threading.Lock()
        self._unread: UnreadConnections | None = None
        self._loop_thread: int | None = None

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Prepare the worker; the server already listens before the loop runs."""
        for pool in self._pools.values():
            pool.start()
        allow_many_connections()
        loop.call_soon(disconnect_silent_clients)
        self._unread = UnreadConnections(loop)
        self._loop_thread = threading.get_ident()
        with suppress(AttributeError):  # the loop is not written in Python
            begin = partial(begin_at_once, loop.call_soon_threadsafe)
            loop.call_soon_threadsafe = begin  # type: ignore[method-assign,assignment]

    def __rsgi_del__(self, loop: asyncio.AbstractEventLoop) -> None:
        """End the threads."""
        for pool in self._pools.values():
            pool.close()

    async def __rsgi__(self, scope: Scope, protocol: HTTPProtocol) -> None:
        """Answer one request."""
        headers = scope.headers.items()
        path, query = scope.path, scope.query_string
        if self._prefix:
            path = _below(self._prefix, path)
        # Three quarters of the requests are answered here, so this is written for speed.
        if self._quick and not query and len(path) <= _SHORT_PATH:
            by_name = dict(headers)
            if len(by_name) == len(headers) and "host" in by_name and _size(by_name) <= _SMALL_HEADERS:
                method = scope.method
                answer = self._quick(method, path, by_name)
                if answer:
                    self._send(
                        protocol, answer.status, answer.headers, b"" if method == "HEAD" else answer.body
                    )
                    return
        refused = refusal(path, query, headers, is_http_1_0=scope.http_version == "1")
        if refused:
            self._refuse(protocol, refused)
        else:
            await self._run(scope, protocol, headers, path)

    async def _run(self, scope: Scope, protocol: HTTPProtocol, headers: Headers, path: str) -> None:
        method = scope.method
        pool = self._pools[self._group(path, scope.query_string)]
        length = body_length(method, headers, self._body_limits.get(path, limits.MAX_BODY_BYTES))
        if isinstance(length, Refusal):
            self._refuse(protocol, length)
        elif length == 0 and threading.get_ident() != self._loop_thread:
            if not await ThreadJob(pool, lambda: self._respond(scope, protocol, headers, path, b"")):
                self._refuse(protocol, limits.BUSY)
        else:
            await asyncio.sleep(0)  # continues on the loop: see begin_at_once
            body = await self._body(protocol, length)
            if isinstance(body, Refusal):
                self._refuse(protocol, body)
                return
            work = Future[None]()
            if pool.submit(lambda: settle(work, lambda: self._respond(scope, protocol, headers, path, body))):
                await asyncio.wrap_future(work)
            else:
                self._refuse(protocol, limits.BUSY)

    async def _body(self, protocol: HTTPProtocol, length: int) -> bytes | Refusal:
        """Return the body, or why it is refused. Never receives more than the announced length."""
        if length == 0:
            return b""
        received = bytearray()
        try:
            async with asyncio.timeout(limits.BODY_SECONDS):
                async for chunk in protocol:
                    received += chunk
                    self._pending_bytes += len(chunk)
                    if self._pending_bytes > limits.MAX_PENDING_BODY_BYTES:
                        return limits.BUSY
        except TimeoutError:
            return limits.BODY_TOO_SLOW
        finally:
            self._pending_bytes -= len(received)
        return bytes(received) if len(received) == length else limits.BODY_INCOMPLETE

    def _respond(
        self, scope: Scope, protocol: HTTPProtocol, headers: Headers, path: str, body: bytes
    ) -> None:
        """Let the application answer a request, whose body was received, in this thread."""
        result = call(self._application, environ_of(scope, headers, path, body))
        if result.file:
            part = result.file
            self._note(part.end - part.start)
            protocol.response_file_range(result.status, result.headers, part.path, part.start, part.end)
            return
        self._send(protocol, result.status, result.headers, result.body)

    def _send(self, protocol: HTTPProtocol, status: int, headers: Headers, body: bytes) -> None:
        self._note(len(body))
        file = self._large.file(body) if len(body) >= LARGE_BODY else None
        if file is None:
            protocol.response_bytes(status, headers, body)
        else:
            self._hold_open(file)
            protocol.response_file_range(status, headers, file.path, 0, len(body))

    def _note(self, length: int) -> None:
        if length >= LARGE_ANSWER and self._unread:
            self._unread.record_answer()

    def _hold_open(self, file: MemoryFile) -> None:
        """Keep a reference to a file until the server has opened it."""
        now = time.monotonic()
        with self._opening_lock:
            self._opening.append((now, file))
            while self._opening[0][0] < now - _OPENING_SECONDS:
                self._opening.popleft()

    def _refuse(self, protocol: HTTPProtocol, refused: Refusal) -> None:
        """Answer a refused request; the rest of what its client sends is not read."""
        self._on_refusal(refused.status)
        text = f"{refused.reason}\n"
        headers = [
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Cache-Control", "no-store"),
            ("Connection", "close"),
        ]
        if refused.status == HTTPStatus.SERVICE_UNAVAILABLE:
            headers.append(("Retry-After", "5"))
        protocol.response_str(refused.status, headers, text)


def _below(prefix: str, path: str) -> str:
    """Return a path without the prefix, if it begins with it."""
    if path.startswith(f"{prefix}/"):
        return path[len(prefix) :]
    return "/" if path == prefix else path


def _size(headers: Mapping[str, str]) -> int:
    return sum(map(len, headers)) + sum(map(len, headers.values()))
