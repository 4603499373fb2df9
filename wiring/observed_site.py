"""The publisher and the files for a static export, which record what each page and feed is made from.

The next export then renders only what has changed.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Hashable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from importlib.metadata import version
from pathlib import Path
from typing import TypeVar, cast

from articles.article import Article
from articles.catalog.file_lookup import CatalogFileLookup, paths_by_name
from articles.catalog.observed import ObservedCatalog
from articles.catalog.served_files import ArticleFiles
from feeds.bodies import Bodies
from feeds.earlier_export import EarlierExport, RecordedInputs, Signature
from feeds.publisher import Publisher
from storage.export_records import ExportRecords
from text.cache import LruCache
from wiring.site import Newswire

T = TypeVar("T")

_PROJECT = Path(__file__).resolve().parents[1]
_CODE = ("articles", "feeds", "pages", "pictures", "storage", "text", "web", "wiring")
_LIBRARIES = (
    "babel", "emoji", "feedgen", "flask", "jinja2", "lxml", "markdown-it-py", "markupsafe",
    "mdit-py-plugins", "nh3", "segno", "tzdata", "werkzeug",
)  # fmt: skip
_Recorded = LruCache[tuple[str, str], tuple[RecordedInputs, object]]
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
        self._shared = LruCache[Hashable, tuple[RecordedInputs, object]](_SHARED_BYTES)

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

    def file_lookup(self, now: datetime) -> CatalogFileLookup:
        """Return what finds the files to which links lead, and records each use of the names of all files."""
        by_name = partial(self.shared, "paths by name", partial(paths_by_name, self.catalog))
        return CatalogFileLookup(self.catalog, self._files, now, by_name)

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


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedSite:
    """The parts of a site for one export, which record what each document is made from."""

    catalog: ObservedCatalog
    files: ObservedFiles
    publisher: ObservedPublisher
    earlier: EarlierExport


@contextmanager
def observed(newswire: Newswire, manifest: Path) -> Iterator[ObservedSite]:
    """Yield the parts for the export that `manifest` lists; what they recorded is stored if all goes well.

    Documents of an earlier export with other settings, or by another version of the program, are not known.
    """
    settings = f"{newswire.config.model_dump_json()} {_program()}"
    with (
        closing(ExportRecords(newswire.config.state, manifest, settings)) as exported,
        closing(ObservedCatalog(newswire.catalog, newswire.clock())) as catalog,
    ):
        files = ObservedFiles(newswire.files)
        earlier = EarlierExport(exported, catalog, lambda path: files.signature(path, catalog.now))
        files.earlier = earlier
        publisher = ObservedPublisher(newswire.publisher, catalog, files, earlier)
        yield ObservedSite(catalog=catalog, files=files, publisher=publisher, earlier=earlier)
        exported.finish(catalog.state())


@cache
def _program() -> str:
    """Return a digest of everything that a page depends on besides settings and articles."""
    digest = hashlib.blake2b(digest_size=16)
    for file in _files(_PROJECT / name for name in _CODE):
        digest.update(b"%s %d " % (str(file.relative_to(_PROJECT)).encode(), file.stat().st_size))
        digest.update(file.read_bytes())
    digest.update(" ".join(f"{name} {version(name)}" for name in _LIBRARIES).encode())
    digest.update(sys.version.encode())
    return digest.hexdigest()


def _files(folders: Iterable[Path]) -> Iterator[Path]:
    for folder in folders:
        yield from sorted(path for path in folder.rglob("*") if path.suffix != ".pyc" and path.is_file())
