"""Requests of an anonymous client, to the application, and as raw bytes to the real server."""

from __future__ import annotations

import io
import re
import socket
from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import example
from hypothesis import strategies as st

from app import create_app
from feeds.fast_path import FeedServer
from ops.proxies import behind_proxies
from tests.fuzz.budget import fuzz
from tests.fuzz.seeds import LETTERS, MARKUP, mutated
from tests.hostile import PIECES
from tests.ops.test_serving import Web as Server
from tests.ops.test_serving import serving
from tests.site import ArticleSite, Clock, front_matter
from tests.waiting import WAIT_SECONDS
from wiring.site import Newswire

TOKEN = "a-token-of-thirty-two-characters"
PATHS = (
    b"/",
    b"/topics",
    b"/topics/ai",
    b"/topics/ai?page=2",
    b"/articles/a",
    b"/articles/../a",
    b"/articles/a.png",
    b"/feeds/ai.rss",
    b"/feeds/ai+c-plus-plus.atom?min_quality=80",
    b"/feeds/C++.rss?x=1",
    b"/feeds/all.json",
    b"/feeds//all.rss",
    b"/feeds/ai.rss/",
    b"/feeds.opml",
    b"/search?q=a+b&page=2",
    b"/build?topics=ai&types=x",
    b"/static/site.css",
    b"/healthz",
    b"/readyz",
    b"/readyz/bot",
    b"/metrics",
    b"/hooks/git",
    b"/admin",
    b"/admin/login",
    b"/admin/deliveries?state=sent",
    b"/admin/deliveries/1",
    b"/admin/channels/team/pause",
    b"/admin/preview/a",
    b"/favicon.ico",
    b"/robots.txt",
    b"//evil.example/x",
    b"/%2e%2e/%00",
    b"/feeds/%F0%9F%98%80.rss",
    b"/news?news",
)
NAMES = (
    "HOST",
    "ACCEPT",
    "ACCEPT_ENCODING",
    "USER_AGENT",
    "IF_NONE_MATCH",
    "IF_MODIFIED_SINCE",
    "RANGE",
    "COOKIE",
    "ORIGIN",
    "REFERER",
    "X_FORWARDED_FOR",
    "X_FORWARDED_HOST",
    "X_FORWARDED_PROTO",
    "X_FORWARDED_PREFIX",
    "X_FORWARDED_PORT",
    "AUTHORIZATION",
    "X_HUB_SIGNATURE_256",
    "X_GITLAB_TOKEN",
    "X_GITHUB_EVENT",
    "SEC_FETCH_SITE",
    "EXPECT",
    "TRANSFER_ENCODING",
    "ACCEPT_LANGUAGE",
    "CONTENT_ENCODING",
)
VALUES = (
    "",
    "*",
    '"x"',
    'W/"x", "y"',
    "gzip;q=0, *;q=1",
    "identity;q=0",
    "gzip, br, zstd" * 20,
    "bytes=0-",
    "bytes=5-2,-1",
    "Thu, 01 Jan 1970 00:00:00 GMT",
    "Fri, 31 Dec 9999 23:59:59 GMT",
    "0",
    "http://[",
    "https://evil.example",
    "null",
    "evil.example",
    "a b",
    "[::1",
    "x:99999",
    "a\tb",
    "\x80\xff",
    "session=x; session=y",
    'session="\\',
    "Bearer x",
    "Basic !!!",
    "sha256=00",
    "text/html;q=x",
    "1.2.3.4, 5.6.7.8",
    "chunked",
    "x" * 9000,
    "same-origin",
    "100-continue",
)
CONTENT_TYPES = (
    "application/x-www-form-urlencoded",
    "multipart/form-data",
    "multipart/form-data; boundary=x",
    "application/json",
    "multipart/form-data; boundary=" + "x" * 300,
    "text/plain; charset=utf-7",
    "application/json; charset=\x80",
    "",
    "/",
)
BODIES = (
    b"token=x",
    b"token=%00%ff",
    b"--x\r\nContent-Disposition: form-data; name=token\r\n\r\nx\r\n--x--\r\n",
    b"{}",
    b"[",
    b"--x\r\nContent-Disposition: form-data; name=a; filename=b\r\n\r\n" + b"y" * 5000,
    b"\xff" * 10,
    b"a=b&" * 2000,
)

