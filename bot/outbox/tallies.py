"""Counts of deliveries and attempts, updated with every change, which metrics read instead of the rows.

Triggers of the database update them in the transaction of each change, so that they are always correct:
see the migrations 0006 and 0009. Counts of attempts only grow, even if the attempts are pruned.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, delete, func, literal, select, union_all

from bot.outbox.database import Database
from bot.outbox.schema import deliveries, delivery_counts, posts, tallies
from bot.outbox.states import DeliveryState, PostState, State, visible_state
from bot.outbox.upsert import insert_into

BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0)
"""Upper bounds of the attempts' times, in seconds; the transport's time limit is 15."""

_SUMS = ("attempts", "seconds", *(f"within_{number}" for number in range(len(BUCKETS))))


@dataclass(frozen=True, slots=True)
class Tally:
    """The attempts of a channel with one outcome: their number, their seconds, and the number by bucket."""

    channel: str
    outcome: str
    attempts: int
    seconds: float
    within: tuple[int, ...]


def attempts_made(connection: Connection) -> list[Tally]:
    """Return the tallies of all attempts ever made, by channel and outcome."""
    rows = connection.execute(select(tallies).order_by(tallies.c.channel, tallies.c.outcome))
    return [
        Tally(channel, outcome, count, seconds, tuple(within))
        for channel, outcome, count, seconds, *within in rows
    ]


def deliveries_by_state(database: Database) -> dict[tuple[str, State], int]:
    """Return the number of deliveries by channel and state; zeros are absent."""
    with database.read() as connection:
        return deliveries_counted(connection)


def deliveries_counted(connection: Connection) -> dict[tuple[str, State], int]:
    """Return the number of deliveries by channel and state, within an open transaction."""
    counts = Counter[tuple[str, State]]()
    for name, decided, post, count in connection.execute(_COUNTED):
        counts[name, visible_state(DeliveryState(decided), PostState(post) if post else None)] += count
    return dict(+counts)


def _in_flight(post: str, sign: int) -> Select[*tuple[Any, ...]]:
    """Return how many deliveries of each channel's claimed post wait: counted, times `sign`, under `post`."""
    waiting = (
        select(func.count())
        .where(deliveries.c.post_id == posts.c.id, deliveries.c.state == DeliveryState.WAITING.value)
        .scalar_subquery()
    )
    return select(posts.c.channel, literal(DeliveryState.WAITING.value), literal(post), sign * waiting).where(
        posts.c.claim.is_not(None), posts.c.state == PostState.CLAIMED.value
    )


# What is in flight is among what waits until here. One statement, so that all counts are of one moment.
_COUNTED = union_all(select(delivery_counts), _in_flight(PostState.CLAIMED.value, 1), _in_flight("", -1))


def rename(connection: Connection, old: str, new: str) -> None:
    """Add the attempts of the channel `old` to those of `new`; triggers have moved counts of deliveries."""
    which = tallies.c.channel == old
    for row in connection.execute(select(tallies).where(which)).mappings().all():
        _increase(connection, new, row["outcome"], {name: row[name] for name in _SUMS})
    connection.execute(delete(tallies).where(which))
    connection.execute(delete(delivery_counts).where(delivery_counts.c.channel == old))


def _increase(connection: Connection, channel: str, outcome: str, counts: Mapping[str, Any]) -> None:
    added = insert_into(connection, tallies).values(channel=channel, outcome=outcome, **counts)
    sums = {name: tallies.c[name] + added.excluded[name] for name in counts}
    connection.execute(added.on_conflict_do_update(index_elements=["channel", "outcome"], set_=sums))
