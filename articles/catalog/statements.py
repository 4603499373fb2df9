"""The statements with which a refresh changes the catalog.

What holds between two transactions:

- `articles` has one row for each file with a good version. Of the rows with one id, the one with the lowest
  precedence is active.
- `shown` is set for the active rows that are published. `entries` has one row for each of these and each
  slug of its topics and their ancestors, and one with the slug `all`.
- `spellings` counts, for each slug but `all` and each name that shown articles have for it, those articles.
- `topics` has, for each slug that ever was in `entries`, the revision and the time at which one of its rows
  last changed, and how many rows it has.

A refresh keeps this in two steps. Before the rows of some ids change, what `entries`, `spellings` and
`topics` hold of them is removed, chunk by chunk. At the end, when it is clear which file has which id, it is
added again for all ids that were touched.
"""

from __future__ import annotations

from articles.reading.record import Record

_COLUMNS = Record._fields
# `shown` is for the first refresh of a catalog alone, which need not write each row once more at its end.
UPSERT = (
    f"INSERT INTO articles ({', '.join(_COLUMNS)}, revision, shown)"
    f" VALUES ({', '.join('?' * len(_COLUMNS))}, ?, ?)"
    f" ON CONFLICT (path) DO UPDATE SET {', '.join(f'{c} = excluded.{c}' for c in (*_COLUMNS, 'revision'))}"
)

COUNT_CHANGE = """
    ON CONFLICT (slug) DO UPDATE SET revision = excluded.revision, changed_at = excluded.changed_at,
    articles = articles + excluded.articles"""

# CROSS JOIN keeps the order of the tables: SQLite's planner would scan all articles for a few ids.
TEMPORARY_TABLES = (
    "CREATE TEMP TABLE IF NOT EXISTS chunk (id TEXT PRIMARY KEY) WITHOUT ROWID",
    "CREATE TEMP TABLE IF NOT EXISTS touched (id TEXT PRIMARY KEY) WITHOUT ROWID",
    """CREATE TEMP VIEW IF NOT EXISTS removed_entries AS
        SELECT articles.*, topic.key AS slug, topic.value AS name
        FROM chunk CROSS JOIN main.articles USING (id),
            json_each(json_insert(spellings, '$.all', '')) AS topic
        WHERE shown""",
    """CREATE TEMP TABLE IF NOT EXISTS added_entries (
        slug TEXT, published_at INTEGER, id TEXT, number INTEGER, name TEXT, due_at INTEGER,
        expires_at INTEGER
    )""",
)
_NOTE_REMOVED_TOPICS = (
    """
    INSERT INTO topics SELECT slug, :revision, :now, -count(*) FROM removed_entries GROUP BY slug"""
    + COUNT_CHANGE
)
_SUBTRACT_SPELLINGS = """
    INSERT INTO spellings
    SELECT slug, name, -count(*) FROM removed_entries WHERE slug <> 'all' GROUP BY slug, name
    ON CONFLICT DO UPDATE SET articles = articles + excluded.articles"""
_DELETE_ENTRIES = """
    DELETE FROM entries
    WHERE (slug, published_at, id) IN (SELECT slug, published_at, id FROM removed_entries)"""
_MARK_AS_HIDDEN = "UPDATE articles SET shown = 0 WHERE shown AND id IN (SELECT id FROM chunk)"
_NOTE_TOUCHED = "INSERT OR IGNORE INTO touched SELECT id FROM chunk"
REMOVE_OLD_ENTRIES = (
    _NOTE_REMOVED_TOPICS,
    _SUBTRACT_SPELLINGS,
    _DELETE_ENTRIES,
    _MARK_AS_HIDDEN,
    _NOTE_TOUCHED,
)
# The winners are found once for each id, and not once for each file: thousands may claim the same one.
_CHOOSE_ACTIVE = """
    UPDATE articles SET active = NOT active, shown = 0, revision = :revision
    FROM (
        SELECT touched.id AS id, min(precedence) AS lowest
        FROM touched CROSS JOIN main.articles USING (id) GROUP BY touched.id
    ) AS winners
    WHERE articles.id = winners.id AND active <> (precedence = lowest)"""
_LIST_ADDED_ENTRIES = """
    INSERT INTO added_entries
    SELECT topic.key, published_at, articles.id, number, topic.value, due_at, expires_at
    FROM touched CROSS JOIN main.articles USING (id), json_each(json_insert(spellings, '$.all', '')) AS topic
    WHERE active AND is_published ORDER BY topic.key, published_at DESC, articles.id"""
_NOTE_ADDED_TOPICS = (
    """
    INSERT INTO topics SELECT slug, :revision, :now, count(*) FROM added_entries GROUP BY slug"""
    + COUNT_CHANGE
)
_ADD_SPELLINGS = """
    INSERT INTO spellings
    SELECT slug, name, count(*) FROM added_entries WHERE slug <> 'all' GROUP BY slug, name
    ON CONFLICT DO UPDATE SET articles = articles + excluded.articles"""
_DELETE_UNUSED_SPELLINGS = "DELETE FROM spellings WHERE articles = 0"
_ADD_ENTRIES = """
    INSERT INTO entries SELECT slug, published_at, id, number, due_at, expires_at FROM added_entries"""
_MARK_AS_SHOWN = """
    UPDATE articles SET shown = 1
    WHERE number IN (SELECT number FROM added_entries WHERE slug = 'all') AND NOT shown"""
ADD_NEW_ENTRIES = (
    _CHOOSE_ACTIVE,
    _LIST_ADDED_ENTRIES,
    _NOTE_ADDED_TOPICS,
    _ADD_SPELLINGS,
    _DELETE_UNUSED_SPELLINGS,
    _ADD_ENTRIES,
    _MARK_AS_SHOWN,
    "DELETE FROM added_entries",
    "DELETE FROM touched",
)
