"""The web process under slow, large and malformed requests, and the server alone against WSGI's rules."""

from __future__ import annotations

import re
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests import clients
from tests.site import front_matter, put
from tests.soak.cluster import Running, hosted
from tests.waiting import WAIT_SECONDS
from web import limits
from web.sockets import UNREAD_SECONDS, disconnect_silent_clients
from web.unread_connections import MAX_UNREAD

PICTURE = bytes(range(256)) * 8
LARGE = b"0123456789" * 3_000_000


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The Procfile's web process over one article with a picture and a large file beside it."""
    home = tmp_path_factory.mktemp("server")
    put(home / "content" / "a.md", front_matter("word " * 100_000, title="A", topics=["Go"]))
    put(home / "content" / "picture.png", PICTURE)
    put(home / "content" / "film.mp4", LARGE)
    (home / "config.yaml").write_text("articles: {path: content}\n", encoding="utf-8")
    settings = {"NEWSWIRE_CONFIG": str(home / "config.yaml"), "ADMIN_TOKEN": "t" * 32}
    with hosted(home, WEB_CONCURRENCY="2", **settings) as host:
        running = host.web("web")
        running.wait_until_ready()
        yield running


def assert_answers(web: Running) -> None:
    """Assert that feeds, pages, searches and probes are answered with the right content."""
    for path, text in (
        ("/healthz", "ok"),
        ("/readyz", "ready"),
        ("/feeds/all.rss", "<title>A</title>"),
        ("/topics/go", "A"),
        ("/search?q=word", "A"),
    ):
        answer = web.get(path)
        assert (answer.status_code, text in answer.text) == (200, True), path


def test_slow_bodies_hold_nobody_up(web: Running) -> None:
    """While 64 clients stop in the middle of a body, others are answered, and the 64 get 408 in time."""
    for _ in range(3):  # a busy machine may need more time than the limit for bodies
        with clients.slow_bodies(web, 64, ("/admin/login", "/hooks/git", "/nowhere")) as connections:
            assert_answers(web)
            is_over = clients.has_data(connections)
            for connection in connections:
                assert clients.status_of(clients.read_all(connection)) == 408
        assert_answers(web)
        if not is_over:
            return
    pytest.fail("all else was answered only when the time of the bodies was over")


def test_a_method_that_an_address_does_not_have(web: Running) -> None:
    """Without a body a POST needs no length: the answer is 405, with the methods that there are."""
    for path in ("/feeds/all.rss", "/topics/go", "/"):
        answer = clients.exchange(
            web, f"POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode()
        )
        assert clients.status_of(answer) == 405, path
        allowed = re.search(rb"\r\nallow: ([^\r]+)\r\n", answer.lower())
        assert allowed and set(allowed[1].split(b", ")) == {b"get", b"head", b"options"}, path


def test_bodies_without_a_length_or_too_large(web: Running) -> None:
    """Such bodies are refused by their headers, and the connection ends before 300 MB are read."""
    chunked = b"POST /admin/login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n"
    assert clients.status_of(clients.exchange(web, chunked)) == 411
    large = clients.post("/admin/login", 300_000_000, kind="multipart/form-data; boundary=b")
    assert clients.status_of(clients.exchange(web, large + b"x" * 1000)) == 413
    assert clients.status_of(clients.exchange(web, clients.post("/hooks/git", 1_000_001))) == 413
    short = clients.post("/admin/login", limits.MAX_BODY_BYTES + 1)
    assert clients.status_of(clients.exchange(web, short)) == 413


def test_a_body_that_ends_early(web: Running) -> None:
    """A client that disconnects in the middle of its body leaves nothing behind."""
    for _ in range(20):
        with clients.connect(web) as connection:
            connection.sendall(clients.post("/admin/login", 1000) + b"token=x")
    assert_answers(web)


def test_a_form_arrives_whole(web: Running) -> None:
    """A body in pieces, up to the limit, reaches the application."""
    form = b"token=" + b"t" * 32 + b"&x=" + b"y" * (limits.MAX_BODY_BYTES - 41)
    with clients.connect(web) as connection:
        head = clients.post("/admin/login", len(form)).replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
        for start in range(0, len(head + form), 10_000):
            connection.sendall((head + form)[start : start + 10_000])
        answer = clients.read_all(connection)
    assert clients.status_of(answer) in (302, 303)
    assert b"set-cookie" in answer


