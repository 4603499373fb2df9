"""What the bot needs of the catalog of articles, as a protocol."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Protocol

from articles.article import Article
from articles.errors import ArticleError


class Catalog(Protocol):
    """Articles, published or not, without body and related coverage unless `get` is asked."""

    @property
    def identity(self) -> str:
        """The catalog's name for itself; a rebuilt catalog has another, and its revisions start again."""

    def revision(self) -> int:
        """Return a number that grows with every visible change to any article."""

    def is_complete(self) -> bool:
        """Return whether every article file has been read since the catalog was made."""

    def problems(self) -> Sequence[ArticleError]:
        """Return what is wrong with which files."""

    def get(self, article_id: str, *, related: int = 0) -> Article | None:
        """Return one article in full, with so many of its related coverage; None where there is none."""

    def get_many(self, ids: Iterable[str]) -> dict[str, Article]:
        """Return those of the articles that exist."""

    def scan(
        self, *, changed_since: int = 0, due: tuple[datetime, datetime] | None = None
    ) -> Iterator[Article]:
        """Yield, oldest first, what changed after a revision or came to its time of publication in `due`."""
