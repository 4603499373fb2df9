"""How the bodies of a site's articles become HTML: by whose rules they are written, and where links lead."""

from __future__ import annotations

import hashlib
import logging
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from articles.article import Article
from feeds.links import Links
from text.anchors import relinked
from text.cache import LruCache
from text.limits import MAX_BODY
from text.markup import sanitise, xml_safe
from text.summary import summarise
from text.templates import expand
from text.urls import page_url

if TYPE_CHECKING:
    from concurrent.futures import Executor

log = logging.getLogger(__name__)

WORTH_WORKERS = 16
"""Bodies below which handing them to other processes takes longer than it saves."""

_AT_ONCE = 8


class Source(NamedTuple):
    """A body, and all that its unsanitised HTML depends on."""

    body: str
    generator: str
    markup: str
    base_url: str | None


class Rendered(NamedTuple):
    """A body as HTML. One that has links into the folder holds for one revision, until `changes_at`."""

    html: str
    revision: object | None
    changes_at: datetime | None


class TextCache:
    """The HTML of the bodies that were shown last, within `max_bytes`: most feeds share their articles.

    With more than one of `processes`, many bodies are read at once in processes of their own, until `close`.
    Those are forked: only a process without other threads may ask for them.
    """

    def __init__(self, max_bytes: int, *, processes: int = 1) -> None:
        self.rendered = LruCache[tuple[bytes, str, str, str], Rendered](max_bytes)
        self._processes = processes
        self._workers: Executor | None = None

    def read(self, sources: Sequence[Source]) -> list[str]:
        """Return several bodies as `unsafe_html` does, or nothing where that is not worth processes."""
        if self._processes < 2 or len(sources) < WORTH_WORKERS:
            return []
        # Imported late: most processes never need it.
        from concurrent.futures.process import BrokenProcessPool, ProcessPoolExecutor

        try:
            if self._workers is None:
                self._workers = ProcessPoolExecutor(self._processes)
            return list(self._workers.map(unsafe_html, sources, chunksize=_AT_ONCE))
        except (BrokenProcessPool, OSError) as error:
            log.warning("bodies are read in this process alone: %s", error)
            self._processes = 1
            return []

    def close(self) -> None:
        """End the other processes."""
        if self._workers:
            self._workers.shutdown()
            self._workers = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bodies:
    """The rules for the bodies of one site's articles, with the links as they are at one `revision`."""

    links: Links
    generator: str = "plain"
    cache: TextCache | None = None
    revision: object = None
    _prepared: dict[str, str] = field(default_factory=dict, init=False)

    def html(self, article: Article, own_url: str) -> str:
        """Return an article's body as safe HTML with absolute addresses, for the page at `own_url`."""
        if self.cache is None:
            return self._rendered(article, own_url).html
        key = self._key(article, own_url)
        found = self.cache.rendered.get(key)
        if found is None or not self._holds(found):
            found = self._rendered(article, own_url)
            self.cache.rendered.put(key, found, sys.getsizeof(found.html))
        self.links.note_change(found.changes_at)
        return found.html

    def prepare(self, articles: Iterable[tuple[Article, str]]) -> None:
        """Read the bodies that are not in the cache in other processes, where there are workers.

        Each article comes with the address that `html` will be given.
        """
        if self.cache is None:
            return
        missing = [article for article, own_url in articles if self._is_missing(article, own_url)]
        found = self.cache.read([self._source(article) for article in missing])
        self._prepared.update(zip((article.path for article in missing), found, strict=False))

    def summary(self, article: Article) -> str:
        """Return the summary of an article that has none of its own."""
        return summarise(article.body, generator=self.generator, markup=article.markup)

    def _is_missing(self, article: Article, own_url: str) -> bool:
        if self.cache is None or not article.body.strip():
            return False
        found = self.cache.rendered.get(self._key(article, own_url))
        return found is None or not self._holds(found)

    def _rendered(self, article: Article, own_url: str) -> Rendered:
        def resolve(url: str) -> str | None:
            return self.links.resolve(url, article, own_url)

        unsafe = self._prepared.pop(article.path, None) or unsafe_html(self._source(article))
        with self.links.watched() as seen:
            html = sanitise(unsafe, own_url, resolve=resolve)
        if own_url == page_url(self.links.site_url, article.id):
            html = relinked(html, own_url)
        return Rendered(html, self.revision if seen.are_looked_up else None, seen.changes_at)

    def _holds(self, found: Rendered) -> bool:
        if found.revision is None:
            return True
        is_due = found.changes_at and self.links.now and found.changes_at <= self.links.now
        return found.revision == self.revision and not is_due

    def _source(self, article: Article) -> Source:
        return Source(article.body[:MAX_BODY], self.generator, article.markup, self.links.base_url)

    def _key(self, article: Article, own_url: str) -> tuple[bytes, str, str, str]:
        digest = hashlib.blake2b(article.body.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        return digest, article.path, article.link or "", own_url


def unsafe_html(source: Source) -> str:
    """Return a body as HTML that still has to be sanitised; a function of its argument, for any process."""
    body = expand(
        source.body, generator=source.generator, markup=source.markup, base_url=source.base_url
    ).text
    if source.markup == "html":
        return body
    # Imported late: it costs some 80 ms, and a site of links alone never needs it.
    from text import markdown

    return markdown.render(xml_safe(body))
