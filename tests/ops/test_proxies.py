"""Which of a proxy's headers are trusted."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import Client
from werkzeug.wrappers import Request, Response

from ops.errors import SettingError
from ops.proxies import behind_proxies
from tests.site import URL

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

CLIENT = {"REMOTE_ADDR": "127.0.0.1"}


def _application(environ: WSGIEnvironment, start_response: StartResponse) -> object:
    request = Request(environ)
    return Response(f"{request.scheme} {request.remote_addr} {request.host}"[:500])(environ, start_response)


def seen(peer: str, *, proxies: int = 1, url: str = URL, **headers: str) -> list[str]:
    """Return scheme, client and host as the application sees them."""
    application = behind_proxies(_application, {"TRUSTED_PROXIES": str(proxies)}, url)  # type: ignore[arg-type]
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    client = Client(application)
    return client.get("/", headers=named, environ_base={"REMOTE_ADDR": peer}).text.split(" ")


@pytest.mark.parametrize(
    ("proxies", "seen"),
    [("", "http 127.0.0.1"), ("0", "http 127.0.0.1"), ("1", "https 3.3.3.3"), ("2", "https 2.2.2.2")],
)
def test_proxies_are_believed_only_when_configured(proxies: str, seen: str) -> None:
    """Only the part of the client's address that trusted proxies wrote is used."""
    application = behind_proxies(_application, {"TRUSTED_PROXIES": proxies}, URL)  # type: ignore[arg-type]
    headers = {"X-Forwarded-For": "1.1.1.1, 2.2.2.2, 3.3.3.3", "X-Forwarded-Proto": "gopher, https, https"}
    assert Client(application).get("/", headers=headers, environ_base=CLIENT).text == f"{seen} localhost"


def test_one_scheme_for_several_proxies() -> None:
    """Fly.io's proxy counts twice among the addresses, and writes the scheme once."""
    found = seen("172.16.0.1", proxies=2, X_Forwarded_For="5.5.5.5, 66.241.1.1", X_Forwarded_Proto="https")
    assert found == ["https", "5.5.5.5", "localhost"]


@pytest.mark.parametrize("value", ["yes", "-1", "11", "1.5", "١", "9" * 5000])
def test_a_number_of_proxies_that_cannot_be(value: str) -> None:
    """The message names the variable."""
    with pytest.raises(SettingError, match="TRUSTED_PROXIES"):
        behind_proxies(_application, {"TRUSTED_PROXIES": value}, URL)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("peer", "client"),
    [
        ("127.0.0.1", "5.5.5.5"),
        ("10.1.2.3", "5.5.5.5"),
        ("100.64.0.1", "5.5.5.5"),
        ("fd00::1", "5.5.5.5"),
        ("::ffff:192.168.0.1", "5.5.5.5"),
        ("", "5.5.5.5"),
        ("8.8.8.8", "8.8.8.8"),
        ("2606:4700::1", "2606:4700::1"),
        ("::ffff:8.8.8.8", "::ffff:8.8.8.8"),
    ],
)
def test_a_client_without_a_proxy_is_not_believed(peer: str, client: str) -> None:
    """The headers of a peer on the public internet are ignored, as it is no proxy."""
    assert seen(peer, X_Forwarded_For="5.5.5.5", X_Forwarded_Proto="https")[1] == client


@pytest.mark.parametrize(
    ("field", "client"),
    [("5.5.5.5:443", "5.5.5.5:443"), ("[2001:db8::1]:1", "[2001:db8::1]:1"), ("<script>", "10.0.0.1"),
     ("unknown", "10.0.0.1"), ("", "10.0.0.1"), ("5.5.5.5,", "10.0.0.1")],
)  # fmt: skip
def test_a_client_is_an_address(field: str, client: str) -> None:
    """Anything but an address is ignored."""
    assert seen("10.0.0.1", X_Forwarded_For=field)[1] == client


@pytest.mark.parametrize(
    ("url", "host", "proto", "expected"),
    [
        (URL, "news.example.org", "https", ["https", "news.example.org"]),
        (URL, "NEWS.example.org:443", "https", ["https", "NEWS.example.org"]),
        (URL, "evil.example", "gopher", ["http", "localhost"]),
        (URL, "news.example.org:8443", "http", ["http", "localhost"]),
        (URL, "news.example.org.evil.example", "", ["http", "localhost"]),
        ("http://[::1]:8000", "[::1]:8000", "http", ["http", "[::1]:8000"]),
        ("http://news.example.org:8000", "news.example.org", "https", ["http", "localhost"]),
    ],
)
def test_host_and_scheme_are_the_sites(url: str, host: str, proto: str, expected: list[str]) -> None:
    """The proxy's host and scheme count only where they equal those of SITE_URL."""
    scheme, _, found = seen("10.0.0.1", url=url, X_Forwarded_Host=host, X_Forwarded_Proto=proto)
    assert [scheme, found] == expected


def test_what_was_seen_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    """The first request of each kind logs which of its headers were used; later ones log nothing."""
    caplog.set_level(logging.INFO)
    application = behind_proxies(_application, {"TRUSTED_PROXIES": "1"}, URL)  # type: ignore[arg-type]
    for peer in ("10.0.0.1", "8.8.8.8", "10.0.0.2", "8.8.4.4"):
        Client(application).get("/", headers={"X-Forwarded-For": "x"}, environ_base={"REMOTE_ADDR": peer})
    believed, ignored = caplog.messages
    assert "10.0.0.1 are trusted" in believed
    assert "8.8.8.8" in ignored and "ignored" in ignored
    caplog.clear()
    assert seen("10.0.0.1", proxies=0, X_Forwarded_For="5.5.5.5")[1] == "10.0.0.1"
    assert caplog.messages == ["X-Forwarded headers are ignored: TRUSTED_PROXIES is not set"]


@given(st.text(alphabet=st.characters(codec="latin-1", exclude_categories=["Cc"]), max_size=60))
def test_any_header_is_survived(text: str) -> None:
    """No text of a header causes an error."""
    assert seen("10.0.0.1", X_Forwarded_For=text, X_Forwarded_Host=text, X_Forwarded_Proto=text)
