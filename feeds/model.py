"""The values of a feed, the same for every format.

This module does not know XML, JSON, HTTP or the catalog.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from urllib.parse import urlsplit

from articles.article import Enclosure, Image, RelatedArticle
from text.urls import is_uri

Content = Literal["full", "excerpt"]

# It must never change: Atom readers would show entries again whose id is not a URI.
_OLD_IDS = uuid.UUID("b7ad4c3c-0a0d-5c58-9d3e-6f0c9d1c9a11")


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """The site that publishes the feeds; `url` has no slash at its end.

    `id` is part of the ids of its entries. Unlike `url`, it does not change if the site moves.
    """

    title: str
    url: str
    description: str
    language: str
    icon: str | None
    author: str | None
    email: str | None
    id: str

    @property
    def path(self) -> str:
        """The path in `url`: "/news" if a proxy serves the site below it, "" for a host of its own."""
        return urlsplit(self.url).path


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """An author: a person, or a publication with its home page and its own feed."""

    name: str
    url: str | None = None
    feed_url: str | None = None


def uri_of(entry_id: str) -> str:
    """Return an id as a URI, which Atom requires (RFC 4287 §4.2.6): a UUID for any other id."""
    return entry_id if is_uri(entry_id) else uuid.uuid5(_OLD_IDS, entry_id).urn


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One article in a feed, the same for every format.

    All text is on one line and valid in XML, and all URLs are absolute and ASCII. `via` is the origin of the
    article if `url` is another address. `content_html` is safe HTML and never empty. `id` is a URI unless the
    article's old feed had another id.
    """

    id: str
    url: str
    title: str
    published: datetime
    updated: datetime
    content_html: str
    summary: str = ""
    categories: tuple[str, ...] = ()
    authors: tuple[Author, ...] = ()
    provider: Author | None = None
    language: str | None = None
    images: tuple[Image, ...] = ()
    enclosures: tuple[Enclosure, ...] = ()
    related: tuple[RelatedArticle, ...] = ()
    via: str | None = None

    @property
    def uri(self) -> str:
        """The id in Atom."""
        return uri_of(self.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """The place of a feed document in the history of its feed (RFC 5005 §4).

    The addresses have no extension, like `Feed.base_url`. `current` is the feed's address, in archives.
    """

    previous: str | None = None
    next: str | None = None
    current: str | None = None
    is_archive: bool = False

    def links(self, extension: str) -> tuple[tuple[str, str], ...]:
        """Return the links to other documents in one format, each as relation and URL."""
        relations = (("current", self.current), ("prev-archive", self.previous), ("next-archive", self.next))
        return tuple((relation, f"{base}.{extension}") for relation, base in relations if base)


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """One topic's newest entries, newest first.

    Its address consists of `base_url`, a dot, a format's extension and `query`: see `address`. `updated` is
    the time of the newest change of an entry, None without entries. `ttl` is in minutes. `email` is the
    address for podcast directories. `hubs` are WebSub hubs. `shortened` has the paths of articles whose texts
    were too long. `changes_at` is the next time at which a link in an entry changes, as a linked article is
    then published or expires.
    """

    id: str
    slug: str
    title: str
    description: str
    page_url: str
    base_url: str
    home_url: str
    language: str
    author: str
    ttl: int
    email: str | None = None
    updated: datetime | None = None
    icon: str | None = None
    entries: tuple[Entry, ...] = ()
    query: str = ""
    shortened: tuple[str, ...] = ()
    history: History = History()
    hubs: tuple[str, ...] = ()
    changes_at: datetime | None = None

    def address(self, extension: str) -> str:
        """Return the URL of this feed in one format."""
        return f"{self.base_url}.{extension}{self.query}"
