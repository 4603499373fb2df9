"""`flask articles …`: checks the article folder, and reports what was read and what was not."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import click
from flask.cli import AppGroup

from articles.catalog.indexer import Indexer
from articles.command_errors import clear_file_errors
from articles.errors import ArticleError, ArticlesError
from articles.files.checkout import Checkout
from articles.files.folder import decode
from articles.files.git import GitError
from articles.reading import frontmatter
from articles.report import Report
from text.printable import print_json, print_line
from text.terminal import CommandError, reject_symlink

IndexOf = Callable[[Path], AbstractContextManager[Indexer]]
"""Returns a context with a temporary indexer of the articles in another folder, with the same settings."""


def articles_commands(
    indexer: Indexer, clock: Callable[[], datetime], index_of: IndexOf, checkout: Checkout | None = None
) -> AppGroup:
    """Return the `articles` group of commands; with a checkout, they pull first."""
    group = AppGroup("articles", help="Check the article files.")

    @group.command(short_help="List bad files, and what was read and what was not.")
    @click.option("--strict", is_flag=True, help="Refuse every value that cannot be used, also in `related`.")
    @click.option("--json", "as_json", is_flag=True, help="Print JSON.")
    @click.option(
        "--content",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        callback=reject_symlink,
        help="Check the articles in this folder with these settings, for example a branch's.",
    )
    @clear_file_errors
    def check(strict: bool, as_json: bool, content: Path | None) -> None:
        """List every bad file as PATH:LINE: REASON, then what was read and what was not.

        Exits with status 1 if there is a bad file, if a folder with files has no article, if several
        articles have the same id in feeds, or if the repository's newest commit exceeds a limit.
        """
        if content:
            with index_of(content) as other:
                is_good = _check(other, clock(), strict=strict, as_json=as_json)
        else:
            is_refused = _pull(checkout) if checkout else False
            is_good = _check(indexer, clock(), strict=strict, as_json=as_json) and not is_refused
        sys.exit(0 if is_good else 1)

    return group


def _check(indexer: Indexer, now: datetime, *, strict: bool, as_json: bool) -> bool:
    """Print errors in the articles and what was read; return whether there are no errors."""
    try:
        indexer.refresh()
    except ArticlesError as error:
        raise CommandError(str(error)) from None
    problems = {problem.path: problem for problem in indexer.catalog.problems()}
    refused: dict[str, ArticleError] = {}
    if strict:
        refused = {p.path: p for p in _strict_problems(indexer) if p.path not in problems}
    listed = sorted((problems | refused).values(), key=lambda problem: problem.path)
    report = Report(indexer, now, refused=frozenset(refused))
    if as_json:
        bad = [{"path": problem.path, "line": problem.line, "reason": problem.reason} for problem in listed]
        counts = indexer.catalog.states(now)
        print_json({"bad": bad, "counts": dict(counts), "notes": list(report.lines())}, indent=2)
    else:
        for line in (*map(str, listed), *report.lines()):
            print_line(line)
    return not (listed or report.is_empty or report.has_shared_ids)


def _pull(checkout: Checkout) -> bool:
    """Pull, unless a running process does. If that fails, print so, and use the files of the last pull.

    Without any, reading them fails and says why. Returns whether the newest commit was refused.
    """
    with checkout.pull_lock() as lock:
        if lock:
            with suppress(GitError):
                checkout.pull(lock)
    status = checkout.status()
    if status.failing_since and checkout.commit:
        since = f"since {status.failing_since:%Y-%m-%d %H:%M} UTC"
        message = f"articles have not been pulled {since} and stay as they are: {status.reason}"
        print_line(message, stream=sys.stderr)
    return status.is_refused


def _strict_problems(indexer: Indexer) -> Iterator[ArticleError]:
    """Parse every file as a whole, and yield the errors in blocks that the index skips."""
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
