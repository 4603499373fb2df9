"""A server with a private authority's certificate, and a tunnelling proxy, both on loopback."""

from __future__ import annotations

import contextlib
import selectors
import socket
import ssl
import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

import trustme


class _Listener:
    """Listens on loopback, and serves every connection in a thread of its own."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Stop accepting connections. May be called twice."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        raise NotImplementedError


class SecureServer(_Listener):
    """Answers every request with `ok`, over TLS, as the hosts in `names`, with a certificate until `expires`.

    `ca_file` has the certificate of the authority that signed the server's. It calls `before` before each
    handshake, so that a test can delay it.
    """

    def __init__(
        self,
        folder: Path,
        before: Callable[[], object] = lambda: None,
        *,
        names: Sequence[str] = ("localhost", "127.0.0.1", "chat.example.invalid"),
        expires: datetime | None = None,
    ) -> None:
        self.requests: list[bytes] = []
        self.ca_file = folder / "ca.pem"
        authority = trustme.CA()
        authority.cert_pem.write_to_path(str(self.ca_file))
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(*names, not_after=expires).configure_cert(self._context)
        self._before = before
        super().__init__()
        self.url = f"https://localhost:{self.port}/services/T0/B0/token"

    def _serve(self, connection: socket.socket) -> None:
        self._before()
        with contextlib.suppress(OSError), self._context.wrap_socket(connection, server_side=True) as secure:
            while data := secure.recv(65536):
                self.requests.append(data)
                secure.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")


class Tunnels(_Listener):
    """A proxy that connects every CONNECT request to `localhost`, and records the requests."""

    def __init__(self) -> None:
        self.asked: list[bytes] = []
        super().__init__()
        self.address = f"http://127.0.0.1:{self.port}"

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            head = connection.recv(65536)
            self.asked.append(head)
            port = int(head.split()[1].rpartition(b":")[2])
            with socket.create_connection(("127.0.0.1", port)) as server:
                connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                _relay(connection, server)


def _relay(one: socket.socket, other: socket.socket) -> None:
    with selectors.DefaultSelector() as selector:
        selector.register(one, selectors.EVENT_READ, other)
        selector.register(other, selectors.EVENT_READ, one)
        while True:
            for key, _ in selector.select():
                assert isinstance(key.fileobj, socket.socket)
                data = key.fileobj.recv(65536)
                if not data:
                    return
                key.data.sendall(data)
