"""What an article is, once its file has been understood.

This module knows nothing of files, YAML, feeds or chat.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Markup = Literal["markdown", "mdx", "html"]


def markup_of(path: str) -> Markup:
    """Return how the body of the article file at `path` is written."""
    extension = path.rpartition(".")[2].lower()
    return "html" if extension == "html" else "mdx" if extension == "mdx" else "markdown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A picture that belongs to an article; sizes are in pixels, None where the file does not say.

    `url` is absolute, or starts with /articles/: then it is an address on this site. `alt` describes the
    picture to those who do not see it.
    """

    url: str
    width: int | None = None
    height: int | None = None
    title: str | None = None
    alt: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Enclosure:
    """A file that an article offers: a recording, a film, a document.

    `url` is absolute, or starts with /articles/: then it is an address on this site. `length` is in bytes,
    `duration` in seconds; None where the article does not say.
    """

    url: str
    type: str | None = None
    length: int | None = None
    duration: int | None = None
    title: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """Who wrote an article: the publication, not the person. `feed` is the address of its own feed."""

    name: str
    domain: str | None = None
    icon: str | None = None
    feed: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RelatedArticle:
    """Another outlet's coverage of the same story."""

    title: str
    link: str
    provider: str | None = None
    published_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """One article as its file describes it.

    All times are aware and in UTC. `link` is None when the article has no address elsewhere: its home is then
    the page this site gives it; `original_link` is there only where it differs. `slug` is the front matter's
    word for the last part of its address. `guid` identifies it in feeds where something other than its id is
    to do so. `story` is what the translations of an article have in common, None
    where it is known by its link alone. `topics` are names; `slugs` are the addresses of those topics and
    of their ancestors, filled in by the catalog. `is_published` is only what the file says: a published
    article is visible from `appears_at` (or else `published_at`) until `expires_at`.
    """

    id: str
    path: str
    title: str
    published_at: datetime
    updated_at: datetime
    appears_at: datetime | None = None
    expires_at: datetime | None = None
    link: str | None = None
    original_link: str | None = None
    slug: str | None = None
    guid: str | None = None
    story: str | None = None
    summary: str = ""
    topics: tuple[str, ...] = ()
    slugs: tuple[str, ...] = ()
    quality: int | None = None
    is_published: bool = True
    type: str | None = None
    category: str | None = None
    provider: Provider | None = None
    authors: tuple[str, ...] = ()
    language: str | None = None
    images: tuple[Image, ...] = ()
    enclosures: tuple[Enclosure, ...] = ()
    related: tuple[RelatedArticle, ...] = ()
    embed: str | None = None
    body: str = ""

    @property
    def due_at(self) -> datetime:
        """When readers may first see the article, if it is published."""
        return self.appears_at or self.published_at

    @property
    def markup(self) -> Markup:
        """How the body is written, by the file's extension."""
        return markup_of(self.path)

    def has_appeared(self, now: datetime) -> bool:
        """Return whether the article is published and its time has come; it may have expired."""
        return self.is_published and self.due_at <= now

    def is_visible(self, now: datetime) -> bool:
        """Return whether readers may see the article at `now`."""
        return self.has_appeared(now) and (self.expires_at is None or now < self.expires_at)
