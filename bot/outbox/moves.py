"""Changes the states of deliveries and posts by the tables in `bot.outbox.states`; no other module does.

Every move checks the state that it starts from, so that a row that has changed meanwhile is not changed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    ColumnElement,
    Connection,
    Insert,
    Text,
    bindparam,
    case,
    cast,
    false,
    func,
    insert,
    select,
    true,
    update,
)

from bot.outbox.causes import Cause
from bot.outbox.keys import new_post_key
from bot.outbox.records import PostKind
from bot.outbox.schema import deliveries, is_one_of, posts
from bot.outbox.states import (
    DELIVERY_MOVES,
    DUE,
    POST_MOVES,
    DeliveryState,
    IllegalMoveError,
    PostState,
)
from bot.services.message import Mention

Row = dict[str, Any]

_INITIAL_STATES = frozenset({DeliveryState.WAITING, DeliveryState.BASELINED, DeliveryState.SKIPPED})


def add_deliveries(connection: Connection, rows: Sequence[Row]) -> None:
    """Add deliveries; the `state` in each row must be one in which a delivery may begin."""
    _check_beginnings(rows)
    if rows:
        connection.execute(insert(deliveries), list(rows))


def add_for_channels(connection: Connection, row: Row, channels: Sequence[str]) -> None:
    """Add a delivery for each of the channels, in one statement; `row` has all values except the channel."""
    _check_beginnings([row])
    statement = _alike(tuple(row), connection.dialect.name)
    values = {f"given_{name}": value for name, value in row.items()}
    connection.execute(statement, {**values, "given_channels": json.dumps(channels)})


@cache
def _alike(names: tuple[str, ...], dialect: str) -> Insert:
    document = bindparam("given_channels", type_=Text)
    if dialect == "sqlite":
        each = func.json_each(document).table_valued("value")
    else:
        each = func.json_array_elements_text(cast(document, JSON)).table_valued("value")
    values = [bindparam(f"given_{name}", type_=deliveries.c[name].type) for name in names]
    return insert(deliveries).from_select([*names, "channel"], select(*values, each.c.value))


def _check_beginnings(rows: Sequence[Row]) -> None:
    if wrong := {row["state"] for row in rows} - _INITIAL_STATES:
        raise IllegalMoveError(f"no delivery begins as {', '.join(sorted(wrong))}")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPost:
    """A post to add: planned for `due_at`, or held for review if that is None."""

    kind: PostKind
    due_at: datetime | None
    mention: Mention | None = None


def add_posts(connection: Connection, channel: str, new: Sequence[NewPost], now: datetime) -> list[int]:
    """Add the posts, and return their ids in the same order."""
    rows = [
        {
            "channel": channel,
            "kind": each.kind,
            "state": PostState.HELD if each.due_at is None else PostState.PLANNED,
            "cause": Cause.REVIEW if each.due_at is None else Cause.NONE,
            "key": new_post_key(),
            "due_at": each.due_at,
            "mention": str(each.mention) if each.mention else None,
            "created_at": now,
            "updated_at": now,
        }
        for each in new
    ]
    ids = {row.key: row.id for row in connection.execute(_ADD_POSTS, rows)}
    return [ids[row["key"]] for row in rows]


# SQLite would add posts one by one if it had to return their ids in order.
_ADD_POSTS = insert(posts).returning(posts.c.key, posts.c.id)


class PostMove:
    """An update statement that moves posts, constructed once because it runs with every request.

    `which` selects the posts; it may have bindparams, and so may `values`, with names that do not begin with
    `move_`.
    """

    def __init__(
        self, which: ColumnElement[bool], sources: Iterable[PostState], values: Mapping[str, Any]
    ) -> None:
        self._sources = sorted(sources)
        self._statement = (
            update(posts)
            .where(which, _comes_from(posts.c.state, self._sources))
            .values(
                **values,
                state=bindparam("move_state"),
                due_at=bindparam("move_due_at"),
                updated_at=bindparam("move_now"),
            )
        )

    def __call__(
        self,
        connection: Connection,
        target: PostState,
        now: datetime,
        due_at: datetime | None = None,
        **parameters: Any,
    ) -> int:
        """Move the posts, and return how many were moved; `due_at` is set exactly if the post then waits.

        Raises IllegalMoveError if the table does not allow the move from one of the sources.
        """
        _check(self._sources, target, POST_MOVES)
        if (due_at is not None) != (target in DUE):
            raise IllegalMoveError(f"a post that is {target} {'has no' if due_at else 'needs a'} due time")
        values = {"move_state": target, "move_due_at": due_at, "move_now": now}
        return connection.execute(self._statement, {**parameters, **values}).rowcount


class DeliveryMove:
    """An update statement that moves deliveries, constructed once; see PostMove."""

    def __init__(
        self,
        which: ColumnElement[bool],
        sources: Iterable[DeliveryState],
        values: Mapping[str, Any] | None = None,
    ) -> None:
        self._sources = sorted(sources)
        self._statement = (
            update(deliveries)
            .where(which, _comes_from(deliveries.c.state, self._sources))
            .values(
                {
                    "note": "",
                    "covered_by": None,
                    **(values or {}),
                    "state": bindparam("move_state"),
                    "cause": bindparam("move_cause"),
                    "updated_at": bindparam("move_now"),
                }
            )
        )

    def __call__(
        self, connection: Connection, target: DeliveryState, now: datetime, cause: Cause, **parameters: Any
    ) -> int:
        """Move the deliveries, and return how many were moved; raises IllegalMoveError as PostMove does."""
        _check(self._sources, target, DELIVERY_MOVES)
        values = {"move_state": target, "move_cause": cause, "move_now": now}
        return connection.execute(self._statement, {**parameters, **values}).rowcount


def move_deliveries(
    connection: Connection,
    which: ColumnElement[bool],
    sources: Iterable[DeliveryState],
    target: DeliveryState,
    now: datetime,
    *,
    cause: Cause,
    **values: Any,
) -> int:
    """Move the deliveries that `which` selects and that are in one of `sources`; return how many were moved.

    Raises IllegalMoveError when the table does not allow the move from one of `sources`.
    """
    return DeliveryMove(which, sources, values)(connection, target, now, cause)


def move_posts(
    connection: Connection,
    which: ColumnElement[bool],
    sources: Iterable[PostState],
    target: PostState,
    now: datetime,
    *,
    due_at: datetime | None = None,
    **values: Any,
) -> int:
    """Move the posts that `which` selects and that are in one of `sources`; return how many were moved.

    `due_at` is set exactly for the states in which a post waits. Raises IllegalMoveError otherwise, and if
    the table does not allow the move from one of `sources`.
    """
    return PostMove(which, sources, values)(connection, target, now, due_at)


def _check(sources: Iterable[Any], target: Any, table: dict[Any, frozenset[Any]]) -> None:
    for start in sources:
        if target not in table[start]:
            raise IllegalMoveError(f"{type(target).__name__}: {start} does not lead to {target}")


def _comes_from(state: Column[str], sources: Iterable[str]) -> ColumnElement[bool]:
    """Return the SQL condition for rows in one of some states, in a form that no index serves.

    Other conditions have to find the rows. To find the deliveries of one post, PostgreSQL without statistics
    would also read the index by state, which has all deliveries that wait.
    """
    return case((is_one_of(state, sources), true()), else_=false())
