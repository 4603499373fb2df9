"""What is known after a request, over real sockets: answered, proven unsent, or perhaps posted."""

from __future__ import annotations

import contextlib
import logging
import socket
import struct
import threading
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
from requests.adapters import HTTPAdapter

from bot.sending.errors import AnswerLostError, RequestNotSentError, TransportError
from bot.sending.transport import MAX_BODY, Transport, fault_of
from bot.services import Request
from bot.services.secret import Secret
from tests.bot.program import wait_until
from tests.ports import free_port
from tests.waiting import WAIT_SECONDS

TOKEN = "s3cr3t-T0ken"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
PATIENT = (WAIT_SECONDS, WAIT_SECONDS)
"""Seconds to connect and to be answered, where both happen."""
SHORT = 0.4
"""Seconds for what does not happen."""

Script = Callable[[socket.socket, threading.Event], object]
"""What a server does once it has read a request: on this connection, until the test is over."""


class Peer:
    """A server on loopback that reads each request whole and then does what `script` says.

    `greeting` is what it sends first, as no HTTP server does.
    """

    def __init__(self, script: Script, *, greeting: bytes = b"") -> None:
        self.requests: list[bytes] = []
        self.connections = 0
        self.stopped = threading.Event()
        self._script = script
        self._greeting = greeting
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    @property
    def port(self) -> int:
        port: int = self._listener.getsockname()[1]
        return port

    def __enter__(self) -> Peer:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopped.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(WAIT_SECONDS)

    def wait_for_request(self) -> None:
        """Wait until a request has been read, even if its client has already given up."""
        wait_until(lambda: bool(self.requests))

    def wait_until_closed(self) -> None:
        """Wait until every connection so far is closed from this end."""
        for thread in self._threads[1:]:
            thread.join(WAIT_SECONDS)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._threads.append(threading.Thread(target=self._serve, args=(connection,), daemon=True))
            self._threads[-1].start()

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(0.05)
        with connection, contextlib.suppress(OSError):
            connection.sendall(self._greeting)
            while request := self._read(connection):
                self.requests.append(request)
                self._script(connection, self.stopped)

    def _read(self, connection: socket.socket) -> bytes:
        data = b""
        while not self.stopped.is_set():
            head, end, body = data.partition(b"\r\n\r\n")
            if end and len(body) >= _length(head):
                return data
            try:
                piece = connection.recv(65536)
            except TimeoutError:
                continue
            if not piece:
                return b""
            data += piece
        return b""


def _length(head: bytes) -> int:
    for line in head.lower().splitlines():
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    return 0


def answer(data: bytes) -> Script:
    return lambda connection, _: connection.sendall(data)


def answer_and_close(data: bytes) -> Script:
    def script(connection: socket.socket, _: threading.Event) -> None:
        connection.sendall(data)
        connection.close()

    return script


def hang(_: socket.socket, stopped: threading.Event) -> None:
    stopped.wait(WAIT_SECONDS)


def reset(connection: socket.socket, _: threading.Event) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with requests.Session() as opened:
        yield opened


@pytest.fixture
def transport(session: requests.Session) -> Transport:
    return Transport(session, user_agent="Newswire tests", timeouts=PATIENT)


@pytest.fixture
def quick_to_read(session: requests.Session) -> Transport:
    """A transport that soon gives up waiting for an answer."""
    return Transport(session, user_agent="Newswire tests", timeouts=(PATIENT[0], SHORT))


@pytest.fixture
def quick_to_connect(session: requests.Session) -> Transport:
    """A transport that soon gives up connecting."""
    return Transport(session, user_agent="Newswire tests", timeouts=(SHORT, PATIENT[1]))


def to(port: int, scheme: str = "http", host: str = "127.0.0.1") -> Request:
    return Request(
        method="POST", url=Secret(f"{scheme}://{host}:{port}/services/{TOKEN}"), json={"text": "Grüße 👋"}
    )


def test_an_answer_comes_back_with_status_headers_and_body(transport: Transport) -> None:
    """The request is JSON in UTF-8 under Newswire's name, and the answer is returned unchanged."""
    with Peer(answer(b"HTTP/1.1 429 Slow\r\nRetry-After: 2.5\r\nContent-Length: 4\r\n\r\nwait")) as peer:
        response = transport.send(to(peer.port))
    assert (response.status, response.body, response.header("retry-after")) == (429, b"wait", "2.5")
    (request,) = peer.requests
    head, _, body = request.partition(b"\r\n\r\n")
    assert head.startswith(f"POST /services/{TOKEN} HTTP/1.1\r\n".encode())
    assert b"User-Agent: Newswire tests\r\n" in head
    assert b"Content-Type: application/json; charset=utf-8\r\n" in head
    assert body == '{"text":"Grüße 👋"}'.encode()


