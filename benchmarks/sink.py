"""A server that takes every webhook post as fast as can be: `python -m benchmarks.sink` prints its port.

A thread waits for each connection, with nothing between it and the socket: an event loop would take longer to
notice a request than to answer it.
"""

from __future__ import annotations

import re
import socket
import sys
import threading

_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nok"


def _serve(connection: socket.socket) -> None:
    """Answer `ok`, as Slack does, whenever a whole request has come."""
    received = b""
    while data := connection.recv(65536):
        received += data
        end = received.find(b"\r\n\r\n")
        length = _LENGTH.search(received, 0, end) if end >= 0 else None
        if end >= 0 and len(received) >= end + 4 + (int(length[1]) if length else 0):
            received = b""
            connection.sendall(_ANSWER)


def _accept(server: socket.socket) -> None:
    while True:
        connection, _ = server.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=_serve, args=(connection,), daemon=True).start()


def main() -> None:
    """Serve until the standard input is closed."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as server:
        print(server.getsockname()[1], flush=True)
        threading.Thread(target=_accept, args=(server,), daemon=True).start()
        sys.stdin.read()


if __name__ == "__main__":
    main()
