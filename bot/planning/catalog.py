"""The protocol of a catalog of articles, as far as the bot needs it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Protocol

from articles.article import Article
from articles.errors import ArticleError


class Catalog(Protocol):
    """All articles, published or not. Only `get` returns bodies and related coverage."""

    @property
    def identity(self) -> str:
        """The identity of the catalog; a rebuilt catalog has another one, and its revisions start again."""

    def revision(self) -> int:
        """Return a number that grows with every visible change to any article."""

    def is_complete(self) -> bool:
        """Return whether every article file has been read since the catalog was created."""

    def problems(self) -> Sequence[ArticleError]:
        """Return the errors in article files."""

    def get(self, article_id: str, *, related: int = 0) -> Article | None:
        """Return an article in full, with at most `related` links of coverage; None if it is unknown."""

    def get_many(self, ids: Iterable[str]) -> dict[str, Article]:
        """Return the articles with these ids that exist, by id."""

    def scan(
        self, *, changed_since: int = 0, due: tuple[datetime, datetime] | None = None
    ) -> Iterator[Article]:
        """Yield, oldest first, articles that changed after a revision or were published within `due`."""
