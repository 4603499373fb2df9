"""Limits the connections whose clients read little of what they were sent, and closes the slowest.

The server needs a quarter of a megabyte for each large answer that its client does not read, and has no
setting that limits their number. So this module checks the process's own sockets while large answers are
being sent: if too many have unread bytes, those whose clients have read the least lately are closed. This
works only on Linux; on other systems nothing is closed.
"""

from __future__ import annotations

import asyncio
import logging
import math
import os
import socket
import struct
import termios
import threading
import time
from array import array
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from fcntl import ioctl
from pathlib import Path

from web.sockets import listening_ports

MAX_UNREAD = 64
"""The most connections of a worker whose clients do not read; of more, the slowest are closed."""
MAX_SENDING = 2 * MAX_UNREAD
"""The most connections of a worker with unread bytes, including those whose clients read."""
LARGE_ANSWER = 16_384
"""Bytes from which on an answer counts as large: it may have unread bytes for a while."""
READING_BYTES = 65_536
READING_SECONDS = 1.0
"""A client counts as reading if it has read so many bytes within so many seconds."""

_CHECK_EVERY = 16
"""Large answers between two checks of the connections."""
_PAUSE = 0.25
_SHORT_PAUSE = 0.05  # with many such connections
_MIN_PAUSE = 0.02  # a check takes about a millisecond
_OPEN_FILES = Path("/proc/self/fd")
# linux/tcp.h: milliseconds since data was last sent, and bytes that the client has acknowledged.
_LAST_SENT = struct.Struct("@I"), 44
_ACKNOWLEDGED = struct.Struct("@Q"), 120

Peer = tuple[object, ...]
"""A client's address and port."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """A connection with unread bytes."""

    descriptor: int
    peer: Peer
    bytes_read: int
    """Bytes that the client has read since the connection began."""
    idle: float
    """Seconds since the last bytes were sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """The bytes that a client had read at a time, recorded whenever it has read READING_BYTES more."""

    bytes_read: int
    since: float
    has_read: bool = False


class UnreadConnections:
    """Closes the slowest connections while there are too many.

    Call `record_answer` for every large answer, in any thread. After every few of them, the event loop checks
    the connections, and continues while there are unread bytes.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._loop = loop
        self._clock = clock
        self._ports = frozenset[int]()
        self._progress: Mapping[Peer, Progress] = {}
        self._check_lock = threading.Lock()
        self._checked_at = -math.inf
        self._answers = 0
        self._is_waiting = False

    def record_answer(self) -> None:
        """Record that a large answer is sent, which may have unread bytes."""
        self._answers += 1
        if self._answers % _CHECK_EVERY == 0 and self._clock() - self._checked_at >= _MIN_PAUSE:
            self.check()
        elif not self._is_waiting:
            self._is_waiting = True
            self._loop.call_soon_threadsafe(self._wait, _SHORT_PAUSE)

    def check(self) -> int:
        """Close the connections over the limits; return how many connections had unread bytes."""
        if not self._check_lock.acquire(blocking=False):
            return len(self._progress)
        try:
            self._checked_at = now = self._clock()
            self._ports = self._ports or listening_ports()
            connections = {connection.peer: connection for connection in sending(self._ports)}
            self._progress = progress(self._progress, connections, now)
            slowest = too_many(self._progress, now)
            for peer in slowest:
                close(connections[peer])
        finally:
            self._check_lock.release()
        if slowest:
            log.info(
                "closed %d of %d connections whose clients read the least", len(slowest), len(connections)
            )
        return len(connections)

    def _wait(self, seconds: float) -> None:
        self._loop.call_later(seconds, self._check_again, self._answers)

    def _check_again(self, answers_before: int) -> None:
        self._is_waiting = False
        if self.check() and not self._is_waiting:
            self._is_waiting = True
            self._wait(_SHORT_PAUSE if self._answers - answers_before >= _CHECK_EVERY else _PAUSE)


def progress(
    before: Mapping[Peer, Progress], connections: Mapping[Peer, Sending], now: float
) -> dict[Peer, Progress]:
    """Return the progress of each connection's client, from its progress before."""
    after = {}
    for peer, connection in connections.items():
        client = before.get(peer)
        if client is None:
            client = Progress(bytes_read=connection.bytes_read, since=now - connection.idle)
        elif connection.bytes_read - client.bytes_read >= READING_BYTES:
            client = Progress(bytes_read=connection.bytes_read, since=now, has_read=True)
        after[peer] = client
    return after


def too_many(clients: Mapping[Peer, Progress], now: float) -> list[Peer]:
    """Return the connections to close, first those that have read nothing for the longest time."""

    def is_reading(client: Progress) -> bool:
        return client.has_read and now - client.since <= READING_SECONDS

    unread = sum(not is_reading(client) for client in clients.values())
    excess = max(unread - MAX_UNREAD, len(clients) - MAX_SENDING, 0)
    return sorted(clients, key=lambda peer: (is_reading(clients[peer]), clients[peer].since))[:excess]


def sending(ports: frozenset[int]) -> Iterator[Sending]:
    """Yield this process's connections on these ports with many unread bytes."""
    unread = array("i", [0])
    for descriptor in _descriptors():
        try:
            ioctl(descriptor, termios.TIOCOUTQ, unread)
        except OSError:  # not a connection, or closed meanwhile
            continue
        if unread[0] >= LARGE_ANSWER and (connection := _duplicate(descriptor)):
            with connection, suppress(OSError):
                if _is_from(connection, ports):
                    tcp_info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
                    yield Sending(
                        descriptor=descriptor,
                        peer=connection.getpeername(),
                        bytes_read=_read(tcp_info, *_ACKNOWLEDGED),
                        idle=_read(tcp_info, *_LAST_SENT) / 1000,
                    )


def close(connection: Sending) -> None:
    """End a connection at once, without sending the bytes that wait for its client."""
    duplicate = _duplicate(connection.descriptor)
    if duplicate is None:
        return
    with duplicate, suppress(OSError):  # closed meanwhile
        if duplicate.getpeername() == connection.peer:
            # Otherwise the kernel would keep unsent bytes until the client reads them.
            duplicate.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            duplicate.shutdown(socket.SHUT_RDWR)


def _descriptors() -> list[int]:
    return [int(entry.name) for entry in _OPEN_FILES.iterdir()] if _OPEN_FILES.is_dir() else []


def _duplicate(descriptor: int) -> socket.socket | None:
    """Return a duplicate of a socket, as the server may close its own at any time; None if it has."""
    with suppress(OSError):
        copy = os.dup(descriptor)
        try:
            return socket.socket(fileno=copy)
        except OSError:
            os.close(copy)
    return None


def _is_from(connection: socket.socket, ports: frozenset[int]) -> bool:
    """Return whether it is a TCP connection of a client to one of these ports."""
    return (
        connection.family in (socket.AF_INET, socket.AF_INET6)
        and connection.type == socket.SOCK_STREAM
        and connection.getsockname()[1] in ports
    )


def _read(tcp_info: bytes, form: struct.Struct, offset: int) -> int:
    """Return a number in `struct tcp_info`; 0 if an older kernel does not have it."""
    if len(tcp_info) < offset + form.size:
        return 0
    number: int = form.unpack_from(tcp_info, offset)[0]
    return number
