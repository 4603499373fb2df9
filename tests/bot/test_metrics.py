"""What Prometheus reads from the outbox, and whether a bot counts as running."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from prometheus_client.core import Metric
from sqlalchemy import delete, insert

from bot.operator.metrics import idle_bot, outbox_metrics
from bot.outbox.database import Database, connect
from bot.outbox.lease import TERM, Lease
from bot.outbox.moves import NewPost, add_posts
from bot.outbox.records import PostKind
from bot.outbox.schema import attempts
from tests.bot.world import START as NOW


def samples(found: list[Metric]) -> dict[tuple[str, ...], float]:
    return {
        (sample.name, *map(str, sample.labels.values())): sample.value
        for metric in found
        for sample in metric.samples
    }


def test_attempts_are_counted_by_outcome_and_timed_by_channel(database: Database) -> None:
    """The buckets of a histogram add up, whichever database measures the time."""
    with database.write() as connection:
        (post,) = add_posts(connection, "team", [NewPost(kind=PostKind.NEWS, due_at=NOW)], NOW)
        for seconds, outcome in ((0.04, "sent"), (0.2, "sent"), (20, "unknown")):
            values = {"channel": "team", "kind": "post", "number": 1, "started_at": NOW, "outcome": outcome}
            finished = NOW + timedelta(seconds=seconds)
            connection.execute(
                insert(attempts).values(**values, finished_at=finished, reason="", post_id=post)
            )
    found = samples(list(outbox_metrics(database, NOW)))
    assert found["newswire_attempts_total", "team", "sent"] == 2
    assert found["newswire_attempts_total", "team", "unknown"] == 1
    assert found["newswire_attempt_seconds_bucket", "team", "0.05"] == 1
    assert found["newswire_attempt_seconds_bucket", "team", "0.25"] == 2
    assert found["newswire_attempt_seconds_bucket", "team", "+Inf"] == 3
    assert abs(found["newswire_attempt_seconds_sum", "team"] - 20.24) < 0.01


def test_the_holder_of_the_lease_is_named_until_it_runs_out(database: Database) -> None:
    """A bot counts as running while it renews its lease."""
    assert idle_bot(database, lambda: NOW) == "no bot is running"
    lease = Lease(database, lambda: NOW, server_time=False)
    assert lease.hold()
    assert samples(list(outbox_metrics(database, NOW)))["newswire_bot_lease", lease.holder] == 1
    assert idle_bot(database, lambda: NOW) is None
    later = NOW + TERM + timedelta(seconds=30)
    assert "has not been heard of since" in (idle_bot(database, lambda: later) or "")
    assert ("newswire_bot_lease", lease.holder) not in samples(list(outbox_metrics(database, later)))


def test_an_outbox_without_tables_is_down_and_no_error(tmp_path: Path) -> None:
    """The metrics report that the outbox is missing, and the scrape itself succeeds."""
    empty_database = connect(f"sqlite:///{tmp_path}/outbox.sqlite")
    assert samples(list(outbox_metrics(empty_database, NOW))) == {("newswire_outbox_up",): 0.0}
    assert "flask db upgrade" in (idle_bot(empty_database, lambda: NOW) or "")


def test_counters_do_not_go_back(database: Database) -> None:
    """Attempts count once, before and after they are pruned."""

    def record(count: int) -> None:
        with database.write() as connection:
            (post,) = add_posts(connection, "team", [NewPost(kind=PostKind.NEWS, due_at=NOW)], NOW)
            row = {"post_id": post, "channel": "team", "kind": "post", "number": 1, "outcome": "sent"}
            row |= {"started_at": NOW, "finished_at": NOW + timedelta(seconds=0.2), "reason": ""}
            connection.execute(insert(attempts), [row] * count)

    def total() -> tuple[float, float]:
        found = samples(list(outbox_metrics(database, NOW)))
        return (
            found["newswire_attempts_total", "team", "sent"],
            found["newswire_attempt_seconds_bucket", "team", "0.25"],
        )

    for expected in (3, 6):
        record(3)
        assert total() == (expected, expected)
    with database.write() as connection:
        connection.execute(delete(attempts))
    assert total() == (6, 6)
    record(1)
    assert total() == (7, 7)
