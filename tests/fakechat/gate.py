"""A gate at which requests wait until it opens, until a timeout, or until their client has gone.

No polling.
"""

from __future__ import annotations

import selectors
import socket
import threading


class Gate:
    """A gate that, when opened, lets all present ticket holders pass; later ones wait for the next time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pairs = [socket.socketpair()]

    def ticket(self) -> socket.socket:
        """Return a ticket to wait with. Take it before telling anybody that you will wait."""
        with self._lock:
            return self._pairs[-1][0]

    def open(self) -> None:
        """Let everyone who waits pass."""
        with self._lock:
            self._pairs[-1][1].close()
            self._pairs.append(socket.socketpair())

    def wait(self, ticket: socket.socket, client: socket.socket, timeout: float | None = None) -> bool:
        """Wait until the gate opens or `timeout` seconds are over (True), or the client has gone (False)."""
        with selectors.DefaultSelector() as selector:
            selector.register(ticket, selectors.EVENT_READ)
            selector.register(client, selectors.EVENT_READ)
            return all(key.fileobj is not client for key, _ in selector.select(timeout))

    def close(self) -> None:
        """Close the sockets. Nobody may be waiting."""
        with self._lock:
            for reader, writer in self._pairs:
                reader.close()
                writer.close()
