"""Say in one line that HOST:PORT cannot be listened on, before anything is started.

The server itself would answer with a traceback, or, beside another Newswire, share the port with it.
`python -m ops.port` is what `make serve` asks.
"""

from __future__ import annotations

import errno
import os
import socket
import sys


def fault(host: str, port: str, *, shared: bool = False) -> str | None:
    """Return why nothing can listen on the host's port, and what to do, or None where it is free.

    With `shared`, a port counts as free on which another program listens that shares it, as the server does:
    during a restart without a pause two of them do.
    """
    try:
        # The number itself goes to bind(), which checks its range: getaddrinfo() takes 65536 for 0.
        family, kind, protocol, _, address = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            # As the server does, so that connections that have just ended are not in its way.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if shared and hasattr(socket, "SO_REUSEPORT"):
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            probe.bind((address[0], int(port), *address[2:]))
    except (OSError, OverflowError, ValueError) as error:
        if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
            return (
                f"port {port} is in use: stop the program that listens there, or take another port, such as "
                "make serve PORT=8001"
            )
        return f"cannot listen on {host} port {port}: {error}"
    return None


if __name__ == "__main__":
    sys.exit(fault(os.environ.get("HOST", "127.0.0.1"), os.environ.get("PORT", "8000")))
