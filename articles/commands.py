"""`flask articles …`: what is in the article folder, and what is wrong with it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from typing import Any

import click
from flask.cli import AppGroup

from articles.catalog.indexer import Indexer
from articles.errors import ArticleError, ArticlesError
from articles.files.checkout import Checkout
from articles.files.folder import decode
from articles.files.git import GitError
from articles.reading import frontmatter
from articles.report import Report
from text.printable import print_line
from text.terminal import CommandError


def articles_commands(
    indexer: Indexer, clock: Callable[[], datetime], checkout: Checkout | None = None
) -> AppGroup:
    """Return the `articles` group of commands; with a checkout, they pull before they look."""
    group = AppGroup("articles", help="Look at the article files.")

    @group.command()
    @click.option("--strict", is_flag=True, help="Refuse every value that cannot be used, also in `related`.")
    def check(strict: bool) -> None:
        """List every bad file as path:line: reason, then what was read and what was not.

        The exit status is 1 when there is a bad file, when a folder that has files has no article, or when
        the repository's newest commit is over a limit.
        """
        is_refused = _pull(checkout) if checkout else False
        try:
            refresh = indexer.refresh()
        except ArticlesError as error:
            raise CommandError(str(error)) from None
        del refresh
        problems = {problem.path: problem for problem in indexer.catalog.problems()}
        if strict:
            problems |= {p.path: p for p in _strict_problems(indexer) if p.path not in problems}
        for problem in sorted(problems.values(), key=lambda problem: problem.path):
            print_line(str(problem))
        report = Report(indexer, clock())
        for line in report.lines():
            print_line(line)
        sys.exit(1 if problems or is_refused or report.is_empty else 0)

    return group


def _pull(checkout: Checkout) -> bool:
    """Pull, unless a running process does; say so when that fails, and go on with what there is.

    Returns whether the newest commit was refused.
    """
    with checkout.role() as role:
        if role:
            with suppress(GitError):
                checkout.pull(role)
    status = checkout.status()
    if status.failing_since:
        since = f"since {status.failing_since:%Y-%m-%d %H:%M} UTC"
        message = f"articles are not pulled {since}, and stay what they are: {status.reason}"
        print_line(message, stream=sys.stderr)
    return status.is_refused


def _strict_problems(indexer: Indexer) -> Iterator[ArticleError]:
    """Parse every file whole, and yield what is wrong in the blocks that the index cuts out."""
    scan = indexer.folder.scan()
    with _progress(sorted(scan.files)) as paths:
        for path in paths:
            try:
                text = decode(indexer.folder.read(path), path)
                frontmatter.parse(text, path, indexer.context, strict=True)
            except ArticleError as error:
                yield error


def _progress(paths: list[str]) -> Any:
    return click.progressbar(paths, label="Checking", hidden=not sys.stderr.isatty(), file=sys.stderr)
