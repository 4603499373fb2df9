"""The index over all articles: an SQLite file on local disk, derived from the files, safe to delete.

This is its reading side, shared by all threads and processes of a machine; `indexer` beside it writes it.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import sqlite3
import threading
from collections import Counter
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from articles.article import Article
from articles.errors import ArticleError
from articles.private import private_file, private_folder
from articles.reading import record as records
from articles.reading.record import microseconds, moment
from articles.topics import ALL, Topic, Topics

VERSION = 2
"""Grows whenever what is stored, or how a file is understood, changes: an older catalog is then rebuilt."""

_SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE files (
    path TEXT PRIMARY KEY, signature INTEGER NOT NULL, digest BLOB, line INTEGER, reason TEXT
) WITHOUT ROWID;
CREATE TABLE articles (
    number INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE, id TEXT NOT NULL,
    precedence TEXT NOT NULL, -- of all articles with one id, the lowest is active
    published_at INTEGER NOT NULL,
    is_published INTEGER NOT NULL, quality INTEGER, fingerprint BLOB NOT NULL, spellings TEXT NOT NULL,
    document TEXT NOT NULL, related_yaml TEXT NOT NULL, body TEXT NOT NULL, revision INTEGER NOT NULL,
    active INTEGER NOT NULL DEFAULT 1, -- it is the one article with its id
    shown INTEGER NOT NULL DEFAULT 0   -- it is in `entries`
);
CREATE INDEX articles_by_id ON articles (id);
CREATE INDEX articles_without_their_id ON articles (id) WHERE NOT active;
CREATE INDEX articles_by_revision ON articles (revision);
CREATE INDEX articles_by_time ON articles (published_at);
CREATE TABLE entries (
    slug TEXT, published_at INTEGER, id TEXT, number INTEGER NOT NULL,
    PRIMARY KEY (slug, published_at DESC, id)
) WITHOUT ROWID;
CREATE TABLE topics (slug TEXT PRIMARY KEY, revision INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE spellings (
    slug TEXT, name TEXT, articles INTEGER NOT NULL, PRIMARY KEY (slug, name)
) WITHOUT ROWID;
"""
_LIGHT = "document, path"
_WHOLE = "document, path, related_yaml, body"


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicSummary:
    """A topic and what there is in it now: the count of shown articles and the newest one's time."""

    topic: Topic
    articles: int
    latest: datetime | None


