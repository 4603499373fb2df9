"""`flask feeds compare`: shows which entries readers would see twice if a feed replaced another one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

from articles.article import Article
from articles.catalog.indexer import Indexer
from articles.conventions import Guids
from articles.errors import ArticleError
from articles.files.folder import decode
from articles.reading import frontmatter
from feeds.build import entry_id, entry_url
from feeds.compare import Comparison, OwnEntry, Pair, advice, compare
from feeds.errors import UnreadableFeedError
from feeds.model import uri_of
from feeds.old_feed import MAX_BYTES, OldEntry, OldFeed, read_feed
from feeds.publisher import Publisher
from text.printable import print_json, print_line
from text.terminal import CommandError

Spelled = Callable[[str], str]
"""Returns an id in the form of the old feed's format."""

_EXAMPLES = 3
"""The number of entries of each kind that are printed."""


class NoFeedError(CommandError):
    """There is nothing to compare; the exit status is not that of a difference."""

    exit_code = 2


def print_comparison(
    publisher: Publisher, indexer: Indexer, old: OldFeed, slug: str, *, as_json: bool
) -> bool:
    """Print the comparison of an old feed with a topic's feed that is to replace it.

    Returns whether no reader would see an entry twice. Raises NoFeedError if there is no such topic.
    """
    if publisher.topic(slug) is None:
        raise NoFeedError(f"there is no topic {slug!r}")
    spelled = uri_of if old.format == "Atom" else str
    comparison = compare(old, own_entries(publisher, slug, spelled))
    conventions = publisher.catalog.conventions
    advised = list(
        advice(
            comparison,
            lambda entry: ids_by_setting(publisher, indexer, entry, spelled),
            conventions.guid,
            conventions.base_url,
        )
    )
    if as_json:
        print_json(_as_json(old, comparison, advised), indent=2)
    else:
        for line in (*_lines(old, comparison), *advised):
            print_line(line)
    return not comparison.repeated


def old_feed(source: str, fetch: Callable[..., bytes]) -> OldFeed:
    """Return the feed in a file or at an http(s) address, by `fetch`. Raises NoFeedError."""
    is_address = source.startswith(("http://", "https://"))
    try:
        data = fetch(source, max_bytes=MAX_BYTES) if is_address else _file(Path(source))
        return read_feed(data, source if is_address else "")
    except UnreadableFeedError as error:
        raise NoFeedError(f"{source}: {error}") from None


def own_entries(publisher: Publisher, slug: str, spelled: Spelled) -> list[OwnEntry]:
    """Return the entries of a topic's whole history as they are now, the newest first."""
    articles = publisher.catalog.shown(slug, publisher.now())
    return [_own_entry(publisher, article, number, spelled) for number, article in enumerate(articles)]


def ids_by_setting(
    publisher: Publisher, indexer: Indexer, entry: OwnEntry, spelled: Spelled
) -> Mapping[Guids, str]:
    """Return the id that an entry would have with each value of `articles.guid`; empty for a bad file."""
    context = indexer.context
    ids: dict[Guids, str] = {}
    for mode in get_args(Guids):
        changed = replace(context, conventions=replace(context.conventions, guid=mode))
        try:
            parsed = frontmatter.parse(
                decode(indexer.folder.read(entry.path), entry.path), entry.path, changed
            )
        except ArticleError:
            continue
        if parsed:
            ids[mode] = spelled(entry_id(parsed.article, publisher.site))
    return ids


def _own_entry(publisher: Publisher, article: Article, number: int, spelled: Spelled) -> OwnEntry:
    return OwnEntry(
        path=article.path,
        id=spelled(entry_id(article, publisher.site)),
        url=entry_url(article, publisher.site),
        title=article.title,
        published=article.published_at,
        is_listed=number < publisher.settings.size,
    )


def _file(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise UnreadableFeedError(error.strerror or "it cannot be read") from error


def _lines(old: OldFeed, comparison: Comparison) -> Iterator[str]:
    count = len(old.entries)
    yield f"{old.format} with {count:,} {'entry' if count == 1 else 'entries'}:"
    yield f"{len(comparison.same):6,}  are here with the same id"
    yield from _pairs(comparison.by_link, "have the same address here and another id")
    yield from _pairs(comparison.by_title, "have the same title and date here, and another id")
    yield f"{len(comparison.missing):6,}  are not here"
    for entry in comparison.missing[:_EXAMPLES]:
        yield f"        {entry.title or 'untitled'}  {entry.link or entry.id}"
    yield f"{len(comparison.new):6,}  entries of this feed are not in it"
    for own in comparison.new[:_EXAMPLES]:
        yield f"        {own.title}  {own.path}"
    count = len(comparison.repeated)
    yield f"readers would see {count:,} {'entry' if count == 1 else 'entries'} twice"


def _pairs(pairs: tuple[Pair, ...], what: str) -> Iterator[str]:
    yield f"{len(pairs):6,}  {what}"
    for pair in pairs[:_EXAMPLES]:
        yield f"        {pair.own.path}: {pair.old.id or 'no id'}, and here {pair.own.id}"


def _as_json(old: OldFeed, comparison: Comparison, advised: list[str]) -> dict[str, Any]:
    return {
        "format": old.format,
        "entries": len(old.entries),
        "same": [_pair(pair) for pair in comparison.same],
        "by_link": [_pair(pair) for pair in comparison.by_link],
        "by_title": [_pair(pair) for pair in comparison.by_title],
        "missing": [_old(entry) for entry in comparison.missing],
        "new": [
            {"path": own.path, "id": own.id, "url": own.url, "title": own.title} for own in comparison.new
        ],
        "twice": len(comparison.repeated),
        "advice": advised,
    }


def _pair(pair: Pair) -> dict[str, Any]:
    return {
        "path": pair.own.path,
        "title": pair.own.title,
        "old_id": pair.old.id,
        "id": pair.own.id,
        "old_url": pair.old.link,
        "url": pair.own.url,
        "listed": pair.own.is_listed,
    }


def _old(entry: OldEntry) -> dict[str, Any]:
    return {"id": entry.id, "url": entry.link, "title": entry.title}
