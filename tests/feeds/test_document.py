"""The HTTP headers of a document: entity tags, conditions, content codings."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime, timedelta, timezone
from email.utils import formatdate

import brotli
import pytest
import zstandard
from hypothesis import example, given
from hypothesis import strategies as st

from web.codings import choose_coding
from web.document import Document, answer
from web.entity_tags import http_date, is_not_modified

NEWEST = datetime(2026, 6, 1, 12, 0, 0, 500_000, tzinfo=UTC)
DATE = "Mon, 01 Jun 2026 12:00:00 GMT"
BODY = "<rss>日本語 &amp; more</rss>".encode() * 50


def document(last_modified: datetime | None = NEWEST) -> Document:
    """Return a document; without entries it has no time."""
    headers = (("Cache-Control", "public, max-age=60"), ("Link", '<https://a.example/>; rel="self"'))
    return Document(body=BODY, mimetype="text/xml", last_modified=last_modified, headers=headers)


def status(**conditions: str) -> int:
    """Return the status of the answer to these request headers."""
    return answer(document(), {name.replace("_", "-"): value for name, value in conditions.items()}).status


TAG = document().tag


def test_the_whole_answer() -> None:
    """An answer has status, validators, caching, a type with charset, and length."""
    answered = answer(document(), {})
    assert answered.status == 200
    assert dict(answered.headers) == {
        "ETag": f'"{TAG}"',
        "Cache-Control": "public, max-age=60",
        "Link": '<https://a.example/>; rel="self"',
        "Vary": "Accept-Encoding",
        "Last-Modified": DATE,
        "Content-Type": "text/xml; charset=utf-8",
        "Content-Length": str(len(BODY)),
    }
    assert answered.body == BODY


def test_the_tag_is_of_the_bytes() -> None:
    """Equal bytes have equal tags in every process; different bytes have different tags."""
    assert document().tag == document(None).tag
    assert Document(body=b"x", mimetype="text/xml", last_modified=None).tag != TAG


@pytest.mark.parametrize(
    ("if_none_match", "expected"),
    [
        (f'"{TAG}"', 304),
        (f'W/"{TAG}"', 304),
        (f'"x", "{TAG}"', 304),
        (f'"x","y,z" ,W/"{TAG}"', 304),
        ("*", 304),
        (" * ", 304),
        (f'"{TAG}-gzip"', 304),
        (f'"{TAG}-br"', 304),
        (f'"{TAG}-zstd"', 304),
        (f'W/"{TAG}-gzip-gzip"', 304),
        ("", 200),
        ('"x"', 200),
        (TAG, 200),
        ("x*", 200),
        ('W/*, "y"', 200),
        ('"*"', 200),
        (f'"{TAG}-deflate"', 200),
        (f'"{TAG}', 200),
        (f'"-{TAG}"', 200),
    ],
)
def test_if_none_match(if_none_match: str, expected: int) -> None:
    """Weak tags, lists and `*` match, also with a proxy's suffix; invalid and other tags do not."""
    assert status(if_none_match=if_none_match) == expected


@pytest.mark.parametrize(
    ("if_modified_since", "expected"),
    [
        (DATE, 304),
        ("Mon, 01 Jun 2026 12:00:01 GMT", 200),
        ("Mon, 01 Jun 2026 11:59:59 GMT", 200),
        (
            "Monday, 01-Jun-26 12:00:00 GMT",
            304,
        ),  # RFC 850's form, which RFC 9110 §5.6.7 requires servers to read
        ("Mon Jun  1 12:00:00 2026", 304),  # asctime's form, likewise
        ("Mon, 01 Jun 2026 14:00:00 +0200", 304),
        ("Mon, 01 Jun 2026 12:00:00 -0000", 304),
        ("", 200),
        ("0", 200),
        ("yesterday", 200),
        ("1780315200", 200),
        ("Mon, 32 Jun 2026 12:00:00 GMT", 200),
        ("Mon, 01 Jun 99999999999999999999 12:00:00 GMT", 200),
        ("Mon, 01 Jun 2026 12:00:00 +99999999999999", 200),
    ],
)
def test_if_modified_since(if_modified_since: str, expected: int) -> None:
    """All three date forms are read to the second; anything else is ignored."""
    assert status(if_modified_since=if_modified_since) == expected


