"""Between the web server and the WSGI application: what is read of a request, where it runs, how it is sent.

granian calls this on its event loop, by its own interface RSGI (https://github.com/emmett-framework/granian,
docs/spec/RSGI.md). There a client that sends or takes its bytes slowly holds a few kilobytes and no thread:
requests are checked and their bodies read before a thread runs the application, and files and large bodies
are sent piece by piece by the server itself.
"""

from __future__ import annotations

import asyncio
import io
import logging
import sys
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine, Generator, Iterable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from functools import partial
from http import HTTPStatus
from queue import SimpleQueue
from types import CoroutineType
from typing import IO, TYPE_CHECKING, Any, Protocol, TypeVar

from werkzeug.wsgi import FileWrapper

from web import limits
from web.document import Answer
from web.limits import Refusal, body_length, refusal
from web.memory import LARGE_BODY, LargeBodies, MemoryFile
from web.sockets import allow_many_connections, cut_off_silent_clients

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication
    from granian.rsgi import Scope

log = logging.getLogger(__name__)

_T = TypeVar("_T")

Headers = Sequence[tuple[str, str]]


class HTTPProtocol(Protocol):
    """What is used of RSGI's HTTP protocol interface."""

    def __aiter__(self) -> AsyncIterator[bytes]: ...

    def response_str(self, status: int, headers: Headers, body: str) -> None:
        """Answer with a text."""

    def response_bytes(self, status: int, headers: Headers, body: bytes) -> None:
        """Answer with bytes."""

    def response_file_range(self, status: int, headers: Headers, file: str, start: int, end: int) -> None:
        """Answer with a file's bytes from `start` to before `end`; the server opens it a moment later."""


Quick = Callable[[str, str, Mapping[str, str]], Answer | None]
"""Answers a request without a query at once, by method, path and header fields, or leaves it to a thread."""

MAX_WAITING = 256
"""Requests that may wait in a lane; the next ones are answered 503."""
_SHORT_PATH = limits.MAX_PATH_BYTES // 4  # characters, of at most four bytes each
_SMALL_HEADERS = limits.MAX_HEADER_BYTES // 2
_OPENING_SECONDS = 1.0
"""How long a file in memory is held for the server at least, which opens it right after it was told to."""


class Lane(Enum):
    """Groups of threads: costly requests never hold all, and probes are always answered.

    One thread renders the feeds that are not at hand: each takes some megabytes for a moment, and several at
    once would not be ready any sooner, since Python runs one thread at a time.
    """

    PROBES = "probes"
    PAGES = "pages"
    FEEDS = "feeds"
    COSTLY = "costly"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """Bytes of a file, from `start` to before `end`."""

    path: str
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Result:
    """What the application answered; `file`, where there is one, is sent in place of `body`."""

    status: int
    headers: Headers
    body: bytes = b""
    file: _Part | None = None


class _Pool:
    """The threads of a lane, and the work that waits for them.

    Plain threads, as a ThreadPoolExecutor waits for all of its own when the process ends.
    """

    def __init__(self, lane: Lane, threads: int) -> None:
        self._waiting = SimpleQueue[Callable[[], None] | None]()
        self._threads = [
            threading.Thread(target=self._work, name=lane.value, daemon=True) for _ in range(threads)
        ]

    def start(self) -> None:
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    def submit(self, work: Callable[[], None]) -> bool:
        """Let a thread do some work, which raises nothing; False when too much waits already."""
        if self._waiting.qsize() >= MAX_WAITING:
            return False
        self._waiting.put(work)
        return True

    def close(self) -> None:
        """End the threads once they have done what waits."""
        for _ in self._threads:
            self._waiting.put(None)

    def _work(self) -> None:
        while work := self._waiting.get():
            work()


class _Job:
    """What a request waits for that began outside of the loop: work of a thread, without the loop at all."""

    def __init__(self, pool: _Pool, work: Callable[[], None]) -> None:
        self._pool = pool
        self._work = work

    def __await__(self) -> Generator[_Job, bool, bool]:
        """Give this to `_begin_at_once`, and return whether the work was done."""
        return (yield self)

    def start(self, request: Coroutine[_Job, bool, None]) -> None:
        """Let a thread do the work and finish the request, or finish it here when too many wait."""
        if not self._pool.submit(partial(self._run, request)):
            _finish(request.send, False)

    def _run(self, request: Coroutine[_Job, bool, None]) -> None:
        try:
            self._work()
        except BaseException as error:  # noqa: BLE001 - granian logs it and answers 500
            _finish(request.throw, error)
        else:
            _finish(request.send, True)


