"""Counts of deliveries and attempts that triggers keep right with every change, whoever makes it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_BOUNDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0)
_WITHIN = [f"within_{number}" for number in range(len(_BOUNDS))]


def upgrade() -> None:
    """Create the counts, have triggers keep them, and count what is there."""
    connection = op.get_bind()
    op.create_table(
        "delivery_counts",
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("decided", sa.String(16), nullable=False),
        sa.Column("post", sa.String(16), nullable=False),
        sa.Column("deliveries", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("channel", "decided", "post", name="pk_delivery_counts"),
    )
    # Triggers first: on PostgreSQL that keeps an older bot, which may still run, from changing anything
    # between the count and the end of this transaction.
    for statement in _SQLITE if connection.dialect.name == "sqlite" else _POSTGRES:
        connection.exec_driver_sql(statement)
    connection.exec_driver_sql(_COUNT_DELIVERIES)
    connection.exec_driver_sql(_count_attempts(connection.dialect.name))
    op.drop_table("progress")


_COUNT_DELIVERIES = """
INSERT INTO delivery_counts (channel, decided, post, deliveries)
SELECT d.channel, d.state, COALESCE(p.state, ''), COUNT(*)
FROM deliveries d LEFT JOIN posts p ON p.id = d.post_id
GROUP BY d.channel, d.state, COALESCE(p.state, '')
"""


def _count_attempts(dialect: str) -> str:
    """Return the statement that adds the attempts which the bot has not added itself."""
    seconds = _JULIAN.format(row="a") if dialect == "sqlite" else _EPOCH.format(row="a")
    return _tallied(
        f"SELECT a.channel, a.outcome, {seconds} AS s FROM attempts a"
        " WHERE a.id > COALESCE((SELECT number FROM progress WHERE name = 'attempts'), 0)"
    )


_JULIAN = "(julianday({row}.finished_at) - julianday({row}.started_at)) * 86400.0"
_EPOCH = "EXTRACT(EPOCH FROM {row}.finished_at - {row}.started_at)"


def _tallied(attempts: str) -> str:
    """Return the statement that adds attempts, given by channel, outcome and seconds `s`, to the tallies."""
    within = ", ".join(f"SUM(CASE WHEN s <= {bound} THEN 1 ELSE 0 END)" for bound in _BOUNDS)
    counts = ["attempts", "seconds", *_WITHIN]
    sums = ", ".join(f"{name} = tallies.{name} + excluded.{name}" for name in counts)
    # "WHERE true", or SQLite would take ON for the condition of a join.
    return (
        f"INSERT INTO tallies (channel, outcome, {', '.join(counts)})"
        f" SELECT channel, outcome, COUNT(*), SUM(s), {within} FROM ({attempts}) made WHERE true"
        f" GROUP BY channel, outcome ORDER BY channel, outcome"
        f" ON CONFLICT (channel, outcome) DO UPDATE SET {sums}"
    )


def _counted(changes: str) -> str:
    """Return the statement that adds changes, given by channel, decided, post and `n`, to the counts.

    In the order of the key, so that two transactions do not wait for each other.
    """
    return (
        "INSERT INTO delivery_counts (channel, decided, post, deliveries)"
        f" SELECT channel, decided, post, SUM(n) FROM ({changes}) changes WHERE true"
        " GROUP BY channel, decided, post HAVING SUM(n) <> 0 ORDER BY channel, decided, post"
        " ON CONFLICT (channel, decided, post) DO UPDATE"
        " SET deliveries = delivery_counts.deliveries + excluded.deliveries"
    )


def _sqlite_post(row: str) -> str:
    return f"COALESCE((SELECT state FROM posts WHERE id = {row}.post_id), '')"


_SQLITE = (
    "CREATE TRIGGER count_new_delivery AFTER INSERT ON deliveries BEGIN "
    + _counted(f"SELECT NEW.channel AS channel, NEW.state AS decided, {_sqlite_post('NEW')} AS post, 1 AS n")
    + "; END",
    "CREATE TRIGGER count_changed_delivery AFTER UPDATE OF channel, state, post_id ON deliveries"
    " WHEN OLD.channel <> NEW.channel OR OLD.state <> NEW.state OR OLD.post_id IS NOT NEW.post_id BEGIN "
    + _counted(
        f"SELECT OLD.channel AS channel, OLD.state AS decided, {_sqlite_post('OLD')} AS post, -1 AS n"
        f" UNION ALL SELECT NEW.channel, NEW.state, {_sqlite_post('NEW')}, 1"
    )
    + "; END",
    "CREATE TRIGGER count_changed_post AFTER UPDATE OF state ON posts WHEN OLD.state <> NEW.state BEGIN "
    + _counted(
        "SELECT channel, state AS decided, OLD.state AS post, -1 AS n FROM deliveries WHERE post_id = NEW.id"
        " UNION ALL SELECT channel, state, NEW.state, 1 FROM deliveries WHERE post_id = NEW.id"
    )
    + "; END",
    "CREATE TRIGGER tally_attempt AFTER INSERT ON attempts BEGIN "
    + _tallied(f"SELECT NEW.channel AS channel, NEW.outcome AS outcome, {_JULIAN.format(row='NEW')} AS s")
    + "; END",
)

# Once for each statement and not for each row: many changes of one count in one transaction would slow down.
# A post is locked before a delivery of it is counted, as another transaction may be changing its state.
_POSTGRES = (
    f"""
