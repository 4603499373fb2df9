"""`flask feeds …`: lists the feeds, compares them with others, and writes them as static files."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import click
from flask.cli import AppGroup

from articles.catalog.indexer import Indexer
from articles.catalog.topic_queries import TopicSummary
from articles.command_errors import clear_file_errors
from articles.errors import ArticlesError
from articles.topics import ALL
from feeds.errors import ExportError
from feeds.export import check_target
from feeds.formats import FORMATS
from feeds.private import PrivateFeeds
from feeds.publisher import Publisher
from storage.static_folder import ExportCounts
from text.printable import print_json, print_line
from text.tables import Column
from text.terminal import CommandError, print_table, progress_bar

_COLUMNS = (
    Column(title="articles", right=True),
    Column(title="newest"),
    Column(title="topic", shrinks=True),
    Column(title="feeds"),
)

_AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")

Fetch = Callable[..., bytes]
"""Returns the content at an http(s) address, at most `max_bytes`. Raises UnreadableFeedError."""

Export = Callable[[Path, Callable[[int, int], None]], ExportCounts]
"""Writes every feed into a folder, and reports how many files are done, of how many. Raises ExportError."""


def feeds_commands(
    publisher: Publisher,
    indexer: Indexer,
    fetch: Fetch,
    export: Export,
    private: PrivateFeeds | None = None,
) -> AppGroup:
    """Return the `feeds` group of commands."""
    group = AppGroup("feeds", help="List the feeds, compare them with others, or write them as files.")

    _add_list(group, publisher, indexer)
    _add_export(group, indexer, export)
    _add_compare(group, publisher, indexer, fetch)
    _add_token(group, private)
    return group


def _add_list(group: AppGroup, publisher: Publisher, indexer: Indexer) -> None:
    @group.command(name="list", short_help="List every topic with its feeds' addresses.")
    @_AS_JSON
    @clear_file_errors
    def list_(as_json: bool) -> None:
        """List every topic: how many articles, the newest one's time, and its feeds' addresses."""
        _refresh(indexer)
        summaries = publisher.catalog.summaries(publisher.now())
        if as_json:
            print_json([_as_json(publisher, summary) for summary in summaries], indent=2)
        else:
            print_table(_COLUMNS, [_row(publisher, summary) for summary in summaries])


def _add_export(group: AppGroup, indexer: Indexer, export: Export) -> None:
    @group.command(name="export")
    @click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
    @_AS_JSON
    @clear_file_errors
    def export_(folder: Path, as_json: bool) -> None:
        """Write every feed into FOLDER, for any host of static files.

        Only what changed is written, each file atomically; feeds of topics that no longer exist are removed.
        """
        try:
            check_target(folder, indexer.folder.root)
        except ExportError as error:
            raise CommandError(str(error)) from None
        _refresh(indexer)
        with progress_bar("Writing") as progress:
            try:
                done = export(folder, progress)
            except ExportError as error:
                raise CommandError(str(error)) from None
        print_exported(done, as_json=as_json)


def print_exported(done: ExportCounts, *, as_json: bool, **more: object) -> None:
    """Print how many files an export wrote, left unchanged and removed; JSON also has the values `more`."""
    if as_json:
        print_json({"written": done.written, "unchanged": done.kept, "removed": done.removed, **more})
    else:
        print_line(f"{done.written} written, {done.kept} unchanged, {done.removed} removed")


def _add_compare(group: AppGroup, publisher: Publisher, indexer: Indexer, fetch: Fetch) -> None:
    @group.command(short_help="Compare another feed with the one here.")
    @click.argument("old")
    @click.option("--topic", "slug", default=ALL, show_default=True, help="The slug of the feed's topic.")
    @click.option("--json", "as_json", is_flag=True, help="Print JSON, with every entry.")
    @clear_file_errors
    def compare(old: str, slug: str, as_json: bool) -> None:
        """Compare the feed in the file or at the address OLD with the one that is to replace it.

        Exits with status 1 if readers would see entries twice, and 2 if OLD is not a feed.
        """
        # Imported here, as it is rarely used.
        from feeds.compare_command import old_feed, print_comparison

        _refresh(indexer)
        is_good = print_comparison(publisher, indexer, old_feed(old, fetch), slug, as_json=as_json)
        sys.exit(0 if is_good else 1)


def _add_token(group: AppGroup, private: PrivateFeeds | None) -> None:
    @group.command(short_help="Print the token of a reader, and their feeds.")
    @click.argument("name")
    @_AS_JSON
    def token(name: str, as_json: bool) -> None:
        """Print the token of a reader of private feeds, and the addresses of their feeds with it."""
        readers = private.readers if private else ()
        reader = next((reader for reader in readers if reader.name == name), None)
        if private is None or reader is None:
            raise CommandError(f"there is no reader {name!r} in feeds.readers")
        addresses = list(private.addresses(reader))
        if as_json:
            print_json({"reader": reader.name, "token": reader.token, "feeds": addresses}, indent=2)
            return
        for line in (reader.token, *addresses):
            print_line(line)


def _row(publisher: Publisher, summary: TopicSummary) -> tuple[str, ...]:
    latest = f"{summary.latest:%Y-%m-%d}" if summary.latest else "-"
    address = f"{publisher.site.url}/feeds/{summary.topic.slug}.{{{','.join(FORMATS)}}}"
    return str(summary.articles), latest, summary.topic.name, address


def _as_json(publisher: Publisher, summary: TopicSummary) -> dict[str, object]:
    address = f"{publisher.site.url}/feeds/{summary.topic.slug}"
    return {
        "topic": summary.topic.name,
        "slug": summary.topic.slug,
        "articles": summary.articles,
        "latest": summary.latest.isoformat() if summary.latest else None,
        "feeds": {extension: f"{address}.{extension}" for extension in FORMATS},
    }


def _refresh(indexer: Indexer) -> None:
    try:
        refresh = indexer.refresh()
    except ArticlesError as error:
        raise CommandError(str(error)) from None
    for problem in refresh.problems:
        print_line(f"left out {problem}", stream=sys.stderr)
