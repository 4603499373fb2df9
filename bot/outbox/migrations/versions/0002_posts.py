"""Posts beside deliveries: one row for what was decided, another for the message, and causes as values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

from bot.outbox.keys import MAX_KEY, index_key

revision = "0002"
down_revision = "0001"

_serial = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_time = sa.DateTime(timezone=True)

_TOLD = "same story already posted"
_REASONS = {
    "rules changed": "rules_changed",
    "skipped by the operator": "skipped_by_operator",
    "resolved by the operator: posted": "resolved_posted",
    "deleted": "deleted",
    "unpublished": "unpublished",
    "future": "future",
    "topic not followed": "topic",
    "type not wanted": "type",
    "provider not wanted": "provider",
    "keywords do not match": "keyword",
    "no quality": "no_quality",
    "below quality": "below_quality",
    "too old": "too_old",
    _TOLD: "same_story",
}
"""How revision 0001 wrote the reasons of deliveries that are over: each begins so."""

_POST_REASONS = {
    "channel disabled": "channel_disabled",
    "answer lost": "answer_lost",
    "no message could be made": "cannot_compose",
}

_CHUNK = 5000


def upgrade() -> None:
    """Create the new tables and carry everything over; a post has the number of its only delivery."""
    connection = op.get_bind()
    _set_aside(connection)
    _create_posts()
    _create_deliveries()
    _create_attempts()
    _copy(connection)
    _drop_old()
    _create_indexes()
    _continue_numbers(connection)


def _set_aside(connection: sa.Connection) -> None:
    for index in ("story", "state", "due", "correct", "shown"):
        op.drop_index(f"ix_deliveries_{index}", "deliveries")
    op.drop_index("uq_deliveries_in_flight", "deliveries")
    op.drop_index("ix_attempts_delivery_id", "attempts")
    if connection.dialect.name == "postgresql":
        op.drop_constraint("fk_attempts_delivery_id", "attempts", type_="foreignkey")
        op.drop_constraint("uq_deliveries_article_id_channel", "deliveries", type_="unique")
        op.drop_constraint("pk_deliveries", "deliveries", type_="primary")
        op.drop_constraint("pk_attempts", "attempts", type_="primary")
    op.rename_table("deliveries", "old_deliveries")
    op.rename_table("attempts", "old_attempts")


def _create_posts() -> None:
    op.create_table(
        "posts",
        sa.Column("id", _serial, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("cause", sa.String(24), nullable=False, server_default=""),
        sa.Column("note", sa.Text, nullable=False, server_default=""),
        sa.Column("due_at", _time),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        sa.Column("failures", sa.Integer, nullable=False, server_default="0"),
        sa.Column("form", sa.Integer, nullable=False, server_default="0"),
        sa.Column("claim", sa.Text),
        sa.Column("fence", sa.BigInteger),
        sa.Column("claimed_at", _time),
        sa.Column("claimed_until", _time),
        sa.Column("posted_at", _time),
        sa.Column("message_id", sa.Text),
        sa.Column("thread", sa.Text),
        sa.Column("fingerprint", sa.Text),
        sa.Column("retracted", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("correct_at", _time),
        sa.Column("corrected_at", _time),
        sa.Column("created_at", _time, nullable=False),
        sa.Column("updated_at", _time, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_posts"),
        sqlite_autoincrement=True,
    )


def _create_deliveries() -> None:
    op.create_table(
        "deliveries",
        sa.Column("id", _serial, nullable=False),
        sa.Column("article_id", sa.Text, nullable=False),
        sa.Column("article_key", sa.Text, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("story", sa.Text),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("published_at", _time, nullable=False),
        sa.Column("quality", sa.Integer),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("cause", sa.String(24), nullable=False, server_default=""),
        sa.Column("note", sa.Text, nullable=False, server_default=""),
        sa.Column("told_by", sa.Text),
        sa.Column("forced", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("post_id", sa.BigInteger),
        sa.Column("path", sa.Text),
        sa.Column("content", sa.String(64)),
        sa.Column("catalog", sa.Text),
        sa.Column("revision", sa.BigInteger),
        sa.Column("created_at", _time, nullable=False),
        sa.Column("updated_at", _time, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_deliveries"),
        sa.ForeignKeyConstraint(["post_id"], ["posts.id"], name="fk_deliveries_post_id"),
        sa.UniqueConstraint("article_key", "channel", name="uq_deliveries_article_key_channel"),
        sqlite_autoincrement=True,
    )


def _create_attempts() -> None:
    op.create_table(
        "attempts",
        sa.Column("id", _serial, nullable=False),
        sa.Column("post_id", sa.BigInteger, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("started_at", _time, nullable=False),
        sa.Column("finished_at", _time, nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("status", sa.Integer),
        sa.Column("reason", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_attempts"),
        sa.ForeignKeyConstraint(["post_id"], ["posts.id"], name="fk_attempts_post_id"),
        sqlite_autoincrement=True,
    )


def _copy(connection: sa.Connection) -> None:
    connection.execute(sa.text(_POSTS))
    # A test message had no row of its own: each becomes a post, numbered after all others.
    connection.execute(sa.text(_TEST_POSTS))
    short = _is_short(connection, "d.article_id") + " AND " + _is_short(connection, "d.story")
    connection.execute(sa.text(f"{_DELIVERIES} WHERE {short}"))
    for rows in _long_rows(connection, f"{_SELECT_DELIVERIES} WHERE NOT ({short})"):
        names = list(rows[0])
        values = ", ".join(f":{name}" for name in names)
        connection.execute(sa.text(f"INSERT INTO deliveries ({', '.join(names)}) VALUES ({values})"), rows)
    connection.execute(sa.text(_ATTEMPTS))


def _is_short(connection: sa.Connection, column: str) -> str:
    if connection.dialect.name == "sqlite":
        length = f"length(CAST({column} AS BLOB))"
    else:
        length = f"octet_length({column})"
    return f"({column} IS NULL OR {length} <= {MAX_KEY})"


def _long_rows(connection: sa.Connection, query: str) -> Iterator[list[dict[str, Any]]]:
    """Yield the few deliveries whose keys have to be hashed, which SQLite cannot do."""
    result = connection.execute(sa.text(query)).mappings()
    while rows := result.fetchmany(_CHUNK):
        hashed = [dict(row) for row in rows]
        for row in hashed:
            row["article_key"] = index_key(row["article_id"])
            row["story"] = index_key(row["story"]) if row["story"] is not None else None
        yield hashed


def _begins(column: str, reasons: dict[str, str]) -> str:
    cases = " ".join(f"WHEN {column} LIKE '{text}%' THEN '{cause}'" for text, cause in reasons.items())
    return f"CASE {cases} ELSE '' END"


_HAS_POST = "(d.attempts > 0 OR d.state IN ('claimed', 'sent', 'retry', 'unknown', 'held', 'dead'))"

_POST_CAUSE = f"""
CASE
    WHEN d.state = 'unknown' THEN 'answer_lost'
    WHEN d.state IN ('held', 'dead') AND d.reason LIKE 'answer lost%' THEN 'answer_lost'
    WHEN d.state = 'retry' AND d.reason LIKE 'HTTP 429%' THEN 'rate_limited'
    WHEN d.state IN ('held', 'dead') THEN
        COALESCE(NULLIF({_begins("d.reason", _POST_REASONS)}, ''), 'refused')
    WHEN d.state = 'retry' THEN 'unsent'
    WHEN d.state IN ('skipped', 'expired', 'baselined') THEN {_begins("d.reason", _REASONS)}
    ELSE ''
