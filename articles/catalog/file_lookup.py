"""Where links in articles' bodies lead: to which articles, and to which files beside them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cache, partial

from articles.article import Article
from articles.catalog.catalog import Catalog
from articles.catalog.served_files import ArticleFiles
from articles.reading import record as records
from text.links import name_of


def paths_by_name(catalog: Catalog) -> dict[str, list[str]]:
    """Return the paths of all articles, published or not, by the name with which links refer to them."""
    paths: dict[str, list[str]] = {}
    for (path,) in catalog.connection.execute("SELECT path FROM articles WHERE active ORDER BY path"):
        paths.setdefault(name_of(path), []).append(path)
    return paths


class CatalogFileLookup:
    """Finds the files to which links in bodies lead, as they are at `now`; for one feed or page.

    `by_name` returns the result of `paths_by_name`. Unless it is given, the catalog is read once for it.
    """

    def __init__(
        self,
        catalog: Catalog,
        files: ArticleFiles | None,
        now: datetime,
        by_name: Callable[[], dict[str, list[str]]] | None = None,
    ) -> None:
        self._catalog = catalog
        self._files = files
        self._now = now
        self._by_name = by_name or cache(partial(paths_by_name, catalog))

    def at(self, paths: Sequence[str]) -> Article | None:
        """Return the first of the articles at these paths, published or not."""
        rows = self._catalog.connection.execute(
            "SELECT path, document FROM articles WHERE active AND path IN (SELECT value FROM json_each(?))",
            (json.dumps(paths),),
        )
        documents: dict[str, str] = dict(rows)
        first = next((path for path in paths if path in documents), None)
        return records.article(documents[first], first) if first is not None else None

    def named(self, name: str, folder: str) -> Article | None:
        """Return the article whose file has this name, preferably in `folder`, published or not."""
        paths = self._by_name().get(name, [])
        beside = [path for path in paths if path.rpartition("/")[0] == folder]
        return self.at((beside or paths)[:1])

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
