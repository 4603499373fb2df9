"""The outbox's tables.

This module does not know how deliveries and posts move from state to state. `bot.outbox.upgrading` creates
and upgrades the tables.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    and_,
    false,
    literal_column,
)

from bot.outbox.states import DUE, EXCEPTIONAL
from bot.outbox.times import Utc

# SQLite assigns ids only in a column of exactly the type INTEGER.
_Serial = BigInteger().with_variant(Integer(), "sqlite")

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
    }
)

# What was decided about one article for one channel.
deliveries = Table(
    "deliveries",
    metadata,
    Column("id", _Serial, primary_key=True),
    Column("article_id", Text, nullable=False),
    # Keys represent article and story in indexes; see `bot.outbox.keys`.
    Column("article_key", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("story", Text),
    Column("title", Text, nullable=False),
    Column("published_at", Utc, nullable=False),
    Column("quality", Integer),
    Column("state", String(16), nullable=False),
    Column("cause", String(24), nullable=False, server_default=""),
    Column("note", Text, nullable=False, server_default=""),
    # The article whose delivery in the same channel covers this story; set exactly where the cause is
    # `same_story`.
    Column("told_by", Text, key="covered_by"),  # its name in the first migration
    Column("forced", Boolean, nullable=False, server_default=false()),
    # The message that the article is part of, once it has been released.
    Column("post_id", BigInteger, ForeignKey("posts.id")),
    # Its place among the articles of that message, from 0; null: by the delivery's id.
    Column("position", Integer),
    # What it was planned from: the file, a digest of its content, the catalog and its revision.
    Column("path", Text),
    Column("content", String(64)),
    Column("catalog", Text),
    Column("revision", BigInteger),
    Column("created_at", Utc, nullable=False),
    Column("updated_at", Utc, nullable=False),
    UniqueConstraint("article_key", "channel"),
    sqlite_autoincrement=True,
)
Index("ix_deliveries_story", deliveries.c.story, deliveries.c.channel)
Index("ix_deliveries_state", deliveries.c.state, deliveries.c.channel)
Index("ix_deliveries_post_id", deliveries.c.post_id)
Index("ix_deliveries_content", deliveries.c.content)

# One message: of one article, of several, or of none (a test).
posts = Table(
    "posts",
    metadata,
    Column("id", _Serial, primary_key=True),
    Column("channel", Text, nullable=False),
    Column("kind", String(8), nullable=False),
    Column("state", String(16), nullable=False),
    Column("cause", String(24), nullable=False, server_default=""),
    Column("note", Text, nullable=False, server_default=""),
    Column("due_at", Utc),
    Column("attempts", Integer, nullable=False, server_default="0"),
    # The failures so far of the post, or else of its correction, and the form of the message.
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("form", Integer, nullable=False, server_default="0"),
    # The key by which a receiver recognises repeated requests; posts of revision 0004 and before have none.
    Column("key", String(32)),
    Column("verdict", String(16)),  # an operator's decision at the review
    Column("reviewed_at", Utc),
    # The process with a request in flight for this post: a random token, the lease's fence, and how long.
    Column("claim", Text),
    Column("fence", BigInteger),
    Column("claimed_at", Utc),
    Column("claimed_until", Utc),
    # The message that people see, since the post or its last correction.
    Column("posted_at", Utc),
    Column("message_id", Text),
    Column("thread", Text),
    Column("fingerprint", Text),
    Column("retracted", Boolean, nullable=False, server_default=false()),
    # The text of an alert, with its title in the first line; of any other post, an operator's comment.
    Column("body", Text),
    # Whom the message notifies, as the settings write it.
    Column("mention", Text),
    # When the message is to be compared with its articles, as they have changed.
    Column("correct_at", Utc),
    Column("corrected_at", Utc),
    Column("created_at", Utc, nullable=False),
    Column("updated_at", Utc, nullable=False),
    sqlite_autoincrement=True,
)


def _where(condition: ColumnElement[bool]) -> dict[str, Any]:
    return {"sqlite_where": condition, "postgresql_where": condition}


def is_one_of(state: Column[str], states: Iterable[str]) -> ColumnElement[bool]:
    """Return the SQL condition for one of some states, which are literals and not parameters."""
    return state.in_([literal_column(f"'{each}'") for each in sorted(states)])


IS_SCHEDULED = and_(posts.c.due_at.is_not(None), is_one_of(posts.c.state, DUE))
"""The SQL condition for posts that will be sent without an operator, in a form that finds ix_posts_due."""

IS_EXCEPTIONAL = is_one_of(posts.c.state, EXCEPTIONAL)
"""The SQL condition of the index by state. A query that is to use the index has to contain it as it is.

