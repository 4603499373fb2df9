"""Every link of the site works: a crawler over the sample and over hostile articles."""

from __future__ import annotations

from collections import deque
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import pytest
from flask.testing import FlaskClient

import config as configuration
from app import create_app
from tests.pages.parsed import parse
from tests.pages.test_security import BODY, HOSTILE
from tests.site import URL, ArticleSite, Clock, Web

MAX_PAGES = 70
LONG = "Supercalifragilistic " * 30
ODD = ("C++", "A/B", "?q=1&page=2", "#1", "日本語", "نص", "a%2Fb", "..", "\u202eabc", "x" * 300, "A & B")


def broken(client: FlaskClient, most: int = MAX_PAGES) -> list[str]:
    """Follow links on this site from the front page on, and return broken ones and heavy pages."""
    found: list[str] = []
    ids: dict[str, set[str]] = {}
    anchors: list[tuple[str, str, str]] = []
    seen, waiting = {"/"}, deque([("/", "/")])
    while waiting and len(seen) < most:
        path, source = waiting.popleft()
        answer = client.get(path, base_url=URL, follow_redirects=False)
        if answer.status_code in (301, 302):
            answer.close()
            target = urljoin(URL + path, answer.headers["Location"])
            if not target.startswith(URL):
                continue
            answer = client.get(target.removeprefix(URL), base_url=URL)
        if answer.status_code != 200:
            found.append(f"{answer.status_code} {path} on {source}")
        if answer.mimetype != "text/html":
            answer.close()
            continue
        if len(answer.data) > 60_000:
            found.append(f"{len(answer.data)} bytes {path}")
        tree = parse(answer.text)
        ids[path.partition("#")[0]] = set(tree.xpath("//@id"))
        for link in tree.xpath("//*[not(self::link[@rel='canonical'])]/@href | //@src"):
            address = urlsplit(urljoin(URL + path, link))
            if f"{address.scheme}://{address.netloc}" != URL:
                continue
            target = address.path + (f"?{address.query}" if address.query else "")
            if address.fragment:
                anchors.append((path, target, unquote(address.fragment)))
            if target not in seen:
                seen.add(target)
                waiting.append((target, path))
    found += [
        f"#{name} of {target} on {path}"
        for path, target, name in anchors
        if name not in ids.get(target, {name})
    ]
    return found


def test_the_sample(tmp_path: Path, clock: Clock) -> None:
    """No link, picture, style or anchor of the sample articles' pages is broken."""
    root = Path(__file__).parents[2]
    settings = configuration.load(root / "config.yaml", {"STATE_DIR": str(tmp_path), "SITE_URL": URL})
    clock.now = clock.now.replace(month=11, day=21)
    app = create_app(settings, clock=clock, environ={})
    app.extensions["newswire"].indexer.refresh()
    assert broken(app.test_client()) == []
    app.extensions["newswire"].catalog.close()


@pytest.fixture
def hostile(site: ArticleSite, web: Web) -> Web:
    """A site of unusual names, long titles, hundreds of topics, and markup in texts."""
    site.write(
        "hostile.md", BODY, title=HOSTILE, excerpt=HOSTILE, topics=["Go", HOSTILE], provider={"name": HOSTILE}
    )
    for number, name in enumerate(ODD):
        site.write(f"odd/{number}.md", "# A\n\n[up](#a)", id=name, title=name, topics=[name], authors=[name])
    for number in range(44):
        site.write(
            f"many/{number}.md",
            title=f"{number} {LONG}",
            excerpt=LONG * 3,
            topics=[f"{LONG[:110]} {number}", "Go", *ODD],
            webUrl=f"https://a.example/{number}",
            related=[{"title": LONG, "webUrl": f"https://b.example/{n}"} for n in range(5)],
            quality=number,
        )
    web.refresh()
    return web


def test_hostile_articles(hostile: Web) -> None:
    """With any titles, topics and ids, no link of the site is broken, and no page is over 60 KB."""
    assert broken(hostile.app.test_client(), most=60) == []
