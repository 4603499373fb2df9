"""Brings the catalog up to date with the article files: the only writer of the index.

All of a refresh is one transaction, so that a reader sees all of it or nothing. A file that turns bad keeps
its last good version until it is corrected or deleted.
"""

from __future__ import annotations

import hashlib
import json
import logging
import sqlite3
import time
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from articles.catalog import mentions, statements
from articles.catalog.catalog import Catalog
from articles.errors import ArticleError
from articles.files.folder import Folder, Scan
from articles.reading.context import Context
from articles.reading.read_all import read_all
from articles.reading.read_file import Candidate, FileResult
from articles.reading.record import Record, microseconds
from articles.reading.surroundings import Beside
from storage.derived import is_damage, transaction

log = logging.getLogger(__name__)

_CHUNK = 256
_NO_LONGER = "was an article and is none now: it has no front matter, or no date"


@dataclass(slots=True, kw_only=True)
class Refresh:
    """What a refresh did: files read again, articles that changed visibly or went away, files newly bad.

    `seconds` is the time it took, without the wait for another process. `folders` are those of the `Scan`,
    None where only some files were examined.
    """

    read: int = 0
    changed: int = 0
    removed: int = 0
    problems: list[ArticleError] = field(default_factory=list)
    seconds: float = 0.0
    folders: dict[str, int] | None = None


class _Known(NamedTuple):
    """What the catalog holds of one file; the article's part is None while no version of it was good."""

    digest: bytes | None = None
    line: int | None = None
    reason: str | None = None
    article_id: str | None = None
    fingerprint: bytes | None = None


_NEVER_SEEN = _Known()


class Indexer:
    """Refreshes one catalog from one folder; any number of processes may, one of them at a time does.

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
        self._beside = Beside(folder, catalog.conventions)

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
                    "the catalog %s is damaged (%s), and is built again from the article files",
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
            if paths is None or not self._may_read_alone(paths):
                scan = self.folder.scan()
                candidates, gone, others = self._all(connection, scan)
            else:
                candidates, gone = self._some(connection, paths)
            writer = _Writer(connection, self.catalog, self.folder, self.context, self._clock())
            refresh = writer.write(candidates, gone, others)
        refresh.folders = scan.folders if scan else None
        refresh.seconds = time.monotonic() - started
        return refresh

    @property
    def context(self) -> Context:
        """What the reading of a file depends on besides the file, as of the last refresh of all of them."""
        return self._beside.last or Context(self.catalog.conventions, root=self.folder.root)

    def _may_read_alone(self, paths: Iterable[str]) -> bool:
        """Whether these files can be read without a look at all: a section's own file speaks for many."""
        is_known = self._beside.last is not None and self.catalog.is_complete()
        return is_known and not any(path.rpartition("/")[2].startswith("_index.") for path in paths)

    @property
    def beside(self) -> list[Path]:
        """The files above and beside the articles on which their reading depends, as they are now."""
        return self._beside.files()

    def _all(self, connection: sqlite3.Connection, scan: Scan) -> tuple[dict[str, int], list[str], list[str]]:
        """Return the files whose signature is new, the paths that are gone, and other files that changed."""
        # Nearly always nothing has changed, and one digest says so sooner than every file's signature.
        digest = scan.digest() + self._beside.signature(scan).encode()
        context = self._beside.context(scan, digest)
        if connection.execute("SELECT 1 FROM meta WHERE key = 'scan' AND value = ?", (digest,)).fetchone():
            return {}, [], []
        connection.execute("REPLACE INTO meta VALUES ('complete', 1), ('scan', ?)", (digest,))
        surroundings = hashlib.sha256(repr(context.surroundings).encode(errors="backslashreplace")).digest()
        before = connection.execute("SELECT value FROM meta WHERE key = 'surroundings'").fetchone()
        if before != (surroundings,):
            # What is said beside the files of all of them has changed, so each is to be read again.
            connection.execute("REPLACE INTO meta VALUES ('surroundings', ?)", (surroundings,))
            connection.execute("UPDATE files SET signature = 0, digest = NULL")
        others = mentions.note_others(connection, scan.others)
        known = dict(connection.execute("SELECT path, signature FROM files"))
        candidates = {p: s for p, s in scan.files.items() if known.pop(p, None) != s}
        gone = [p for p in known if not _is_in(p, scan.unreadable)]
        return candidates, gone, others

    def _some(self, connection: sqlite3.Connection, paths: Iterable[str]) -> tuple[dict[str, int], list[str]]:
        """Return those of these files that there are, with their signatures, and those that there are not."""
        connection.execute("DELETE FROM meta WHERE key = 'scan'")  # the digest is no longer that of all files
        signatures = {path: self.folder.signature(path) for path in paths}
        gone = [path for path, signature in signatures.items() if signature is None]
        return {path: signature for path, signature in signatures.items() if signature is not None}, gone

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        self.catalog.reopen()
        connection = self.catalog.connection
        with transaction(connection):
            yield connection