class Server:
    """An RSGI application: `quick` answers at once what it can, the WSGI `application` in a thread the rest.

    `lane` says by path and query which threads a request gets: `threads` are for pages, every other lane has
    one.
    `body_limits` are bytes by path where they differ from `limits.MAX_BODY_BYTES`. `on_refusal` gets the
    status of each answer that the application did not give.
    """

    def __init__(
        self,
        application: WSGIApplication,
        *,
        threads: int,
        lane: Callable[[str, str], Lane] = lambda path, query: Lane.PAGES,
        quick: Quick | None = None,
        body_limits: Mapping[str, int] | None = None,
        on_refusal: Callable[[int], None] = lambda status: None,
    ) -> None:
        self._pools = {lane: _Pool(lane, threads if lane is Lane.PAGES else 1) for lane in Lane}
        self._application = application
        self._lane = lane
        self._quick = quick
        self._body_limits = body_limits or {}
        self._on_refusal = on_refusal
        self._pending_bytes = 0
        self._large = LargeBodies()
        self._opening = deque[tuple[float, MemoryFile]]()
        self._opening_lock = threading.Lock()
        self._loop_thread: int | None = None

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Prepare the worker; the server listens before the loop runs."""
        for pool in self._pools.values():
            pool.start()
        allow_many_connections()
        loop.call_soon(cut_off_silent_clients)
        self._loop_thread = threading.get_ident()
        with suppress(AttributeError):  # a loop that is not written in Python
            begin = partial(_begin_at_once, loop.call_soon_threadsafe)
            loop.call_soon_threadsafe = begin  # type: ignore[method-assign,assignment]

    def __rsgi_del__(self, loop: asyncio.AbstractEventLoop) -> None:
        """End the threads."""
        for pool in self._pools.values():
            pool.close()

    async def __rsgi__(self, scope: Scope, protocol: HTTPProtocol) -> None:
        """Answer one request."""
        headers = scope.headers.items()
        path, query = scope.path, scope.query_string
        # Three of four requests are decided here, so this is written for speed.
        if self._quick and not query and len(path) <= _SHORT_PATH:
            named = dict(headers)
            if len(named) == len(headers) and "host" in named and _size(named) <= _SMALL_HEADERS:
                method = scope.method
                answer = self._quick(method, path, named)
                if answer:
                    self._send(
                        protocol, answer.status, answer.headers, b"" if method == "HEAD" else answer.body
                    )
                    return
        refused = refusal(path, query, headers, is_http_1_0=scope.http_version == "1")
        if refused:
            self._refuse(protocol, refused)
        else:
            await self._run(scope, protocol, headers)

    async def _run(self, scope: Scope, protocol: HTTPProtocol, headers: Headers) -> None:
        method, path, query = scope.method, scope.path, scope.query_string
        pool = self._pools[self._lane(path, query)]
        length = body_length(method, headers, self._body_limits.get(path, limits.MAX_BODY_BYTES))
        if isinstance(length, Refusal):
            self._refuse(protocol, length)
        elif length == 0 and threading.get_ident() != self._loop_thread:
            if not await _Job(pool, lambda: self._respond(scope, protocol, headers, b"")):
                self._refuse(protocol, limits.BUSY)
        else:
            await asyncio.sleep(0)  # from here on it runs on the loop: see _begin_at_once
            body = await self._body(protocol, length)
            if isinstance(body, Refusal):
                self._refuse(protocol, body)
                return
            work = Future[None]()
            if pool.submit(lambda: _settle(work, lambda: self._respond(scope, protocol, headers, body))):
                await asyncio.wrap_future(work)
            else:
                self._refuse(protocol, limits.BUSY)

    async def _body(self, protocol: HTTPProtocol, length: int) -> bytes | Refusal:
        """Return the body, or why it is refused. Only as much as was announced is ever received."""
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

    def _respond(self, scope: Scope, protocol: HTTPProtocol, headers: Headers, body: bytes) -> None:
        """Let the application answer a request whose body is there, in this thread."""
        result = _call(self._application, _environ(scope, headers, body))
        if result.file:
            part = result.file
            protocol.response_file_range(result.status, result.headers, part.path, part.start, part.end)
            return
        self._send(protocol, result.status, result.headers, result.body)

    def _send(self, protocol: HTTPProtocol, status: int, headers: Headers, body: bytes) -> None:
        file = self._large.file(body) if len(body) >= LARGE_BODY else None
        if file is None:
            protocol.response_bytes(status, headers, body)
        else:
            self._hold_open(file)
            protocol.response_file_range(status, headers, file.path, 0, len(body))

    def _hold_open(self, file: MemoryFile) -> None:
        """Hold a file until the server has opened it, which it does a moment after it was told to."""
        now = time.monotonic()
        with self._opening_lock:
            self._opening.append((now, file))
            while self._opening[0][0] < now - _OPENING_SECONDS:
                self._opening.popleft()

    def _refuse(self, protocol: HTTPProtocol, refused: Refusal) -> None:
        """Answer a request that is not even looked at; what else its client sends is not read."""
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


def _begin_at_once(
    schedule: Callable[..., asyncio.Handle], callback: Callable[..., Any], *args: Any, **context: Any
) -> asyncio.Handle | None:
    """In place of a loop's `call_soon_threadsafe`: begin a request in granian's own thread.

    What is answered without waiting, or only waits for a thread, then never gets to the loop; requests with a
    body go on there. A feed takes 16 to 23 microseconds of processor time this way, and 22 to 29 by the loop.
    Calls of any other form are left as they are: should granian announce its requests in another way, all of
    them run on the loop.
    """
    if len(args) == 2 and isinstance(args[0], CoroutineType):  # the coroutine and its watcher
        try:
            awaited = args[0].send(None)
        except StopIteration:
            return None
        if isinstance(awaited, _Job):
            awaited.start(args[0])
            return None
    return schedule(callback, *args, **context)


def _settle(future: Future[None], work: Callable[[], None]) -> None:
    """Do some work, and tell the future how it ended."""
    try:
        work()
    except BaseException as error:  # noqa: BLE001 - granian logs it and answers 500
        future.set_exception(error)
    else:
        future.set_result(None)


def _finish(step: Callable[[_T], object], value: _T) -> None:
    """Take the last step of a request."""
    with suppress(StopIteration):
        step(value)


def _size(headers: Mapping[str, str]) -> int:
    return sum(map(len, headers)) + sum(map(len, headers.values()))


def _call(application: WSGIApplication, environ: dict[str, Any]) -> _Result:
    """Run the application (PEP 3333), and return its whole answer."""
    started: list[tuple[str, Headers]] = []
    chunks: list[bytes] = []
    files: list[IO[bytes]] = []

    def start_response(status: str, headers: Headers, exc_info: Any = None) -> Callable[[bytes], object]:
        started.append((status, headers))
        return chunks.append

    def wrap(file: IO[bytes], block_size: int = 8192) -> FileWrapper:
        files.append(file)
        return FileWrapper(file, block_size)

    environ["wsgi.file_wrapper"] = wrap
    answer: Iterable[bytes] = application(environ, start_response)
    try:
        part = _part(files, *started[-1]) if files and environ["REQUEST_METHOD"] == "GET" else None
        if part is None and environ["REQUEST_METHOD"] != "HEAD":
            chunks.extend(answer)
    finally:
        close = getattr(answer, "close", None)
        if close:
            close()
    status, headers = started[-1]
    return _Result(status=int(status[:3]), headers=headers, body=b"".join(chunks), file=part)


def _part(files: Sequence[IO[bytes]], status: str, headers: Headers) -> _Part | None:
    """Return what of a wrapped file an answer consists of, by its headers; None when it is not the file."""
    named = {name.lower(): value for name, value in headers}
    length = int(named.get("content-length", 0))
    start = 0
    if status.startswith("206"):
        start = int(named["content-range"].removeprefix("bytes ").partition("-")[0])
    elif not status.startswith("200"):
        return None
    path = getattr(files[-1], "name", None)
    if not isinstance(path, str) or length == 0 or "content-encoding" in named:
        return None
    return _Part(path=path, start=start, end=start + length)


def _environ(scope: Scope, headers: Headers, body: bytes) -> dict[str, Any]:
    """Return the request as WSGI has it (PEP 3333), with the body already read.

    Header names with an underscore are left out: WSGI could not tell them from those with a hyphen, which a
    proxy in front may have checked.
    """
    host, _, port = scope.server.rpartition(":")
    address, _, client_port = scope.client.rpartition(":")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": _latin(scope.path),
        "QUERY_STRING": _latin(scope.query_string),
        "SERVER_NAME": host.strip("[]"),
        "SERVER_PORT": port,
        "SERVER_PROTOCOL": f"HTTP/{'1.0' if scope.http_version == '1' else scope.http_version}",
        "REMOTE_ADDR": address.strip("[]"),
        "REMOTE_PORT": client_port,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.scheme,
        "wsgi.input": io.BytesIO(body),
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for name, value in headers:
        if name in ("content-length", "transfer-encoding") or "_" in name:
            continue
        key = "CONTENT_TYPE" if name == "content-type" else f"HTTP_{name.replace('-', '_').upper()}"
        if key in environ:
            value = f"{environ[key]}{'; ' if name == 'cookie' else ', '}{value}"
        environ[key] = value
    if "content-length" in dict(headers):
        environ["CONTENT_LENGTH"] = str(len(body))
    return environ


def _latin(text: str) -> str:
    """Return text in the form that WSGI demands: UTF-8 bytes read as Latin-1."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("latin-1")
