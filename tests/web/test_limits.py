"""The limits of a request, and how much of its body is read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from web import limits
from web.limits import Refusal, body_length, refusal

HOST = ("host", "news.example")


def test_an_ordinary_request_passes() -> None:
    """A request with a query, and with a path in another script, passes."""
    assert refusal("/topics/日本語", "page=2", [HOST, ("accept", "*/*")]) is None


@given(st.lists(st.tuples(st.text("abc-", min_size=1), st.text("xyz", max_size=3000))))
def test_header_fields_are_counted_together(fields: list[tuple[str, str]]) -> None:
    """Many small header fields are refused at the same byte as one large field."""
    size = sum(len(f"{name}: {value}\r\n") for name, value in [HOST, *fields])
    refused = refusal("/", "", [HOST, *fields])
    assert refused == (limits.HEADERS_TOO_LARGE if size > limits.MAX_HEADER_BYTES else None)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/" + "a" * (limits.MAX_PATH_BYTES - 1), None),
        ("/" + "a" * limits.MAX_PATH_BYTES, 414),
        ("/" + "日" * (limits.MAX_PATH_BYTES // 3 + 1), 414),
        ("/articles/" + "a" * (limits.MAX_ARTICLE_PATH_BYTES - 10), None),
        ("/articles/" + "a" * (limits.MAX_ARTICLE_PATH_BYTES - 9), 414),
        ("/feeds/" + "a" * limits.MAX_PATH_BYTES, 414),
    ],
)
def test_paths_have_a_length_in_bytes(path: str, status: int | None) -> None:
    """An article's address may be longer than any other path."""
    refused = refusal(path, "", [HOST])
    assert (refused.status if refused else None) == status


def test_queries_have_a_length() -> None:
    """The query is part of the address, so one that is too long gives 414."""
    assert refusal("/search", "q=" + "a" * limits.MAX_QUERY_BYTES, [HOST]) == limits.PATH_TOO_LONG


@pytest.mark.parametrize(
    ("hosts", "is_http_1_0", "is_refused"),
    [(1, False, False), (0, False, True), (0, True, False), (2, False, True), (2, True, True)],
)
def test_there_is_one_host(hosts: int, is_http_1_0: bool, is_refused: bool) -> None:
    """A request of HTTP/1.1 without Host, or any with two, is answered 400 (RFC 9112 §3.2)."""
    assert (refusal("/", "", [HOST] * hosts, is_http_1_0=is_http_1_0) is not None) is is_refused


@pytest.mark.parametrize(
    ("method", "fields", "expected"),
    [
        ("GET", {}, 0),
        ("GET", {"content-length": "999999999"}, 0),
        ("HEAD", {"transfer-encoding": "chunked"}, 0),
        ("POST", {}, 0),
        ("POST", {"transfer-encoding": "chunked"}, 411),
        ("POST", {"transfer-encoding": "chunked", "content-length": "3"}, 411),
        ("PUT", {}, 0),
        ("POST", {"content-length": "0"}, 0),
        ("POST", {"content-length": "65536"}, 65536),
        ("POST", {"content-length": "0000065536"}, 65536),
        ("POST", {"content-length": "65537"}, 413),
        ("POST", {"content-length": "9" * 5000}, 413),
        ("POST", {"content-length": "-1"}, 400),
        ("POST", {"content-length": "٣"}, 400),
        ("POST", {"content-length": ""}, 400),
        ("DELETE", {}, 0),
    ],
)
def test_the_length_is_checked_before_the_body(method: str, fields: dict[str, str], expected: int) -> None:
    """Only a body of a known length within the limit is read."""
    length = body_length(method, list(fields.items()))
    assert (length.status if isinstance(length, Refusal) else length) == expected


def test_lengths_that_differ() -> None:
    """A request with two different lengths is refused (RFC 9112 §6.3)."""
    both = [("content-length", "3"), ("content-length", "4")]
    assert body_length("POST", both) == limits.BAD_LENGTH
    assert body_length("POST", [both[0], both[0]]) == 3