END
"""

_POSTS = f"""
INSERT INTO posts (id, channel, kind, state, cause, note, due_at, attempts, failures, form, claim, fence,
    claimed_at, claimed_until, posted_at, message_id, fingerprint, retracted, correct_at, corrected_at,
    created_at, updated_at)
SELECT d.id, d.channel, 'news',
    CASE WHEN d.state IN ('skipped', 'expired', 'baselined') THEN 'dead' ELSE d.state END,
    {_POST_CAUSE},
    CASE WHEN d.reason LIKE 'answer lost: %' THEN substr(d.reason, 14)
        WHEN d.reason = 'channel disabled' OR d.state IN ('sent', 'claimed') THEN '' ELSE d.reason END,
    CASE WHEN d.state IN ('planned', 'retry', 'unknown') THEN d.due_at END,
    d.attempts,
    CASE WHEN d.state = 'sent' THEN d.correct_failures ELSE d.failures END,
    d.detail, d.claim, d.fence, d.claimed_at, d.claimed_until, d.posted_at, d.message_id, d.fingerprint,
    d.retracted, d.correct_at, d.corrected_at, d.created_at, d.updated_at
FROM old_deliveries d WHERE {_HAS_POST}
"""

_TEST_POSTS = """
INSERT INTO posts (id, channel, kind, state, attempts, created_at, updated_at)
SELECT (SELECT COALESCE(MAX(id), 0) FROM old_deliveries) + a.id, a.channel, 'test',
    CASE WHEN a.outcome = 'sent' THEN 'sent' ELSE 'dead' END, 1, a.started_at, a.finished_at
