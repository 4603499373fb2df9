"""Marks posts whose article was deleted, to be corrected: a scan of the catalog does not show them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime

from sqlalchemy import Connection, select

from bot.outbox.rows import as_deliveries, delivery_columns
from bot.outbox.schema import deliveries, posts
from bot.planning import changes
from bot.planning.catalog import Catalog
from bot.planning.presence import missing

Transaction = Callable[[], AbstractContextManager[Connection]]

_CHUNK = 500
"""Articles that are looked up at once."""


def mark_deleted(transaction: Transaction, catalog: Catalog, names: Sequence[str], now: datetime) -> int:
    """Mark the posts of these channels whose article was deleted; return how many."""
    query = (
        select(*delivery_columns)
        .join(posts, posts.c.id == deliveries.c.post_id)
        .where(changes.correctable(now), posts.c.retracted.is_(False), posts.c.correct_at.is_(None))
    )
    if not names:
        return 0
    with transaction() as connection:
        shown = as_deliveries(connection.execute(query))
    marked = 0
    is_gone = missing(catalog, now) if shown else None
    for start in range(0, len(shown), _CHUNK):
        chunk = shown[start : start + _CHUNK]
        ids = {each.article_id for each in chunk}
        absent = ids - catalog.get_many(ids).keys()
        gone = {
            each.post_id
            for each in chunk
            if each.post_id is not None and each.article_id in absent and is_gone and is_gone(each)
        }
        # An empty catalog more likely means a missing folder than that an editor deleted everything.
        if gone and (len(absent) < len(chunk) or next(catalog.scan(), None) is not None):
            with transaction() as connection:
                marked += changes.mark_posts(connection, names, gone, now)
    return marked
