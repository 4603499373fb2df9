"""Which addresses are usable, and which identify the same story."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from text.urls import canonical_url, http_url


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://a.example/x?y=1&z=a%20b#c", "https://a.example/x?y=1&z=a%20b#c"),
        (" https://a.example ", "https://a.example"),
        ("https://a.example/a b", "https://a.example/a%20b"),
        ("https://a.example/日本?q=é#ü", "https://a.example/%E6%97%A5%E6%9C%AC?q=%C3%A9#%C3%BC"),
        ("https://a.example/50%", "https://a.example/50%25"),
        ("https://bücher.example/", "https://xn--bcher-kva.example/"),
        ("https://straße.example/", "https://xn--strae-oqa.example/"),
        ("https://Bücher.EXAMPLE/", "https://xn--bcher-kva.example/"),
        ("https://ｅｘａｍｐｌｅ。com/", "https://example.com/"),
        ("https://a_b.bücher.example/", "https://a_b.xn--bcher-kva.example/"),
        ("https://😀.example/", "https://xn--e28h.example/"),
        ("http://[::1]:80/x", "http://[::1]:80/x"),
        ("http://a.example:8080/", "http://a.example:8080/"),
        ("https://user:word@a.example/", "https://a.example/"),
        ("https://a.example/<b>\"'", "https://a.example/%3Cb%3E%22'"),
    ],
)
def test_usable_addresses_become_uris(text: str, url: str) -> None:
    """Characters outside RFC 3986 are encoded; user names, which are private, are removed."""
    assert http_url(text) == url


@pytest.mark.parametrize(
    "text",
    ["", "a", "/x", "//a.example/", "ftp://a.example/", "javascript:alert(1)", "http://", "http:///x",
     "https://a.example:99999/", "https://a.example:x/", "http://[::1/", "https://a b.example/",
     "mailto:a@b.c", "data:text/html,x", "https://a_b c/", "https://" + "a" * 300 + "é.example/"],
)  # fmt: skip
def test_unusable_addresses(text: str) -> None:
    """Relative addresses, other schemes, and invalid hosts and ports are refused."""
    assert http_url(text) is None


@given(
    st.one_of(
        st.text(), st.text().map(lambda rest: f"https://a.example/{rest}"), st.text().map("http://{}".format)
    )
)
def test_any_text_is_a_uri_or_none(text: str) -> None:
    """Any text gives None or an ASCII URI that needs no escape and normalises to itself."""
    url = http_url(text)
    if url is not None:
        assert re.fullmatch(
            r"https?://[\w.:\[\]-]+([/?#][A-Za-z0-9%/?#@!$&'()*+,;=._~:\[\]-]*)?", url, re.ASCII
        )
        assert http_url(url) == url


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://a.example/x", "http://www.a.example/x/"),
        ("https://a.example/x", "https://A.example:443/x#part"),
        ("https://a.example/x", "https://a.example/x?utm_source=feed&utm_medium=rss"),
        ("https://a.example/x?id=1", "https://a.example/x?fbclid=abc&id=1"),
    ],
)
def test_addresses_of_one_story(one: str, other: str) -> None:
    """Scheme, www, default port, fragment, trailing slash and tracking parameters do not matter."""
    assert canonical_url(one) == canonical_url(other)


@pytest.mark.parametrize(
    "other",
    ["https://a.example/y", "https://b.example/x", "https://a.example/x?id=1", "https://a.example:8080/x"],
)
def test_addresses_of_other_stories(other: str) -> None:
    """Path, host, port and all other parameters distinguish stories."""
    assert canonical_url("https://a.example/x") != canonical_url(other)


@given(st.text())
def test_any_text_has_a_key(text: str) -> None:
    """Any text has a story key or None, without an exception."""
    assert isinstance(canonical_url(text), str)