paths = st.one_of(
    st.sampled_from(PATHS),
    mutated(PATHS),
    st.tuples(st.sampled_from(PATHS), st.sampled_from([*PIECES, *LETTERS, *MARKUP])).map(
        lambda pair: pair[0] + pair[1].encode("utf-8", "surrogatepass")
    ),
)
headers = st.dictionaries(
    st.sampled_from(NAMES),
    st.one_of(
        st.sampled_from(VALUES), st.text(st.characters(max_codepoint=255, exclude_characters="\r\n\0"))
    ),
    max_size=5,
)


@pytest.fixture(scope="module")
def application(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The site with all of its routes, behind one proxy."""
    site = ArticleSite(tmp_path_factory.mktemp("site"), Clock())
    for name in ("a", "b", "sub/c"):
        site.write(f"{name}.md", body="Text *here*.", title=f"Title {name}", topics=["AI", "C++"], quality=80)
    (site.root / "a.png").write_bytes(b"\x89PNG" + b"x" * 5000)
    environ = {"ADMIN_TOKEN": TOKEN, "METRICS_TOKEN": TOKEN, "GIT_HOOK_SECRET": TOKEN, "TRUSTED_PROXIES": "1"}
    app = create_app(site.config(), clock=site.clock, environ=environ)
    app.testing = True  # an unexpected error is raised as it is
    newswire: Newswire = app.extensions["newswire"]
    newswire.indexer.refresh()
    feeds = FeedServer(app.wsgi_app, newswire.publisher)
    feeds.start()
    yield behind_proxies(feeds, environ, "https://news.example.org")
    feeds.stop()
    newswire.catalog.close()


@fuzz(
    method=st.sampled_from(["GET", "GET", "HEAD", "POST", "PUT", "OPTIONS", "DELETE", "PATCH", "get", "X"]),
    target=paths,
    headers=headers,
    content_type=st.sampled_from(CONTENT_TYPES),
    body=st.one_of(st.sampled_from(BODIES), mutated(BODIES)),
    length=st.sampled_from(["right", "right", "missing", "-1", "x", "9" * 30, "1"]),
    examples=150,
)
@example("GET", b"/search?q=x&page=" + b"9" * 23, {}, "", b"", "missing")
@example("GET", b"/topics/ai?page=" + b"9" * 5000, {}, "", b"", "missing")
@example("POST", b"/admin/login", {"ORIGIN": "http://["}, CONTENT_TYPES[0], b"token=x", "right")
@example("POST", b"/hooks/git", {"X_GITLAB_TOKEN": "\x80\xff"}, "application/json", b"{}", "right")
@example("GET", b"/feeds//all.rss", {"HOST": "evil.example"}, "", b"", "missing")
def test_every_request_is_answered_and_none_with_a_5xx(
    application: Any,
    method: str,
    target: bytes,
    headers: dict[str, str],
    content_type: str,
    body: bytes,
    length: str,
) -> None:
    """Any path, headers and body give a status below 500, valid headers, and no redirect to other hosts."""
    status, answered, _ = ask(application, method, target, headers, content_type, body, length)
    # 503 is correct for /readyz/bot without a bot, and for the operator's pages without a database.
    assert 200 <= status < 500 or (status == 503 and target.startswith((b"/readyz", b"/admin"))), status
    for name, value in answered:
        assert re.fullmatch(r"[A-Za-z0-9-]+", name), name
        assert not re.search(r"[\x00-\x08\x0a-\x1f\x7f]", value), (name, value)
        value.encode("latin-1")
        if name.lower() == "location":
            assert urlsplit(value).netloc in ("", "news.example.org"), value
            assert not value.startswith(("//", "/\\")), value


def ask(
    application: Any,
    method: str,
    target: bytes,
    headers: dict[str, str],
    content_type: str,
    body: bytes,
    length: str,
) -> tuple[int, list[tuple[str, str]], bytes]:
    """Send a request to the application unfiltered, and return status, headers and body."""
    # The server refuses a target with any other bytes.
    target = re.sub(rb"[^!-~]", lambda found: b"%%%02X" % found[0][0], target)
    path, _, query = target.partition(b"?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": percent_decoded(path).decode("latin-1"),
        "QUERY_STRING": query.decode("latin-1"),
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "news.example.org",
        "CONTENT_TYPE": content_type,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        **{f"HTTP_{name}": value for name, value in headers.items()},
    }
    if length != "missing":
        environ["CONTENT_LENGTH"] = str(len(body)) if length == "right" else length
    started: list[Any] = []

    def start_response(status: str, listed: list[tuple[str, str]], exc_info: Any = None) -> Any:
        started[:] = [status, listed]
        return lambda _: None

    result = application(environ, start_response)
    try:
        content = b"".join(result)
    finally:
        if hasattr(result, "close"):
            result.close()
    assert re.match(r"\d{3} ", started[0]), started[0]
    return int(started[0][:3]), started[1], content


def percent_decoded(path: bytes) -> bytes:
    return re.sub(rb"%([0-9A-Fa-f]{2})", lambda found: bytes([int(found[1], 16)]), path)


REQUESTS = (
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    b'GET /feeds/all.rss HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\nIf-None-Match: "x"\r\n\r\n',
    b"GET /topics/ai?page=2 HTTP/1.0\r\n\r\n",
    b"HEAD /search?q=%F0%9F%98%80 HTTP/1.1\r\nHost: x\r\nUser-Agent: y\r\n\r\n",
    b"POST /hooks/git HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nX-Gitlab-Token: z\r\n\r\n{}",
    b"POST /hooks/git HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /x",
    b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET http://evil.example/feeds/all.rss HTTP/1.1\r\nHost: evil.example\r\n\r\n",
    b"GET /articles/a%2f..%2f..%2fconfig.yaml HTTP/1.1\r\nHost: x\r\nRange: bytes=0-1\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\nConnection: Upgrade\r\nHTTP2-Settings: AAMA\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00",
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The Procfile's web process with one worker."""
    home = tmp_path_factory.mktemp("server")
    (home / "content").mkdir()
    (home / "content" / "a.md").write_text(front_matter("Text", topics=["AI"]), encoding="utf-8")
    environ = {"WEB_CONCURRENCY": "1", "ADMIN_TOKEN": TOKEN, "GIT_HOOK_SECRET": TOKEN}
    with serving(home, "{path: content}", **environ) as web:
        web.wait_for("/feeds/all.rss", "A title")
        yield web


@st.composite
def whole_requests(draw: st.DrawFn) -> bytes:
    """Return a request whose form is valid and whose content is random."""
    target = re.sub(rb"[^!-~]", lambda found: b"%%%02X" % found[0][0], draw(paths)) or b"/"
    method = draw(st.sampled_from([b"GET", b"HEAD", b"POST", b"PUT", b"OPTIONS"]))
    lines = [b"%s %s HTTP/1.1" % (method, target), b"Host: news.example.org"]
    for name, value in draw(headers).items():
        if name not in ("HOST", "TRANSFER_ENCODING", "EXPECT"):
            text = re.sub(r"[\x00-\x08\x0a-\x1f\x7f]", "", value).encode("latin-1")
            lines.append(name.replace("_", "-").encode() + b": " + text)
    body = draw(st.one_of(st.sampled_from(BODIES), mutated(BODIES))) if method in (b"POST", b"PUT") else b""
    lines += [b"Content-Type: " + draw(st.sampled_from(CONTENT_TYPES)).encode("latin-1")]
    lines += [b"Content-Length: %d" % len(body), b"Connection: close"]
    return b"\r\n".join([*lines, b"", body])


@fuzz(data=st.one_of(mutated(REQUESTS), whole_requests()), examples=40)
def test_the_real_server_outlives_every_byte_stream(server: Server, data: bytes) -> None:
    """Each answer is HTTP below 500 or a closed connection, and the next client is served."""
    port = urlsplit(server.url).port
    answer = b""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=WAIT_SECONDS) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        while piece := connection.recv(65536):
            answer += piece
            assert len(answer) < 5_000_000
    for status in re.findall(rb"^HTTP/1\.[01] (\d{3})", answer, re.MULTILINE):
        assert int(status) < 500 or status == b"505", answer[:500]
    assert server.get("/healthz").status_code == 200
    assert server.process.poll() is None