def test_head_and_body_leave_in_one_piece(transport: Transport) -> None:
    """A server that reads once has the whole request, on new and reused connections."""
    pieces = []

    def serve(server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection:
            for _ in range(2):
                pieces.append(connection.recv(65536))
                connection.sendall(OK)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve, args=(server,))
        thread.start()
        for _ in range(2):
            assert transport.send(to(server.getsockname()[1])).body == b"ok"
        thread.join()
    assert [piece.endswith('{"text":"Grüße 👋"}'.encode()) for piece in pieces] == [True, True]


def test_a_refused_connection_is_proven_unsent(transport: Transport) -> None:
    """Without a listener nothing was posted."""
    with pytest.raises(RequestNotSentError, match="refused"):
        transport.send(to(free_port()))


def test_an_unknown_host_is_proven_unsent(transport: Transport) -> None:
    """No name under .invalid exists (RFC 6761 §6.4)."""
    with pytest.raises(RequestNotSentError, match="cannot be resolved"):
        transport.send(to(443, "https", "nowhere.invalid"))


def test_a_connection_that_is_not_accepted_is_proven_unsent(quick_to_connect: Transport) -> None:
    """With a full backlog the connection fails after the connect timeout."""
    with socket.socket() as listener, contextlib.ExitStack() as waiting:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            client = waiting.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(listener.getsockname())
        with pytest.raises(RequestNotSentError, match="no connection in time"):
            quick_to_connect.send(to(listener.getsockname()[1]))


def test_a_server_without_tls_is_proven_unsent(transport: Transport) -> None:
    """The handshake fails before the first byte of the request."""
    with (
        Peer(hang, greeting=b"220 no TLS here\r\n") as peer,
        pytest.raises(RequestNotSentError, match="TLS failed"),
    ):
        transport.send(to(peer.port, "https"))
    assert not any(TOKEN.encode() in request for request in peer.requests)


def test_a_handshake_that_hangs_is_proven_unsent(quick_to_connect: Transport) -> None:
    """urllib3 reports a read timeout, although the request had not begun."""
    with Peer(answer(OK)) as peer, pytest.raises(RequestNotSentError, match="no connection in time"):
        quick_to_connect.send(to(peer.port, "https"))
    assert not peer.requests


def test_silence_is_ambiguous(quick_to_read: Transport) -> None:
    """A request that was read but not answered may have been posted, and was sent once."""
    with Peer(hang) as peer:
        with pytest.raises(AnswerLostError, match="in time"):
            quick_to_read.send(to(peer.port))
        peer.wait_for_request()
    assert len(peer.requests) == 1


