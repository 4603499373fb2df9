"""Connections whose clients take little of what they were sent, and which of them are closed.

The server holds a quarter of a megabyte for each large answer that its client does not take, and has no
setting that limits how many there are. So this checks the process's own sockets, while large answers are on
their way: where too many have bytes that wait for their client, those that took the least lately are closed.
Only on Linux; elsewhere nothing is closed.
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
"""Connections of a worker whose client does not read; those beyond are closed, the slowest first."""
MAX_SENDING = 2 * MAX_UNREAD
"""Connections of a worker with bytes that wait for their client, those that are read included."""
NOTED_BODY = 16_384
"""Bytes from which an answer may leave some that wait."""
READING_BYTES = 65_536
READING_SECONDS = 1.0
"""A client reads if it has taken so many bytes within so many seconds."""

_ANSWERS = 16
"""After so many large answers the connections are looked at again."""
_PAUSE = 0.25
_SHORT_PAUSE = 0.05  # while there are many
_SHORTEST_PAUSE = 0.02  # a check takes about a millisecond
_OPEN_FILES = Path("/proc/self/fd")
# linux/tcp.h: milliseconds since data was last sent, and bytes that the client has acknowledged.
_LAST_SENT = struct.Struct("@I"), 44
_ACKNOWLEDGED = struct.Struct("@Q"), 120

Peer = tuple[object, ...]
"""A client's address and port."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """A connection with bytes that wait for its client."""

    descriptor: int
    peer: Peer
    taken: int
    """Bytes that the client has taken since the connection began."""
    idle: float
    """Seconds since some were sent to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How many bytes a client had taken at which time, noted each time it has taken READING_BYTES more."""

    taken: int
    since: float
    has_read: bool = False


class UnreadConnections:
    """Closes the slowest connections while there are too many.

    `note` every large answer, in any thread. The connections are looked at after every few of them, a moment
    later by the event loop, and then for as long as bytes wait.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._loop = loop
        self._clock = clock
        self._ports = frozenset[int]()
        self._seen: Mapping[Peer, Progress] = {}
        self._looking = threading.Lock()
        self._looked_at = -math.inf
        self._noted = 0
        self._is_waiting = False

    def note(self) -> None:
        """Note an answer that may leave bytes that wait for its client."""
        self._noted += 1
        if self._noted % _ANSWERS == 0 and self._clock() - self._looked_at >= _SHORTEST_PAUSE:
            self.check()
        elif not self._is_waiting:
            self._is_waiting = True
            self._loop.call_soon_threadsafe(self._wait, _SHORT_PAUSE)

    def check(self) -> int:
        """Close the connections over the limits; return on how many connections bytes waited."""
        if not self._looking.acquire(blocking=False):
            return len(self._seen)
        try:
            self._looked_at = now = self._clock()
            self._ports = self._ports or listening_ports()
            found = {each.peer: each for each in sending(self._ports)}
            self._seen = progress(self._seen, found, now)
            slowest = too_many(self._seen, now)
            for peer in slowest:
                close(found[peer])
        finally:
            self._looking.release()
        if slowest:
            log.info("closed %d of %d connections whose clients read the least", len(slowest), len(found))
        return len(found)

    def _wait(self, seconds: float) -> None:
        self._loop.call_later(seconds, self._check_again, self._noted)

    def _check_again(self, noted: int) -> None:
        self._is_waiting = False
        if self.check() and not self._is_waiting:
            self._is_waiting = True
            self._wait(_SHORT_PAUSE if self._noted - noted >= _ANSWERS else _PAUSE)


def progress(
    before: Mapping[Peer, Progress], found: Mapping[Peer, Sending], now: float
) -> dict[Peer, Progress]:
    """Return what each connection's client has come to, from what it had come to before."""
    after = {}
    for peer, connection in found.items():
        reached = before.get(peer)
        if reached is None:
            reached = Progress(taken=connection.taken, since=now - connection.idle)
        elif connection.taken - reached.taken >= READING_BYTES:
            reached = Progress(taken=connection.taken, since=now, has_read=True)
        after[peer] = reached
    return after


def too_many(seen: Mapping[Peer, Progress], now: float) -> list[Peer]:
    """Return which connections to close: those first that have read nothing for the longest."""

    def reads(reached: Progress) -> bool:
        return reached.has_read and now - reached.since <= READING_SECONDS

    unread = sum(not reads(reached) for reached in seen.values())
    excess = max(unread - MAX_UNREAD, len(seen) - MAX_SENDING, 0)
    return sorted(seen, key=lambda peer: (reads(seen[peer]), seen[peer].since))[:excess]


def sending(ports: frozenset[int]) -> Iterator[Sending]:
    """Yield this process's connections at these of its ports with many bytes that wait for their client."""
    waiting = array("i", [0])
    for descriptor in _descriptors():
        try:
            ioctl(descriptor, termios.TIOCOUTQ, waiting)
        except OSError:  # no connection, or closed meanwhile
            continue
        if waiting[0] >= NOTED_BODY and (connection := _duplicate(descriptor)):
            with connection, suppress(OSError):
                if _is_from(connection, ports):
                    facts = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
                    yield Sending(
                        descriptor=descriptor,
                        peer=connection.getpeername(),
                        taken=_read(facts, *_ACKNOWLEDGED),
                        idle=_read(facts, *_LAST_SENT) / 1000,
                    )


def close(connection: Sending) -> None:
    """End a connection at once; nothing that waits for its client is sent any more."""
    found = _duplicate(connection.descriptor)
    if found is None:
        return
    with found, suppress(OSError):  # closed meanwhile
        if found.getpeername() == connection.peer:
            # The kernel would hold what was not sent until the client takes it.
            found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            found.shutdown(socket.SHUT_RDWR)


def _descriptors() -> list[int]:
    return [int(entry.name) for entry in _OPEN_FILES.iterdir()] if _OPEN_FILES.is_dir() else []


def _duplicate(descriptor: int) -> socket.socket | None:
    """Return the same socket by a descriptor of its own: the server may close its own at any time."""
    with suppress(OSError):
        copy = os.dup(descriptor)
        try:
            return socket.socket(fileno=copy)
        except OSError:
            os.close(copy)
    return None


def _is_from(connection: socket.socket, ports: frozenset[int]) -> bool:
    """Whether it is a TCP connection that a client made to one of these ports."""
    return (
        connection.family in (socket.AF_INET, socket.AF_INET6)
        and connection.type == socket.SOCK_STREAM
        and connection.getsockname()[1] in ports
    )


def _read(facts: bytes, form: struct.Struct, offset: int) -> int:
    """Return a number of `struct tcp_info`; 0 where an older kernel does not give it."""
    if len(facts) < offset + form.size:
        return 0
    number: int = form.unpack_from(facts, offset)[0]
    return number
