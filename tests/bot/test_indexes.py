"""Queries that find posts by indexes, on both databases."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import event

from bot.operator import orders
from bot.outbox import channelstate, review
from bot.outbox.database import Database
from bot.outbox.queue import Outbox
from bot.outbox.tallies import deliveries_by_state
from bot.planning import changes
from bot.planning.budget import Budget
from bot.planning.policy import Policy
from bot.planning.timeline import timeline
from tests.bot.world import START, Clock, World, lease_by
from text.zones import zone


def test_posts_are_found_by_indexes(world: World) -> None:
    """Posts that wait, are in flight, are held or have failed are found without a scan of all posts."""
    database = world.database
    channel = world.slack("c", policy=Policy(budget=Budget(zone=zone("UTC"), per="day", at_most=1)))
    world.started(channel)
    asked: list[tuple[str, Any]] = []
    event.listen(database.engine, "before_cursor_execute", lambda *given: asked.append((given[2], given[3])))
    deliveries_by_state(database)
    review.for_review(database)
    channelstate.resume(database, "c", START)
    with database.write() as connection:
        channelstate.disable(connection, "c", "gone", START)
        changes.mark_recent(connection, ["c"], START)
        timeline(connection, world.catalog, channel, START, timedelta(minutes=1))
    orders.forget(database, "c", START)
    of_posts = [each for each in asked if "FROM posts" in each[0] or "UPDATE posts" in each[0]]
    assert len(of_posts) >= 10
    for statement, values in of_posts:
        plan = plan_of(database, statement, values)
        assert "ix_posts" in plan or "uq_posts" in plan, f"{statement}\n{plan}"
        # An index that SQLite scans has only some of the posts.
        assert "Seq Scan on posts" not in plan and "SCAN posts'" not in plan, f"{statement}\n{plan}"


def test_a_batch_of_due_posts_is_read_without_sorting(database: Database) -> None:
    """The next posts are read in an index's order, so that a batch takes as long however many are due."""
    asked: list[tuple[str, Any]] = []
    event.listen(database.engine, "before_cursor_execute", lambda *given: asked.append((given[2], given[3])))
    Outbox(database, lease_by(database, Clock())).due("c", START, 50)
    of_posts = [each for each in asked if "FROM posts" in each[0]]
    assert len(of_posts) == 2
    for statement, values in of_posts:
        with database.write() as connection:
            if database.is_sqlite:
                plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all()
            else:
                connection.exec_driver_sql(
                    "SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off"
                )
                plan = connection.exec_driver_sql(f"EXPLAIN {statement}", values).all()
        assert "ix_posts_" in str(plan)
        assert "TEMP B-TREE" not in str(plan) and "Sort" not in str(plan), plan


def plan_of(database: Database, statement: str, values: Any) -> str:
    """Return how the database would execute a statement, preferring indexes by a part of its condition.

    PostgreSQL would otherwise scan an empty table, or the index of its primary key.
    """
    with database.write() as connection:
        if database.is_sqlite:
            return str(connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all())
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off; SET LOCAL enable_indexscan = off")
        return str(connection.exec_driver_sql(f"EXPLAIN {statement}", values).all())
