"""Articles and feeds that the tests of this folder and of the formats share."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from articles.article import Article, Image, Provider, RelatedArticle
from articles.topics import Topic
from feeds.build import build_feed
from feeds.model import Content, Feed, Site

SITE = Site(
    title="Newswire",
    url="https://news.example.org",
    description="Everything",
    icon="/static/icon.png",
    author="The Editors",
    email=None,
    language="en",
    id="newswire",
)
TOPIC = Topic(name="C++", slug="c-plus-plus", description="News of the language")
MORNING = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
EVENING = datetime(2026, 3, 1, 21, 45, tzinfo=UTC)
BODY = """Read [on](#more), see ![a chart](images/chart.png) and [the code](/code.zip).

| a | b |
|---|--:|
| 1 | 2 |

<script>alert(1)</script>
"""


def article(name: str = "plain", **fields: Any) -> Article:
    """Return an article with only the required fields and `fields`."""
    defaults: dict[str, Any] = {
        "id": name,
        "path": f"{name}.md",
        "title": f"Title of {name}",
        "published_at": MORNING,
        "updated_at": MORNING,
    }
    return Article(**(defaults | fields))


def rich_article(name: str = "2026/rich", **fields: Any) -> Article:
    """Return an article with every field set, and with `fields`."""
    defaults: dict[str, Any] = {
        "updated_at": EVENING,
        "link": "https://paper.example.com/a?b=1&c=2",
        "original_link": "https://wire.example.net/b",
        "summary": "What happened & why",
        "topics": ("C++", "R&D"),
        "provider": Provider(name="The Paper & Co", domain="paper.example.com"),
        "authors": ("Ann Author", "Bob Author"),
        "language": "pt-BR",
        "images": (
            Image(url="https://img.example.com/1.jpg", width=640, height=360, title="One <1>"),
            Image(url="https://img.example.com/2.jpg"),
        ),
        "related": tuple(
            RelatedArticle(
                title=f"Also & {n}", link=f"https://other.example.com/{n}", provider="Other <News>"
            )
            for n in range(5)
        ),
        "embed": '<iframe src="https://www.youtube.com/embed/WJk-Y8LQlfE"></iframe>',
        "body": BODY,
    }
    return article(name, **(defaults | fields))


def feed_of(
    articles: Iterable[Article],
    *,
    topic: Topic = TOPIC,
    site: Site = SITE,
    size: int = 50,
    content: Content = "full",
    related: int = 3,
    ttl: int = 60,
) -> Feed:
    """Return the feed of `articles` with the usual settings."""
    return build_feed(topic, articles, site, size=size, content=content, related=related, ttl=ttl)


def sample_feed() -> Feed:
    """Return a feed that has one of everything."""
    return feed_of([rich_article(), article(), article("body", body=BODY, language="ja")])
