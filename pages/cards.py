"""An article as a list of articles shows it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from articles.article import Article
from articles.topics import Topic, Topics
from feeds.build import build_entry
from feeds.model import Site

TINTS = 6
"""How many colours the providers' initials come in."""

_OTHER_HOST = re.compile(r"/[\t\r\n]*[/\\]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What is shown of an article; all text is plain.

    `href` is a path where it leads to this site. `image` is the path of a picture on this site: those of
    other sites are never shown, because a page makes no request to another host.
    """

    href: str
    title: str
    summary: str
    published: datetime
    provider: str
    initial: str
    tint: int
    quality: int | None
    language: str | None
    image: str | None
    image_text: str
    topics: tuple[Topic, ...]


def card(article: Article, site: Site, topics: Topics, *, without: str = "") -> Card:
    """Return an article's card; the topic whose slug is `without` is not named on it."""
    entry = build_entry(article, site, content="excerpt", related=0)
    names = [author.name for author in entry.authors]
    provider = entry.provider.name if entry.provider else next(iter(names), site.title)
    picture = next((image for image in entry.images if image.url.startswith(f"{site.url}/")), None)
    found = {topic.slug: topic for topic in map(topics.of, entry.categories) if topic.slug != without}
    return Card(
        href=local(entry.url, site),
        title=entry.title,
        summary=entry.summary,
        published=entry.published,
        provider=provider,
        initial=initial(provider),
        tint=hashlib.blake2b(provider.encode(), digest_size=1).digest()[0] % TINTS,
        quality=article.quality,
        language=entry.language,
        image=local(picture.url, site) if picture else None,
        image_text=(picture.title if picture else None) or "",
        topics=tuple(topic for topic in found.values() if topic.slug not in topics.gone),
    )


def cards(articles: Iterable[Article], site: Site, topics: Topics, *, without: str = "") -> list[Card]:
    """Return the cards of several articles."""
    return [card(article, site, topics, without=without) for article in articles]


def local(url: str, site: Site) -> str:
    """Return an address on this site as a path, which works under every host name; others as is.

    An address is returned unchanged where a browser would take its path for another host, as in
    `https://site//evil.example` (https://url.spec.whatwg.org/#relative-slash-state; tabs and line breaks are
    ignored there).
    """
    path = url.removeprefix(site.url)
    is_other = path == url or not path.startswith("/")
    return url if is_other or _OTHER_HOST.match(site.path + path) else site.path + path


def topic_path(slug: str) -> str:
    """Return the path of a topic's page below the site's own."""
    return f"/topics/{quote(slug, safe='', errors='replace')}"


def initial(name: str) -> str:
    """Return the first letter or digit of a name, shown in place of a picture."""
    return next((character.upper() for character in name if character.isalnum()), "•")[:1]
