"""The publisher and the files for a static export, which record what each page and feed is made from.

The next export then renders only what has changed.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeVar, cast

from articles.article import Article
from articles.catalog.observed import ObservedCatalog
from articles.catalog.served_files import ArticleFiles
from feeds.bodies import Bodies
from feeds.earlier import EarlierExport, Recorded, Signature
from feeds.publisher import Publisher
from text.cache import LruCache

T = TypeVar("T")

_Recorded = LruCache[tuple[str, str], tuple[Recorded, object]]
_RECORDED_BYTES = 20_000_000
_READ_BYTES = 500  # about
_SHARED_BYTES = 20_000_000
_SHARED_VALUE_BYTES = 20_000  # about


class ObservedFiles(ArticleFiles):
    """The files beside the articles; every lookup is recorded."""

    earlier: EarlierExport

    def __init__(self, files: ArticleFiles) -> None:
        self._files = files

    def find(self, path: str, now: datetime) -> Path | None:
        """Return the file at a path, None if there is none, and record it."""
        file = self._files.find(path, now)
        self.earlier.looked_up(path, _signature(file))
        return file

    def signature(self, path: str, now: datetime) -> Signature:
        """Return the size and the time of the file at a path."""
        return _signature(self._files.find(path, now))


def _signature(file: Path | None) -> Signature:
    try:
        status = file.stat() if file else None
    except OSError:  # it was deleted a moment ago
        return None
    return (status.st_size, status.st_mtime_ns) if status else None


class ObservedPublisher(Publisher):
    """A publisher over an observed catalog, which also records when links in texts change.

    What several pages share is read once, and recorded for each of them.
    """

    def __init__(
        self, publisher: Publisher, catalog: ObservedCatalog, files: ArticleFiles, earlier: EarlierExport
    ) -> None:
        super().__init__(catalog, publisher.site, publisher.settings, lambda: catalog.now, files=files)
        self.texts = publisher.texts
        self._earlier = earlier
        self._recorded = _Recorded(_RECORDED_BYTES)
        self._shared = LruCache[Hashable, tuple[Recorded, object]](_SHARED_BYTES)

    def shared(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return the result of `make`, called once for each key. It must not resolve links."""
        recorded, value = self._shared.get(key) or (None, None)
        if recorded is not None:
            self._earlier.repeat(recorded)
            return cast("T", value)
        with self._earlier.recording() as recorded:
            result = make()
        self._shared.put(key, (recorded, result), _SHARED_VALUE_BYTES)
        return result

    def bodies(self, now: datetime) -> Bodies:
        """Return the rules for bodies, which record lookups and when links change."""
        bodies = super().bodies(now)
        self._earlier.changes(lambda: bodies.links.changes_at)
        return _ObservedBodies(
            links=bodies.links,
            generator=bodies.generator,
            cache=bodies.cache,
            earlier=self._earlier,
            recorded=self._recorded,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _ObservedBodies(Bodies):
    """Bodies as HTML. What was looked up for one is recorded again for each further use.

    A text is of the revision with which its look-ups are `recorded`; without them it is made again.
    """

    earlier: EarlierExport
    recorded: _Recorded

    def html(self, article: Article, own_url: str) -> str:
        key = article.path, own_url
        recorded, revision = self.recorded.get(key) or (None, object())
        bodies = Bodies(links=self.links, generator=self.generator, cache=self.cache, revision=revision)
        if recorded is not None:
            self.earlier.repeat(recorded)
            return bodies.html(article, own_url)
        with self.earlier.recording() as recorded:
            text = bodies.html(article, own_url)
        size = _READ_BYTES * (1 + len(recorded.reads) + len(recorded.looked_up))
        self.recorded.put(key, (recorded, revision), size)
        return text
