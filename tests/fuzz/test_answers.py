"""A chat service's answers, from a server, a proxy or an attacker on the way."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest
import requests
from hypothesis import example
from hypothesis import strategies as st

from bot.sending.errors import TransportError
from bot.sending.transport import MAX_BODY, Transport
from bot.services import SERVICES, Outcome, Request, Response, Verdict
from bot.services.secret import Secret
from tests.bot.test_transport import Peer, answer_and_close
from tests.fuzz.budget import fuzz
from tests.fuzz.seeds import mutated, texts
from tests.hostile import PIECES

TOKEN = "s3cr3t-T0ken"
LONGEST_PAUSE = timedelta(days=2)
RAW = (
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 2.5\r\nContent-Length: 0\r\n\r\n",
    b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"id"\r\n6\r\n: "1"}\r\n0\r\n\r\n',
    b"HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\nContent-Length: 40\r\n\r\n"
    b'{"message": "Unknown", "code": 10015}   ',
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
    b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.0 500 x\r\n\r\n" + b"y" * 500,
    b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
)
HEADERS = (
    "Retry-After",
    "X-RateLimit-Remaining",
    "X-RateLimit-Reset-After",
    "X-RateLimit-Global",
    "Via",
    "Date",
)

numbers = st.one_of(
    st.integers(-(10**30), 10**30).map(str),
    st.floats().map(str),
    st.sampled_from(["1e400", "nan", "٣", "", " 1 "]),
    texts(1),
    st.sampled_from(["Fri, 31 Dec 9999 23:59:59 GMT", "Sun, 06 Nov 1994 08:49:37 GMT"]),
)
json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), texts(2), st.sampled_from(PIECES)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                ["id", "code", "message", "retry_after", "global", "errors", "_errors", "embeds", "0"]
            ),
            inner,
            max_size=5,
        ),
    ),
    max_leaves=12,
)
bodies = st.one_of(
    st.binary(max_size=60),
    json_values.map(lambda value: json.dumps(value).encode()),
    st.sampled_from(
        [b"ok", b"no_service", b"invalid_token", b"[" * 100_000, b"<html>" * 20, b"\xff", b"1" * 5000]
    ),
)
responses = st.builds(
    Response,
    status=st.one_of(
        st.sampled_from([200, 204, 400, 401, 403, 404, 410, 429, 500, 503]), st.integers(100, 999)
    ),
    headers=st.dictionaries(st.sampled_from(HEADERS), numbers, max_size=4),
    body=bodies,
)


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    with requests.Session() as opened:
        yield opened


def check(verdict: Verdict) -> None:
    """Fail if a verdict could mislead the operator, stop a channel forever, or leak a secret."""
    assert isinstance(verdict.outcome, Outcome)
    assert len(verdict.reason) <= 500
    assert "\n" not in verdict.reason
    assert TOKEN not in verdict.reason
    verdict.reason.encode("utf-8")
    if verdict.retry_after is not None:
        assert timedelta(0) <= verdict.retry_after <= LONGEST_PAUSE
    if verdict.pace is not None:
        assert verdict.pace.remaining >= 0
        assert timedelta(0) <= verdict.pace.reset_after <= LONGEST_PAUSE
    if verdict.message_id is not None:
        assert verdict.message_id and len(verdict.message_id) <= 200
        assert verdict.message_id.isascii()


@fuzz(response=responses, examples=150)
@example(response=Response(status=429, headers={"Retry-After": "1e400"}))
@example(response=Response(status=200, body=b'{"id": {"x": 1}}'))
@example(response=Response(status=400, body=b'{"errors": {"a": {"_errors": 1}}}'))
def test_every_answer_is_a_verdict(response: Response) -> None:
    """Any status, header and body gives a verdict with bounded pauses, ids and reasons."""
    for service in SERVICES.values():
        check(service.classify(response))


@fuzz(raw=st.one_of(mutated(RAW), st.binary(max_size=100)), examples=20)
def test_every_byte_stream_is_an_answer_or_a_transport_error(raw: bytes, session: requests.Session) -> None:
    """Over a real socket, one request is sent at most, the body is bounded, and errors have no address."""
    with Peer(answer_and_close(raw)) as peer:
        transport = Transport(session, user_agent="fuzz", timeouts=(5.0, 0.3))
        address = Secret(f"http://127.0.0.1:{peer.port}/services/T0/B0/{TOKEN}")
        answer = sent(transport, Request(method="POST", url=address, json={"text": "x"}))
    assert len(peer.requests) <= 1  # none where the deadline passed before the peer read it
    if isinstance(answer, Response):
        assert len(answer.body) <= MAX_BODY
        for service in SERVICES.values():
            check(service.classify(answer))
    else:
        assert TOKEN not in str(answer)
        assert "\n" not in str(answer)


def sent(transport: Transport, request: Request) -> Response | TransportError:
    try:
        return transport.send(request)
    except TransportError as error:
        return error