@pytest.mark.parametrize(
    ("if_match", "expected"),
    [
        (f'"{TAG}"', 200),
        (f'"other", "{TAG}"', 200),
        ("*", 200),
        ('"other"', 412),
        (f'W/"{TAG}"', 412),
        (f'"{TAG}-gzip"', 412),
        ("", 412),
    ],
)
def test_if_match(if_match: str, expected: int) -> None:
    """The answer is 412 unless the field names the exact bytes that would be sent (RFC 9110 §13.1.1)."""
    assert status(if_match=if_match) == expected
    assert status(if_match=if_match, if_unmodified_since="Mon, 01 Jan 2001 00:00:00 GMT") == expected


def test_if_match_is_about_the_coding_that_is_sent() -> None:
    """Each coding has its own tag, and only that one names its bytes."""
    assert status(if_match=f'"{TAG}-gzip"', accept_encoding="gzip") == 200
    assert status(if_match=f'"{TAG}"', accept_encoding="gzip") == 412


@pytest.mark.parametrize(
    ("if_unmodified_since", "expected"),
    [
        (DATE, 200),
        ("Mon, 01 Jun 2026 12:00:01 GMT", 200),
        ("Mon, 01 Jun 2026 11:59:59 GMT", 412),
        ("last Tuesday", 200),
        ("", 200),
    ],
)
def test_if_unmodified_since(if_unmodified_since: str, expected: int) -> None:
    """412 is sent when there is a newer entry, and invalid dates are ignored (RFC 9110 §13.1.4)."""
    assert status(if_unmodified_since=if_unmodified_since) == expected


def test_a_condition_that_fails_comes_before_one_that_is_met() -> None:
    """If-Match comes first (RFC 9110 §13.2.2).

    The answer has a tag and no body, and must not be stored.
    """
    refused = answer(document(), {"if-match": '"other"', "if-none-match": f'"{TAG}"'})
    assert (refused.status, refused.body) == (412, b"")
    assert dict(refused.headers)["ETag"] == f'"{TAG}"'
    assert dict(refused.headers)["Cache-Control"] == "no-store"


def test_only_if_none_match_decides() -> None:
    """If-Modified-Since counts only without If-None-Match (RFC 9110 §13.2.2)."""
    assert status(if_none_match='"old"', if_modified_since=DATE) == 200
    assert status(if_none_match=f'"{TAG}"', if_modified_since="Mon, 01 Jan 2001 00:00:00 GMT") == 304
    assert status(if_none_match="", if_modified_since=DATE) == 200


def test_a_document_without_entries_has_no_date() -> None:
    """No Last-Modified is sent, If-Modified-Since is ignored, and the tag works as usual."""
    empty = document(None)
    assert "Last-Modified" not in dict(answer(empty, {}).headers)
    assert answer(empty, {"if-modified-since": DATE}).status == 200
    assert answer(empty, {"if-none-match": f'"{TAG}"'}).status == 304


@given(
    st.text(max_size=60) | st.from_regex(r"\A[A-Z][a-z]{2}, \d+ (Jan|Feb|XXX) \d+ \d+:\d+:\d+ [-+A-Z0-9]+\Z")
)
@example("Mon, 01 Jan 9999 00:00:00 -2359")
@example("Mon, 01 Jan 0001 00:00:00 +2359")
def test_no_date_is_an_error(date: str) -> None:
    """Any date or tag from a client gets an answer."""
    assert is_not_modified(TAG, NEWEST, {"if-modified-since": date}) in (True, False)
    assert is_not_modified(TAG, NEWEST, {"if-none-match": date}) in (True, False)


