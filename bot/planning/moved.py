"""Recognises articles whose files were moved, and gives them the deliveries of the articles that they were.

An article without an id in its file is identified by its path. Without an address of its own too, its content
is all that remains when the file is moved. Several files may move at once, each to the place of another.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, select, update

from articles.article import Article
from bot.outbox import channelstate
from bot.outbox.database import Database
from bot.outbox.keys import storable
from bot.outbox.records import Delivery
from bot.outbox.schema import deliveries
from bot.outbox.states import DeliveryState
from bot.planning.catalog import Catalog
from bot.planning.facts import Facts, facts_of

MAX_ROUNDS = 100
"""For how many steps a chain of moves is followed beyond the articles that are planned together."""

FindArticles = Callable[[Sequence[str]], Mapping[str, Article]]
"""Returns those of the articles with some ids that exist, by id."""

_Rows = dict[str, dict[str, Any]]
"""Rows of deliveries by channel and article id."""

_COLUMNS = [
    deliveries.c[name] for name in ("id", "channel", "article_id", "article_key", "path", "content", "state")
]


def take_over(
    connection: Connection, moved: Iterable[Facts], find: FindArticles, planned: Mapping[str, Any]
) -> bool:
    """Give articles that may have moved the deliveries that they had before, in all channels.

    `moved` are articles that are new or have changed, and `planned` the catalog and revision to record.
    Returns whether any delivery has another article now.
    """
    rows, current = _read(connection, moved, find)
    contents = {each: facts.content for each, facts in current.items()}
    is_changed = False
    for of_channel in rows.values():
        recorded = {each: row.content for each, row in of_channel.items()}
        taken = predecessors(recorded, contents)
        is_changed |= bool(taken)
        _write(connection, of_channel, taken, current, planned)
    return is_changed


def predecessors(recorded: Mapping[str, str | None], current: Mapping[str, str | None]) -> dict[str, str]:
    """Return, by the id of each article that was moved, the id that it had before. Pure.

    `recorded` has the content of each article at the last run, the preferred first, and `current` that of
    articles that exist now, None if it does not show a move. An article was moved if its content was that of
    another article, which is gone or was moved as well. An article that has only new content was edited, so
    that a copy of its earlier content is another article.
    """
    free = defaultdict(list)
    for id, content in recorded.items():
        if content is not None and current.get(id) != content:
            free[content].append(id)
    taken: dict[str, str] = {}
    for id, content in current.items():
        if content is not None and recorded.get(id) != content and free[content]:
            taken[id] = free[content].pop(0)
    successors = {before: id for id, before in taken.items()}
    edited = [before for before in successors if before in current and before not in taken]
    for before in edited:
        # It keeps its deliveries, so its successor has none to take over, and keeps its own, and so on.
        successor = successors.get(before)
        while successor is not None:
            del taken[successor]
            successor = successors.get(successor)
    return taken


def is_uncertain(database: Database, catalog: Catalog, delivery: Delivery, article: Article) -> bool:
    """Return whether `article`, which has the delivery's id, may be another one whose file was moved there.

    That is so from a change of its content until the change has been planned.
    """
    if delivery.content is None or delivery.content == facts_of(article).content:
        return False
    with database.read() as connection:
        row = connection.execute(
            select(deliveries.c.article_id, deliveries.c.content).where(deliveries.c.id == delivery.id)
        ).one()
        state = channelstate.states_in(connection, [delivery.channel]).get(delivery.channel)
    if state is None or (state.catalog, state.revision) != (catalog.identity, catalog.revision()):
        return True
    return (row.article_id, row.content) != (delivery.article_id, delivery.content)


def _read(
    connection: Connection, moved: Iterable[Facts], find: FindArticles
) -> tuple[_Rows, dict[str, Facts]]:
    """Return the deliveries that may be those of the articles, and the articles that may have moved too."""
    by_id: dict[int, Any] = {}
    current: dict[str, Facts] = {}
    looked_up = set[str]()
    new = list(moved)
    for _ in range(MAX_ROUNDS):
        if not new:
            break
        current |= {facts.article.id: facts for facts in new}
        keys, contents = {facts.key for facts in new}, {facts.content for facts in new if facts.content}
        # Two statements, as a condition with OR would use neither index.
        for which in (deliveries.c.article_key.in_(sorted(keys)), deliveries.c.content.in_(sorted(contents))):
            by_id |= {row.id: row for row in _select(connection, which)}
        others = {row.article_id for row in by_id.values()} - current.keys() - looked_up
        looked_up |= others
        new = [facts_of(article) for article in find(sorted(others)).values()]
    unread = {facts.article.id for facts in new}
    rows: _Rows = defaultdict(dict)
    # Lanes do not wait for planning, so a row may say that its article was deleted: others come first.
    for row in sorted(by_id.values(), key=lambda row: (row.state == DeliveryState.SKIPPED, row.id)):
        if row.article_id not in unread:
            rows[row.channel][row.article_id] = row
    return rows, current


def _select(connection: Connection, which: ColumnElement[bool]) -> Sequence[Any]:
    return connection.execute(select(*_COLUMNS).where(which)).all()


def _write(
    connection: Connection,
    rows: Mapping[str, Any],
    taken: Mapping[str, str],
    current: Mapping[str, Facts],
    planned: Mapping[str, Any],
) -> None:
    """Write the new articles of one channel's deliveries."""
    replaced = taken.keys() & rows.keys()
    for id in replaced:
        # Until all are written: an article has one delivery in a channel.
        _update(connection, rows[id], {"article_key": f"moved:{rows[id].id}"})
    for id, before in taken.items():
        facts = current[id]
        values = {"article_key": facts.key, "path": storable(facts.article.path), "story": facts.story}
        _update(connection, rows[before], {"article_id": id, **values, **planned})
    for id in replaced - set(taken.values()):
        # Another file took its place, and its content is in no file: it is the one that is gone.
        gone = rows[_first(taken, id)]
        names = ("article_id", "article_key", "path")
        _update(connection, rows[id], {name: gone._mapping[name] for name in names})


def _first(taken: Mapping[str, str], id: str) -> str:
    while id in taken:
        id = taken[id]
    return id


def _update(connection: Connection, row: Any, values: Mapping[str, Any]) -> None:
    connection.execute(update(deliveries).where(deliveries.c.id == row.id).values(**values))
