"""Plans a post again that ended before it was sent, as its article is to be posted after all."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, and_, exists

from bot.outbox.causes import Cause
from bot.outbox.moves import move_posts
from bot.outbox.schema import deliveries, posts
from bot.outbox.states import PostState


def resume_post(connection: Connection, number: int, delivery_id: int, now: datetime) -> bool:
    """Plan the ended post of one delivery again if it has had attempts; return whether it was planned.

    An answer to an attempt may have been lost. A repeat by the same post has the same key, by which receivers
    recognise it, and the attempts remain visible.
    """
    others = exists().where(deliveries.c.post_id == number, deliveries.c.id != delivery_id)
    which = and_(posts.c.id == number, posts.c.attempts > 0, posts.c.claim.is_(None), ~others)
    values = {"cause": Cause.NONE, "note": "", "failures": 0}
    ended, planned = [PostState.DEAD], PostState.PLANNED
    return move_posts(connection, which, ended, planned, now, due_at=now, **values) == 1
