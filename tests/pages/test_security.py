"""Hostile articles are inert, and every page has headers that enforce that."""

from __future__ import annotations

import json
import re

import pytest

from tests.pages.parsed import parse
from tests.site import ArticleSite, Web

HOSTILE = """<script>alert(1)</script>'"--></title><svg onload=alert(1)><img src=x onerror=alert(1)>"""
BODY = """
<script>alert(1)</script><svg onload="alert(1)"><style>*{display:none}</style></svg>
<style>body{background:url(https://evil.example/)}</style>
<img src="x.png" onerror="alert(1)"><img src="https://evil.example/pixel.png">
<a href="javascript:alert(1)" onclick="alert(1)">click</a> <a href="data:text/html,x">data</a>
<form action="https://evil.example/"><input name=a><button>send</button></form>
<iframe src="https://evil.example/"></iframe><object data="x"></object><base href="https://evil.example/">
<math><mtext></p><style><img src=x.png onerror=alert(1)></style></mtext></math>
<div style="position:fixed;inset:0" id="main" class="skip">over</div>

[md](javascript:alert(1)) ![x](javascript:alert(1)) <h2 id=q name=q onclick=alert(1)>Heading</h2>
"""
PATHS = (
    "/",
    "/topics",
    "/topics/go",
    "/articles/a",
    "/search?q=alert",
    "/build",
    "/nowhere",
    "/topics/nowhere",
)


@pytest.fixture
def hostile(site: ArticleSite, web: Web) -> Web:
    """A site of one article with every attack."""
    site.write(
        "a.md",
        BODY,
        title=HOSTILE,
        excerpt=f"alert {HOSTILE}",
        topics=["Go", HOSTILE],
        provider={"name": HOSTILE, "domain": "evil.example"},
        authors=[HOSTILE],
        type=HOSTILE,
        featuredContent='<iframe src="javascript:alert(1)" onload="alert(1)"></iframe>',
        images=[{"url": "https://evil.example/i.png", "title": HOSTILE}],
    )
    web.refresh()
    return web


@pytest.mark.parametrize("path", PATHS)
def test_nothing_runs(hostile: Web, path: str) -> None:
    """No page has a script, handler, style, frame, form or address that is not its own."""
    tree = parse(hostile.get(path).text)
    assert all(src.startswith("/static/") for src in tree.xpath("//script/@src"))
    data = tree.xpath("//script[@type='application/ld+json']")
    assert all(json.loads(script.text) for script in data)
    assert not set(tree.xpath("//script[not(@src)]")) - set(data)
    assert not tree.xpath("//style | //iframe | //object | //base | //math | //embed")
    assert not [name for element in tree.iter() for name in element.attrib if name.startswith("on")]
    assert not tree.xpath("//@style")
    links = tree.xpath("//@href | //@src | //@action")
    assert not [link for link in links if re.match(r"\s*(javascript|data|vbscript):", link, re.IGNORECASE)]
    assert set(tree.xpath("//form/@action")) <= {"/search", "/build", "/topics"}
    assert all(src.startswith("/") for src in tree.xpath("//img/@src"))
    ids = tree.xpath("//@id")
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("path", PATHS)
def test_headers(hostile: Web, path: str) -> None:
    """Every page, also an error page, allows only this site's own files, and forbids framing."""
    headers = hostile.get(path).headers
    policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert {policy[name] for name in ("script-src", "style-src", "img-src", "form-action")} == {"'self'"}
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "strict-origin-when-cross-origin"


def test_secured_is_nowhere(site: ArticleSite, web: Web) -> None:
    """The ciphertext in an article's file is on no page."""
    site.write("a.md", "Text", secured="c2VjcmV0", topics=["Go"])
    web.refresh()
    for path in ("/", "/topics/go", "/articles/a", "/search?q=title"):
        assert "c2VjcmV0" not in web.get(path).text
