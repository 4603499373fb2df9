"""A picture is fetched only from the public internet, and within limits."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pictures import fetching
from pictures.errors import PictureError
from pictures.fetching import Fetcher, is_public
from tests.waiting import WAIT_SECONDS


@contextmanager
def host(answer: Callable[[socket.socket, bytes], None]) -> Iterator[tuple[Fetcher, int, list[bytes]]]:
    """A host on loopback that answers each connection by `answer`, and a fetcher that may connect to it."""
    seen: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]

        def serve() -> None:
            while True:
                try:
                    stream, _ = listening.accept()
                except OSError:
                    return
                with stream:
                    seen.append(stream.recv(10_000))
                    try:
                        answer(stream, seen[-1])
                    except OSError:
                        continue

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        fetcher = Fetcher(
            resolve=lambda _host, _port: ["127.0.0.1"],
            allowed=lambda address: address == "127.0.0.1",
            ports={port},
            seconds=0.5,
        )
        yield fetcher, port, seen
        listening.shutdown(socket.SHUT_RDWR)
    thread.join(WAIT_SECONDS)


def test_a_picture_is_fetched_with_no_more_than_is_needed() -> None:
    """The request contains nothing about the reader, and its path is encoded as in a URI."""
    with host(lambda stream, _: stream.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc")) as (
        fetcher,
        port,
        seen,
    ):
        assert fetcher.fetch(f"http://pictures.example:{port}/ä b.png?x=1#y") == b"abc"
    head = seen[0].decode().split("\r\n")
    assert head[0] == "GET /%C3%A4%20b.png?x=1 HTTP/1.1"
    assert {line.partition(":")[0] for line in head[1:] if line} == {
        "Host", "Accept", "Accept-Encoding", "User-Agent", "Connection",
    }  # fmt: skip


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.0.0.1", "172.16.3.4", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
        "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1%eth0", "fc00::1", "ff02::1",
        "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "2001:0:7f00:1::", "not an address",
    ],
)  # fmt: skip
def test_addresses_within_are_not_public(address: str) -> None:
    """Loopback, private and link-local ranges, cloud metadata and addresses that map to them are refused."""
    assert not is_public(address)


def test_addresses_of_the_internet_are_public() -> None:
    """This holds for IPv4 and IPv6."""
    assert is_public("93.184.216.34")
    assert is_public("2606:2800:220:1:248:1893:25c8:1946")


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://x.example/", "not on the public internet"),
        ("http://127.0.0.1/", "not on the public internet"),
        ("http://[::1]/", "not on the public internet"),
        ("http://x.example:22/", "port 22"),
        ("file:///etc/passwd", "not a web address"),
        ("gopher://x.example/", "not a web address"),
        ("http://user:secret@x.example/", "user name"),
        ("http://x.example:99999/", "not valid"),
        ("http://" + "x" * 5000, "not"),
        ("//", "not a web address"),
    ],
)
def test_what_is_not_on_the_web_is_not_connected_to(url: str, reason: str) -> None:
    """A host with a public and a private address is refused, because the next lookup could differ."""
    fetcher = Fetcher(resolve=lambda _host, _port: ["93.184.216.34", "127.0.0.1"])
    with pytest.raises(PictureError, match=reason):
        fetcher.fetch(url)


def test_a_redirect_is_checked_as_its_target() -> None:
    """Forbidden ports, schemes and addresses are refused, and so are endless redirects."""
    for target, reason in (
        ("http://x.example:25/", "port 25"),
        ("file:///etc/passwd", "not a web address"),
        ("/again", "redirects more than"),
        ("", "redirects more than"),
    ):
        redirect = f"HTTP/1.1 302 Found\r\nLocation: {target}\r\nContent-Length: 0\r\n\r\n".encode()
        with (
            host(lambda stream, _, redirect=redirect: stream.sendall(redirect)) as (fetcher, port, _),  # type: ignore[misc]
            pytest.raises(PictureError, match=reason),
        ):
            fetcher.fetch(f"http://x.example:{port}/")


@pytest.mark.parametrize("is_declared", [True, False])
def test_a_large_answer_is_refused(is_declared: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer is refused by its announced length, or once too much has arrived."""
    monkeypatch.setattr(fetching, "MAX_BYTES", 1_000)
    length = b"Content-Length: 2000\r\n" if is_declared else b""
    with (
        host(lambda stream, _: stream.sendall(b"HTTP/1.1 200 OK\r\n" + length + b"\r\n" + b"x" * 2000)) as (
            fetcher,
            port,
            _,
        ),
        pytest.raises(PictureError, match="larger than"),
    ):
        fetcher.fetch(f"http://x.example:{port}/")


def test_a_slow_answer_ends_in_time() -> None:
    """The time limit applies however regularly bytes arrive, also before the headers are complete."""
    end = threading.Event()

    def drip(stream: socket.socket, _request: bytes) -> None:
        stream.sendall(b"HTTP/1.1 200 OK\r\n")
        while not end.wait(0.02):
            stream.sendall(b"X-More: y\r\n"[:1])

    with host(drip) as (fetcher, port, _), pytest.raises(PictureError, match="takes longer than"):
        fetcher.fetch(f"http://x.example:{port}/")
    end.set()


@settings(max_examples=15, deadline=None)
@given(st.binary(max_size=200))
def test_any_answer_is_a_picture_or_an_error(answer: bytes) -> None:
    """Any answer gives a picture or PictureError."""
    with host(lambda stream, _: stream.sendall(answer)) as (fetcher, port, _), suppress(PictureError):
        assert isinstance(fetcher.fetch(f"http://x.example:{port}/"), bytes)
