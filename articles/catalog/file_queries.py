"""Queries of the catalog about files: how many there are, and which have errors."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator

from articles.catalog.database import CatalogDatabase
from articles.errors import ArticleError


class FileQueries(CatalogDatabase):
    """The queries of `Catalog` about files."""

    def problems(self) -> list[ArticleError]:
        """Return what is wrong with which files, by path: bad files, and files whose id another file has."""
        bad = self._all("SELECT path, line, reason FROM files WHERE reason IS NOT NULL")
        problems = [*(ArticleError(*row) for row in bad), *self.conflicts()]
        return sorted(problems, key=lambda problem: (problem.path, problem.line))

    def conflicts(self, *, revision: int = 0) -> list[ArticleError]:
        """Return the files that lost their id to another file at `revision` or later."""
        rows = self._all(
            "SELECT loser.path, loser.id, winner.path FROM articles loser"
            " JOIN articles winner ON winner.id = loser.id AND winner.active = 1"
            " WHERE NOT loser.active AND loser.revision >= ? ORDER BY +loser.path",  # the + as in `scan`
            revision,
        )
        return [ArticleError(path, 1, _conflict(path, id, other)) for path, id, other in rows]

    def bodies(self) -> Iterator[tuple[str, str]]:
        """Yield the path and the body of every article."""
        yield from self.connection.execute("SELECT path, body FROM articles WHERE active")

    def files_count(self) -> int:
        """Return how many files there are, articles, bad files and files that are no articles."""
        row = self._one("SELECT count(*) FROM files")
        return int(row[0]) if row else 0

    def warnings(self) -> list[ArticleError]:
        """Return which optional fields of which files could not be used, by path."""
        rows = self._all("SELECT path, warnings FROM files WHERE warnings <> '' ORDER BY path")
        return [ArticleError(path, *warning) for path, listed in rows for warning in json.loads(listed)]


def _conflict(path: str, id: str, other: str) -> str:
    if unicodedata.normalize("NFC", path) == unicodedata.normalize("NFC", other):
        return (
            "another file's name looks the same, with its accents encoded differently: rename or remove one"
        )
    return f"its id {id!r} belongs to {other}"
