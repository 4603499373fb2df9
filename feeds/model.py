"""What a feed is: plain values, the same for every format.

This module knows nothing of XML, JSON, HTTP or the catalog.
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

# It must never change: readers of Atom would show entries again whose id is no URI.
_OLD_IDS = uuid.UUID("b7ad4c3c-0a0d-5c58-9d3e-6f0c9d1c9a11")


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """The site whose feeds these are; `url` has no slash at its end.

    `id` names the site in the ids of its entries. Unlike `url` it stays the same when the site moves.
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
        """The path of `url`, under which a proxy serves the site: "/news", or "" for a host of its own."""
        return urlsplit(self.url).path


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """Who wrote something: a person, or the publication itself with its home page and its own feed."""

    name: str
    url: str | None = None
    feed_url: str | None = None


def uri_of(entry_id: str) -> str:
    """Return an id as a URI, which Atom asks for (RFC 4287 §4.2.6): one that is none gives a UUID."""
    return entry_id if is_uri(entry_id) else uuid.uuid5(_OLD_IDS, entry_id).urn


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One article as every format shows it.

    All text is on one line and can be written in XML, and all URLs are absolute and plain ASCII. `via` is
    where the article came from when `url` is not that place. `content_html` is safe HTML and never empty.
    `id` is a URI unless the article's old feed had something else.
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
        """The id as Atom has it."""
        return uri_of(self.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """The place of a feed document in the history of its feed (RFC 5005 §4).

    The addresses are without extension, like `Feed.base_url`. `current` is the feed's own in its archives.
    """

    previous: str | None = None
    next: str | None = None
    current: str | None = None
    is_archive: bool = False

    def links(self, extension: str) -> tuple[tuple[str, str], ...]:
        """Return the links to other documents in one format, each as relation and URL."""
        named = (("current", self.current), ("prev-archive", self.previous), ("next-archive", self.next))
        return tuple((relation, f"{base}.{extension}") for relation, base in named if base)


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """One topic's newest entries, newest first.

    `base_url`, a dot, a format's extension and `query` make its address: see `address`. `updated` is the
    newest change among the entries, None when there are none. `ttl` is in minutes. `email` is the address
    that podcast directories write to. `hubs` are those of WebSub. `shortened` are the paths of the articles
    whose text was too long to be in it. `changes_at` is when a link in an entry is to change, if that is
    known: an article that it refers to appears then.
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
