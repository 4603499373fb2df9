"""A gate that requests wait at: until it is opened, time is up, or their client has gone. No polling."""

from __future__ import annotations

import selectors
import socket
import threading


class Gate:
    """Opening it lets pass who holds a ticket from before; later tickets wait for the next opening."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pairs = [socket.socketpair()]

    def ticket(self) -> socket.socket:
        """What to wait with; take it before telling anybody that you will wait."""
        with self._lock:
            return self._pairs[-1][0]

    def open(self) -> None:
        """Let the waiting pass."""
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
        """Let go of the sockets. Nobody may be waiting."""
        with self._lock:
            for reader, writer in self._pairs:
                reader.close()
                writer.close()
