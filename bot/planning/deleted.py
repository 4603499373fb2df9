"""Marks posts whose article was deleted, to be corrected: a scan of the catalog does not show them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, select

from bot.outbox.rows import as_deliveries, delivery_columns
from bot.outbox.schema import deliveries, posts
from bot.planning import changes
from bot.planning.catalog import Catalog
from bot.planning.presence import missing

Transaction = Callable[[], AbstractContextManager[Connection]]

_CHUNK = 500
"""Articles that are looked up at once."""


@dataclass(frozen=True, slots=True)
class MarkedPosts:
    """How many posts were marked, and whether some are about an article that may have been deleted."""

    posts: int = 0
    is_undecided: bool = False


def _unmarked(condition: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    return (
        select(*delivery_columns)
        .join(posts, posts.c.id == deliveries.c.post_id)
        .where(condition, posts.c.retracted.is_(False), posts.c.correct_at.is_(None))
    )


def mark_deleted(
    transaction: Transaction, catalog: Catalog, names: Sequence[str], now: datetime
) -> MarkedPosts:
    """Mark the posts of these channels whose article was deleted, also those that are about to be sent.

    The result may be undecided: a file that cannot be read may be gone later, and an article that another
    machine's catalog had is deleted if it is still absent after some minutes. The catalog does not change
    then.
    """
    if not names:
        return MarkedPosts()
    with transaction() as connection:
        unmarked = [
            delivery
            for condition in (changes.correctable(now), *changes.in_flight_or_due(now))
            for delivery in as_deliveries(connection.execute(_unmarked(condition)))
        ]
    count, is_undecided = 0, False
    is_gone = missing(catalog, now) if unmarked else None
    for start in range(0, len(unmarked), _CHUNK):
        chunk = unmarked[start : start + _CHUNK]
        ids = {each.article_id for each in chunk}
        absent = ids - catalog.get_many(ids).keys()
        missed = [each for each in chunk if each.article_id in absent]
        deleted = {each.post_id for each in missed if each.post_id is not None and is_gone and is_gone(each)}
        is_undecided |= not deleted.issuperset({each.post_id for each in missed})
        # An empty catalog more likely means a missing folder than that an editor deleted everything.
        if deleted and (len(absent) < len(chunk) or next(catalog.scan(), None) is not None):
            with transaction() as connection:
                count += changes.mark_posts(connection, names, deleted, now)
    return MarkedPosts(count, is_undecided)
