"""Counts of deliveries that stay the same while a post is claimed and sent.

A post's state is counted only where people see it in place of the delivery's own. How many deliveries are in
flight is read from the posts that are claimed, at most one a channel: see `bot.outbox.tallies`.
"""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Replace the triggers of 0006, and merge the counts that are no longer separate."""
    connection = op.get_bind()
    is_sqlite = connection.dialect.name == "sqlite"
    if not is_sqlite:
        # An older bot, which may still run, changes nothing until the end of this transaction.
        connection.exec_driver_sql("LOCK TABLE posts, deliveries IN SHARE ROW EXCLUSIVE MODE")
    for statement in (*(_SQLITE if is_sqlite else _POSTGRES), *_MERGE):
        connection.exec_driver_sql(statement)


def _counted(state: str) -> str:
    """Return the SQL for how a post in `state` is counted."""
    return f"CASE WHEN {state} IN ('planned', 'claimed', 'sent') THEN '' ELSE {state} END"


_MERGED = f"post <> '' AND {_counted('post')} = ''"
_MERGE = (
    "INSERT INTO delivery_counts (channel, decided, post, deliveries)"
    f" SELECT channel, decided, '', SUM(deliveries) FROM delivery_counts WHERE {_MERGED}"
    " GROUP BY channel, decided"
    " ON CONFLICT (channel, decided, post) DO UPDATE"
    " SET deliveries = delivery_counts.deliveries + excluded.deliveries",
    f"DELETE FROM delivery_counts WHERE {_MERGED}",
)


def _add(changes: str) -> str:
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


def _count_in_sqlite(row: str, sign: str) -> str:
    """Return the statement that counts a delivery as it is in `row`, NEW or OLD, or counts it no more."""
    post = f"COALESCE((SELECT {_counted('state')} FROM posts WHERE id = {row}.post_id), '')"
    return (
        "INSERT INTO delivery_counts (channel, decided, post, deliveries)"
        f" VALUES ({row}.channel, {row}.state, {post}, {sign}1)"
        f" ON CONFLICT (channel, decided, post) DO UPDATE SET deliveries = deliveries {sign} 1"
    )


def _post_in_sqlite(row: str, n: int) -> str:
    post = _counted(f"{row}.state")
    return (
        f"SELECT channel, state AS decided, {post} AS post, {n} AS n FROM deliveries WHERE post_id = NEW.id"
    )


_SECONDS = "(julianday(NEW.finished_at) - julianday(NEW.started_at)) * 86400.0"
_BOUNDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0)
_SUMS = ("attempts", "seconds", *(f"within_{number}" for number in range(len(_BOUNDS))))
_TALLY_IN_SQLITE = (
    f"INSERT INTO tallies (channel, outcome, {', '.join(_SUMS)})"
    f" SELECT NEW.channel, NEW.outcome, 1, s, {', '.join(f's <= {bound}' for bound in _BOUNDS)}"
    # "WHERE true", or SQLite would take ON for the condition of a join.
    f" FROM (SELECT {_SECONDS} AS s) WHERE true"
    f" ON CONFLICT (channel, outcome) DO UPDATE"
    f" SET {', '.join(f'{name} = {name} + excluded.{name}' for name in _SUMS)}"
)

# SQLite calls triggers for each row, where nothing needs to be grouped.
_SQLITE = (
    *(
        f"DROP TRIGGER {name}"
        for name in ("count_new_delivery", "count_changed_delivery", "count_changed_post", "tally_attempt")
    ),
    f"CREATE TRIGGER count_new_delivery AFTER INSERT ON deliveries BEGIN {_count_in_sqlite('NEW', '+')}; END",
    "CREATE TRIGGER count_changed_delivery AFTER UPDATE OF channel, state, post_id ON deliveries"
    " WHEN OLD.channel <> NEW.channel OR OLD.state <> NEW.state OR OLD.post_id IS NOT NEW.post_id BEGIN"
    f" {_count_in_sqlite('OLD', '-')}; {_count_in_sqlite('NEW', '+')}; END",
    "CREATE TRIGGER count_changed_post AFTER UPDATE OF state ON posts"
    f" WHEN {_counted('OLD.state')} <> {_counted('NEW.state')} BEGIN "
    + _add(f"{_post_in_sqlite('OLD', -1)} UNION ALL {_post_in_sqlite('NEW', 1)}")
    + "; END",
    f"CREATE TRIGGER tally_attempt AFTER INSERT ON attempts BEGIN {_TALLY_IN_SQLITE}; END",
)


def _function(name: str, body: str) -> str:
    return (
        f"CREATE OR REPLACE FUNCTION newswire_{name}() RETURNS trigger LANGUAGE plpgsql"
        f" AS $$ BEGIN {body}; RETURN NULL; END $$"
    )


# A post is locked before a delivery of it is counted, as another transaction may be changing its state. It is
# looked up by its id for each delivery: a join could be planned while the tables have no statistics, and
# would then read all posts for every one that is sent.
_STATE_OF_POST = f"""
COALESCE((SELECT {_counted("p.state")} FROM posts p WHERE p.id = moved.post_id FOR SHARE), '')
"""

# What is the same before and after cancels out.
_CHANGED_DELIVERIES = f"""
SELECT channel, state AS decided, {_STATE_OF_POST} AS post, n
FROM (
    SELECT channel, state, post_id, SUM(n) AS n
    FROM (
        SELECT channel, state, post_id, -1 AS n FROM before
        UNION ALL
        SELECT channel, state, post_id, 1 FROM changed
    ) rows
    GROUP BY channel, state, post_id HAVING SUM(n) <> 0 ORDER BY post_id
) moved
"""

_NEW_DELIVERIES = f"""
SELECT channel, state AS decided, {_STATE_OF_POST} AS post, 1 AS n FROM added moved
"""

_COUNTED_ANEW = f"{_counted('o.state')} <> {_counted('c.state')}"
_CHANGED_POSTS = f"""
SELECT d.channel, d.state AS decided, counted.post, counted.n
FROM before o JOIN changed c USING (id) JOIN deliveries d ON d.post_id = o.id
CROSS JOIN LATERAL (VALUES ({_counted("o.state")}, -1), ({_counted("c.state")}, 1)) counted (post, n)
WHERE {_COUNTED_ANEW}
"""

_POSTGRES = (
    _function("count_new_deliveries", _add(_NEW_DELIVERIES)),
    _function("count_changed_deliveries", _add(_CHANGED_DELIVERIES)),
    # Claiming and sending change no count, and need not read deliveries to find that out.
    _function(
        "count_changed_posts",
        f"IF EXISTS (SELECT FROM before o JOIN changed c USING (id) WHERE {_COUNTED_ANEW})"
        f" THEN {_add(_CHANGED_POSTS)}; END IF",
    ),
)
