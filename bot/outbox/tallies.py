"""Counts of attempts that only grow, whatever becomes of the attempts: what metrics read instead of them.

Attempts are added to the tallies some time after they were recorded. What is not yet added is counted from
the attempts themselves, so that the sum of both is always right.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, case, delete, extract, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from bot.outbox.database import Database
from bot.outbox.schema import attempts, progress, tallies

BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0)
"""Upper bounds of the attempts' times, in seconds; the transport gives up after 15."""

SETTLED = 60.0
"""Seconds after which no attempt with a smaller number can still be about to be committed."""

_ATTEMPTS = "attempts"
_WITHIN = [f"within_{number}" for number in range(len(BUCKETS))]


@dataclass(frozen=True, slots=True)
class Tally:
    """The attempts of a channel with one outcome: how many, their seconds, how many within each bucket."""

    channel: str
    outcome: str
    attempts: int
    seconds: float
    within: tuple[int, ...]


class Tallier:
    """Adds attempts to the tallies, for the one process that posts."""

    def __init__(self, database: Database, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._monotonic = monotonic
        self._mark: tuple[int, float] | None = None

    def run(self) -> None:
        """Add what was there at an earlier call, long enough ago; raises what the database raises."""
        now = self._monotonic()
        if self._mark is not None and now - self._mark[1] < SETTLED:
            return
        if self._mark is not None:
            add(self._database, self._mark[0])
        with self._database.read() as connection:
            last = connection.scalar(select(func.max(attempts.c.id)))
        self._mark = (last or 0, now)


def read(database: Database) -> list[Tally]:
    """Return the tallies of all attempts that were ever made."""
    # Of one moment, so that no attempt is in both or in neither.
    with database.read(snapshot=True) as connection:
        done = counted_up_to(connection)
        rows = [*connection.execute(select(tallies)).all(), *_counted(database, connection, done, None)]
    found: dict[tuple[str, str], Tally] = {}
    for channel, outcome, count, seconds, *within in rows:
        before = found.get((channel, outcome), Tally(channel, outcome, 0, 0.0, (0,) * len(BUCKETS)))
        found[channel, outcome] = Tally(
            channel,
            outcome,
            before.attempts + count,
            before.seconds + float(seconds or 0),
            tuple(a + b for a, b in zip(before.within, within, strict=True)),
        )
    return [tally for _, tally in sorted(found.items())]


def add(database: Database, last: int) -> None:
    """Add the attempts up to the number `last`, of which none may still be about to come."""
    with database.write() as connection:
        done = counted_up_to(connection)
        if last <= done:
            return
        for channel, outcome, count, seconds, *within in _counted(database, connection, done, last):
            counts = dict(zip(_WITHIN, within, strict=True)) | {"attempts": count, "seconds": float(seconds)}
            _increase(connection, channel, outcome, counts)
        moved = connection.execute(
            update(progress)
            .where(progress.c.name == _ATTEMPTS, progress.c.number == done)
            .values(number=last)
        )
        if moved.rowcount == 0 and done == 0:
            connection.execute(insert(progress).values(name=_ATTEMPTS, number=last))
        elif moved.rowcount == 0:
            connection.rollback()  # another process was faster


def rename_tallies(connection: Connection, old: str, new: str) -> None:
    """Add the tallies of the channel `old` to those of `new`."""
    which = tallies.c.channel == old
    for row in connection.execute(select(tallies).where(which)).mappings().all():
        counts = {name: row[name] for name in (*_WITHIN, "attempts", "seconds")}
        _increase(connection, new, row["outcome"], counts)
    connection.execute(delete(tallies).where(which))


def _increase(connection: Connection, channel: str, outcome: str, counts: Mapping[str, Any]) -> None:
    dialect = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    added = dialect(tallies).values(channel=channel, outcome=outcome, **counts)
    sums = {name: tallies.c[name] + added.excluded[name] for name in counts}
    connection.execute(added.on_conflict_do_update(index_elements=["channel", "outcome"], set_=sums))


def counted_up_to(connection: Connection) -> int:
    """Return the number of the last attempt that was added."""
    return connection.scalar(select(progress.c.number).where(progress.c.name == _ATTEMPTS)) or 0


def _counted(database: Database, connection: Connection, after: int, last: int | None) -> list[Any]:
    seconds = _seconds(database)
    within = [func.sum(case((seconds <= bound, 1), else_=0)) for bound in BUCKETS]
    query = select(attempts.c.channel, attempts.c.outcome, func.count(), func.sum(seconds), *within)
    query = query.where(attempts.c.id > after).group_by(attempts.c.channel, attempts.c.outcome)
    if last is not None:
        query = query.where(attempts.c.id <= last)
    return list(connection.execute(query).all())


def _seconds(database: Database) -> ColumnElement[Any]:
    """Return the SQL for an attempt's time; a time zone or a day has no part in it."""
    start, end = attempts.c.started_at, attempts.c.finished_at
    if database.is_sqlite:
        return (func.julianday(end) - func.julianday(start)) * 86400.0
    return extract("epoch", end - start)
