"""Metrics of the outbox for Prometheus, and whether a bot is running."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime
from math import inf

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from bot.errors import BotError
from bot.outbox import lease, tallies, upgrading, wording
from bot.outbox.database import Database, first_line
from bot.outbox.lease import HEARTBEAT
from bot.outbox.tallies import BUCKETS


def outbox_metrics(database: Database, now: datetime) -> Iterator[Metric]:
    """Yield deliveries by channel and state, attempts by channel and outcome, and who has the lease.

    An outbox that cannot be read yields `newswire_outbox_up 0` and nothing else.
    """
    try:
        with database.read() as connection:  # one transaction: beginning one costs as much as a query
            upgrading.check_tables(connection)
            metrics = [*_deliveries(connection), *_attempts(connection), *_lease(connection, now)]
    except (BotError, SQLAlchemyError):
        metrics = []
    yield GaugeMetricFamily(
        "newswire_outbox_up", "1 when the bot's database can be read.", value=int(bool(metrics))
    )
    yield from metrics


def idle_bot(database: Database, clock: Callable[[], datetime]) -> str | None:
    """Return why nothing would be posted now (no database, old tables, or no bot with a lease), or None."""
    try:
        upgrading.check(database)
        holder = lease.holder(database)
    except BotError as error:
        return str(error)
    except SQLAlchemyError as error:
        return f"the bot's database cannot be read: {first_line(error)}"
    now = clock()
    # A renewal may be late by one heartbeat.
    alive = holder.name is not None and holder.expires_at is not None and holder.expires_at >= now - HEARTBEAT
    return None if alive else wording.posting(holder, now)


def _deliveries(connection: Connection) -> Iterator[Metric]:
    deliveries = GaugeMetricFamily(
        "newswire_deliveries", "Deliveries by channel and state.", labels=["channel", "state"]
    )
    for (channel, state), count in sorted(tallies.deliveries_counted(connection).items()):
        deliveries.add_metric([channel, str(state)], count)
    yield deliveries


def _attempts(connection: Connection) -> Iterator[Metric]:
    counter = CounterMetricFamily(
        "newswire_attempts",
        "Requests to chat services by channel and outcome.",
        labels=["channel", "outcome"],
    )
    sums: dict[str, list[float]] = defaultdict(lambda: [0.0] * (len(BUCKETS) + 2))
    for tally in tallies.attempts_made(connection):
        counter.add_metric([tally.channel, tally.outcome], tally.attempts)
        values = (*tally.within, tally.attempts, tally.seconds)
        sums[tally.channel] = [a + b for a, b in zip(sums[tally.channel], values, strict=True)]
    yield counter
    times = HistogramMetricFamily(
        "newswire_attempt_seconds", "Time until a chat service answered.", labels=["channel"]
    )
    for channel, (*counts, total) in sums.items():
        bounds = ["+Inf" if bound == inf else str(bound) for bound in (*BUCKETS, inf)]
        times.add_metric([channel], list(zip(bounds, counts, strict=True)), total)
    yield times


def _lease(connection: Connection, now: datetime) -> Iterator[Metric]:
    holder = lease.holder_now(connection)
    is_held = holder.name is not None and holder.expires_at is not None and holder.expires_at > now
    info = GaugeMetricFamily("newswire_bot_lease", "1 for the bot that may post.", labels=["holder"])
    if is_held:
        info.add_metric([str(holder.name)], 1)
    yield info
    yield CounterMetricFamily(
        "newswire_bot_lease_changes", "How often the lease went to another bot.", value=holder.fence
    )
    if holder.expires_at:
        seconds_left = (holder.expires_at - now).total_seconds()
        yield GaugeMetricFamily(
            "newswire_bot_lease_seconds", "Seconds until the lease expires.", value=seconds_left
        )
