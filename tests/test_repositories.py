"""Real repositories of articles, read as a stranger would set them up.

They are in the folder that NEWSWIRE_REPOSITORIES names, or else in `repositories` beside this project, as
OWNER+NAME or NAME. Missing ones are skipped.
"""

from __future__ import annotations

import html
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from app import create_app
from articles.article import Article
from articles.conventions import Generator
from config import ArticlesConfig, Config, FeedsConfig, SiteConfig
from feeds.model import Entry
from tests.conftest import SHARED
from tests.site import Clock
from wiring.site import Newswire

PLACE = Path(os.environ.get("NEWSWIRE_REPOSITORIES") or SHARED.parent / "repositories")
NOW = datetime(2030, 1, 1, tzinfo=UTC)
SITE = "https://feeds.example.org"
LOOKED_AT = 200
"""The newest entries are looked at: rendering more takes minutes."""

pytestmark = pytest.mark.timeout(300)


@dataclass(frozen=True)
class Repository:
    """A repository, and the lines of its configuration."""

    name: str
    path: str
    generator: Generator
    base_url: str
    timezone: str = "UTC"


REPOSITORIES = [
    Repository("rust-lang+blog.rust-lang.org", "content", "zola", "https://blog.rust-lang.org"),
    Repository("jekyll+jekyll", "docs/_posts", "jekyll", "https://jekyllrb.com"),
    Repository("Homebrew+brew.sh", "_posts", "jekyll", "https://brew.sh"),
    Repository(
        "rust-lang+this-week-in-rust",
        "content",
        "pelican",
        "https://this-week-in-rust.org",
        "America/New_York",
    ),
    Repository("nodejs+nodejs.org", "apps/site/pages/en/blog", "plain", "https://nodejs.org/en/blog"),
    Repository("swiftlang+swift-org-website", "_posts", "jekyll", "https://swift.org"),
    Repository("reactjs+react.dev", "src/content/blog", "docusaurus", "https://react.dev"),
    Repository("cds-snc+digital-canada-ca", "content", "hugo", "https://digital.canada.ca"),
    Repository("getpelican+pelican-blog", "content", "pelican", "https://blog.getpelican.com"),
]


@dataclass
class Read:
    """A repository as it is read, with the newest entries."""

    repository: Repository
    root: Path
    newswire: Newswire
    client: Any
    shown: list[Article]
    sample: list[Entry]

    def text(self, article: Article) -> str:
        """Return the text of an article's file."""
        return (self.root / article.path).read_text("utf-8-sig", "replace").replace("\r\n", "\n")


def place_of(repository: Repository) -> Path:
    """Return where the repository's articles would be."""
    names = (repository.name, repository.name.partition("+")[2])
    return (
        next((PLACE / name for name in names if (PLACE / name).is_dir()), PLACE / names[0]) / repository.path
    )


@pytest.fixture(scope="module", params=REPOSITORIES, ids=lambda each: each.name)
def read(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Read]:
    """Read one repository, once for all tests of it."""
    repository: Repository = request.param
    root = place_of(repository)
    if not root.is_dir():
        pytest.skip("the repository is not here")
    config = Config(
        site=SiteConfig(url=SITE, timezone=repository.timezone),
        articles=ArticlesConfig(path=root, generator=repository.generator, base_url=repository.base_url),
        feeds=FeedsConfig(size=LOOKED_AT),
        state=tmp_path_factory.mktemp("state"),
    )
    app = create_app(config, clock=Clock(NOW), environ={})
    newswire: Newswire = app.extensions["newswire"]
    newswire.indexer.refresh()
    feed = newswire.publisher.feed("all", NOW)
    assert feed is not None
    sample = list(feed.entries)
    shown = [article for article in newswire.catalog.scan() if article.is_visible(NOW)]
    yield Read(repository, root, newswire, app.test_client(), shown, sample)
    newswire.catalog.close()


def test_nearly_every_article_is_accepted(read: Read) -> None:
    """At least 99 in 100 articles are accepted."""
    problems = read.newswire.catalog.problems()
    good = len(list(read.newswire.catalog.scan()))
    assert read.shown
    assert len(problems) <= 0.01 * (good + len(problems)), problems[:5]


_HIDDEN = re.compile(
    r"""^\s*(?:draft|hidden|unlisted|removed|headless)["']?\s*[:=]\s*["']?(?:true|yes|on|1)\b"""
    r"""|^\s*publish(?:ed)?["']?\s*[:=]\s*["']?(?:false|no|off)\b|^status\s*[:=]\s*["']?(?:draft|hidden)""",
    re.MULTILINE | re.IGNORECASE,
)


