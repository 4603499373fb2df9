"""Calls a WSGI application (PEP 3333): converts the request, and returns the whole answer or its file."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from werkzeug.wsgi import FileWrapper

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication
    from granian.rsgi import Scope

Headers = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class FilePart:
    """The bytes of a file from `start` to before `end`."""

    path: str
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WsgiResponse:
    """The answer of the application; if `file` is not None, it is sent instead of `body`."""

    status: int
    headers: Headers
    body: bytes = b""
    file: FilePart | None = None


def call(application: WSGIApplication, environ: dict[str, Any]) -> WsgiResponse:
    """Run the application (PEP 3333), and return its whole answer."""
    started: list[tuple[str, Headers]] = []
    chunks: list[bytes] = []
    files: list[IO[bytes]] = []

    def start_response(status: str, headers: Headers, exc_info: Any = None) -> Callable[[bytes], object]:
        started.append((status, headers))
        return chunks.append

    def wrap(file: IO[bytes], block_size: int = 8192) -> FileWrapper:
        files.append(file)
        return FileWrapper(file, block_size)

    environ["wsgi.file_wrapper"] = wrap
    answer: Iterable[bytes] = application(environ, start_response)
    try:
        part = _part(files, *started[-1]) if files and environ["REQUEST_METHOD"] == "GET" else None
        if part is None and environ["REQUEST_METHOD"] != "HEAD":
            chunks.extend(answer)
    finally:
        close = getattr(answer, "close", None)
        if close:
            close()
    status, headers = started[-1]
    return WsgiResponse(status=int(status[:3]), headers=headers, body=b"".join(chunks), file=part)


def _part(files: Sequence[IO[bytes]], status: str, headers: Headers) -> FilePart | None:
    """Return the part of a wrapped file that is the answer, by its headers; None for another answer."""
    by_name = {name.lower(): value for name, value in headers}
    length = int(by_name.get("content-length", 0))
    start = 0
    if status.startswith("206"):
        start = int(by_name["content-range"].removeprefix("bytes ").partition("-")[0])
    elif not status.startswith("200"):
        return None
    path = getattr(files[-1], "name", None)
    if not isinstance(path, str) or length == 0 or "content-encoding" in by_name:
        return None
    return FilePart(path=path, start=start, end=start + length)


def environ_of(scope: Scope, headers: Headers, path: str, body: bytes) -> dict[str, Any]:
    """Return the WSGI environment (PEP 3333) of a request for a path, whose body was read.

    Header names with an underscore are left out: in WSGI they would be equal to those with a hyphen, which a
    proxy may have checked.
    """
    host, _, port = scope.server.rpartition(":")
    address, _, client_port = scope.client.rpartition(":")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": _latin(path),
        "QUERY_STRING": _latin(scope.query_string),
        "SERVER_NAME": host.strip("[]"),
        "SERVER_PORT": port,
        "SERVER_PROTOCOL": f"HTTP/{'1.0' if scope.http_version == '1' else scope.http_version}",
        "REMOTE_ADDR": address.strip("[]"),
        "REMOTE_PORT": client_port,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.scheme,
        "wsgi.input": io.BytesIO(body),
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for name, value in headers:
        if name in ("content-length", "transfer-encoding") or "_" in name:
            continue
        key = "CONTENT_TYPE" if name == "content-type" else f"HTTP_{name.replace('-', '_').upper()}"
        if key in environ:
            value = f"{environ[key]}{'; ' if name == 'cookie' else ', '}{value}"
        environ[key] = value
    if "content-length" in dict(headers):
        environ["CONTENT_LENGTH"] = str(len(body))
    return environ


def _latin(text: str) -> str:
    """Return text in the form that WSGI requires: UTF-8 bytes decoded as Latin-1."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("latin-1")
