"""Which files beside the articles may be shown: those that belong to an article that is shown.

From a file's own folder upwards, the first of these that exist are the articles it belongs to:

1. The article next to it that has its name, but for the extension: `launch.png` belongs to `launch.md`. For
   a folder on the way up it is the same: `launch/photo.png` belongs to `launch.md`, unless `launch/` has
   articles of its own.
2. The articles in the same folder.

Where no folder up to the article folder has any, the file belongs to all articles of the site. A file may be
shown while one of the articles that it belongs to is published and due.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from articles.catalog.catalog import Catalog
from articles.reading.record import microseconds

# A file that is neither an article nor a bad file, such as README.md, does not count.
_ANY = (
    "SELECT path FROM files WHERE path >= ?1 AND path < ?2 AND (reason IS NOT NULL"
    " OR EXISTS (SELECT 1 FROM articles WHERE articles.path = files.path)) ORDER BY path LIMIT 1"
)
_SHOWN = (
    "SELECT path FROM articles WHERE path >= ?1 AND path < ?2 AND shown AND due_at <= ?3"
    " AND (expires_at IS NULL OR expires_at > ?3) ORDER BY path LIMIT 1"
)
_SHOWN_ANYWHERE = (
    "SELECT 1 FROM entries WHERE slug = 'all' AND published_at <= ?1 AND due_at <= ?1"
    " AND (expires_at IS NULL OR expires_at > ?1) LIMIT 1"
)


def is_visible(catalog: Catalog, path: str, now: datetime) -> bool:
    """Return whether the file at `path`, relative to the article folder, belongs to an article that is shown.

    An article file that cannot be read counts as an article that is not shown.
    """
    for folder, low, high in _ranges(path):
        if _exists(catalog, _ANY, folder, low, high):
            return _exists(catalog, _SHOWN, folder, low, high, microseconds(now))
    return catalog.connection.execute(_SHOWN_ANYWHERE, (microseconds(now),)).fetchone() is not None


def _ranges(path: str) -> Iterator[tuple[str, str, str]]:
    """Yield, nearest first, the ranges of paths whose articles the file may belong to, with their folder."""
    parts = path.split("/")
    for depth in range(len(parts) - 1, -1, -1):
        folder = "".join(f"{part}/" for part in parts[:depth])
        name = parts[depth] if depth < len(parts) - 1 else parts[depth].rpartition(".")[0]
        yield folder, f"{folder}{name}.", f"{folder}{name}/"  # in ASCII, "/" comes after "."
        yield folder, folder, f"{folder[:-1]}0" if folder else "\U0010ffff"  # and "0" after "/"


def _exists(catalog: Catalog, sql: str, folder: str, low: str, high: str, *values: int) -> bool:
    """Return whether the query finds a path from `low` to below `high` that is directly in `folder`.

    Skips each folder below with one query, however many files are in it.
    """
    while row := catalog.connection.execute(sql, (low, high, *values)).fetchone():
        below, slash, _ = row[0][len(folder) :].partition("/")
        if not slash:
            return True
        low = f"{folder}{below}0"
    return False
