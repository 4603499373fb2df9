"""Resolves the relative addresses in an article's body.

A link to another article's file leads to that article, a picture or file in the article folder has an address
of this site, and an address that begins with a slash is on the site that the articles belong to. If that is
this site, the paths of its pages are below its own path.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol
from urllib.parse import quote, urljoin

from articles.article import Article
from text.links import Target, candidates, name_of, target
from text.urls import http_url, page_url

_MAX_DEPTH = 20  # folders of a path that are tried
# The paths of this site's own pages and feeds. Others below the same host may not be this site's.
_OWN_PATH = re.compile(r"/(?:articles|build|digests|feeds|feeds\.opml|search|topics)(?=[/?#]|$)")
_MARKDOWN = (".md", ".markdown", ".mdown", ".mdx")
_PICTURES = (".avif", ".bmp", ".gif", ".jpeg", ".jpg", ".png", ".svg", ".webp")


class FileLookup(Protocol):
    """The files in the article folder."""

    def at(self, paths: Sequence[str]) -> Article | None:
        """Return the first of the articles at these paths, published or not, or None."""

    def named(self, name: str, folder: str) -> Article | None:
        """Return the article whose file has this name, preferably in `folder`, published or not, or None."""

    def has_file(self, path: str) -> bool:
        """Return whether there is a file beside the articles that this site serves."""

    def size(self, path: str) -> int | None:
        """Return the size in bytes of such a file, None if there is none."""


@dataclass(slots=True, kw_only=True)
class ArticleLinks:
    """The links of articles as they are at `now`.

    Without `files`, addresses are only made absolute. `changes_at` is when the next of the linked articles
    is published or expires.
    """

    site_url: str
    base_url: str | None = None
    files: FileLookup | None = None
    now: datetime | None = None
    changes_at: datetime | None = field(default=None, init=False)
    are_looked_up: bool = field(default=False, init=False)
    """Whether anything was looked up in the article folder."""

    @contextmanager
    def watched(self) -> Iterator[ArticleLinks]:
        """Yield a copy that records look-ups within the context, and when their results change."""
        before = self.are_looked_up, self.changes_at
        self.are_looked_up, self.changes_at = False, None
        copy = replace(self)
        try:
            yield copy
        finally:
            copy.are_looked_up, copy.changes_at = self.are_looked_up, self.changes_at
            self.are_looked_up |= before[0]
            self.note_change(before[1])

    def note_change(self, time: datetime | None) -> None:
        """Record that a link changes at `time`, unless another one changes earlier."""
        self.changes_at = min(filter(None, (self.changes_at, time)), default=None)

    def resolve(self, url: str, article: Article, own_url: str) -> str | None:
        """Return the absolute address of `url` in an article's body, or None if it has no target.

        `own_url` is the address of the page with the article, which is the base of bare fragments.
        """
        if url.startswith("#"):
            return urljoin(own_url, url)
        folder = article.path.rpartition("/")[0]
        link_target = target(url, folder)
        if link_target is None:
            if not url.startswith("/"):
                return urljoin(self.base_address(article), url)
            if self.base_url is None and _OWN_PATH.match(url):
                return urljoin(f"{self.site_url}/", url[1:])
            return urljoin(f"{self.base_url or self.site_url}/", url)
        if self.files is None:
            return urljoin(self.base_address(article), url)
        self.are_looked_up = True
        linked = _find(self.files, link_target, folder)
        if isinstance(linked, Article):
            address = self._address(linked)
            return address + link_target.suffix if address else None
        if linked:
            return f"{self.site_url}/articles/{quote(linked)}{link_target.suffix}"
        return self._elsewhere(url, link_target, article)

    def _elsewhere(self, url: str, link_target: Target, article: Article) -> str | None:
        """Return the address of a target outside the folder, relative to the article on its site, or None."""
        is_file = link_target.kind == "path" and not link_target.value.endswith(_MARKDOWN)
        if not is_file or url.lower().startswith(("{", "|", "%7b", "%7c")):
            return None
        address = urljoin(self.base_address(article), url)
        is_here = address.startswith(f"{self.site_url}/articles/")
        return None if is_here and not link_target.value.lower().endswith(_PICTURES) else address

    def base_address(self, article: Article) -> str:
        """Return the base of relative addresses in the article.

        On this site it is the article's path below /articles/, which mirrors the article folder.
        """
        site_address = http_url(article.link or "") if self.base_url else None
        return (
            site_address
            or f"{self.site_url}/articles/{quote(article.path.rpartition('.')[0], errors='replace')}"
        )

    def _address(self, article: Article) -> str | None:
        """Return the address of an article, None while it is not published; record when that changes."""
        if not article.is_published:
            return None
        if self.now:
            for time in (article.due_at, article.expires_at):
                if time and time > self.now:
                    self.note_change(time)
            if not article.is_visible(self.now):
                return None
        return http_url(article.link or "") or page_url(self.site_url, article.id)


def _find(files: FileLookup, link_target: Target, folder: str) -> Article | str | None:
    """Return the article, or the path of the file beside the articles, to which a link leads, or None."""
    if link_target.kind == "nothing":
        return None
    for path in _paths(link_target, folder):
        article = files.at(candidates(path))
        if article or files.has_file(path):
            return article or path
    return files.named(name_of(link_target.value), folder) if link_target.kind == "name" else None


def _paths(link_target: Target, folder: str) -> Iterator[str]:
    """Yield the paths to which a link may lead: the article folder may be part of a larger one."""
    if link_target.kind == "path":
        yield link_target.value
        return
    if link_target.kind == "name":
        yield f"{folder}/{link_target.value}" if folder else link_target.value
    parts = link_target.value.split("/")[-_MAX_DEPTH:]
    yield from ("/".join(parts[start:]) for start in range(len(parts)))
