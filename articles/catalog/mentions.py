"""Which articles refer to which files, so that links stay right when files come, change or go.

`mentions` has the names of the files that each body may refer to, as `text.links.mentions` finds them. When
an article comes, changes or goes, the topics of those that mention its name count as changed.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from datetime import datetime
from urllib.parse import quote

from articles.article import Article
from articles.catalog.catalog import Catalog
from articles.catalog.served_files import ArticleFiles
from articles.catalog.statements import COUNT_CHANGE
from articles.reading import record as records
from articles.reading.record import Record
from text.links import mentions, name_of

_FORGET = """
    DELETE FROM mentions WHERE number IN
        (SELECT number FROM articles WHERE path IN (SELECT value FROM json_each(?)))"""
_MOST_NAMES = 50
"""Names of files that are looked for in what is stored of articles; with more, all are read again."""
_READ_AGAIN = """
    UPDATE files SET signature = 0, digest = NULL WHERE warnings LIKE '%http%' OR warnings LIKE '%base_url%'
    OR path IN (SELECT articles.path FROM articles, json_each(?) AS name WHERE instr(document, name.value))"""
_MENTION = "INSERT OR IGNORE INTO mentions SELECT ?, number FROM articles WHERE path = ?"
_NOTE_TOPICS = (
    """
    INSERT INTO topics SELECT DISTINCT topic.key, ?1, ?3, 0
    FROM mentions JOIN articles USING (number), json_each(json_insert(spellings, '$.all', '')) AS topic
    WHERE mentions.name IN (SELECT value FROM json_each(?2)) AND shown"""
    + COUNT_CHANGE
)


def remove(connection: sqlite3.Connection, paths: Sequence[str]) -> None:
    """Remove what the articles at these paths mention; call it before they change or are removed."""
    connection.execute(_FORGET, (json.dumps(paths),))


def note(connection: sqlite3.Connection, changed: Iterable[Record]) -> None:
    """Store what the articles mention that have just been written."""
    connection.executemany(
        _MENTION,
        (
            (name, record.path)
            for record in changed
            if record.body
            for name in mentions(record.body, record.path.rpartition("/")[0])
        ),
    )


def mentioned(connection: sqlite3.Connection, paths: Iterable[str]) -> list[str]:
    """Return those of these files that a body may refer to."""
    by_name = {name_of(path): path for path in paths}
    rows = connection.execute(
        "SELECT DISTINCT name FROM mentions WHERE name IN (SELECT value FROM json_each(?))",
        (json.dumps(list(by_name)),),
    )
    return [by_name[name] for (name,) in rows]


def note_others(connection: sqlite3.Connection, paths: Sequence[str]) -> list[str]:
    """Store which files lie beside the articles; return those that came or went since the last time.

    Articles whose pictures may be among these are to be read again.
    """
    known = {path for (path,) in connection.execute("SELECT path FROM others")}
    changed = sorted(known.symmetric_difference(paths))
    if not changed:
        return []
    connection.execute("DELETE FROM others")
    connection.executemany("INSERT INTO others VALUES (?)", ((path,) for path in sorted(set(paths))))
    names = {quote(path.rpartition("/")[2], errors="replace") for path in changed}
    if len(names) > _MOST_NAMES:
        connection.execute("UPDATE files SET signature = 0, digest = NULL")
    else:
        # There is a warning about each picture that could not be used.
        connection.execute(_READ_AGAIN, (json.dumps(sorted(names)),))
    return changed


def mark_referring(connection: sqlite3.Connection, paths: Iterable[str], revision: int, now: int) -> None:
    """Count the topics as changed at `now` (microseconds) whose shown articles mention these files."""
    names = sorted(set(map(name_of, paths)))
    connection.execute(_NOTE_TOPICS, (revision, json.dumps(names), now))


class CatalogPlaces:
    """Finds what the links in bodies refer to, as it is at `now`; for one feed or page."""

    def __init__(self, catalog: Catalog, files: ArticleFiles | None, now: datetime) -> None:
        self._catalog = catalog
        self._files = files
        self._now = now
        self._named: dict[str, list[str]] | None = None

    def at(self, paths: Sequence[str]) -> Article | None:
        """Return the first of the articles at these paths, published or not."""
        found = self._catalog.connection.execute(
            "SELECT path, document FROM articles WHERE active AND path IN (SELECT value FROM json_each(?))",
            (json.dumps(paths),),
        )
        documents: dict[str, str] = dict(found)
        best = next((path for path in paths if path in documents), None)
        return records.article(documents[best], best) if best is not None else None

    def named(self, name: str, folder: str) -> Article | None:
        """Return the article whose file has this name, best one in `folder`; published or not."""
        if self._named is None:
            self._named = {}
            for (path,) in self._catalog.connection.execute(
                "SELECT path FROM articles WHERE active ORDER BY path"
            ):
                self._named.setdefault(name_of(path), []).append(path)
        paths = self._named.get(name, [])
        near = [path for path in paths if path.rpartition("/")[0] == folder]
        return self.at((near or paths)[:1])

    def has_file(self, path: str) -> bool:
        """Return whether there is a file beside the articles that this site serves."""
        return self._files is not None and self._files.find(path, self._now) is not None

    def size(self, path: str) -> int | None:
        """Return the bytes of a file beside the articles that this site serves, None where there is none."""
        file = self._files.find(path, self._now) if self._files else None
        try:
            return file.stat().st_size if file else None
        except OSError:  # it was deleted a moment ago
            return None
