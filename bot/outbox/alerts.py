"""Alerts one channel when another is disabled, or when one of its posts is held or given up.

An alert is a post without an article: it is claimed, paced and retried like any other post.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, select, update

from bot.outbox import wording
from bot.outbox.channelstate import ChannelStatus
from bot.outbox.database import Database
from bot.outbox.lease import Lease
from bot.outbox.moves import NewPost, add_posts
from bot.outbox.records import PostKind
from bot.outbox.schema import channels, posts

ALERT_INTERVAL = timedelta(hours=1)
"""The shortest time between two alerts; failures in between are part of the next one."""

MAX_NAMED = 20
"""The most channels that one alert names."""


class Alerts:
    """Alerts the channel `to` (None: nobody), for the process that `lease` belongs to."""

    def __init__(self, database: Database, lease: Lease, to: str | None) -> None:
        self._database = database
        self._lease = lease
        self._to = to

    def check(self, now: datetime) -> int | None:
        """Plan an alert if something has failed since the last one; return the id of its post.

        Returns None if nothing has failed, or if there can be no alert now: within ALERT_INTERVAL of the last
        one, while the channel to alert cannot be posted to, and without the lease.
        """
        if self._to is None:
            return None
        with self._database.read() as connection:
            if not connection.execute(_FAILED, {"alerted": self._to}).first():
                return None
        with self._database.write() as connection:
            if not self._lease.is_held(connection) or not self._may_be_alerted(connection, now):
                return None
            failed = connection.execute(_FAILED.with_for_update(), {"alerted": self._to}).all()
            if not failed:
                return None
            (number,) = add_posts(connection, self._to, [NewPost(kind=PostKind.ALERT, due_at=now)], now)
            connection.execute(update(posts).where(posts.c.id == number).values(body=_text(failed)))
            names = [row.name for row in failed]
            connection.execute(update(channels).where(channels.c.name.in_(names)).values(failed_at=None))
            connection.execute(update(channels).where(channels.c.name == self._to).values(alerted_at=now))
        return number

    def _may_be_alerted(self, connection: Connection, now: datetime) -> bool:
        query = select(channels.c.state, channels.c.alerted_at).where(channels.c.name == self._to)
        row = connection.execute(query).one_or_none()
        if row is None or row.state != ChannelStatus.ENABLED:
            return False
        # A time in the future was written by a wrong clock.
        return row.alerted_at is None or not now - ALERT_INTERVAL < row.alerted_at <= now


_FAILED = (
    select(channels.c.name, channels.c.state, channels.c.reason, channels.c.last_error)
    .where(and_(channels.c.failed_at.is_not(None), channels.c.name != bindparam("alerted")))
    .order_by(channels.c.name)
)


def _text(failed: Sequence[Row[Any, Any, Any, Any]]) -> str:
    """Return the text of the alert: the title in the first line, then a line for each channel."""
    count = len(failed)
    lines = [f"{count} channels need attention" if count > 1 else f"{failed[0].name} needs attention"]
    for row in failed[:MAX_NAMED]:
        if row.state == ChannelStatus.DISABLED:
            lines.append(wording.disabled(row.name, row.reason))
        else:
            lines.append(f"{row.name} has a message that was not posted: {row.last_error}")
    return "\n".join(lines)