def test_no_draft_is_shown(read: Read) -> None:
    """The front matter is checked by code that shares nothing with the reader."""
    assert [a.path for a in read.shown if "_drafts/" in a.path or _HIDDEN.search(head_of(read.text(a)))] == []


def head_of(text: str) -> str:
    """Return a file's front matter, roughly."""
    fenced = re.match(r"\s*(---|\+\+\+)[ \t]*\n(.*?)\n\1", text, re.DOTALL)
    return fenced[2] if fenced else text.partition("\n\n")[0]


_KEY = re.compile(
    r"^(?:date|pubDate|published|created)[ \t]*[:=][ \t]*(.*\d.*)$", re.MULTILINE | re.IGNORECASE
)
_MOMENT = re.compile(
    r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?:[T ]+(\d{1,2}):(\d\d)(?::(\d\d))?)?"
    r"(?:\.\d+)?(?: \d{4})?[ ]*(Z|UTC|[+-]\d\d:?\d\d)?"
)
_IN_PATH = re.compile(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})[-/]")


def test_dates_are_what_the_files_say(read: Read) -> None:
    """The test reads the date itself: from the front matter, or from the path or Zola's `path`."""
    zone = ZoneInfo(read.repository.timezone)
    wrong = []
    for article in read.shown:
        head = head_of(read.text(article))
        given = _KEY.search(head)
        found = _MOMENT.search(given[1]) if given else _IN_PATH.search(f"{article.path}\n{head}")
        assert found, article.path
        numbers = [int(number or 0) for number in found.groups()[:6]] + [0] * (6 - len(found.groups()[:6]))
        named = found.groups()[6] if len(found.groups()) > 6 else None
        offset = zone if named is None else UTC
        if named and named[0] in "+-":
            minutes = int(named[1:3]) * 60 + int(named[-2:])
            offset = timezone(timedelta(minutes=-minutes if named[0] == "-" else minutes))
        year, month, day, hour, minute, second = numbers
        stated = datetime(year, month, day, hour, minute, second, tzinfo=offset).astimezone(UTC)
        if stated != article.published_at.replace(microsecond=0):
            wrong.append((article.path, stated, article.published_at))
    assert wrong == []


# Component tags are searched for by these sites' names: `<Option>` is prose in most of them.
_TEMPLATE = re.compile(
    r"\{\{[^}]*\}\}|\{%|%\}|\{\{[<%]|^:::|^(?:import|export) .* from |\{: ?[.#]|\{/\*"
    r"|</?(?:Intro|Note|Pitfall|Sandpack|Steps|YouTubeIframe|DeepDive|Diagram|AlertBox)\b",
    re.MULTILINE,
)


def test_no_template_shows(read: Read) -> None:
    """Titles, summaries and text outside code of 200 entries have no template."""
    found = []
    for entry in read.sample:
        prose = re.sub(r"<(pre|code)\b.*?</\1>", "", entry.content_html, flags=re.DOTALL)
        text = html.unescape(re.sub(r"<[^>]+>", "", prose))
        found += [(entry.url, match[0]) for match in _TEMPLATE.finditer(f"{text}\n{entry.title}")]
    assert found == []


def test_no_link_leads_to_a_page_that_is_not_served(read: Read) -> None:
    """Every address of links and pictures on this site is answered."""
    links = {
        html.unescape(url)
        for entry in read.sample
        for url in re.findall(rf'(?:href|src)="({re.escape(SITE)}[^"]*)"', entry.content_html)
    } | {image.url for entry in read.sample for image in entry.images if image.url.startswith(SITE)}
    paths = sorted({url.removeprefix(SITE).partition("#")[0] for url in links})[:LOOKED_AT]
    answers = {path: read.client.get(path).status_code for path in paths}
    assert {path: status for path, status in answers.items() if status != 200} == {}


def test_entries_have_what_readers_expect(read: Read) -> None:
    """An entry has a title without markup, a text, and an address of its own on the articles' site."""
    assert all(entry.title and entry.content_html for entry in read.sample)
    assert not [entry.title for entry in read.sample if re.search(r"&\w+;|\*\*|\]\(", entry.title)]
    urls = [entry.url for entry in read.sample]
    assert len(set(urls)) == len(urls)
    assert not [url for url in urls if url.startswith(SITE)]