CREATE FUNCTION newswire_count_new_deliveries() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    {
        _counted('''
        SELECT d.channel, d.state AS decided, COALESCE(p.state, '') AS post, 1 AS n
        FROM added d LEFT JOIN posts p ON p.id = d.post_id
    ''')
    };
    RETURN NULL;
END $$
""",
    f"""
CREATE FUNCTION newswire_count_changed_deliveries() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    PERFORM 1 FROM posts WHERE id IN (
        SELECT unnest(ARRAY[o.post_id, n.post_id]) FROM before o JOIN changed n USING (id)
        WHERE o.state <> n.state OR o.post_id IS DISTINCT FROM n.post_id
    ) ORDER BY id FOR SHARE;
    {
        _counted('''
        SELECT o.channel, o.state AS decided, COALESCE(p.state, '') AS post, -1 AS n
        FROM before o JOIN changed c USING (id) LEFT JOIN posts p ON p.id = o.post_id
        WHERE o.channel <> c.channel OR o.state <> c.state OR o.post_id IS DISTINCT FROM c.post_id
        UNION ALL
        SELECT c.channel, c.state, COALESCE(p.state, ''), 1
        FROM before o JOIN changed c USING (id) LEFT JOIN posts p ON p.id = c.post_id
        WHERE o.channel <> c.channel OR o.state <> c.state OR o.post_id IS DISTINCT FROM c.post_id
    ''')
    };
    RETURN NULL;
END $$
""",
    f"""
CREATE FUNCTION newswire_count_changed_posts() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    {
        _counted('''
        SELECT d.channel, d.state AS decided, o.state AS post, -1 AS n
        FROM before o JOIN changed c USING (id) JOIN deliveries d ON d.post_id = o.id
        WHERE o.state <> c.state
        UNION ALL
        SELECT d.channel, d.state, c.state, 1
        FROM before o JOIN changed c USING (id) JOIN deliveries d ON d.post_id = o.id
        WHERE o.state <> c.state
    ''')
    };
    RETURN NULL;
END $$
""",
    f"""
CREATE FUNCTION newswire_tally_attempts() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    {_tallied(f"SELECT a.channel, a.outcome, {_EPOCH.format(row='a')} AS s FROM added a")};
    RETURN NULL;
END $$
""",
    "CREATE TRIGGER count_new_deliveries AFTER INSERT ON deliveries REFERENCING NEW TABLE AS added"
    " FOR EACH STATEMENT EXECUTE FUNCTION newswire_count_new_deliveries()",
    "CREATE TRIGGER count_changed_deliveries AFTER UPDATE ON deliveries"
    " REFERENCING OLD TABLE AS before NEW TABLE AS changed"
    " FOR EACH STATEMENT EXECUTE FUNCTION newswire_count_changed_deliveries()",
    "CREATE TRIGGER count_changed_posts AFTER UPDATE ON posts"
    " REFERENCING OLD TABLE AS before NEW TABLE AS changed"
    " FOR EACH STATEMENT EXECUTE FUNCTION newswire_count_changed_posts()",
    "CREATE TRIGGER tally_attempts AFTER INSERT ON attempts REFERENCING NEW TABLE AS added"
    " FOR EACH STATEMENT EXECUTE FUNCTION newswire_tally_attempts()",
)
