"""`flask site …`: writes the site as static files."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import click
from flask.cli import AppGroup

from articles.catalog.indexer import Indexer
from articles.command_errors import clear_file_errors
from articles.errors import ArticlesError
from feeds.commands import print_exported
from feeds.errors import ExportError
from feeds.export import check_target
from storage.static_folder import ExportCounts
from text.printable import print_line
from text.terminal import CommandError, progress_bar

Progress = Callable[[int, int], None]
Export = Callable[[Path, Progress], tuple[ExportCounts, list[tuple[str, str]]]]
"""Writes the site into a folder; returns counts of files, and broken links as pairs of page and address."""

_MOST_NAMED = 20


def site_commands(indexer: Indexer, export: Export) -> AppGroup:
    """Return the `site` group of commands; `export` writes the site."""
    group = AppGroup("site", help="Write the site as static files.")

    @group.command(name="export")
    @click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
    @click.option("--json", "as_json", is_flag=True, help="Print JSON.")
    @click.option("--verbose", is_flag=True, help="List all broken links, not only 20.")
    @clear_file_errors
    def export_(folder: Path, as_json: bool, verbose: bool) -> None:
        """Write all pages, feeds and pictures into FOLDER, for any host of static files.

        Only files that changed are written, each atomically; files of an earlier export that are no longer
        part of the site are removed. The feed builder is left out, as it needs a server.
        """
        try:
            check_target(folder, indexer.folder.root)
            refresh = indexer.refresh()
        except (ArticlesError, ExportError) as error:
            raise CommandError(str(error)) from None
        for problem in refresh.problems:
            print_line(f"left out {problem}", stream=sys.stderr)
        with progress_bar("Writing") as progress:
            try:
                done, dead = export(folder, progress)
            except ExportError as error:
                raise CommandError(str(error)) from None
        listed = dead if verbose else dead[:_MOST_NAMED]
        for source, address in listed:
            print_line(f"{source}: broken link: {address}", stream=sys.stderr)
        if len(dead) > len(listed):
            print_line(f"{len(dead) - len(listed)} more broken links (--verbose)", stream=sys.stderr)
        print_exported(done, as_json=as_json, dead_links=len(dead))

    return group
