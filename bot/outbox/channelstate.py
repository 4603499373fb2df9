"""Whether a channel may be posted to: enabled, disabled by a dead webhook, paused by people or by a limit.

This module knows nothing of deliveries but which of them wait.
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
from bot.outbox.schema import attempts, channels, deliveries, hosts, posts
from bot.outbox.states import DUE, DeliveryState, PostState
from bot.outbox.upsert import insert_into

AHEAD = timedelta(minutes=1)
"""How far in the future something may have been written: what is farther was written by a wrong clock."""


class RenameError(DatabaseError):
    """The outbox knows a channel under its old and its new name; the text says what to do."""


class ChannelStatus(StrEnum):
    """Whether a channel may be posted to, and what prevents it."""

    ENABLED = "enabled"
    DISABLED = "disabled"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelState:
    """One channel as the outbox knows it.

    `catalog`, `revision`, `planned_at` and `rules` say how far the planner has come; `baselined_at` is None
    before its first run. `digest_at` is the time of the digest that was decided last.
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
        """Return when posting may continue: `now` when at once, None when only an operator can decide."""
        if self.state is not ChannelStatus.ENABLED:
            return None
        return max(now, self.paused_until or now, host_until or now)


def register(connection: Connection, names: Iterable[str], now: datetime) -> None:
    """Add the channels that the outbox does not have yet; the others stay as they are."""
    rows = [{"name": name, "state": ChannelStatus.ENABLED, "changed_at": now} for name in sorted(names)]
    if rows:
        connection.execute(insert_into(connection, channels).on_conflict_do_nothing(), rows)


def carry_over(connection: Connection, old: str, new: str) -> bool:
    """Give everything that is known of one channel to another that has not begun; return whether there was.

    Deliveries, posts, attempts and totals go with it, so that a renamed channel posts nothing again. Raises
    RenameError where the other has begun.
    """
    both = select(channels.c.name).where(channels.c.name.in_([old, new])).order_by(channels.c.name)
    if old not in set(connection.scalars(both.with_for_update())):
        return False
    _refuse_both(connection, old, new)
    # What a test message or a pause left of a channel that has not begun.
    connection.execute(delete(channels).where(channels.c.name == new))
    connection.execute(update(channels).where(channels.c.name == old).values(name=new))
    for table in (deliveries, posts, attempts):
        connection.execute(update(table).where(table.c.channel == old).values(channel=new))
    tallies.rename(connection, old, new)
    return True


def refuse_both(database: Database, renamed: Mapping[str, str]) -> None:
    """Raise RenameError if a channel has begun under its old and its new name.

    `renamed` has the old name by the new one.
    """
    query = select(channels.c.name).where(channels.c.name.in_(sorted(renamed.values())))
    with database.read() as connection:
        known = set(connection.scalars(query))
        for new, old in sorted(renamed.items()):
            if old in known:
                _refuse_both(connection, old, new)


def _refuse_both(connection: Connection, old: str, new: str) -> None:
    begun = exists().where(channels.c.name == new, channels.c.baselined_at.is_not(None))
    has_deliveries = exists().where(deliveries.c.channel == new)
    if connection.scalar(select(or_(begun, has_deliveries))):
        raise RenameError(
            f"channel {new} cannot take over the history of {old} (`was: {old}`), because it has its own. "
            f"Remove `was`, or end what waits for {old} with `flask bot forget {old}`"
        )


def orphaned(database: Database, names: Collection[str]) -> dict[str, int]:
    """Return how many deliveries wait for each channel that is not among `names`."""
    query = (
        select(deliveries.c.channel, func.count())
        .where(deliveries.c.state == DeliveryState.WAITING, deliveries.c.channel.not_in(sorted(names)))
        .group_by(deliveries.c.channel)
    )
    with database.read() as connection:
        return dict(connection.execute(query).all())


def locked(connection: Connection, names: Iterable[str]) -> dict[str, ChannelState]:
    """Return the channels, and keep other planners away from them until the transaction ends."""
    query = select(channels).where(channels.c.name.in_(sorted(names))).order_by(channels.c.name)
    return _states(connection, query.with_for_update())


def states(database: Database) -> dict[str, ChannelState]:
    """Return every channel that the outbox has ever known, by name."""
    with database.read() as connection:
        return _states(connection, select(channels).order_by(channels.c.name))