FROM old_attempts a WHERE a.delivery_id IS NULL
"""

_SELECT_DELIVERIES = f"""
SELECT d.id, d.article_id, d.article_id AS article_key, d.channel, d.story, d.title, d.published_at,
    CASE WHEN d.state IN ('skipped', 'expired', 'baselined') THEN d.state
        WHEN d.state = 'sent' THEN 'posted' ELSE 'waiting' END AS state,
    CASE WHEN d.state = 'baselined' THEN COALESCE(NULLIF({_begins("d.reason", _REASONS)}, ''), 'archive')
        WHEN d.state IN ('skipped', 'expired', 'sent') THEN {_begins("d.reason", _REASONS)}
        WHEN d.forced THEN 'replayed' ELSE '' END AS cause,
    CASE WHEN d.state IN ('skipped', 'expired') AND d.reason NOT LIKE '{_TOLD}%' THEN d.reason
        ELSE '' END AS note,
    CASE WHEN d.state = 'skipped' AND d.reason LIKE '{_TOLD}: %'
        THEN substr(d.reason, {len(_TOLD) + 3}) END AS told_by,
    d.forced,
    CASE WHEN {_HAS_POST} THEN d.id END AS post_id,
    d.created_at, d.updated_at
FROM old_deliveries d
"""

_DELIVERIES = f"""
INSERT INTO deliveries (id, article_id, article_key, channel, story, title, published_at, state, cause, note,
    told_by, forced, post_id, created_at, updated_at)
{_SELECT_DELIVERIES}
"""

_ATTEMPTS = """
INSERT INTO attempts (id, post_id, channel, kind, number, started_at, finished_at, outcome, status, reason)
SELECT id, COALESCE(delivery_id, (SELECT COALESCE(MAX(id), 0) FROM old_deliveries) + id), channel, kind,
    number, started_at, finished_at, outcome, status, reason
FROM old_attempts
"""


def _drop_old() -> None:
    op.drop_table("old_attempts")
    op.drop_table("old_deliveries")


def _create_indexes() -> None:
    op.create_index("ix_deliveries_story", "deliveries", ["story", "channel"])
    op.create_index("ix_deliveries_state", "deliveries", ["state", "channel"])
    op.create_index("ix_deliveries_post_id", "deliveries", ["post_id"])
    op.create_index("ix_deliveries_content", "deliveries", ["content"])
    _partial(
        "ix_deliveries_unreleased", "deliveries", ["channel", "id"], "state = 'waiting' AND post_id IS NULL"
    )
    op.create_index("ix_posts_state", "posts", ["state", "channel"])
    _partial("ix_posts_due", "posts", ["channel", "id"], "due_at IS NOT NULL")
    _partial("ix_posts_correct", "posts", ["channel", "correct_at"], "correct_at IS NOT NULL")
    _partial("ix_posts_shown", "posts", ["posted_at"], "message_id IS NOT NULL")
    _partial("uq_posts_in_flight", "posts", ["channel"], "claim IS NOT NULL", unique=True)
    op.create_index("ix_attempts_post_id", "attempts", ["post_id"])


def _partial(name: str, table: str, columns: list[str], where: str, *, unique: bool = False) -> None:
    condition = sa.text(where)
    op.create_index(name, table, columns, unique=unique, sqlite_where=condition, postgresql_where=condition)


def _continue_numbers(connection: sa.Connection) -> None:
    """Have new rows numbered after those that were copied."""
    if connection.dialect.name != "postgresql":
        return  # SQLite goes on after the greatest number by itself
    for table in ("posts", "deliveries", "attempts"):
        connection.execute(
            sa.text(
                f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), COALESCE(MAX(id), 0) + 1, false)"
                f" FROM {table}"
            )
        )