@pytest.mark.parametrize(
    "script",
    [
        reset,
        answer_and_close(b""),
        answer_and_close(b"HTTP/1.1 2"),
        answer_and_close(b"SMTP?\r\n\r\n"),
        answer_and_close(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\nConnection: close\r\n\r\nok"),
        answer_and_close(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\nzz\r\nok"
        ),
        answer(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nok"),
        answer_and_close(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1000 + b"\r\n"),
    ],
    ids=[
        "reset",
        "closed",
        "half a head",
        "no http",
        "half a body",
        "bad chunks",
        "bad gzip",
        "endless head",
    ],
)
def test_a_broken_answer_is_ambiguous_and_sent_once(session: requests.Session, script: Script) -> None:
    """Neither requests nor urllib3 retries, even if the given session would."""
    session.mount("http://", HTTPAdapter(max_retries=3))
    transport = Transport(session, user_agent="tests", timeouts=PATIENT)

    with Peer(script) as peer, pytest.raises(AnswerLostError):
        transport.send(to(peer.port))
    assert len(peer.requests) == 1


@pytest.mark.parametrize("status", [400, 404, 429, 503])
def test_a_refusal_is_one_even_when_its_body_breaks_off(transport: Transport, status: int) -> None:
    """The status alone identifies the refusal."""
    head = f"HTTP/1.1 {status} No\r\nRetry-After: 3\r\nContent-Length: 100\r\n\r\nha".encode()
    with Peer(answer_and_close(head)) as peer:
        response = transport.send(to(peer.port))
    assert (response.status, response.header("Retry-After")) == (status, "3")
    assert len(peer.requests) == 1


@pytest.mark.parametrize("start", [b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n"])
def test_a_dripping_answer_ends_at_the_deadline(quick_to_read: Transport, start: bytes) -> None:
    """The deadline covers the whole answer, head or body, however regularly bytes arrive."""

    def drip(connection: socket.socket, stopped: threading.Event) -> None:
        connection.sendall(start)
        while not stopped.wait(0.05):
            connection.sendall(b"X" if start.endswith(b"\r\n\r\n") else b"X: y\r\n")

    with Peer(drip) as peer, pytest.raises(AnswerLostError, match="in time"):
        quick_to_read.send(to(peer.port))


@pytest.mark.parametrize(
    "head",
    [b"Content-Length: 99999999999", b"Connection: close", b"Transfer-Encoding: chunked"],
    ids=["announced", "until closed", "chunked"],
)
def test_only_the_beginning_of_an_endless_answer_is_read(transport: Transport, head: bytes) -> None:
    """After 64 KiB the connection is closed."""
    piece = b"y" * 16384
    sent = b"4000\r\n" + piece + b"\r\n" if b"chunked" in head else piece

    def flood(connection: socket.socket, stopped: threading.Event) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n\r\n")
        while not stopped.is_set():
            connection.sendall(sent)

    with Peer(flood) as peer:
        response = transport.send(to(peer.port))
    assert len(response.body) == MAX_BODY


def test_interim_answers_are_skipped(transport: Transport) -> None:
    """The answer comes after any number of them; taken for the answer, they would count as a lost one."""
    interim = b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    with Peer(answer(interim + OK)) as peer:
        statuses = [transport.send(to(peer.port)).status for _ in range(2)]
    assert (statuses, len(peer.requests)) == ([200, 200], 2)


def test_a_redirect_is_not_followed(transport: Transport) -> None:
    """A redirect could send the message to another host."""
    with Peer(answer(OK)) as elsewhere:
        head = f"HTTP/1.1 307 Moved\r\nLocation: http://127.0.0.1:{elsewhere.port}/\r\n"
        with Peer(answer(head.encode() + b"Content-Length: 0\r\n\r\n")) as peer:
            assert transport.send(to(peer.port)).status == 307
    assert (len(peer.requests), len(elsewhere.requests)) == (1, 0)


def test_a_retry_after_is_left_to_the_caller(transport: Transport) -> None:
    """The HTTP client neither waits nor repeats by itself."""
    with Peer(answer(b"HTTP/1.1 503 No\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n")) as peer:
        assert transport.send(to(peer.port)).status == 503
    assert len(peer.requests) == 1


def test_a_connection_is_reused_for_the_next_request(
    transport: Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A burst of posts takes one handshake."""
    monkeypatch.setattr("bot.sending.connections.MAX_IDLE", 3600.0)  # a busy machine may pause in between
    with Peer(answer(OK)) as peer:
        for _ in range(3):
            assert transport.send(to(peer.port)).body == b"ok"
    assert (len(peer.requests), peer.connections) == (3, 1)


def test_a_connection_that_rested_is_not_trusted(
    transport: Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server may be closing an idle connection, and a request on it would be ambiguous."""
    monkeypatch.setattr("bot.sending.connections.MAX_IDLE", 0.0)
    with Peer(answer(OK)) as peer:
        for _ in range(3):
            assert transport.send(to(peer.port)).body == b"ok"
    assert (len(peer.requests), peer.connections) == (3, 3)


def test_a_connection_closed_meanwhile_is_replaced(transport: Transport) -> None:
    """When the server has closed the connection, the next request uses a new one."""
    with Peer(answer_and_close(OK)) as peer:
        for _ in range(3):
            assert transport.send(to(peer.port)).body == b"ok"
            peer.wait_until_closed()
    assert len(peer.requests) == 3


def test_the_environment_sends_requests_nowhere_else(
    session: requests.Session, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A proxy in the environment gets no webhook's address, and ~/.netrc adds no password."""
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password pass\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    monkeypatch.delenv("NO_PROXY", raising=False)
    transport = Transport(session, user_agent="tests", timeouts=PATIENT)
    with Peer(answer(OK)) as peer:
        assert transport.send(to(peer.port)).body == b"ok"
    assert b"authorization" not in peer.requests[0].lower()


def test_a_proxy_that_the_session_names_is_used(session: requests.Session) -> None:
    """A configured proxy is used, and a proxy that is down proves that nothing was sent."""
    transport = Transport(session, user_agent="tests", timeouts=PATIENT)
    with Peer(answer(OK)) as proxy:
        session.proxies = {"http": f"http://127.0.0.1:{proxy.port}"}
        assert transport.send(to(9)).body == b"ok"
    assert proxy.requests[0].startswith(b"POST http://127.0.0.1:9/services/")
    session.proxies = {"http": f"http://127.0.0.1:{free_port()}", "https": f"http://127.0.0.1:{free_port()}"}
    for scheme in ("http", "https"):
        with pytest.raises(RequestNotSentError):
            transport.send(to(9, scheme))


def test_a_proxy_without_a_tunnel_is_proven_unsent(session: requests.Session) -> None:
    """The request never began if the proxy refused to connect."""
    transport = Transport(session, user_agent="tests", timeouts=PATIENT)
    with Peer(answer(b"HTTP/1.1 407 Who?\r\nContent-Length: 0\r\n\r\n")) as proxy:
        session.proxies = {"https": f"http://127.0.0.1:{proxy.port}"}
        with pytest.raises(RequestNotSentError):
            transport.send(to(9, "https"))
    assert not any(TOKEN.encode() in request for request in proxy.requests)


def test_no_cookie_is_stored(transport: Transport) -> None:
    """A cookie from one webhook is not sent to another."""
    with Peer(answer(b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Length: 2\r\n\r\nok")) as peer:
        for _ in range(2):
            transport.send(to(peer.port))
    assert b"cookie" not in peer.requests[1].lower()


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("https://hooks.slack.com/services/a", None),
        ("http://localhost:8000/a", None),
        ("http://127.8.0.1/a", None),
        ("http://[::1]:8000/a", None),
        ("http://hooks.slack.com/services/a", "begin with https"),
        ("http://127.0.0.1.example/a", "begin with https"),
        ("ftp://hooks.slack.com/a", "not an http"),
        ("hooks.slack.com/services/a", "not an http"),
        ("https:///a", "not an http"),
        ("https://example.com:http/a", "not a valid URL"),
        ("https://[::1/a", "not a valid URL"),
        ("", "not an http"),
    ],
)
def test_which_webhooks_are_called(transport: Transport, url: str, fault: str | None) -> None:
    """https, and plain http on this machine, are called; any other is refused before anything is sent."""
    found = fault_of(Secret(url))
    assert (found is None) if fault is None else (found is not None and fault in found)
    if fault:
        with pytest.raises(RequestNotSentError, match=fault):
            transport.send(Request(method="POST", url=Secret(url), json={}))


def test_an_address_that_cannot_be_prepared_is_proven_unsent(transport: Transport) -> None:
    """A request that the library refuses to prepare was not sent."""
    request = Request(method="POST", url=Secret(f"https://exa mple..com/{TOKEN}"), json={})
    with pytest.raises(RequestNotSentError, match="not a valid URL"):
        transport.send(request)


@pytest.mark.parametrize(
    "script",
    [
        reset,
        answer_and_close(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nok"),
        answer_and_close(b"HTTP/1.1 200 OK\r\nnot a header\r\nContent-Length: 2\r\n\r\nok"),
        answer(f"HTTP/1.1 302 No\r\nLocation: /{TOKEN}\r\nContent-Length: 0\r\n\r\n".encode()),
        answer(OK),
        None,
    ],
    ids=["reset", "half a body", "bad header", "redirect", "ok", "refused"],
)
def test_the_token_is_in_no_log_and_no_error(
    transport: Transport, script: Script | None, caplog: pytest.LogCaptureFixture
) -> None:
    """urllib3's debug log has no path, and errors have no earlier exception."""
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, logger="urllib3")
    shown = []
    with contextlib.ExitStack() as stack:
        port = stack.enter_context(Peer(script)).port if script else free_port()
        request = to(port)
        try:
            shown = [repr(transport.send(request))]
        except TransportError as error:
            shown = traceback.format_exception(error, chain=True)
            shown += [repr(error.__context__), repr(error.__cause__)]
    assert any(record.name.startswith("urllib3") for record in caplog.records)
    assert TOKEN not in "\n".join([*shown, repr(request), caplog.text])
