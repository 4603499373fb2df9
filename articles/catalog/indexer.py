"""Brings the catalog up to date with the article files: the only writer of the index.

All of a refresh is one transaction, so that a reader sees all of it or nothing. A file that turns bad keeps
its last good version until it is corrected or deleted.
"""

from __future__ import annotations

import hashlib
import logging
import sqlite3
import time
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

from articles.catalog.catalog import Catalog
from articles.catalog.refresh import Refresh
from articles.files.folder import Folder
from articles.files.scan import Scan
from articles.reading.context import ReadingContext
from articles.reading.surroundings import SurroundingFiles, WatchedPaths
from storage.derived import is_damage, transaction

log = logging.getLogger(__name__)


class Indexer:
    """Refreshes one catalog from one folder; of several processes, one at a time does so.

    `clock` says when a topic changed. Each refresh is followed by one of the `others`: indexers of the same
    folder whose catalogs show other articles.
    """

    def __init__(
        self,
        catalog: Catalog,
        folder: Folder,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        *,
        others: Sequence[Indexer] = (),
    ) -> None:
        self.catalog = catalog
        self.folder = folder
        self._clock = clock
        self._others = tuple(others)
        self._beside = SurroundingFiles(folder, catalog.conventions)

    def refresh(self, paths: Iterable[str] | None = None) -> Refresh:
        """Bring the catalog up to date: with these paths only, or with the whole folder.

        Raises SourceError when the folder cannot be read; the catalog then stays as it is.
        """
        paths = paths if paths is None else list(paths)
        refresh = self._refresh_own(paths)
        for other in self._others:
            other.refresh(paths)
        return refresh

    def _refresh_own(self, paths: Iterable[str] | None) -> Refresh:
        with self.catalog.write_lock(), self.folder.frozen():
            try:
                return self._refresh(paths)
            except sqlite3.DatabaseError as error:
                if not is_damage(error):
                    raise
                log.warning(
                    "the catalog %s is damaged (%s) and is rebuilt from the article files",
                    self.catalog.path,
                    error,
                )
                self.catalog.discard()
                return self._refresh(None)

    def _refresh(self, paths: Iterable[str] | None) -> Refresh:
        started = time.monotonic()
        scan = None
        with self._transaction() as connection:
            others: list[str] = []
            if paths is None or not self._may_read_without_listing(connection, paths):
                scan = self.folder.scan()
                candidates, removed, others = self._changes_in_folder(connection, scan)
            else:
                candidates, removed = self._changes_among(connection, paths)
            refresh = self._write(connection, candidates, removed, others)
        refresh.folders = scan.folders if scan else None
        refresh.seconds = time.monotonic() - started
        return refresh

    def _write(
        self,
        connection: sqlite3.Connection,
        candidates: dict[str, int],
        removed: Sequence[str],
        others: Sequence[str],
    ) -> Refresh:
        if not candidates and not removed and not others:
            return Refresh()
        # Imported late: most refreshes find nothing to write, and loading this takes a while.
        from articles.catalog.refresh_writer import RefreshWriter

        writer = RefreshWriter(connection, self.catalog, self.folder, self.context, self._clock())
        return writer.write(candidates, removed, others)

    @property
    def context(self) -> ReadingContext:
        """What the reading of a file depends on besides the file, as of the last refresh of all of them."""
        return self._beside.last or ReadingContext(self.catalog.conventions, root=self.folder.root)

    def _may_read_without_listing(self, connection: sqlite3.Connection, paths: Iterable[str]) -> bool:
        """Whether these files can be read without listing the folder.

        A section's own file cannot. With Hugo, a new or removed file may make others resources of a page.
        """
        if self._beside.last is None or not self.catalog.is_complete():
            return False
        if any(path.rpartition("/")[2].startswith("_index.") for path in paths):
            return False
        return self.catalog.conventions.generator != "hugo" or all(
            self._is_known(connection, path) == (self.folder.signature(path) is not None) for path in paths
        )

    def _is_known(self, connection: sqlite3.Connection, path: str) -> bool:
        return connection.execute("SELECT 1 FROM files WHERE path = ?", (path,)).fetchone() is not None

    @property
    def watched(self) -> WatchedPaths:
        """The files above and beside the articles on which their reading depends."""
        return self._beside.watched()

    def _changes_in_folder(
        self, connection: sqlite3.Connection, scan: Scan
    ) -> tuple[dict[str, int], list[str], list[str]]:
        """Return the files whose signature is new, the paths that are gone, and other files that changed."""
        # Usually nothing has changed, and comparing one digest is faster than comparing every signature.
        digest = scan.digest() + self._beside.signature(scan).encode()
        context = self._beside.context(scan, digest)
        if connection.execute("SELECT 1 FROM meta WHERE key = 'scan' AND value = ?", (digest,)).fetchone():
            return {}, [], []
        connection.execute("REPLACE INTO meta VALUES ('complete', 1), ('scan', ?)", (digest,))
        surroundings = hashlib.sha256(repr(context.surroundings).encode(errors="backslashreplace")).digest()
        before = connection.execute("SELECT value FROM meta WHERE key = 'surroundings'").fetchone()
        if before != (surroundings,):
            # Something that applies to all files has changed, so each of them is read again.
            connection.execute("REPLACE INTO meta VALUES ('surroundings', ?)", (surroundings,))
            connection.execute("UPDATE files SET signature = 0, digest = NULL")
        from articles.catalog import mentions  # late, see `_write`

        others = mentions.store_others(connection, scan.others)
        signatures = dict(connection.execute("SELECT path, signature FROM files"))
        files, bundles = scan.files, context.surroundings.bundles
        if bundles:  # a resource that was an article is gone, and not in error
            from articles.reading.bundles import is_resource  # late, see `_write`

            files = {path: signature for path, signature in files.items() if not is_resource(path, bundles)}
        candidates = {
            path: signature for path, signature in files.items() if signatures.pop(path, None) != signature
        }
        removed = [path for path in signatures if not _is_in(path, scan.unreadable)]
        return candidates, removed, others

    def _changes_among(
        self, connection: sqlite3.Connection, paths: Iterable[str]
    ) -> tuple[dict[str, int], list[str]]:
        """Return the signatures of those of these files that exist, and the paths of those that do not."""
        connection.execute("DELETE FROM meta WHERE key = 'scan'")  # the digest is no longer that of all files
        signatures = {path: self.folder.signature(path) for path in paths}
        removed = [path for path, signature in signatures.items() if signature is None]
        return {path: signature for path, signature in signatures.items() if signature is not None}, removed

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        self.catalog.reopen()
        connection = self.catalog.connection
        with transaction(connection):
            yield connection


def _is_in(path: str, folders: Container[str]) -> bool:
    while (end := path.rfind("/")) > 0:
        path = path[:end]
        if path in folders:
            return True
    return False
