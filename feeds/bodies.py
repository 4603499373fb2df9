"""How the bodies of a site's articles become HTML, with their generator's conventions and their links."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from articles.article import Article
from feeds.links import ArticleLinks
from feeds.stored_texts import StoredTexts
from feeds.workers import Workers
from text.anchors import relinked
from text.cache import LruCache
from text.characters import xml_safe
from text.limits import MAX_BODY
from text.markup import sanitise
from text.summary import summarise
from text.templates import expand
from text.themes import without_dark_pictures
from text.urls import page_url

if TYPE_CHECKING:
    from concurrent.futures import Future

WORTH_WORKERS = 16
"""Bodies below which handing them to other processes takes longer than it saves."""

_AT_ONCE = 8


class BodySource(NamedTuple):
    """A body, and everything that its unsanitised HTML depends on."""

    body: str
    generator: str
    markup: str
    base_url: str | None


class BodyTask(NamedTuple):
    """A body to be made safe. `article` is without its body; `has_folder` says whether links look there."""

    source: BodySource
    article: Article
    own_url: str
    site_url: str
    has_folder: bool


class PreparedBody(NamedTuple):
    """The result of another process for a body; it is not `safe` yet where links have to be looked up."""

    html: str
    safe: bool


class RenderedBody(NamedTuple):
    """A body as HTML. One that has links into the folder holds for one revision, until `changes_at`."""

    html: str
    revision: object | None
    changes_at: datetime | None


Key = tuple[bytes, str, str, str]
"""What the HTML of a body depends on, besides the links in it: see `Bodies`."""


class TextCache:
    """The HTML of the bodies that were shown last, within `max_bytes`: most feeds share their articles.

    Many bodies are read at once by the `workers`, where there are any. `stored` are the texts of earlier
    exports.
    """

    def __init__(
        self, max_bytes: int, *, workers: Workers | None = None, stored: StoredTexts | None = None
    ) -> None:
        self.stored = stored
        self.rendered = LruCache[Key, RenderedBody](max_bytes)
        self.workers = workers
        self._begun: dict[Key, tuple[Future[list[PreparedBody]], int]] = {}

    def begin(self, tasks: Mapping[Key, BodyTask]) -> None:
        """Let the workers do the tasks, as `prepared` does; too few are left for this process."""
        tasks = {key: task for key, task in tasks.items() if key not in self._begun}
        if self.workers is None or len(tasks) < WORTH_WORKERS:
            return
        keys = list(tasks)
        for start in range(0, len(keys), _AT_ONCE):
            chunk = keys[start : start + _AT_ONCE]
            future = self.workers.submit(all_prepared, [tasks[key] for key in chunk])
            if future is None:
                return
            self._begun.update((key, (future, place)) for place, key in enumerate(chunk))

    def take(self, key: Key) -> PreparedBody | None:
        """Return a worker's result for a body, once; wait for it. None where there is no such task."""
        pending = self._begun.pop(key, None)
        if pending is None or self.workers is None:
            return None
        future, place = pending
        results = self.workers.result(future)
        return results[place] if results else None

    def save(self) -> None:
        """Store the texts that were made for the exports to come."""
        if self.stored:
            self.stored.finish()

    def close(self) -> None:
        """Store the texts, and end the workers, which the next `begin` starts again."""
        self.save()
        self._begun.clear()
        if self.workers:
            self.workers.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Bodies:
    """The rules for the bodies of one site's articles, with the links as they are at one `revision`."""

    links: ArticleLinks
    generator: str = "plain"
    cache: TextCache | None = None
    revision: object = None

    def html(self, article: Article, own_url: str) -> str:
        """Return an article's body as safe HTML with absolute addresses, for the page at `own_url`."""
        if self.cache is None:
            return self._rendered(article, own_url, None).html
        key = self._key(article, own_url)
        rendered = self.cache.rendered.get(key)
        if rendered is None or not self._holds(rendered):
            rendered = self._stored_or_rendered(article, own_url, key, self.cache)
            self.cache.rendered.put(key, rendered, sys.getsizeof(rendered.html))
        self.links.note_change(rendered.changes_at)
        return rendered.html

    def prepare(self, articles: Iterable[tuple[Article, str]]) -> None:
        """Begin to read the bodies that are not in the cache in other processes, where there are workers.

        Each article comes with the address that `html` will be given.
        """
        if self.cache is None:
            return
        tasks = {}
        for article, own_url in articles:
            key = self._key(article, own_url)
            rendered = self.cache.rendered.get(key)
            if not article.body.strip() or (rendered is not None and self._holds(rendered)):
                continue
            stored = self.cache.stored
            if stored is None or self._stored_key(stored, key, article) not in stored:
                tasks[key] = self._task(article, own_url)
        self.cache.begin(tasks)

    def summary(self, article: Article) -> str:
        """Return the summary of an article that has none of its own."""
        return summarise(article.body, generator=self.generator, markup=article.markup)

    def _stored_or_rendered(self, article: Article, own_url: str, key: Key, cache: TextCache) -> RenderedBody:
        """Return a text that an earlier export stored, or else make it, and store it where that is right.

        What depends on the folder, by its links, is not stored.
        """
        stored = cache.stored
        if stored is None:
            return self._rendered(article, own_url, cache.take(key))
        stored_key = self._stored_key(stored, key, article)
        html = stored.get(stored_key)
        if html is not None:
            return RenderedBody(html, None, None)
        result = self._rendered(article, own_url, cache.take(key))
        if result.revision is None:
            stored.put(stored_key, result.html)
        return result

    def _stored_key(self, stored: StoredTexts, key: Key, article: Article) -> bytes:
        """Return the key of a text in `stored`: of all that it depends on."""
        links = self.links
        rules = (self.generator, article.markup, links.base_url, links.site_url, links.files is not None)
        return stored.key(*key, article.id, *rules)

    def _rendered(self, article: Article, own_url: str, ready: PreparedBody | None) -> RenderedBody:
        if ready and ready.safe:
            return RenderedBody(ready.html, None, None)
        unsafe = ready.html if ready else unsafe_html(self._source(article))
        with self.links.watched() as links:
            html = _safe_html(unsafe, article, own_url, self.links)
        return RenderedBody(html, self.revision if links.are_looked_up else None, links.changes_at)

    def _holds(self, rendered: RenderedBody) -> bool:
        if rendered.revision is None:
            return True
        is_due = rendered.changes_at and self.links.now and rendered.changes_at <= self.links.now
        return rendered.revision == self.revision and not is_due

    def _task(self, article: Article, own_url: str) -> BodyTask:
        without_body = replace(article, body="", related=())
        has_folder = self.links.files is not None
        return BodyTask(self._source(article), without_body, own_url, self.links.site_url, has_folder)

    def _source(self, article: Article) -> BodySource:
        return BodySource(article.body[:MAX_BODY], self.generator, article.markup, self.links.base_url)

    def _key(self, article: Article, own_url: str) -> Key:
        digest = hashlib.blake2b(article.body.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        return digest, article.path, article.link or "", own_url


class _UnknownFiles:
    """The files for a process that does not know the folder."""

    def at(self, _paths: Sequence[str]) -> None:
        return None

    def named(self, _name: str, _folder: str) -> None:
        return None

    def has_file(self, _path: str) -> bool:
        return False

    def size(self, _path: str) -> None:
        return None


def prepared(task: BodyTask) -> PreparedBody:
    """Return a body as safe HTML, unless a link in it leads into the folder; for any process."""
    source = task.source
    files = _UnknownFiles() if task.has_folder else None
    links = ArticleLinks(site_url=task.site_url, base_url=source.base_url, files=files)
    unsafe = unsafe_html(source)
    html = _safe_html(unsafe, task.article, task.own_url, links)
    return PreparedBody(unsafe, safe=False) if links.are_looked_up else PreparedBody(html, safe=True)


def all_prepared(tasks: Sequence[BodyTask]) -> list[PreparedBody]:
    """Return what `prepared` does for each task."""
    return list(map(prepared, tasks))


def _safe_html(unsafe: str, article: Article, own_url: str, links: ArticleLinks) -> str:
    html = sanitise(unsafe, own_url, resolve=lambda url: links.resolve(url, article, own_url))
    return relinked(html, own_url) if own_url == page_url(links.site_url, article.id) else html


def unsafe_html(source: BodySource) -> str:
    """Return a body as HTML that still has to be sanitised; a function of its argument, for any process."""
    body = expand(
        source.body, generator=source.generator, markup=source.markup, base_url=source.base_url
    ).text
    if source.markup == "html":
        return body
    # Imported late: it costs some 80 ms, and a site of links only never needs it.
    from text import markdown

    html = markdown.render(xml_safe(body), markdown.emphasis_of(source.generator))
    return html if source.generator == "plain" else without_dark_pictures(html)
