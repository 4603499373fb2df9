"""Decides whether an article that a catalog does not have was deleted, or has not been read yet.

This module does not decide what follows from that.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from articles.identity import identity
from bot.outbox.records import Delivery
from bot.planning.catalog import Catalog

CATCHING_UP = timedelta(minutes=10)
"""How long a catalog may lack an article that another machine's has: they pull at different times."""


def missing(catalog: Catalog, now: datetime) -> Callable[[Delivery], bool]:
    """Return a function that returns whether the article of a delivery, which the catalog lacks, was deleted.

    An article does not count as deleted while its file exists but cannot be read, or while this catalog may
    be older than the one that the delivery was planned from.
    """
    here, revision = catalog.identity, catalog.revision()
    bad = {problem.path for problem in catalog.problems()}
    bad |= {identity(path) for path in bad}

    def is_gone(delivery: Delivery) -> bool:
        if delivery.path in bad or delivery.article_id in bad:
            return False
        if delivery.catalog == here:
            return delivery.revision is None or delivery.revision <= revision
        # Of the absolute value, as a clock that was ahead may have planned it.
        return abs(now - delivery.created_at) >= CATCHING_UP

    return is_gone