The index leaves out the states that change with every request, as it would change with each of them.
"""
Index(
    "ix_posts_state",
    posts.c.state,
    posts.c.channel,
    **_where(IS_EXCEPTIONAL),
)
# The senders' queries read only waiting posts, however many old ones there are.
Index("ix_posts_due", posts.c.channel, posts.c.id, **_where(posts.c.due_at.is_not(None)))
IS_WAITING_TEST = and_(posts.c.due_at.is_not(None), posts.c.kind == literal_column("'test'"))
"""The SQL condition for test messages that wait, in a form that finds ix_posts_tests."""
Index(
    "ix_posts_tests",
    posts.c.channel,
    posts.c.id,
    **_where(IS_WAITING_TEST),
)
Index("ix_posts_correct", posts.c.channel, posts.c.correct_at, **_where(posts.c.correct_at.is_not(None)))
Index("ix_posts_shown", posts.c.posted_at, **_where(posts.c.message_id.is_not(None)))
# For the posts that a budget counts.
Index("ix_posts_posted", posts.c.channel, posts.c.posted_at, **_where(posts.c.posted_at.is_not(None)))
# At most one request in flight for a channel, whatever processes do.
Index("uq_posts_in_flight", posts.c.channel, unique=True, **_where(posts.c.claim.is_not(None)))
Index(
    "ix_deliveries_unreleased",
    deliveries.c.channel,
    deliveries.c.id,
    **_where(and_(deliveries.c.state == "waiting", deliveries.c.post_id.is_(None))),
)

attempts = Table(
    "attempts",
    metadata,
    Column("id", _Serial, primary_key=True),
    Column("post_id", BigInteger, ForeignKey("posts.id"), nullable=False),
    Column("channel", Text, nullable=False),
    Column("kind", String(8), nullable=False),
    Column("number", Integer, nullable=False),
    Column("started_at", Utc, nullable=False),
    Column("finished_at", Utc, nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("status", Integer),
    Column("reason", Text, nullable=False),
    Index("ix_attempts_post_id", "post_id"),
)

# How many deliveries are in which state, and their post ("": none, or one that is planned, claimed or sent);
# maintained by the triggers of 0009.
delivery_counts = Table(
    "delivery_counts",
    metadata,
    Column("channel", Text, primary_key=True),
    Column("decided", String(16), primary_key=True),
    Column("post", String(16), primary_key=True),
    Column("deliveries", BigInteger, nullable=False),
)

# The number of all attempts ever made, by channel and outcome, updated by triggers. `within_3` counts those
# within the bound of the fourth bucket.
tallies = Table(
    "tallies",
    metadata,
    Column("channel", Text, primary_key=True),
    Column("outcome", String(16), primary_key=True),
    Column("attempts", BigInteger, nullable=False),
    Column("seconds", Double, nullable=False),
    *(Column(f"within_{number}", BigInteger, nullable=False) for number in range(8)),
)

channels = Table(
    "channels",
    metadata,
    Column("name", Text, primary_key=True),
    Column("state", String(16), nullable=False),
    Column("reason", Text, nullable=False, server_default=""),
    Column("changed_at", Utc, nullable=False),
    Column("paused_until", Utc),
    Column("last_error", Text),
    Column("last_error_at", Utc),
    # When something failed for which there was no alert yet, and when this channel last got an alert.
    Column("failed_at", Utc),
    Column("alerted_at", Utc),
    # How far the planner has come: in which catalog, to which revision and time, by which rules.
    Column("baselined_at", Utc),
    Column("catalog", Text),
    Column("revision", BigInteger),
    Column("planned_at", Utc),
    Column("rules", Text),
    # The time of the digest that was decided last: posted, or left out for too few articles.
    Column("digest_at", Utc),
)

hosts = Table(
    "hosts",
    metadata,
    Column("name", Text, primary_key=True),
    Column("paused_until", Utc, nullable=False),
    Column("reason", Text, nullable=False),
)

lease = Table(
    "lease",
    metadata,
    Column("name", Text, primary_key=True),
    Column("holder", Text),
    Column("fence", BigInteger, nullable=False),
    Column("acquired_at", Utc),
    Column("expires_at", Utc),
    # The time that pruning goes by; it follows the clock no faster than time passes.
    Column("pruning_at", Utc),
)
