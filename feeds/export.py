"""Exports every document as a static file, for a host that only serves files."""

from __future__ import annotations

import gc
import os
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from articles.topics import ALL
from feeds.bodies import TextCache
from feeds.digests import DigestPublisher
from feeds.errors import ExportError
from feeds.feed_files import FeedFileWriter
from feeds.formats import FORMATS
from feeds.history import ArchivePublisher
from feeds.model import Feed
from feeds.publisher import Publisher
from feeds.stored_texts import StoredTexts
from feeds.subscriptions import Subscriptions
from feeds.workers import YOUNG_OBJECTS, Workers
from storage.static_folder import ExportCounts, StaticFolder

if TYPE_CHECKING:
    from feeds.earlier_export import EarlierExport

_EXTENSIONS = "|".join(FORMATS)
_EXPORTED_PATH = re.compile(
    rf"feeds\.opml|digests/[^/\0]+\.(?:{_EXTENSIONS})"
    rf"|feeds/[^/\0]+(?:/\d{{4}}-\d{{2}}(?:-\d{{1,5}})?)?\.(?:{_EXTENSIONS})"
)
_TEXT_BYTES = 200_000_000  # usually enough for the texts of all articles
_MAX_PROCESSES = 4
MANIFEST = ".newswire-export.json"
"""The file in the folder that lists the files of the export."""


def check_target(folder: Path, articles: Path) -> None:
    """Raise ExportError if an export would write beside the article files, or into the root of all files."""
    target = folder.resolve()
    if target == articles.resolve():
        raise ExportError(f"{folder} is the folder of the articles: export into another one")
    if target == target.parent:
        raise ExportError(f"{folder} is the root of the file system: export into a folder of its own")


def export(
    publisher: Publisher, folder: Path, progress: Callable[[int, int], None] = lambda done, of: None
) -> ExportCounts:
    """Write every document below `folder`, and return counts of files; raises ExportError if that fails.

    A file is replaced atomically, and only if its bytes differ. Files that an earlier export wrote and this
    one does not are removed; files that no export wrote are never changed.
    """
    with many_texts(publisher):
        return write_feeds(publisher, folder, progress)


def write_feeds(
    publisher: Publisher,
    folder: Path,
    progress: Callable[[int, int], None] = lambda done, of: None,
    earlier: EarlierExport | None = None,
) -> ExportCounts:
    """Do what `export` does, with the publisher's cache of texts: see `many_texts`.

    Documents of an `earlier` export that are up to date are not rendered again.
    """
    slugs = [ALL, *(summary.topic.slug for summary in publisher.catalog.summaries(publisher.now()))]
    try:
        files = StaticFolder(folder, MANIFEST, lambda path: _EXPORTED_PATH.fullmatch(path) is not None)
        files.write("feeds.opml", Subscriptions(publisher).document().body)
        on_file = _counting(progress, len(slugs) * len(FORMATS))
        if earlier is None:
            _write_all(publisher, slugs, files, on_file)
        else:
            # Imported here, as an export without an earlier one does not need it.
            from feeds.changed_feeds import ChangedFeeds

            ChangedFeeds(publisher, files, earlier, on_file).write(slugs)
        return files.finish()
    except OSError as error:
        raise ExportError(f"{error.filename or folder}: {error.strerror}") from error


def _counting(progress: Callable[[int, int], None], expected: int) -> Callable[[], None]:
    """Return a function that counts files, and calls `progress` with the count and that of all files."""
    counter = count(1)

    def on_file() -> None:
        done = next(counter)
        progress(done, max(done, expected))

    return on_file


def _write_all(
    publisher: Publisher, slugs: list[str], files: StaticFolder, on_file: Callable[[], None]
) -> None:
    writer = FeedFileWriter(files, publisher.texts.workers, on_file)
    for base, feed in _feeds(publisher, slugs):
        writer.write(base, feed)
    publisher.texts.save()
    writer.finish()


@contextmanager
def many_texts(publisher: Publisher) -> Iterator[None]:
    """Let the publisher cache all texts within the context, and convert them in several processes.

    Texts of earlier exports are taken from the state folder.
    """
    before = publisher.texts
    count = processes()
    workers = Workers(count) if count > 1 else None
    stored = StoredTexts(publisher.catalog.path.with_name("texts.sqlite"), publisher.now)
    publisher.texts = TextCache(_TEXT_BYTES, workers=workers, stored=stored)
    collecting = gc.get_threshold()
    gc.set_threshold(YOUNG_OBJECTS)
    try:
        yield
    finally:
        gc.set_threshold(*collecting)
        if workers:
            workers.close()
        publisher.texts.save()
        publisher.texts = before


def processes() -> int:
    """Return how many processes may do the work: only this one while it has other threads."""
    return min(os.cpu_count() or 1, _MAX_PROCESSES) if threading.active_count() == 1 else 1


def _feeds(publisher: Publisher, slugs: list[str]) -> Iterator[tuple[str, Feed]]:
    """Yield the feeds, digests and archives of topics, with the paths of their files without extension."""
    now = publisher.now()
    history = ArchivePublisher(publisher)
    digests = DigestPublisher(publisher)
    # While one topic's feeds are built here, other processes convert the next one's bodies.
    prepared = publisher.prepare(slugs[0], now)
    for slug, following in zip(slugs, [*slugs[1:], None], strict=True):
        articles, prepared = prepared, publisher.prepare(following, now) if following else []
        feed = publisher.feed(slug, now, articles=articles)
        if feed is not None:
            yield f"feeds/{slug}", feed
            digest = digests.feed(slug, now)
            if digest is not None:
                yield f"digests/{slug}", digest
            for part in history.parts(slug, now):
                archive = history.feed(slug, part, now)
                if archive is not None:
                    yield f"feeds/{slug}/{part.name}", archive
