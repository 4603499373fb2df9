"""Which articles refer to which files, so that links stay correct when files are added, changed or removed.

`mentions` has the names of the files that each body may refer to, as `text.links.mentions` finds them. When
an article is added, changed or removed, the topics of those that mention its name count as changed.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from urllib.parse import quote

from articles.catalog.statements import COUNT_CHANGE
from articles.reading.record import Record
from text.links import mentions, name_of

_DELETE_MENTIONS = """
    DELETE FROM mentions WHERE number IN
        (SELECT number FROM articles WHERE path IN (SELECT value FROM json_each(?)))"""
_MAX_NAMES = 50
"""The most names of files that are searched for in stored articles; with more, all files are read again."""
_MARK_FOR_READING = """
    UPDATE files SET signature = 0, digest = NULL WHERE warnings LIKE '%http%' OR warnings LIKE '%base_url%'
    OR path IN (SELECT articles.path FROM articles, json_each(?) AS name WHERE instr(document, name.value))"""
_ADD_MENTION = "INSERT OR IGNORE INTO mentions SELECT ?, number FROM articles WHERE path = ?"
_MARK_TOPICS = (
    """
    INSERT INTO topics SELECT DISTINCT topic.key, ?1, ?3, 0
    FROM mentions JOIN articles USING (number), json_each(json_insert(spellings, '$.all', '')) AS topic
    WHERE mentions.name IN (SELECT value FROM json_each(?2)) AND shown"""
    + COUNT_CHANGE
)


def remove(connection: sqlite3.Connection, paths: Sequence[str]) -> None:
    """Remove what the articles at these paths mention; call it before they change or are removed."""
    connection.execute(_DELETE_MENTIONS, (json.dumps(paths),))


def store(connection: sqlite3.Connection, changed: Iterable[Record]) -> None:
    """Store the mentions in articles that have just been written."""
    connection.executemany(
        _ADD_MENTION,
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


def store_others(connection: sqlite3.Connection, paths: Sequence[str]) -> list[str]:
    """Store which files lie beside the articles; return those that were added or removed since the last time.

    Articles whose pictures may be among these are to be read again.
    """
    stored = {path for (path,) in connection.execute("SELECT path FROM others")}
    changed = sorted(stored.symmetric_difference(paths))
    if not changed:
        return []
    connection.execute("DELETE FROM others")
    connection.executemany("INSERT INTO others VALUES (?)", ((path,) for path in sorted(set(paths))))
    names = {quote(path.rpartition("/")[2], errors="replace") for path in changed}
    if len(names) > _MAX_NAMES:
        connection.execute("UPDATE files SET signature = 0, digest = NULL")
    else:
        # There is a warning about each picture that could not be used.
        connection.execute(_MARK_FOR_READING, (json.dumps(sorted(names)),))
    return changed


def mark_referring(connection: sqlite3.Connection, paths: Iterable[str], revision: int, now: int) -> None:
    """Count the topics as changed at `now` (microseconds) whose shown articles mention these files."""
    names = sorted(set(map(name_of, paths)))
    connection.execute(_MARK_TOPICS, (revision, json.dumps(names), now))
