"""HTTP/1.1 over loopback sockets: each connection has a thread, and ends in order or by a reset.

This module reads and writes. FakeChat decides what to answer.
"""

from __future__ import annotations

import json
import os
import socket
import struct
import sys
import threading
import time
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, parse_qsl, urlsplit

from tests.fakechat import control, page
from tests.fakechat.exchange import NOT_JSON, Answer, Call, Route, json_answer
from tests.fakechat.ledger import Received
from tests.fakechat.registry import route_of

if TYPE_CHECKING:
    from tests.fakechat.server import FakeChat

_CHECK_FOR_SHUTDOWN_SECONDS = 0.05
_TRUE = {"true", "True", "1"}


class Server(ThreadingHTTPServer):
    """The listening socket, a thread for each connection, and a list of connections that stopping cuts."""

    daemon_threads = False  # server_close() then joins them
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], chat: FakeChat) -> None:
        self.chat = chat
        self._lock = threading.Lock()
        self._connections: set[socket.socket] = set()
        super().__init__(address, _Handler)

    @property
    def host(self) -> str:
        """The address that the server is bound to, in the form for URLs."""
        host = str(self.server_address[0])
        return "127.0.0.1" if host == "0.0.0.0" else host

    def server_bind(self) -> None:
        # HTTPServer's own method looks up the host name, which can take seconds without a network.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def run(self) -> None:
        """Accept connections until shutdown()."""
        self.serve_forever(poll_interval=_CHECK_FOR_SHUTDOWN_SECONDS)

    def get_request(self) -> tuple[socket.socket, tuple[str, int]]:
        connection, address = super().get_request()
        with self._lock:
            self._connections.add(connection)
        return connection, address

    def shutdown_request(self, request: socket.socket | tuple[bytes, socket.socket]) -> None:
        assert isinstance(request, socket.socket)
        self.forget(request)
        super().shutdown_request(request)

    def forget(self, connection: socket.socket) -> None:
        """Remove a connection that is over from those that cut_connections() cuts."""
        with self._lock:
            self._connections.discard(connection)

    def cut_connections(self) -> None:
        """End every open connection, whatever its thread is doing."""
        with self._lock:
            for connection in self._connections:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue  # the client has closed it already

    def handle_error(self, request: object, client_address: object) -> None:
        # Tests make clients hang up while they are answered: that is no error here.
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "fakechat"
    sys_version = ""
    disable_nagle_algorithm = True
    wbufsize = -1
    server: Server

    def do_GET(self) -> None:
        """Answer a request of any method."""
        path = urlsplit(self.path).path
        route = route_of(path)
        if route:
            self._webhook(route)
        elif path.startswith("/_fake/"):
            self._write(control.answer(self.server.chat, self.command, self.path, self._body()))
        elif path == "/" and self.command in ("GET", "HEAD"):
            self._write(page.answer(self.server.chat.messages()))
        else:
            self._body()
            self._write(json_answer(404, {"message": "404: Not Found", "code": 0}))

    do_HEAD = do_POST = do_PATCH = do_PUT = do_DELETE = do_GET  # noqa: N815 - http.server's names

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing: the ledger is the log."""

    def _webhook(self, route: Route) -> None:
        chat = self.server.chat
        ticket = chat.gate.ticket()
        came = time.monotonic()
        others = chat.ledger.arrive(route.webhook, came)
        try:
            answer = self._conclude(route, ticket, came, others)
        finally:
            # Before the answer: a client that has read it may send the next request at once, without overlap.
            chat.ledger.depart(route.webhook, came)
        if answer is None:
            self._reset()
        else:
            self._write(answer)

    def _conclude(
        self, route: Route, ticket: socket.socket, came: float, others: list[float]
    ) -> Answer | None:
        chat = self.server.chat
        seen = Received(
            at=chat.clock(),
            monotonic=came,
            service=route.service,
            webhook=route.webhook,
            method=self.command,
            path=self.path,
            headers={name.lower(): value for name, value in self.headers.items()},
            in_flight=len(others) + 1,
            beside=max(others, default=None),
        )
        if fault := chat.faults.before_body(route.webhook):
            chat.ledger.record(replace(seen, fault=fault.kind))
            return None
        body = self._body()
        payload = _decoded(body, seen.headers.get("content-type", ""))
        query = parse_qs(urlsplit(self.path).query)
        call = Call(
            at=seen.at,
            method=self.command,
            route=route,
            content_type=self.headers.get("Content-Type", ""),
            payload=payload,
            wait=not _TRUE.isdisjoint(query.get("wait", [])),
            thread=query.get("thread_id", [None])[0],
            query={name: values[0] for name, values in query.items()},
            headers=seen.headers,
            body=body,
        )
        seen = replace(seen, body=body, payload=None if payload is NOT_JSON else payload)
        return chat.conclude(seen, call, ticket, self.connection)

    def _body(self) -> bytes:
        """The request's body. Raises ConnectionAbortedError when the client goes before all of it came."""
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        if len(body) < length:
            raise ConnectionAbortedError("the client went away in the middle of its request")
        return body

    def _write(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.status != 204:
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD" and answer.status != 204:
            self.wfile.write(answer.body)
        self.wfile.flush()

    def _reset(self) -> None:
        """Close the connection with RST: a linger of 0 makes close() send it.

        shutdown() must not come first.
        """
        self.close_connection = True
        self.server.forget(self.connection)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(self.connection.detach())


def _decoded(body: bytes, content_type: str) -> object:
    try:
        if content_type.startswith("application/x-www-form-urlencoded"):
            return dict(parse_qsl(body.decode(), keep_blank_values=True))
        return json.loads(body)
    except ValueError:
        return NOT_JSON
