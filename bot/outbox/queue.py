"""The durable queue: what waits, who has it in flight, and what came of it.

Every change of a delivery compares the claim or the state that its author last saw. Of rules, messages and
requests it knows nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import fields
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, or_, select, update

from bot.outbox import channelstate
from bot.outbox.database import Database, Step
from bot.outbox.lease import Lease
from bot.outbox.records import Claim, Delivery, Done
from bot.outbox.schema import channels, deliveries
from bot.outbox.statements import HOLDS_LEASE, is_finish, recording, taking
from bot.outbox.states import State
from bot.services import Detail

IN_FLIGHT = timedelta(seconds=60)
"""How long a claim is left to its owner: far longer than a request may take."""


APART = timedelta(minutes=5)
"""How long a correction stands before the next: an article in the making is saved often."""

_NAMES = [field.name for field in fields(Delivery)]
_COLUMNS = [deliveries.c[name] for name in _NAMES]


class Taken(Enum):
    """What became of the wish to claim a delivery."""

    YES = "it is ours"
    STALE = "it has changed since it was looked at"
    NOT_LEADING = "the lease is not ours"


class Outbox:
    """The queue in one database, used by the process that `lease` belongs to."""

    def __init__(self, database: Database, lease: Lease) -> None:
        self.database = database
        self._lease = lease

    def waiting(self, channel: str, now: datetime, limit: int) -> list[Delivery]:
        """Return the oldest deliveries of the channel that are due at `now`."""
        due = select(*_COLUMNS).where(deliveries.c.channel == channel, deliveries.c.due_at <= now)
        return self._read(due.order_by(deliveries.c.id).limit(limit))

    def to_correct(self, channel: str, now: datetime, limit: int) -> list[Delivery]:
        """Return the posts of the channel whose article has changed and been quiet for long enough."""
        due = select(*_COLUMNS).where(
            deliveries.c.channel == channel,
            deliveries.c.correct_at <= now,
            deliveries.c.state == State.SENT,
            deliveries.c.claim.is_(None),
            or_(deliveries.c.corrected_at.is_(None), deliveries.c.corrected_at <= now - APART),
        )
        return self._read(due.order_by(deliveries.c.correct_at, deliveries.c.id).limit(limit))

    def same_story(self, channel: str, story: str, reason: str) -> list[Delivery]:
        """Return the deliveries that were skipped because another article told their story."""
        alike = select(*_COLUMNS).where(
            deliveries.c.channel == channel,
            deliveries.c.story == story,
            deliveries.c.state == State.SKIPPED,
            deliveries.c.reason.startswith(reason),
        )
        return self._read(alike.order_by(deliveries.c.id))

    def orphans(self, ours: Collection[int]) -> list[Delivery]:
        """Return the deliveries in flight whose owner is gone: none of `ours`, and past their time."""
        gone = select(*_COLUMNS).where(
            deliveries.c.claim.is_not(None), deliveries.c.claimed_until <= self._lease.now()
        )
        return [delivery for delivery in self._read(gone) if delivery.id not in ours]

    def next_moments(self, names: Collection[str]) -> dict[str, datetime]:
        """Return when the next post or correction of each channel is due; channels with none are absent."""
        found: dict[str, datetime] = {}
        with self.database.read() as connection:
            for column in (deliveries.c.due_at, deliveries.c.correct_at):
                query = select(deliveries.c.channel, func.min(column)).where(
                    column.is_not(None), deliveries.c.channel.in_(sorted(names))
                )
                for name, moment in connection.execute(query.group_by(deliveries.c.channel)):
                    found[name] = min(moment, found.get(name, moment))
        return found

    def exchange(self, done: Done | None, wanted: Claim | None) -> tuple[bool, Taken | None]:
        """Record what is done and claim what is wanted, in one transaction.

        Returns whether the record was still ours to make, and what became of the wish. May be repeated with
        the same arguments after a database error, whether or not that came after the commit.
        """
        steps = recording(done) if done else []
        if wanted:
            steps.append(self._taking(wanted))
        counts = (
            self.database.run(steps)
            if done is None or done.error is None
            else self._run_with_consequences(steps, done)
        )
        recorded = done is None or counts[-2 if wanted else -1] == 1
        if wanted is None or counts[-1] == 1:
            return recorded, Taken.YES if wanted else None
        return recorded, Taken.STALE if self._leads() else Taken.NOT_LEADING

    def settle(self, delivery: Delivery, state: State, reason: str, now: datetime) -> bool:
        """End a waiting delivery without a post; return whether it still was as it was read.

        Not while a planner decides about the channel: it may be leaving another article out for this one's
        sake, which has to be seen here afterwards.
        """
        with self.database.write() as connection:
            _lock_channel(connection, delivery.channel)
            ended = connection.execute(
                _as_read(delivery).values(state=state, reason=reason, due_at=None, updated_at=now)
            )
            return ended.rowcount == 1

    def revive(self, delivery: Delivery, now: datetime) -> bool:
        """Make a skipped delivery due after all; return whether it still was as it was read."""
        with self.database.write() as connection:
            revived = connection.execute(
                _as_read(delivery).values(state=State.PLANNED, reason="", due_at=now, updated_at=now)
            )
            return revived.rowcount == 1

    def drop_correction(self, delivery: Delivery) -> None:
        """Forget that the post was to be corrected: people see what they should."""
        with self.database.write() as connection:
            connection.execute(
                update(deliveries)
                .where(deliveries.c.id == delivery.id, deliveries.c.correct_at == delivery.correct_at)
                .values(correct_at=None, correct_failures=0)
            )

    def _taking(self, wanted: Claim) -> Step:
        moment = self._lease.now()
        lease, until = self._lease, moment + IN_FLIGHT
        return taking(wanted, holder=lease.holder, fence=lease.fence, moment=moment, until=until)

    def _leads(self) -> bool:
        ours = {"b_holder": self._lease.holder, "b_fence": self._lease.fence, "b_moment": self._lease.now()}
        with self.database.read() as connection:
            return bool(connection.scalar(select(HOLDS_LEASE), ours))

    def _run_with_consequences(self, steps: list[Step], done: Done) -> list[int]:
        """Execute the steps of an exchange, and what follows for the channel if the record was ours."""
        name, counts = done.claim.delivery.channel, []
        with self.database.write() as connection:
            _lock_channel(connection, name)
            for statement, values in steps:
                counts.append(connection.execute(statement, values).rowcount)
                if is_finish(statement) and counts[-1] == 1:
                    _follow_up(connection, done)
        return counts

    def _read(self, query: Select[*tuple[Any, ...]]) -> list[Delivery]:
        with self.database.read() as connection:
            return as_deliveries(connection.execute(query))


def as_deliveries(rows: Iterable[Any]) -> list[Delivery]:
    """Return the deliveries in `rows`, which hold the columns of `delivery_columns` in that order."""
    return [_delivery(row) for row in rows]


def delivery_columns() -> list[ColumnElement[Any]]:
    """Return the columns that `as_deliveries` needs."""
    return list(_COLUMNS)


def _delivery(row: Any) -> Delivery:
    values = dict(zip(_NAMES, row, strict=True))
    values["state"], values["detail"] = State(values["state"]), Detail(values["detail"])
    return Delivery(**values)


def _as_read(delivery: Delivery) -> Any:
    return update(deliveries).where(
        deliveries.c.id == delivery.id, deliveries.c.state == delivery.state, deliveries.c.claim.is_(None)
    )


def _lock_channel(connection: Connection, name: str) -> None:
    """Wait for whoever plans for the channel: who needs both locks it before its deliveries."""
    connection.execute(select(channels.c.name).where(channels.c.name == name).with_for_update())


def _follow_up(connection: Connection, done: Done) -> None:
    name, attempt = done.claim.delivery.channel, done.attempt
    if attempt and done.error:
        channelstate.note_error(connection, name, done.error, attempt.finished_at)
    if attempt and done.disabled:
        channelstate.disable(connection, name, done.disabled, attempt.finished_at)
    if done.rest and done.rest.host:
        channelstate.rest_host(connection, done.rest.host, done.rest.until, done.error or "")
    elif done.rest:
        channelstate.rest_channel(connection, name, done.rest.until)
