"""Ports for servers that a test starts in another process, and so cannot give an open socket."""

from __future__ import annotations

import secrets
import socket

FIRST, LAST = 20_000, 32_000
"""Below those that Linux (from 32768) and macOS (from 49152) give to connections and for port 0."""

_reserved: list[socket.socket] = []


def free_port() -> int:
    """Return a port on which nothing listens, reserved from other tests while this process lives.

    The reservation is an open UDP socket with the same number: all processes see it, it ends with this
    process, and it does not affect TCP servers. A port that the system chose could be given to a connection
    of another test before the server has started, or while it is down.
    """
    while True:
        port = FIRST + secrets.randbelow(LAST - FIRST)
        reservation = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            reservation.bind(("127.0.0.1", port))
            with socket.create_server(("127.0.0.1", port)):
                pass
        except OSError:
            reservation.close()
            continue
        _reserved.append(reservation)
        return port
