"""The values of an article, as read from its file.

This module does not know files, YAML, feeds or chat.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Markup = Literal["markdown", "mdx", "html"]


def markup_of(path: str) -> Markup:
    """Return the format of the body of the article file at `path`."""
    extension = path.rpartition(".")[2].lower()
    return "html" if extension == "html" else "mdx" if extension == "mdx" else "markdown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A picture of an article; sizes are in pixels, None if the file does not have them.

    `url` is absolute, or starts with /articles/, which is an address on this site. `alt` describes the
    picture for people who do not see it.
    """

    url: str
    width: int | None = None
    height: int | None = None
    title: str | None = None
    alt: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Enclosure:
    """A file that an article offers: a recording, a film, a document.

    `url` is absolute, or starts with /articles/, which is an address on this site. `length` is in bytes,
    `duration` in seconds; None if the article does not have it.
    """

    url: str
    type: str | None = None
    length: int | None = None
    duration: int | None = None
    title: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """The publication of an article. `feed` is the address of the publication's own feed."""

    name: str
    domain: str | None = None
    icon: str | None = None
    feed: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RelatedArticle:
    """Another publication's article about the same story."""

    title: str
    link: str
    provider: str | None = None
    published_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """One article as its file describes it.

    All times are aware and in UTC. `link` is None if the article has no address elsewhere, and is read at its
    page on this site; `original_link` is set only if it differs. `slug` is the last part of its address in
    the front matter. `guid` is its id in feeds if that is not its own id. `story` is equal for the
    translations of an article, None if only the link identifies the story. `topics` are names; `slugs` are
    those of the topics and their ancestors, filled in by the catalog. `is_published` is only the value in the
    file: a published article is visible from `appears_at` (or else `published_at`) until `expires_at`.
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
        """The format of the body, by the file's extension."""
        return markup_of(self.path)

    def has_appeared(self, now: datetime) -> bool:
        """Return whether the article is published and due at `now`; it may have expired."""
        return self.is_published and self.due_at <= now

    def is_visible(self, now: datetime) -> bool:
        """Return whether readers may see the article at `now`."""
        return self.has_appeared(now) and (self.expires_at is None or now < self.expires_at)
