"""Converts rows of deliveries and posts into their values."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, bindparam, func, select

from bot.outbox.causes import Cause
from bot.outbox.records import Delivery, Post, PostKind
from bot.outbox.schema import deliveries, posts
from bot.outbox.states import DeliveryState, PostState
from bot.services import Detail
from bot.services.message import read_mention

AT_ONCE = 5_000
"""Posts whose deliveries one statement reads: PostgreSQL takes at most 65,535 parameters, SQLite 32,766.

https://www.postgresql.org/docs/current/limits.html, https://sqlite.org/limits.html
"""

_POST_NAMES = [field.name for field in fields(Post) if field.name != "deliveries"]
_DELIVERY_NAMES = [field.name for field in fields(Delivery) if field.name != "post"]

post_columns = [posts.c[name] for name in _POST_NAMES]
"""The columns that `as_posts` needs, in its order."""

delivery_columns = [deliveries.c["state" if name == "decided" else name] for name in _DELIVERY_NAMES]
"""The columns that `as_deliveries` needs, in its order."""


def as_posts(rows: Iterable[Sequence[Any]]) -> list[Post]:
    """Return the posts in `rows`, without their deliveries."""
    return [_post(row) for row in rows]


def as_deliveries(rows: Iterable[Sequence[Any]]) -> list[Delivery]:
    """Return the deliveries in `rows`, without their posts."""
    return [_delivery(row) for row in rows]


_MEMBERS = (
    select(*delivery_columns)
    .where(deliveries.c.post_id.in_(bindparam("given_posts", expanding=True)))
    .order_by(func.coalesce(deliveries.c.position, 0), deliveries.c.id)
)


def read_posts(
    connection: Connection,
    query: Select[*tuple[Any, ...]],
    parameters: Mapping[str, Any] | None = None,
) -> list[Post]:
    """Return the posts that `query` selects by `post_columns`, with their deliveries."""
    post_rows = connection.execute(query, parameters).all()
    members: dict[int | None, list[Delivery]] = defaultdict(list)
    ids = [row.id for row in post_rows]
    for start in range(0, len(ids), AT_ONCE):
        rows = connection.execute(_MEMBERS, {"given_posts": ids[start : start + AT_ONCE]})
        for delivery in as_deliveries(rows):
            members[delivery.post_id].append(delivery)
    return [_post(row, tuple(members[row.id])) for row in post_rows]


def read_deliveries(connection: Connection, query: Select[*tuple[Any, ...]]) -> list[Delivery]:
    """Return the deliveries, with their posts, of a query by `delivery_columns` and `post_columns`."""
    width = len(delivery_columns)
    return [
        _delivery(row[:width], _post(row[width:]) if row[width] is not None else None)
        for row in connection.execute(query)
    ]


def is_of_article(delivery: Delivery) -> ColumnElement[bool]:
    """Return the SQL condition for this delivery, if its article's file was not moved since it was read."""
    return and_(deliveries.c.id == delivery.id, deliveries.c.article_id == delivery.article_id)


def _post(row: Sequence[Any], members: tuple[Delivery, ...] = ()) -> Post:
    values = dict(zip(_POST_NAMES, row, strict=True))
    values["kind"], values["state"] = PostKind(values["kind"]), PostState(values["state"])
    values["cause"], values["form"] = Cause(values["cause"]), Detail(values["form"])
    values["mention"] = read_mention(values["mention"]) if values["mention"] else None
    return Post(**values, deliveries=members)


def _delivery(row: Sequence[Any], post: Post | None = None) -> Delivery:
    values = dict(zip(_DELIVERY_NAMES, row, strict=True))
    values["decided"], values["cause"] = DeliveryState(values["decided"]), Cause(values["cause"])
    return Delivery(**values, post=post)
