"""How a request gets from the server to a thread and back: errors, and too many requests at once.

No sockets.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from typing import Any

import pytest

from tests.waiting import WAIT_SECONDS
from web.document import Answer
from web.server import Server
from web.thread_groups import MAX_WAITING


class Scope:
    """A GET of /."""

    method = "GET"
    query_string = ""
    http_version = "1.1"
    scheme = "http"
    server = "127.0.0.1:8000"
    client = "[::1]:5000"

    def __init__(self, path: str = "/") -> None:
        self.path = path
        self.headers = {"host": "x", "x-two-words": "one"}


class Exchange:
    """Records the answer to one request, or the error that it ended with, as granian does."""

    def __init__(self) -> None:
        self.done = threading.Event()
        self.status = 0
        self.body = b""
        self.thread = ""
        self.error: BaseException | None = None

    def __aiter__(self) -> AsyncIterator[bytes]:
        raise AssertionError("there is no body")

    def response_str(self, status: int, headers: Sequence[tuple[str, str]], body: str) -> None:
        """Record the answer."""
        self.response_bytes(status, headers, body.encode())

    def response_bytes(self, status: int, headers: Sequence[tuple[str, str]], body: bytes) -> None:
        """Record the answer."""
        self.status, self.body, self.thread = status, body, threading.current_thread().name

    def response_file_range(self, *_: Any) -> None:
        """Raise: no test requests a file."""
        raise AssertionError("there is no file")


class Granian:
    """Announces requests as granian does: by `call_soon_threadsafe`, from a thread other than the loop's."""

    def __init__(self, server: Server) -> None:
        self.loop = asyncio.new_event_loop()
        self._server = server
        server.__rsgi_init__(self.loop)
        self._waiting: list[tuple[Scope, Exchange]] = []

    def ask(self, *paths: str) -> list[Exchange]:
        """Announce requests, and return them once all have ended or `WAIT_SECONDS` are over."""
        self._waiting = [(Scope(path), Exchange()) for path in paths]
        announcing = threading.Thread(target=self._announce)
        announcing.start()
        announcing.join(WAIT_SECONDS)
        return [exchange for _, exchange in self._waiting]

    def close(self) -> None:
        """End the threads and the loop."""
        self._server.__rsgi_del__(self.loop)
        self.loop.close()

    def _announce(self) -> None:
        for scope, exchange in self._waiting:
            self.loop.call_soon_threadsafe(self._never, self._watch(scope, exchange), None)

    async def _watch(self, scope: Scope, exchange: Exchange) -> None:
        try:
            await self._server.__rsgi__(scope, exchange)  # type: ignore[arg-type]
        except BaseException as error:  # noqa: BLE001 - as granian does
            exchange.error = error
        exchange.done.set()

    def _never(self, *_: object) -> None:
        raise AssertionError("the loop has no part in this")


@pytest.fixture
def granian() -> Iterable[Callable[..., Granian]]:
    """Start a server for a WSGI application."""
    started: list[Granian] = []

    def start(application: Any, **settings: Any) -> Granian:
        started.append(Granian(Server(application, threads=1, **settings)))
        return started[-1]

    yield start
    for each in started:
        each.close()


def test_a_thread_answers(granian: Callable[..., Granian]) -> None:
    """The application runs in a thread of its group, with the request in the form of WSGI."""

    def application(environ: Any, start_response: Any) -> list[bytes]:
        start_response("201 Created", [])
        return [environ[key].encode() for key in ("REMOTE_ADDR", "HTTP_X_TWO_WORDS", "PATH_INFO")]

    (answer,) = granian(application).ask("/日")
    assert answer.done.wait(WAIT_SECONDS)
    assert (answer.status, answer.thread) == (201, "pages")
    assert answer.body == "::1one/日".encode().decode("latin-1").encode()


def test_a_cached_answer_needs_no_thread(granian: Callable[..., Granian]) -> None:
    """A cached answer is given before `call_soon_threadsafe` returns."""
    quick = Answer(200, (), b"quick")
    (answer,) = granian(None, quick=lambda *_: quick).ask("/")
    assert (answer.done.is_set(), answer.body) == (True, b"quick")


def test_an_error_reaches_the_server(granian: Callable[..., Granian]) -> None:
    """An error of the application ends only its own request, and the thread continues."""

    def application(environ: Any, start_response: Any) -> list[bytes]:
        if environ["PATH_INFO"] == "/bad":
            raise ValueError("of the application")
        start_response("200 OK", [])
        return [b"fine"]

    bad, good = granian(application).ask("/bad", "/good")
    assert bad.done.wait(WAIT_SECONDS)
    assert good.done.wait(WAIT_SECONDS)
    assert repr(bad.error) == "ValueError('of the application')"
    assert (good.error, good.body) == (None, b"fine")


def test_too_many_wait(granian: Callable[..., Granian]) -> None:
    """Requests beyond the limit are answered 503 at once and counted; earlier ones are answered in time."""
    go = threading.Event()
    refused: list[int] = []

    def application(environ: Any, start_response: Any) -> list[bytes]:
        go.wait(WAIT_SECONDS)
        start_response("200 OK", [])
        return [b"fine"]

    answers = granian(application, on_refusal=refused.append).ask(*["/"] * (MAX_WAITING + 10))
    over = [answer for answer in answers if answer.done.is_set()]
    assert 9 <= len(over) <= 10  # one more waits if the thread has already taken the first
    assert refused == [503] * len(over)
    go.set()
    assert all(answer.done.wait(WAIT_SECONDS) for answer in answers)
    assert {answer.status for answer in answers if answer not in over} == {200}
