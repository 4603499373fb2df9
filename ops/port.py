"""Checks whether the server can listen on HOST:PORT, before anything is started.

The server itself would print a traceback or, with another Newswire running, share the port with it. `make
serve` calls `python -m ops.port`.
"""

from __future__ import annotations

import errno
import os
import socket
import sys


def ip_address(host: str) -> str:
    """Return the address of a host that may be a name, such as localhost; the name if it has none.

    The server listens only on IP addresses.
    """
    try:
        return str(socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)[0][4][0])
    except (OSError, ValueError):  # UnicodeError for a host that is too long
        return host


def port_fault(host: str, port: str, *, shared: bool = False) -> str | None:
    """Return why the server cannot listen on the port, and what to do, or None if the port is free.

    With `shared`, a port also counts as free if another program listens on it and shares it, as the server
    does: during a restart without interruption, two servers listen.
    """
    if not (port.isascii() and port.isdecimal() and int(port[:9]) < 2**16):
        return f"PORT: {port[:20]!r} is not a number from 1 to 65535"
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            # As the server does, so that recently closed connections do not matter.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if shared and hasattr(socket, "SO_REUSEPORT"):
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            probe.bind((address[0], int(port), *address[2:]))
    except (OSError, ValueError) as error:  # UnicodeError for a host that is too long
        if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
            return (
                f"port {port} is in use: stop the program that listens there, or use another port, such as "
                "make serve PORT=8001"
            )
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "it is no address"
        return f"cannot listen on {host} port {port}: {reason}"
    return None


if __name__ == "__main__":
    sys.exit(port_fault(os.environ.get("HOST", "127.0.0.1"), os.environ.get("PORT", "8000")))