class _Writer:
    """One refresh, inside its transaction."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        catalog: Catalog,
        folder: Folder,
        context: Context,
        now: datetime,
    ) -> None:
        self._db = connection
        self._catalog = catalog
        self._topics = catalog.topics
        self._folder = folder
        self._context = context
        self._revision = catalog.revision() + 1
        self._now = microseconds(now)
        self._refresh = Refresh()
        self._new = 0
        self._is_first = connection.execute("SELECT 1 FROM articles LIMIT 1").fetchone() is None

    def write(self, candidates: dict[str, int], gone: Sequence[str], others: Sequence[str] = ()) -> Refresh:
        """Store what the candidates say now and drop what is gone; `others` are files that came or went."""
        others = [] if self._is_first else mentions.mentioned(self._db, others)
        if not candidates and not gone and not others:
            return self._refresh
        self._run(statements.TEMPORARY_TABLES)
        known = self._known(candidates)
        every = [Candidate(p, s, known.get(p, _NEVER_SEEN).digest) for p, s in sorted(candidates.items())]
        chunks = [every[start : start + _CHUNK] for start in range(0, len(every), _CHUNK)]
        for results in read_all(chunks, self._folder, self._topics, context=self._context):
            self._update(results, known)
        for start in range(0, len(gone), _CHUNK):
            self._remove(gone[start : start + _CHUNK])
        if self._refresh.changed or self._refresh.removed or others:
            moved = [] if self._is_first else [*self._touched_paths(), *gone, *others]
            self._run(statements.ADD_NEW_ENTRIES)
            mentions.mark_referring(self._db, moved, self._revision, self._now)
            self._db.execute("UPDATE meta SET value = ? WHERE key = 'revision'", (self._revision,))
            grown = self._new - self._refresh.removed
            self._db.execute("UPDATE meta SET value = value + ? WHERE key = 'articles'", (grown,))
            self._refresh.problems += self._catalog.conflicts(revision=self._revision)
        return self._refresh

    def _update(self, results: Sequence[FileResult], known: dict[str, _Known]) -> None:
        changed: list[Record] = []
        touched: set[str] = set()
        results = [_checked(result, known) for result in results]
        for result in results:
            before = known.get(result.candidate.path, _NEVER_SEEN)
            record = result.record
            if record is not None and record.fingerprint != before.fingerprint:
                changed.append(record)
                touched |= {record.id, before.article_id or record.id}
                self._new += before.article_id is None
            if result.problem and result.fault != (before.line, before.reason):
                self._refresh.problems.append(result.problem)
        self._refresh.read += len(results)
        self._refresh.changed += len(changed)
        self._note_files(results)
        self._remove_old_entries(touched)
        if not self._is_first:
            mentions.forget(self._db, [record.path for record in changed])
        self._db.executemany(statements.UPSERT, ((*record, self._revision) for record in changed))
        mentions.note(self._db, changed)

    def _note_files(self, results: Sequence[FileResult]) -> None:
        """Remember how each file was when it was read, and what is wrong with it."""
        self._db.executemany(
            "UPDATE files SET signature = ? WHERE path = ?",
            ((result.candidate.signature, result.candidate.path) for result in results if result.is_same),
        )
        self._db.executemany(
            "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?)",
            (
                (
                    result.candidate.path,
                    result.candidate.signature,
                    result.digest,
                    *result.fault,
                    json.dumps(result.warnings) if result.warnings else "",
                )
                for result in results
                if not result.is_same
            ),
        )

    def _remove(self, paths: Sequence[str]) -> None:
        listed = json.dumps(paths)
        where = "path IN (SELECT value FROM json_each(?))"
        ids = {id for (id,) in self._db.execute(f"SELECT id FROM articles WHERE {where}", (listed,))}
        self._remove_old_entries(ids)
        mentions.forget(self._db, paths)
        self._refresh.removed += self._db.execute(f"DELETE FROM articles WHERE {where}", (listed,)).rowcount
        self._db.execute(f"DELETE FROM files WHERE {where}", (listed,))

    def _touched_paths(self) -> list[str]:
        rows = self._db.execute("SELECT path FROM touched CROSS JOIN main.articles USING (id)")
        return [path for (path,) in rows]

    def _remove_old_entries(self, ids: set[str]) -> None:
        rows = ((id,) for id in sorted(ids))
        if self._is_first:  # there are no entries yet
            self._db.executemany("INSERT OR IGNORE INTO touched VALUES (?)", rows)
        elif ids:
            self._db.execute("DELETE FROM chunk")
            self._db.executemany("INSERT INTO chunk VALUES (?)", rows)
            self._run(statements.REMOVE_OLD_ENTRIES)

    def _known(self, paths: Iterable[str]) -> dict[str, _Known]:
        rows = self._db.execute(
            "SELECT path, digest, line, reason, id, fingerprint FROM files LEFT JOIN articles USING (path)"
            " WHERE path IN (SELECT value FROM json_each(?))",
            (json.dumps(list(paths)),),
        )
        return {path: _Known(*values) for path, *values in rows}

    def _run(self, several: Iterable[str]) -> None:
        for statement in several:
            values = {"revision": self._revision, "now": self._now} if ":revision" in statement else {}
            self._db.execute(statement, values)


def _checked(result: FileResult, known: dict[str, _Known]) -> FileResult:
    """Return the result, which is a problem where the file was an article and is none any more.

    It may be half written or emptied by mistake: its last good version stays until the file goes.
    """
    before = known.get(result.candidate.path, _NEVER_SEEN)
    if not result.is_no_article or before.article_id is None:
        return result
    return result._replace(problem=ArticleError(result.candidate.path, 1, _NO_LONGER))


def _is_in(path: str, folders: Container[str]) -> bool:
    while (end := path.rfind("/")) > 0:
        path = path[:end]
        if path in folders:
            return True
    return False