def states_in(connection: Connection, names: Iterable[str]) -> dict[str, ChannelState]:
    """Return those of the channels that the outbox knows, in a transaction that is open."""
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
    """Return until when each host is paused; times that have passed are included."""
    with database.read() as connection:
        return {row.name: row.paused_until for row in connection.execute(select(hosts))}


def pause(database: Database, name: str, now: datetime, reason: str = "paused by the operator") -> bool:
    """Post nothing more to the channel until it is resumed; return whether there is such a channel."""
    with database.write() as connection:
        return _set_state(connection, name, ChannelStatus.PAUSED, reason, now)


def resume(database: Database, name: str, now: datetime) -> bool:
    """Post to the channel again, the posts held for it first; return whether there is such a channel."""
    with database.write() as connection:
        known = _set_state(connection, name, ChannelStatus.ENABLED, "", now)
        which = and_(posts.c.channel == name, posts.c.cause == Cause.CHANNEL_DISABLED)
        move_posts(connection, which, [PostState.HELD], PostState.PLANNED, now, due_at=now, cause=Cause.NONE)
    return known


def disable(connection: Connection, name: str, reason: str, now: datetime) -> None:
    """Take the channel out of service and hold the posts that wait for it."""
    _set_state(connection, name, ChannelStatus.DISABLED, reason, now)
    note_failure(connection, name, now)
    which = and_(posts.c.channel == name, posts.c.kind != PostKind.TEST)
    cause = Cause.CHANNEL_DISABLED
    move_posts(connection, which, DUE, PostState.HELD, now, cause=cause, note="")


def rest_channel(connection: Connection, name: str, until: datetime) -> None:
    """Pause the channel until then, as its service asked; a longer pause stays as it is."""
    shorter = or_(channels.c.paused_until.is_(None), channels.c.paused_until < until)
    connection.execute(update(channels).where(channels.c.name == name, shorter).values(paused_until=until))


def rest_host(connection: Connection, name: str, until: datetime, reason: str) -> None:
    """Pause every channel on the host until then; a longer pause stays as it is."""
    values = {"paused_until": until, "reason": reason}
    added = insert_into(connection, hosts).values(name=name, **values)
    shorter = hosts.c.paused_until < until
    connection.execute(added.on_conflict_do_update(index_elements=["name"], set_=values, where=shorter))


def paused_ahead(connection: Connection, moment: datetime) -> dict[str, timedelta]:
    """Return the channels whose last error lies after `moment`, and how long a pause it caused."""
    query = select(channels.c.name, channels.c.paused_until, channels.c.last_error_at)
    rows = connection.execute(query.where(channels.c.last_error_at > moment)).all()
    nothing = timedelta(0)
    return {name: max(until - at, nothing) if until else nothing for name, until, at in rows}


def rebase_pauses(connection: Connection, paused: Mapping[str, timedelta], now: datetime) -> None:
    """Count the pauses of channels from `now`, and end those of hosts: one that is still meant comes again.

    A request that a host refuses for its rate is not posted, and counts as no failure.
    """
    for name, wait in paused.items():
        values = {"last_error_at": now, "paused_until": now + wait if wait else None}
        connection.execute(update(channels).where(channels.c.name == name).values(values))
    if paused:
        connection.execute(update(hosts).where(hosts.c.paused_until > now).values(paused_until=now))


def note_error(connection: Connection, name: str, error: str, now: datetime) -> None:
    """Remember what last went wrong with the channel; a pause that a wrong clock has written ends."""
    is_ahead = channels.c.last_error_at > now + AHEAD
    paused_until = case((is_ahead, None), else_=channels.c.paused_until)
    values = {"last_error": error, "last_error_at": now, "paused_until": paused_until}
    connection.execute(update(channels).where(channels.c.name == name).values(values))


def note_digest(connection: Connection, name: str, at: datetime) -> None:
    """Remember that the channel's digest of that time was decided: posted, or left for the next."""
    connection.execute(update(channels).where(channels.c.name == name).values(digest_at=at))


def note_failure(connection: Connection, name: str, now: datetime) -> None:
    """Remember for an alert that something failed permanently, or until an operator acts."""
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
    found = {}
    for row in connection.execute(query).mappings():
        values = {name: row[name] for name in names} | {"state": ChannelStatus(row["state"])}
        found[row["name"]] = ChannelState(**values)
    return found
