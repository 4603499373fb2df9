"""Writes one refresh of the catalog, inside its transaction: files that changed, and files that are gone."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from articles.catalog import mentions, statements
from articles.catalog.catalog import Catalog
from articles.catalog.refresh import Refresh
from articles.errors import ArticleError
from articles.files.folder import Folder
from articles.reading.context import ReadingContext
from articles.reading.read_all import read_all
from articles.reading.read_file import Candidate, FileResult
from articles.reading.record import Record, microseconds

_CHUNK = 256
_NO_LONGER = "was an article before, but now has no front matter or no date"


class _Known(NamedTuple):
    """What the catalog holds of one file; the article's part is None while no version of it was good."""

    digest: bytes | None = None
    line: int | None = None
    reason: str | None = None
    article_id: str | None = None
    fingerprint: bytes | None = None


_NEVER_SEEN = _Known()


class RefreshWriter:
    """One refresh, inside its transaction."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        catalog: Catalog,
        folder: Folder,
        context: ReadingContext,
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
        """Store the candidates as they are now, and remove what is gone; `others` were added or removed."""
        others = mentions.mentioned(self._db, others) if others and not self._is_first else []
        self._run(statements.TEMPORARY_TABLES)
        known = self._known(candidates)
        listed = [
            Candidate(path, signature, known.get(path, _NEVER_SEEN).digest)
            for path, signature in sorted(candidates.items())
        ]
        chunks = [listed[start : start + _CHUNK] for start in range(0, len(listed), _CHUNK)]
        for results in read_all(chunks, self._folder, self._topics, context=self._context):
            self._update(results, known)
        for start in range(0, len(gone), _CHUNK):
            self._remove(gone[start : start + _CHUNK])
        if self._refresh.changed or self._refresh.removed or others:
            paths = [] if self._is_first else [*self._touched_paths(), *gone, *others]
            self._run(statements.ADD_NEW_ENTRIES)
            mentions.mark_referring(self._db, paths, self._revision, self._now)
            self._db.execute("UPDATE meta SET value = ? WHERE key = 'revision'", (self._revision,))
            added = self._new - self._refresh.removed
            self._db.execute("UPDATE meta SET value = value + ? WHERE key = 'articles'", (added,))
            self._refresh.problems += self._catalog.conflicts(revision=self._revision)
        return self._refresh

    def _update(self, results: Sequence[FileResult], known: dict[str, _Known]) -> None:
        changed: list[Record] = []
        touched: set[str] = set()
        if not self._is_first:  # or else no file was an article before
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
                if before.article_id is not None:
                    self._refresh.still_shown.add(result.candidate.path)
        self._refresh.read += len(results)
        self._refresh.changed += len(changed)
        self._store_files(results)
        self._remove_old_entries(touched)
        if not self._is_first:
            mentions.remove(self._db, [record.path for record in changed])
        self._db.executemany(
            statements.UPSERT,
            ((*record, self._revision, self._is_first and record.is_published) for record in changed),
        )
        mentions.store(self._db, changed)

    def _store_files(self, results: Sequence[FileResult]) -> None:
        """Store the state of each file when it was read, and what is wrong with it."""
        different = [result for result in results if not result.is_same]
        if len(different) < len(results):
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
                for result in different
            ),
        )

    def _remove(self, paths: Sequence[str]) -> None:
        listed = json.dumps(paths)
        where = "path IN (SELECT value FROM json_each(?))"
        ids = {id for (id,) in self._db.execute(f"SELECT id FROM articles WHERE {where}", (listed,))}
        self._remove_old_entries(ids)
        mentions.remove(self._db, paths)
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

    def _run(self, script: Iterable[str]) -> None:
        for statement in script:
            values = {"revision": self._revision, "now": self._now} if ":revision" in statement else {}
            self._db.execute(statement, values)


def _checked(result: FileResult, known: dict[str, _Known]) -> FileResult:
    """Return the result; it is a problem if the file was an article and no longer is one.

    It may be half written or emptied by mistake: its last good version stays until the file goes.
    """
    before = known.get(result.candidate.path, _NEVER_SEEN)
    if not result.is_no_article or before.article_id is None:
        return result
    return result._replace(problem=ArticleError(result.candidate.path, 1, _NO_LONGER))