class Catalog:
    """Reads the index. Each thread has its own connection, so that readers never wait for each other.

    The file's name carries the schema's version and the settings that shape the content: processes with
    different settings, as during a deploy, never share a file.
    """

    def __init__(self, folder: Path, topics: Topics, *, source: str) -> None:
        self.topics = topics
        settings = json.dumps(
            [VERSION, source, [asdict(topic) for topic in topics.listed]], ensure_ascii=False
        )
        name = hashlib.blake2b(settings.encode(), digest_size=6).hexdigest()
        self.path = folder / f"catalog-{name}.sqlite"
        self._threads = threading.local()
        private_folder(folder)

    @property
    def connection(self) -> sqlite3.Connection:
        """This thread's own connection.

        When the file was deleted under a running process, the old one is read on until the new one is whole.
        """
        opened: _Opened | None = getattr(self._threads, "opened", None)
        if opened is None:
            opened = self._threads.opened = _open(self.path) or self._made()
        elif opened.inode != _inode(self.path):
            opened = self._threads.opened = self._newer(opened)
        return opened.connection

    @contextmanager
    def write_lock(self) -> Iterator[None]:
        """Wait until no other process writes this catalog; the system frees the lock of one that dies."""
        private_folder(self.path.parent)
        with private_file(self.path.with_suffix(".lock")).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def reopen(self) -> None:
        """Let this thread use the file that stands at `path` now, whole or not; make it if there is none.

        To be called within `write_lock`.
        """
        opened: _Opened | None = getattr(self._threads, "opened", None)
        if opened is None or opened.inode != _inode(self.path):
            self.close()
            self._threads.opened = _open(self.path) or _make(self.path)

    def discard(self) -> None:
        """Delete the file: all it holds can be derived again. To be called within `write_lock`."""
        self.close()
        _delete(self.path)

    def _made(self) -> _Opened:
        with self.write_lock():
            return _open(self.path) or _make(self.path)

    def _newer(self, opened: _Opened) -> _Opened:
        fresh = _open(self.path)
        if fresh is None:
            return opened
        outdated = opened if _meta(fresh.connection, "complete") else fresh
        outdated.connection.close()
        return fresh if outdated is opened else opened

    def close(self) -> None:
        """Close this thread's connection."""
        opened: _Opened | None = getattr(self._threads, "opened", None)
        if opened is not None:
            opened.connection.close()
            del self._threads.opened

    @property
    def identity(self) -> str:
        """A random name given to this file when it was made: revisions compare only within one identity."""
        return str(_meta(self.connection, "identity"))

    def revision(self) -> int:
        """Return a number that grows with every visible change to any article."""
        return int(_meta(self.connection, "revision"))

    def is_complete(self) -> bool:
        """Whether the article folder has been read to its end since this file was made."""
        return bool(_meta(self.connection, "complete"))

    def topic_revision(self, slug: str) -> int:
        """Return the revision at which an article of this topic last changed; 0 where there is none."""
        row = self._one("SELECT revision FROM topics WHERE slug = ?", slug)
        return int(row[0]) if row else 0

    def topic_revisions(self) -> dict[str, int]:
        """Return the revision at which each topic last changed, by slug; `all` is among them."""
        return dict(self._all("SELECT slug, revision FROM topics"))

    def topic(self, slug: str, now: datetime) -> Topic | None:
        """Return the topic at `slug`: a listed one, or one that a shown article names and that is not gone.

        What only articles of the future name is unknown until then: it may be news by itself.
        """
        listed = self.topics.at(slug)
        if listed or slug in self.topics.gone:
            return listed
        row = self._one(
            "SELECT name FROM (SELECT name, spellings.articles - (SELECT count(*) FROM entries"
            "   JOIN articles USING (number), json_each(articles.spellings) AS topic"
            "   WHERE entries.slug = ?1 AND entries.published_at > ?2 AND topic.key = ?1"
            "   AND topic.value = spellings.name) AS visible FROM spellings WHERE slug = ?1)"
            " WHERE visible > 0 ORDER BY visible DESC, name LIMIT 1",
            slug, microseconds(now),
        )  # fmt: skip
        return Topic(name=row[0], slug=slug) if row else None

    def summaries(self, now: datetime) -> list[TopicSummary]:
        """Return all listed topics, and those that shown articles name, by name without regard to case."""
        rows = self._all(
            "SELECT slug, name, articles, (SELECT max(published_at) FROM entries"
            " WHERE entries.slug = spellings.slug AND published_at <= ?) FROM spellings",
            microseconds(now),
        )
        hidden = self._future_spellings(now)
        visible = ((slug, name, count - hidden.get((slug, name), 0)) for slug, name, count, _ in rows)
        shown = sorted((slug, -count, name) for slug, name, count in visible if count > 0)
        topics = {slug: Topic(name=name, slug=slug) for slug, _, name in reversed(shown)}
        topics |= {topic.slug: topic for topic in self.topics.listed}
        counts = Counter[str]()
        for slug, count, _ in shown:
            counts[slug] -= count
        latest: dict[str, int | None] = {slug: newest for slug, *_, newest in rows}
        return [
            TopicSummary(
                topic=topic,
                articles=counts[topic.slug],
                latest=moment(newest) if (newest := latest.get(topic.slug)) is not None else None,
            )
            for topic in sorted(topics.values(), key=lambda topic: (topic.name.casefold(), topic.slug))
            if topic.slug not in self.topics.gone
        ]

    def count(self, slug: str, now: datetime) -> int:
        """Return how many articles of this topic (or of `all`) are shown."""
        row = self._one(
            "SELECT count(*) FROM entries WHERE slug = ? AND published_at <= ?", slug, microseconds(now)
        )
        return int(row[0]) if row else 0

    def newest(
        self, slug: str, now: datetime, *, limit: int, offset: int = 0, related: int = 0
    ) -> list[Article]:
        """Return the shown articles of a topic (or of `all`), newest first, ties by id, each in full."""
        rows = self._all(
            f"SELECT {_WHOLE} FROM entries JOIN articles USING (number)"
            " WHERE slug = ? AND entries.published_at <= ?"
            " ORDER BY slug, entries.published_at DESC, entries.id LIMIT ? OFFSET ?",
            slug, microseconds(now), limit, offset,
        )  # fmt: skip
        return [_whole(row, related) for row in rows]

    def shown(self, slug: str, now: datetime, *, min_quality: int | None = None) -> Generator[Article]:
        """Yield the articles that `newest` returns, without body and related coverage, as they are asked for.

        With `min_quality` only those that have at least this quality.
        """
        rows = self.connection.execute(
            f"SELECT {_LIGHT} FROM entries JOIN articles USING (number)"
            " WHERE slug = ?1 AND entries.published_at <= ?2 AND (?3 IS NULL OR quality >= ?3)"
            " ORDER BY slug, entries.published_at DESC, entries.id",
            (slug, microseconds(now), min_quality),
        )
        try:
            yield from map(_light, rows)
        finally:
            rows.close()

    def by_period(self, now: datetime, period: timedelta, count: int) -> dict[str, list[int]]:
        """Return how many articles each topic (and `all`) got in the last `count` periods, oldest first.

        Topics without any are left out.
        """
        rows = self._all(
            "SELECT topic.key, (?1 - published_at) / ?2 AS age, count(*) FROM articles,"
            " json_each(json_insert(spellings, '$.all', '')) AS topic"
            " WHERE published_at <= ?1 AND published_at > ?1 - ?2 * ?3 AND shown GROUP BY topic.key, age",
            microseconds(now), period // timedelta(microseconds=1), count,
        )  # fmt: skip
        counts: dict[str, list[int]] = {}
        for slug, age, articles in rows:
            counts.setdefault(slug, [0] * count)[count - 1 - age] = articles
        return counts

    def next_due(self, slug: str, now: datetime) -> datetime | None:
        """Return when the next future-dated article of this topic (or of `all`) is to appear."""
        row = self._one(
            "SELECT min(published_at) FROM entries WHERE slug = ? AND published_at > ?",
            slug,
            microseconds(now),
        )
        return moment(row[0]) if row and row[0] is not None else None

    def get(self, article_id: str, *, related: int = 0) -> Article | None:
        """Return one article in full, published or not."""
        row = self._one(f"SELECT {_WHOLE} FROM articles WHERE id = ? AND active", article_id)
        return _whole(row, related) if row else None

    def get_many(self, ids: Iterable[str]) -> dict[str, Article]:
        """Return the articles with these ids, published or not, without body and related coverage."""
        rows = self._all(
            f"SELECT {_LIGHT} FROM articles WHERE active AND id IN (SELECT value FROM json_each(?))",
            json.dumps(list(ids)),
        )
        return {article.id: article for article in map(_light, rows)}

    def scan(
        self, *, changed_since: int = 0, due: tuple[datetime, datetime] | None = None
    ) -> Iterator[Article]:
        """Yield articles, published or not, without body and related coverage, by time and then id.

        Those that changed visibly after the revision `changed_since`, and those whose time of publication
        lies after due[0] and not after due[1].
        """
        after, until = map(microseconds, due) if due else (0, -1)
        # Without the +, SQLite would walk all articles in this order to find the few that changed.
        order = "+published_at" if changed_since else "published_at"
        yield from map(
            _light,
            self.connection.execute(
                f"SELECT {_LIGHT} FROM articles WHERE active AND (revision > ?1 OR number IN (SELECT number"
                f" FROM articles WHERE published_at > ?2 AND published_at <= ?3)) ORDER BY {order}, id",
                (changed_since, after, until),
            ),
        )

    def states(self, now: datetime) -> dict[str, int]:
        """Return how many articles are published, scheduled for later or not to be shown, and bad files."""
        published = self.count(ALL, now)
        row = self._one(
            "SELECT (SELECT count(*) FROM entries WHERE slug = ?), (SELECT count(*) FROM articles),"
            " (SELECT count(*) FROM articles WHERE NOT active),"
            " (SELECT count(*) FROM files WHERE reason IS NOT NULL)",
            ALL,
        )
        entries, articles, without_id, bad = row or (0, 0, 0, 0)
        return {
            "published": published,
            "scheduled": entries - published,
            "unpublished": articles - without_id - entries,
            "bad": bad + without_id,
        }

    def problems(self) -> list[ArticleError]:
        """Return what is wrong with which files, by path: bad files, and files whose id another file has."""
        bad = self._all("SELECT path, line, reason FROM files WHERE reason IS NOT NULL")
        problems = [*(ArticleError(*row) for row in bad), *self.conflicts()]
        return sorted(problems, key=lambda problem: (problem.path, problem.line))

    def conflicts(self, *, revision: int = 0) -> list[ArticleError]:
        """Return the files whose id another file has, and which came to that at `revision` or later."""
        rows = self._all(
            "SELECT loser.path, loser.id, winner.path FROM articles loser"
            " JOIN articles winner ON winner.id = loser.id AND winner.active"
            " WHERE NOT loser.active AND loser.revision >= ? ORDER BY +loser.path",  # the + as in `scan`
            revision,
        )
        return [ArticleError(path, 1, f"its id {id!r} belongs to {other}") for path, id, other in rows]

    def _future_spellings(self, now: datetime) -> dict[tuple[str, str], int]:
        """Return how many articles of the future name which topic how: by slug and name."""
        rows = self._all(
            "SELECT topic.key, topic.value, count(*) FROM articles, json_each(spellings) AS topic"
            " WHERE published_at > ? AND shown GROUP BY topic.key, topic.value",
            microseconds(now),
        )
        return {(slug, name): count for slug, name, count in rows}

    def _one(self, sql: str, *values: Any) -> tuple[Any, ...] | None:
        row: tuple[Any, ...] | None = self.connection.execute(sql, values).fetchone()
        return row

    def _all(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        return self.connection.execute(sql, values).fetchall()


@dataclass(frozen=True, slots=True)
class _Opened:
    connection: sqlite3.Connection
    inode: int | None


def _open(path: Path) -> _Opened | None:
    """Open the file, or return None where it is missing, damaged or not yet a catalog."""
    inode = _inode(path)
    if inode is None:
        return None
    connection = _connect(path)
    try:
        if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'meta'").fetchone():
            return _Opened(connection, inode)
    except sqlite3.DatabaseError as error:
        if not is_damage(error):
            connection.close()
            raise
    connection.close()
    return None


def _make(path: Path) -> _Opened:
    """Make the file anew. What stood beside the old one must go first: others may read that one still."""
    _delete(path)
    connection = _connect(path)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("BEGIN IMMEDIATE")
    for statement in _SCHEMA.split(";"):
        connection.execute(statement)
    meta = [("identity", os.urandom(16).hex()), ("revision", 0), ("complete", 0)]
    connection.executemany("INSERT INTO meta VALUES (?, ?)", meta)
    connection.execute("COMMIT")
    return _Opened(connection, _inode(path))


def _connect(path: Path) -> sqlite3.Connection:
    private_file(path)
    connection = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA synchronous = NORMAL")
    return connection


def _delete(path: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def is_damage(error: sqlite3.DatabaseError) -> bool:
    """Whether the file's content is at fault; subclasses mean a lock, a full disk, a lack of permission."""
    return type(error) is sqlite3.DatabaseError


def _meta(connection: sqlite3.Connection, key: str) -> Any:
    return connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()[0]


def _inode(path: Path) -> int | None:
    try:
        return os.stat(path).st_ino  # noqa: PTH116 - on the path of every read; Path.stat costs thrice as much
    except FileNotFoundError:
        return None


def _light(row: tuple[Any, ...]) -> Article:
    document, path = row
    return records.article(document, path)


def _whole(row: tuple[Any, ...], related: int) -> Article:
    document, path, related_yaml, body = row
    return records.article(document, path, related_yaml=related_yaml, related=related, body=body)
