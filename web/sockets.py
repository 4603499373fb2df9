"""Options of a worker's sockets for which the server has no setting."""

from __future__ import annotations

import os
import resource
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

UNREAD_SECONDS = 30
"""Seconds after which a client is disconnected that reads nothing of what it is sent."""
MAX_OPEN_FILES = 8_192

_OPEN_FILES = Path("/proc/self/fd")


def disconnect_silent_clients(seconds: int = UNREAD_SECONDS) -> int:
    """Let the kernel end connections whose client reads nothing of what was sent for so long.

    This sets TCP_USER_TIMEOUT on this process's listening sockets, from which each connection inherits it
    (Linux, tcp(7)). Returns the number of those sockets: none on systems without /proc.
    """
    option = getattr(socket, "TCP_USER_TIMEOUT", None)
    count = 0
    if option is not None:
        for listener in _listening():
            listener.setsockopt(socket.IPPROTO_TCP, option, seconds * 1000)
            listener.close()
            count += 1
    return count


def listening_ports() -> frozenset[int]:
    """Return the TCP ports on which this process listens: none on systems without /proc."""
    ports = set()
    for listener in _listening():
        with listener:
            ports.add(listener.getsockname()[1])
    return frozenset(ports)


def allow_many_connections(limit: int = MAX_OPEN_FILES) -> None:
    """Raise the limit of files and sockets that this process may open, as far as the system allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    target = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
    if soft != resource.RLIM_INFINITY and soft < target:
        with suppress(OSError, ValueError):  # a sandbox may forbid it: the limit stays
            resource.setrlimit(resource.RLIMIT_NOFILE, (target, hard))


def _listening() -> Iterator[socket.socket]:
    """Yield this process's listening TCP sockets, as duplicates that the caller closes."""
    if not _OPEN_FILES.is_dir():
        return
    for entry in _OPEN_FILES.iterdir():
        with suppress(OSError):  # closed meanwhile
            if not str(entry.readlink()).startswith("socket:"):
                continue
            sock = socket.socket(fileno=os.dup(int(entry.name)))
            if sock.family in (socket.AF_INET, socket.AF_INET6) and _is_listening(sock):
                yield sock
            else:
                sock.close()


def _is_listening(sock: socket.socket) -> bool:
    return sock.type == socket.SOCK_STREAM and bool(sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
