"""Hostile requests: no route answers 500, for a stranger or for the operator."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from werkzeug.routing import Map
from werkzeug.test import EnvironBuilder, run_wsgi_app

from tests.fakechat import FakeChat
from tests.pages.operator import Desk, form_token
from tests.site import ArticleSite, Clock
from web.numbers import MAX_ID, whole_number

NUMBERS = st.one_of(
    st.integers().map(str),
    st.integers(min_value=1, max_value=6000).map(lambda digits: "9" * digits),
    st.sampled_from(["0", "-1", "+1", "1", "١", "²", "1e3", "0x1", " 1", "1.0", "", str(2**31), str(2**63)]),
)
TEXTS = st.one_of(
    NUMBERS, st.text(max_size=30), st.sampled_from(["\0", "team", "new", "pause", "replay", "../"])
)
NAMES = st.sampled_from(
    ["page", "before", "min_quality", "channel", "article", "q", "state", "topic", "match", "word", "type",
     "provider", "form_token", "token", "x"]
)  # fmt: skip
# Latin-1, as WSGI hands headers over; a server lets no control character pass.
HEADER_TEXTS = st.one_of(
    st.text(st.characters(max_codepoint=255, exclude_categories=["Cc"]), max_size=60),
    st.sampled_from(
        ["http://[", "http://[::1", "null", "http://\u00ad", "//", "*", '"', "bytes=9-", "x:99999"]
    ),
    NUMBERS.filter(str.isascii).map(lambda number: f"bytes={number}-"),
)
HEADERS = st.dictionaries(
    st.sampled_from(
        ["Origin", "Host", "Cookie", "Referer", "If-None-Match", "If-Modified-Since", "If-Range", "Range",
         "Accept-Encoding", "Accept", "User-Agent", "Authorization", "Sec-Fetch-Site", "X-Forwarded-For",
         "X-Forwarded-Host", "Content-Type", "Content-Length", "Accept-Language"]
    ),
    HEADER_TEXTS,
    max_size=4,
)  # fmt: skip


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A site with an article, a picture, and a bot that has posted the article."""
    clock = Clock()
    site = ArticleSite(tmp_path_factory.mktemp("hostile"), clock)
    site.write("old.md", "Text", quality=60, topics=["AI"])
    site.raw("a.png", b"\x89PNG")
    with FakeChat() as chat:
        desk = Desk(site, chat, clock)
        desk.check()
        site.write("new.md", "Text", quality=90, publishedDateTime=clock.now.isoformat())
        desk.check()
        yield desk
        desk.close()


@pytest.fixture(scope="module")
def session(desk: Desk) -> tuple[str, str]:
    """The operator's cookie, and the token of its forms."""
    browser = desk.client()
    cookie = browser.get_cookie("__Secure-newswire_admin", path="/admin")
    assert cookie
    return f"{cookie.key}={cookie.value}", form_token(browser)


def addresses(urls: Map) -> list[tuple[str, str]]:
    """Return method and pattern of every route."""
    return sorted(
        (method, str(rule))
        for rule in urls.iter_rules()
        for method in (rule.methods or set()) & {"GET", "POST", "HEAD"}
        if rule.endpoint != "admin.log_out"
    )


def filled(pattern: str, texts: list[str]) -> str:
    """Return a pattern with each of its variables replaced by the next text."""
    parts = pattern.replace(">", "<").split("<")
    return "".join(texts[index % len(texts)] if index % 2 else part for index, part in enumerate(parts))


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    choice=st.integers(min_value=0, max_value=10_000),
    texts=st.lists(TEXTS, min_size=3, max_size=3),
    pairs=st.lists(st.tuples(NAMES, TEXTS), max_size=4),
    headers=HEADERS,
    is_operator=st.booleans(),
)
@example(0, ["9" * 23] * 3, [("before", "9" * 23)], {"Origin": "http://["}, True)
def test_no_request_is_an_error(
    desk: Desk,
    session: tuple[str, str],
    choice: int,
    texts: list[str],
    pairs: list[tuple[str, str]],
    headers: dict[str, str],
    is_operator: bool,
) -> None:
    """Every route, with any variables, parameters and headers, answers below 500."""
    routes = addresses(desk.app.url_map)
    method, pattern = routes[choice % len(routes)]
    cookie, token = session
    given = [*pairs, ("form_token", token)] if is_operator else pairs
    status, text = ask(desk, method, filled(pattern, texts), given, headers, cookie if is_operator else "")
    # No watcher and no bot runs here.
    assert status < 500 or (status == 503 and pattern in ("/readyz", "/readyz/bot")), text


