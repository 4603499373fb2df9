"""What an article is, once its file has been understood.

Knows nothing of files, YAML, feeds or chat.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A picture that belongs to an article; sizes are in pixels, None where the file does not say."""

    url: str
    width: int | None = None
    height: int | None = None
    title: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """Who wrote an article: the publication, not the person."""

    name: str
    domain: str | None = None
    icon: str | None = None


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

    All times are aware and in UTC. `link` is None when the article has neither URL: its home is then the
    page this site gives it; `original_link` is there only where it differs. `topics` are names; `slugs` are
    the addresses of those topics and of their ancestors, filled in by the catalog. `is_published` is the
    editor's word alone: a published article whose `published_at` lies in the future is not to be shown yet.
    """

    id: str
    path: str
    title: str
    published_at: datetime
    updated_at: datetime
    link: str | None = None
    original_link: str | None = None
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
    related: tuple[RelatedArticle, ...] = ()
    embed: str | None = None
    body: str = ""
