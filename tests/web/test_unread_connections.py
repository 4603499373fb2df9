"""Connections whose clients read little: which are closed, and how they are found."""

from __future__ import annotations

import asyncio
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress

import pytest

from tests.clients import read_all
from tests.waiting import WAIT_SECONDS
from web.unread_connections import (
    LARGE_ANSWER,
    MAX_SENDING,
    MAX_UNREAD,
    READING_BYTES,
    Peer,
    Progress,
    Sending,
    UnreadConnections,
    close,
    progress,
    sending,
    too_many,
)

linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux says what its sockets hold")
CHUNK = b"x" * 100_000


def connection(number: int, *, bytes_read: int = 0, idle: float = 0.0) -> dict[Peer, Sending]:
    return {(number,): Sending(descriptor=number, peer=(number,), bytes_read=bytes_read, idle=idle)}


def test_who_takes_enough_reads() -> None:
    """Reading READING_BYTES counts as progress, and single bytes do not."""
    seen = progress({}, connection(1, bytes_read=500, idle=3.0), 10.0)
    assert seen == {(1,): Progress(bytes_read=500, since=7.0)}
    seen = progress(seen, connection(1, bytes_read=499 + READING_BYTES), 11.0)
    assert seen == {(1,): Progress(bytes_read=500, since=7.0)}
    seen = progress(seen, connection(1, bytes_read=500 + READING_BYTES), 12.0)
    assert seen == {(1,): Progress(bytes_read=500 + READING_BYTES, since=12.0, has_read=True)}
    assert progress(seen, connection(2), 13.0) == {(2,): Progress(bytes_read=0, since=13.0)}


def test_the_slowest_are_too_many() -> None:
    """The clients that wait longest without reading are closed; those that read, only beyond MAX_SENDING."""
    unread: dict[Peer, Progress] = {(n,): Progress(bytes_read=0, since=float(n)) for n in range(MAX_UNREAD)}
    assert too_many(unread, 100.0) == []
    more: dict[Peer, Progress] = {("more", n): Progress(bytes_read=0, since=50.5 + n) for n in range(3)}
    assert too_many(unread | more, 100.0) == [(0,), (1,), (2,)]
    reading: dict[Peer, Progress] = {
        ("reads", n): Progress(bytes_read=9, since=99.5, has_read=True)
        for n in range(MAX_SENDING - MAX_UNREAD)
    }
    assert too_many(unread | reading, 100.0) == []
    assert too_many(unread | more | reading, 100.0) == [(0,), (1,), (2,)]
    assert len(too_many(reading | {("r", n): p for (_, n), p in reading.items()}, 100.0)) == 0
    assert len(too_many(unread | reading, 101.0)) == MAX_SENDING - MAX_UNREAD


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def silent(stack: ExitStack, listener: socket.socket) -> tuple[socket.socket, socket.socket]:
    """Return the two ends of a connection: one has filled the buffers of the other, which reads nothing."""
    client = stack.enter_context(socket.socket())
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect(listener.getsockname())
    accepted = stack.enter_context(listener.accept()[0])
    accepted.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, LARGE_ANSWER * 2)
    accepted.setblocking(False)
    with suppress(BlockingIOError):
        while True:
            accepted.send(CHUNK)
    return client, accepted


@linux
def test_connections_with_waiting_bytes_are_found(listener: socket.socket) -> None:
    """Only connections that clients made to the port are found; closing resets them at once."""
    port = listener.getsockname()[1]
    with ExitStack() as stack:
        client, accepted = silent(stack, listener)
        idle = stack.enter_context(socket.create_connection(listener.getsockname()))
        stack.enter_context(listener.accept()[0])
        (found,) = sending(frozenset({port}))
        assert found.peer == client.getsockname()
        assert found.descriptor == accepted.fileno()
        assert not list(sending(frozenset({port + 1})))
        close(found)
        accepted.close()
        client.settimeout(10)
        with pytest.raises(ConnectionResetError):
            read_all(client)
        close(found)  # it is closed, and whatever has its number now stays open
        idle.sendall(b"x")


@linux
def test_no_more_than_the_limit_stay(listener: socket.socket) -> None:
    """The event loop closes the excess without further requests, and is idle when nothing waits."""
    loop = asyncio.new_event_loop()
    with closing(loop), ExitStack() as stack:
        unread = UnreadConnections(loop)
        pairs = [silent(stack, listener) for _ in range(MAX_UNREAD + 5)]
        unread.record_answer()
        limit = time.monotonic() + WAIT_SECONDS
        while len(pairs) > MAX_UNREAD:
            assert time.monotonic() < limit
            loop.run_until_complete(asyncio.sleep(0.01))
            pairs = [(client, accepted) for client, accepted in pairs if is_open(accepted)]
        assert unread.check() == len(pairs) == MAX_UNREAD
        for client, accepted in pairs:
            client.close()
            accepted.close()
        assert unread.check() == 0


def is_open(accepted: socket.socket) -> bool:
    """Return whether more can be sent later; if not, close the connection as a server does."""
    try:
        accepted.send(CHUNK)
    except BlockingIOError:
        return True
    except OSError:
        accepted.close()
        return False
    return True
