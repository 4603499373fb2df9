"""The time limit of a query."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from articles.catalog.deadline import Deadline
from articles.errors import DeadlineError

ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"


def test_an_endless_statement_is_ended() -> None:
    """SQLite interrupts a statement at the deadline, and the connection then works without a limit."""
    with closing(sqlite3.connect(":memory:")) as connection:
        with pytest.raises(DeadlineError), Deadline(0.05).interrupting(connection):
            connection.execute(ENDLESS).fetchone()
        with Deadline().interrupting(connection):
            assert connection.execute("SELECT 1").fetchone() == (1,)


def test_other_errors_are_not_taken_for_it() -> None:
    """Another error in a statement is raised unchanged."""
    with (
        closing(sqlite3.connect(":memory:")) as connection,
        pytest.raises(sqlite3.OperationalError),
        Deadline(60).interrupting(connection),
    ):
        connection.execute("SELECT nothing")


def test_a_loop_is_ended() -> None:
    """A loop in Python that checks after each step ends at the deadline."""
    deadline = Deadline(0.01)
    while not deadline.is_over():
        pass
    with pytest.raises(DeadlineError, match=r"longer than 0\.01 seconds"):
        deadline.check()
