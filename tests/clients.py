"""Clients that behave as no browser or feed reader does: they send or read single bytes, or far too much."""

from __future__ import annotations

import selectors
import socket
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

from tests.soak.cluster import Running
from tests.waiting import WAIT_SECONDS


def address(web: Running) -> tuple[str, int]:
    """Return the host and port on which a web process listens."""
    parts = urlsplit(web.url)
    assert parts.hostname and parts.port
    return parts.hostname, parts.port


def connect(
    web: Running, *, receive_buffer: int | None = None, timeout: float = WAIT_SECONDS
) -> socket.socket:
    """Return a connection; a small receive buffer makes a client that reads nothing felt at once."""
    connection = socket.socket()
    if receive_buffer:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    connection.settimeout(timeout)
    connection.connect(address(web))
    return connection


def exchange(web: Running, sent: bytes, *, timeout: float = WAIT_SECONDS) -> bytes:
    """Send bytes, and return everything received until the server closes. Raises TimeoutError."""
    with connect(web, timeout=timeout) as connection:
        connection.sendall(sent)
        return read_all(connection)


def read_all(connection: socket.socket) -> bytes:
    """Return everything that a connection still receives until its end."""
    received = b""
    while chunk := connection.recv(65536):
        received += chunk
    return received


def has_data(connections: Sequence[socket.socket]) -> bool:
    """Whether any of these connections can be read without waiting."""
    with selectors.DefaultSelector() as selector:
        for connection in connections:
            selector.register(connection, selectors.EVENT_READ)
        return bool(selector.select(0))


def status_of(answer: bytes) -> int:
    """Return the status of a raw answer."""
    return int(answer.split(b" ", 2)[1])


def post(path: str, length: int, *, kind: str = "application/x-www-form-urlencoded") -> bytes:
    """Return the head of a POST that announces a body."""
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n"
    return head.encode()


@contextmanager
def slow_bodies(web: Running, count: int, paths: tuple[str, ...]) -> Iterator[list[socket.socket]]:
    """Hold this many connections that have announced a body and sent one byte of it."""
    with ExitStack() as stack:
        connections = [stack.enter_context(connect(web)) for _ in range(count)]
        for number, connection in enumerate(connections):
            connection.sendall(post(paths[number % len(paths)], 100) + b"a")
        yield connections


@contextmanager
def silent_readers(web: Running, count: int, path: str) -> Iterator[list[socket.socket]]:
    """Hold this many connections that have sent a request and read nothing of the answer."""
    with ExitStack() as stack:
        connections = [stack.enter_context(connect(web, receive_buffer=4096)) for _ in range(count)]
        for connection in connections:
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        yield connections