@pytest.mark.parametrize(
    ("head", "status"),
    [
        ("GET / HTTP/1.1\r\nHost: x\r\nX-Large: {9000}", 431),
        ("GET /feeds/all.rss HTTP/1.1\r\nHost: x\r\nUser-Agent: {9000}", 431),
        ("GET /feeds/all.rss HTTP/1.1\r\nHost: x\r\nAccept-Encoding: {9000}", 431),
        ("GET / HTTP/1.1\r\nHost: x\r\nX-Large: {1000000}", 431),
        ("GET /{3000} HTTP/1.1\r\nHost: x", 414),
        ("GET /feeds/{3000}.rss HTTP/1.1\r\nHost: x", 414),
        ("GET /articles/{11000} HTTP/1.1\r\nHost: x", 414),
        ("GET /articles/{9000} HTTP/1.1\r\nHost: x", 404),
        ("GET /search?q={9000} HTTP/1.1\r\nHost: x", 414),
        ("GET / HTTP/1.1", 400),
        ("GET /feeds/all.rss HTTP/1.1", 400),
        ("GET / HTTP/1.1\r\nHost: x\r\nHost: y", 400),
        ("GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 5", 200),
        ("OPTIONS * HTTP/1.1\r\nHost: x", 404),
        ("nothing of the kind", 400),
    ],
)
def test_what_is_refused(web: Running, head: str, status: int) -> None:
    """Long header fields and addresses, and a missing or double Host, each have their own status."""
    start, brace, rest = head.partition("{")
    count, _, end = rest.partition("}")
    text = start + ("a" * int(count) if brace else "") + end
    answer = clients.exchange(web, f"{text}\r\nConnection: close\r\n\r\n".encode())
    assert clients.status_of(answer) == status


def test_refusals_are_counted(web: Running) -> None:
    """/metrics also counts requests that were refused before the application saw them."""
    clients.exchange(web, b"GET / HTTP/1.1\r\n\r\n")
    limit = time.monotonic() + WAIT_SECONDS
    while 'feed="(other)",status="400"' not in web.get("/metrics").text:
        assert time.monotonic() < limit


def test_clients_that_read_nothing_hold_nobody_up(web: Running) -> None:
    """While 200 clients read nothing of a large file and 100 nothing of a large feed, others are served."""
    web.get("/feeds/all.json")
    with (
        clients.silent_readers(web, 200, "/articles/film.mp4"),
        clients.silent_readers(web, 100, "/feeds/all.json"),
    ):
        for _ in range(5):
            assert_answers(web)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says what its sockets hold")
def test_clients_that_read_nothing_are_few(web: Running) -> None:
    """Each of two workers closes such connections beyond the limit; clients that read get everything."""
    with clients.silent_readers(web, 3 * MAX_UNREAD, "/articles/film.mp4") as connections:
        limit = time.monotonic() + WAIT_SECONDS
        ports = {connection.getsockname()[1] for connection in connections}
        while len(ports & connected(web)) > 2 * MAX_UNREAD:
            assert time.monotonic() < limit
            assert web.get("/articles/film.mp4").content == LARGE


def connected(web: Running) -> set[int]:
    """Return the ports of the clients to which the server has connections.

    By the server's end: where the kernel cut the connection off, the client's end may not know.
    """
    _, port = clients.address(web)
    lines = Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]
    ends = ([int(end.rpartition(":")[2], 16) for end in line.split()[1:3]] for line in lines)
    return {remote for local, remote in ends if local == port}


def test_files_and_parts_of_them(web: Running) -> None:
    """A file is sent whole, in part, or not at all where the client has it."""
    for path, content in (("/articles/film.mp4", LARGE), ("/articles/picture.png", PICTURE)):
        whole = web.get(path)
        assert (whole.status_code, whole.content == content) == (200, True)
        part = web.get(path, Range="bytes=5-14")
        assert (part.status_code, part.content) == (206, content[5:15])
        assert part.headers["Content-Range"] == f"bytes 5-14/{len(content)}"
        last = web.get(path, Range="bytes=-7")
        assert (last.status_code, last.content) == (206, content[-7:])
        assert web.get(path, Range=f"bytes={len(content)}-").status_code == 416
        unchanged = web.get(path, **{"If-None-Match": whole.headers["ETag"]})
        assert (unchanged.status_code, unchanged.content) == (304, b"")
        head = requests.head(web.url + path, timeout=WAIT_SECONDS)
        assert (head.headers["Content-Length"], head.content) == (str(len(content)), b"")


def test_a_large_feed_is_the_same_at_every_request(web: Running) -> None:
    """A large feed is sent from memory with the same bytes, also to several clients at once."""
    bodies = {web.get("/feeds/all.json", **{"Accept-Encoding": "identity"}).content for _ in range(6)}
    (body,) = bodies
    assert len(body) > 400_000


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has this option")
def test_the_kernel_cuts_off_clients_that_read_nothing() -> None:
    """Every listening socket has the limit, which accepted connections inherit."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        assert disconnect_silent_clients() >= 1
        with socket.create_connection(listener.getsockname()):
            accepted, _ = listener.accept()
            with accepted:
                option = accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
    assert option == UNREAD_SECONDS * 1000


def test_a_header_with_an_underscore_is_not_one_with_a_hyphen(web: Running, tmp_path: Path) -> None:
    """WSGI cannot tell them apart, so a field with an underscore, which proxies do not check, is dropped."""
    tag = web.get("/").headers["ETag"]
    assert web.get("/", **{"If-None-Match": tag}).status_code == 304
    assert web.get("/", **{"If_None_Match": tag}).status_code == 200