@pytest.mark.parametrize("number", ["9" * 23, "9" * 5000, str(2**63), "0", "-1", "1.5", "x", "١"])
@pytest.mark.parametrize(
    "address",
    ["/admin/deliveries/{}", "/admin/deliveries?before={}", "/admin/threshold?channel=team&min_quality={}",
     "/topics/ai?page={}", "/search?q=a&page={}", "/feeds/all.rss?min_quality={}", "/build?min_quality={}"],
)  # fmt: skip
def test_a_number_outside_its_range(desk: Desk, address: str, number: str) -> None:
    """The answer is 404, 400, or that for the default."""
    assert client(desk).get(address.format(number)).status_code in (200, 301, 400, 404)


@pytest.mark.parametrize("order", ["replay", "skip", "posted", "not-posted", "x"])
def test_an_order_for_a_delivery_that_cannot_be(desk: Desk, order: str) -> None:
    """The delivery is not found."""
    browser = client(desk)
    data = {"form_token": form_token(browser)}
    for number in ("9" * 23, str(MAX_ID), "x"):
        assert browser.post(f"/admin/deliveries/{number}/{order}", data=data).status_code == 404


def test_an_origin_that_cannot_be_read_is_another_site(desk: Desk) -> None:
    """An unreadable origin is refused as another site is."""
    browser = client(desk)
    data = {"form_token": form_token(browser)}
    for origin in ("http://[", "http://[::1", "", "http://", "null", "\u00e9"):
        answer = browser.post("/admin/channels/team/pause", data=data, headers={"Origin": origin})
        assert answer.status_code == 403


@given(st.integers(), st.integers(min_value=-(2**63), max_value=2**63 - 1), st.integers(min_value=0))
def test_whole_numbers(number: int, low: int, width: int) -> None:
    """A number is accepted exactly within its bounds."""
    high = min(low + width, 2**63 - 1)
    assert whole_number(str(number), low, high) == (number if low <= number <= high else None)


@given(st.text(max_size=30))
def test_other_texts_are_no_numbers(text: str) -> None:
    """Only ASCII digits with a sign are accepted: no spaces, underscores, or digits of other scripts."""
    found = whole_number(text, -MAX_ID, MAX_ID)
    assert found is None or (
        text.isascii() and int(text) == found and "_" not in text and text == text.strip()
    )


def client(desk: Desk) -> Any:
    """Return a browser of the operator."""
    return desk.client()


def ask(
    desk: Desk, method: str, path: str, pairs: list[tuple[str, str]], headers: dict[str, str], session: str
) -> tuple[int, str]:
    """Return status and text of the answer. Unexpected errors are raised."""
    desk.app.testing = True
    query = urlencode(pairs)
    body = query.encode() if method == "POST" else b""
    environ = EnvironBuilder(path="/", method=method).get_environ()
    environ |= {
        "PATH_INFO": path.encode("utf-8", "replace").decode("latin-1"),
        "QUERY_STRING": query,
        "wsgi.input": BytesIO(body),
        "CONTENT_TYPE": "application/x-www-form-urlencoded",
        "CONTENT_LENGTH": str(len(body)),
    }
    for name, value in headers.items():
        key = name.upper().replace("-", "_")
        environ[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = value
    if session:
        environ["HTTP_COOKIE"] = session
    parts, status, _ = run_wsgi_app(desk.app.wsgi_app, environ)
    return int(status.split()[0]), b"".join(parts).decode("utf-8", "replace")