@pytest.mark.parametrize(
    ("accept_encoding", "coding"),
    [
        ("", "identity"),
        ("gzip", "gzip"),
        ("gzip, deflate", "gzip"),
        ("gzip, deflate, br, zstd", "br"),
        ("gzip, zstd", "zstd"),
        ("x-gzip", "gzip"),
        ("X-GZIP;q=0.5, br;q=0.1", "gzip"),
        ("x-gzip;q=0", "identity"),
        ("GZIP", "gzip"),
        ("br;q=0.5, gzip;q=0.8", "gzip"),
        ("br;q=0.8, gzip;q=0.8", "br"),
        ("gzip;q=0", "identity"),
        ("gzip; q=0.5", "gzip"),
        ("gzip ;q=1.000", "gzip"),
        ("*", "br"),
        ("*;q=0", "identity"),
        ("br;q=0, *", "zstd"),
        ("identity", "identity"),
        ("identity;q=1, gzip;q=0.5", "identity"),
        ("identity;q=0.5, gzip;q=1", "gzip"),
        ("identity;q=0", "identity"),
        ("deflate", "identity"),
        ("gzip;q=2", "identity"),
        ("gzip;q=x", "identity"),
        (",,gzip,", "gzip"),
        (";", "identity"),
    ],
)
def test_the_coding_is_the_best_the_client_takes(accept_encoding: str, coding: str) -> None:
    """The client's weights decide, then size; q=0 and invalid values mean no (RFC 9110 §12.5.3)."""
    assert choose_coding(accept_encoding) == coding


@given(st.text())
def test_any_accept_encoding_is_answered(accept_encoding: str) -> None:
    """Any value of Accept-Encoding gets an answer."""
    assert choose_coding(accept_encoding) in ("identity", "gzip", "br", "zstd")


def test_every_coding_decodes_to_the_same_bytes() -> None:
    """Each coding has its own strong tag, its length and Vary; equal input gives equal bytes."""
    decoders = {"gzip": gzip.decompress, "br": brotli.decompress, "zstd": zstandard.decompress}
    for coding, decode in decoders.items():
        answered = answer(document(), {"accept-encoding": coding})
        headers = dict(answered.headers)
        assert decode(answered.body) == BODY
        assert len(answered.body) < len(BODY)
        assert headers["Content-Encoding"] == coding
        assert headers["Content-Length"] == str(len(answered.body))
        assert headers["ETag"] == f'"{TAG}-{coding}"'
        assert headers["Vary"] == "Accept-Encoding"
        assert answered.body == answer(document(), {"accept-encoding": coding}).body
        again = answer(document(), {"accept-encoding": coding, "if-none-match": headers["ETag"]})
        assert again.status == 304


def test_an_unchanged_answer_has_no_body_and_says_what_caches_need() -> None:
    """304 repeats the tag, Vary and Cache-Control (RFC 9110 §15.4.5), without headers about a body."""
    answered = answer(document(), {"if-none-match": "*", "accept-encoding": "gzip"})
    headers = dict(answered.headers)
    assert (answered.status, answered.body) == (304, b"")
    assert headers["ETag"] == f'"{TAG}-gzip"'
    assert headers["Vary"] == "Accept-Encoding"
    assert headers["Cache-Control"] == "public, max-age=60"
    assert not headers.keys() & {"Content-Type", "Content-Length", "Content-Encoding"}


@given(
    st.datetimes(min_value=datetime(1900, 1, 2), max_value=datetime(9998, 1, 1)),
    st.integers(min_value=-14, max_value=14),
)
def test_dates_are_english_and_in_gmt(moment: datetime, hours: int) -> None:
    """An HTTP date names the same instant, whatever zone the time has."""
    utc = moment.replace(tzinfo=UTC)
    there = utc.astimezone(timezone(timedelta(hours=hours)))
    assert http_date(there) == formatdate(utc.replace(microsecond=0).timestamp(), usegmt=True)
