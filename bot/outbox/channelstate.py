"""The state of a channel: enabled, disabled because its webhook no longer works, or paused.

Of deliveries, this module only knows which of them wait.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Connection, Select, and_, case, delete, exists, func, or_, select, update

from bot.outbox import tallies
from bot.outbox.causes import Cause
from bot.outbox.database import Database, DatabaseError
from bot.outbox.moves import move_posts
from bot.outbox.records import PostKind
from bot.outbox.schema import IS_EXCEPTIONAL, IS_SCHEDULED, attempts, channels, deliveries, hosts, posts
from bot.outbox.states import DUE, DeliveryState, PostState
from bot.outbox.upsert import insert_into

MAX_AHEAD = timedelta(minutes=1)
"""How far in the future a stored time may be; a later one was written by a wrong clock."""


class RenameError(DatabaseError):
    """The outbox has a channel under both its old and its new name; the text says what to do."""


class ChannelStatus(StrEnum):
    """Whether a channel may be posted to, and what prevents it."""

    ENABLED = "enabled"
    DISABLED = "disabled"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelState:
    """The state of one channel in the outbox.

    `catalog`, `revision`, `planned_at` and `rules` are those of the last planning run; `baselined_at` is None
    before the first one. `digest_at` is the time of the digest that was decided last.
    """

    name: str
    state: ChannelStatus
    reason: str
    changed_at: datetime
    paused_until: datetime | None
    last_error: str | None
    last_error_at: datetime | None
    baselined_at: datetime | None
    catalog: str | None
    revision: int | None
    planned_at: datetime | None
    rules: str | None
    digest_at: datetime | None

    def opens_at(self, now: datetime, host_until: datetime | None = None) -> datetime | None:
        """Return when posting may continue: `now` if at once, None if only an operator can decide that."""
        if self.state is not ChannelStatus.ENABLED:
            return None
        return max(now, self.paused_until or now, host_until or now)


def register(connection: Connection, names: Iterable[str], now: datetime) -> None:
    """Add the channels that the outbox does not have yet; others are not changed."""
    rows = [{"name": name, "state": ChannelStatus.ENABLED, "changed_at": now} for name in sorted(names)]
    if rows:
        connection.execute(insert_into(connection, channels).on_conflict_do_nothing(), rows)


def carry_over(connection: Connection, old: str, new: str) -> bool:
    """Move the history of the channel `old` to `new`; return whether there was any.

    The history consists of deliveries, posts, attempts and totals, so a renamed channel posts nothing again.
    Raises RenameError if `new` has a history of its own.
    """
    both = select(channels.c.name).where(channels.c.name.in_([old, new])).order_by(channels.c.name)
    if old not in set(connection.scalars(both.with_for_update())):
        return False
    _refuse_both(connection, old, new)
    # A test message or a pause may have created rows of a channel that has not started.
    connection.execute(delete(channels).where(channels.c.name == new))
    connection.execute(update(channels).where(channels.c.name == old).values(name=new))
    for table in (deliveries, posts, attempts):
        connection.execute(update(table).where(table.c.channel == old).values(channel=new))
    tallies.rename(connection, old, new)
    return True


def refuse_both(database: Database, renamed: Mapping[str, str]) -> None:
    """Raise RenameError if a channel has a history under both its old and its new name.

    `renamed` maps new names to old ones.
    """
    query = select(channels.c.name).where(channels.c.name.in_(sorted(renamed.values())))
    with database.read() as connection:
        recorded = set(connection.scalars(query))
        for new, old in sorted(renamed.items()):
            if old in recorded:
                _refuse_both(connection, old, new)


def _refuse_both(connection: Connection, old: str, new: str) -> None:
    has_baseline = exists().where(channels.c.name == new, channels.c.baselined_at.is_not(None))
    has_deliveries = exists().where(deliveries.c.channel == new)
    if connection.scalar(select(or_(has_baseline, has_deliveries))):
        raise RenameError(
            f"channel {new} cannot take over the history of {old} (`was: {old}`), because it has its own. "
            f"Remove `was`, or end what waits for {old} with `flask bot forget {old}`"
        )


def orphaned(database: Database, names: Collection[str]) -> dict[str, int]:
    """Return, by channel, how many deliveries wait for channels that are not in `names`."""
    query = (
        select(deliveries.c.channel, func.count())
        .where(deliveries.c.state == DeliveryState.WAITING, deliveries.c.channel.not_in(sorted(names)))
        .group_by(deliveries.c.channel)
    )
    with database.read() as connection:
        return dict(connection.execute(query).all())


def locked(connection: Connection, names: Iterable[str]) -> dict[str, ChannelState]:
    """Return the channels, and lock them against other planners until the transaction ends."""
    query = select(channels).where(channels.c.name.in_(sorted(names))).order_by(channels.c.name)
    return _states(connection, query.with_for_update())


def states(database: Database) -> dict[str, ChannelState]:
    """Return every channel in the outbox by name, including channels that are no longer configured."""
    with database.read() as connection:
        return _states(connection, select(channels).order_by(channels.c.name))


def states_in(connection: Connection, names: Iterable[str]) -> dict[str, ChannelState]:
    """Return those of the channels that the outbox has, by name, within an open transaction."""
    return _states(connection, select(channels).where(channels.c.name.in_(sorted(names))))


def disabled(database: Database) -> list[tuple[str, str, int]]:
    """Return each disabled channel with the reason and the number of deliveries that wait for it."""
    waiting = (
        select(deliveries.c.channel, func.count().label("waiting"))
        .outerjoin(posts, posts.c.id == deliveries.c.post_id)
        .where(
            deliveries.c.state == DeliveryState.WAITING,
            or_(posts.c.id.is_(None), posts.c.state != PostState.DEAD),
        )
        .group_by(deliveries.c.channel)
        .subquery()
    )
    query = (
        select(channels.c.name, channels.c.reason, func.coalesce(waiting.c.waiting, 0))
        .outerjoin(waiting, waiting.c.channel == channels.c.name)
        .where(channels.c.state == ChannelStatus.DISABLED)
        .order_by(channels.c.name)
    )
    with database.read() as connection:
        return [(name, reason, count) for name, reason, count in connection.execute(query)]


def host_pauses(database: Database) -> dict[str, datetime]:
    """Return until when each host is paused, including times that have passed."""
    with database.read() as connection:
        return {row.name: row.paused_until for row in connection.execute(select(hosts))}


def pause(database: Database, name: str, now: datetime, reason: str = "paused by the operator") -> bool:
    """Pause the channel until it is resumed; return whether there is such a channel."""
    with database.write() as connection:
        return _set_state(connection, name, ChannelStatus.PAUSED, reason, now)


def resume(database: Database, name: str, now: datetime) -> bool:
    """Enable the channel, and plan the posts held for it; return whether there is such a channel."""
    with database.write() as connection:
        is_known = _set_state(connection, name, ChannelStatus.ENABLED, "", now)
        which = and_(IS_EXCEPTIONAL, posts.c.channel == name, posts.c.cause == Cause.CHANNEL_DISABLED)
        move_posts(connection, which, [PostState.HELD], PostState.PLANNED, now, due_at=now, cause=Cause.NONE)
    return is_known


def disable(connection: Connection, name: str, reason: str, now: datetime) -> None:
    """Disable the channel, and hold the posts that wait for it."""
    _set_state(connection, name, ChannelStatus.DISABLED, reason, now)
    note_failure(connection, name, now)
    which = and_(posts.c.channel == name, posts.c.kind != PostKind.TEST, IS_SCHEDULED)
    cause = Cause.CHANNEL_DISABLED
    move_posts(connection, which, DUE, PostState.HELD, now, cause=cause, note="")


def pause_channel(connection: Connection, name: str, until: datetime) -> None:
    """Pause the channel until then, as its service asked; a longer pause is not shortened."""
    shorter = or_(channels.c.paused_until.is_(None), channels.c.paused_until < until)
    connection.execute(update(channels).where(channels.c.name == name, shorter).values(paused_until=until))


def pause_host(connection: Connection, name: str, until: datetime, reason: str) -> None:
    """Pause every channel on the host until then; a longer pause is not shortened."""
    values = {"paused_until": until, "reason": reason}
    added = insert_into(connection, hosts).values(name=name, **values)
    shorter = hosts.c.paused_until < until
    connection.execute(added.on_conflict_do_update(index_elements=["name"], set_=values, where=shorter))


def paused_ahead(connection: Connection, time: datetime) -> dict[str, timedelta]:
    """Return the channels whose last error lies after `time`, and how long a pause it caused."""
    query = select(channels.c.name, channels.c.paused_until, channels.c.last_error_at)
    rows = connection.execute(query.where(channels.c.last_error_at > time)).all()
    nothing = timedelta(0)
    return {name: max(until - at, nothing) if until else nothing for name, until, at in rows}


def rebase_pauses(connection: Connection, paused: Mapping[str, timedelta], now: datetime) -> None:
    """Count the pauses of channels from `now`, and end those of hosts.

    A host that still refuses requests pauses again: a request over its rate limit posts nothing, and does not
    count as a failure.
    """
    for name, wait in paused.items():
        values = {"last_error_at": now, "paused_until": now + wait if wait else None}
        connection.execute(update(channels).where(channels.c.name == name).values(values))
    if paused:
        connection.execute(update(hosts).where(hosts.c.paused_until > now).values(paused_until=now))


def note_error(connection: Connection, name: str, error: str, now: datetime) -> bool:
    """Record the channel's last error, and return whether the outbox has this channel.

    This ends a pause that a wrong clock has written.
    """
    is_ahead = channels.c.last_error_at > now + MAX_AHEAD
    paused_until = case((is_ahead, None), else_=channels.c.paused_until)
    values = {"last_error": error, "last_error_at": now, "paused_until": paused_until}
    done = connection.execute(update(channels).where(channels.c.name == name).values(values))
    return done.rowcount > 0


def note_digest(connection: Connection, name: str, at: datetime) -> None:
    """Record that the channel's digest of that time was decided: posted, or left out."""
    connection.execute(update(channels).where(channels.c.name == name).values(digest_at=at))


def note_failure(connection: Connection, name: str, now: datetime) -> None:
    """Record for the next alert that something has failed permanently, or until an operator acts."""
    connection.execute(update(channels).where(channels.c.name == name).values(failed_at=now))


def _set_state(connection: Connection, name: str, state: ChannelStatus, reason: str, now: datetime) -> bool:
    done = connection.execute(
        update(channels)
        .where(channels.c.name == name)
        .values(state=state, reason=reason, changed_at=now, paused_until=None)
    )
    return done.rowcount > 0


def _states(connection: Connection, query: Select[*tuple[object, ...]]) -> dict[str, ChannelState]:
    names = [field.name for field in fields(ChannelState)]
    states = {}
    for row in connection.execute(query).mappings():
        values = {name: row[name] for name in names} | {"state": ChannelStatus(row["state"])}
        states[row["name"]] = ChannelState(**values)
    return states
