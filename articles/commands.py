"""`flask articles …`: what is in the article folder, and what is wrong with it."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from typing import Any

import click
from flask.cli import AppGroup

from articles.article import Article
from articles.catalog.indexer import Indexer
from articles.errors import ArticleError, ArticlesError
from articles.files.checkout import Checkout
from articles.files.folder import decode
from articles.files.git import GitError
from articles.reading import frontmatter
from text.printable import print_line
from text.terminal import CommandError

_BANDS = ((80, "80 and more"), (60, "60 to 79"), (40, "40 to 59"), (None, "below 40"))


def articles_commands(
    indexer: Indexer, clock: Callable[[], datetime], checkout: Checkout | None = None
) -> AppGroup:
    """Return the `articles` group of commands; with a checkout, they pull before they look."""
    group = AppGroup("articles", help="Look at the article files.")

    @group.command()
    @click.option("--strict", is_flag=True, help="Also check `related` and the parts that feeds ignore.")
    def check(strict: bool) -> None:
        """List every bad file as path:line: reason, then the counts by topic and by quality.

        The exit status is 1 when there is a bad file, or the repository's newest commit is over a limit.
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
        for line in _counts(indexer, clock()):
            print_line(line)
        sys.exit(1 if problems or is_refused else 0)

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


def _counts(indexer: Indexer, now: datetime) -> Iterator[str]:
    articles = list(indexer.catalog.scan())
    shown = [article for article in articles if article.is_visible(now)]
    yield f"{len(articles)} good articles, {len(shown)} of them published"
    yield "by topic:"
    for summary in indexer.catalog.summaries(now):
        yield f"  {summary.articles:6}  {summary.topic.name}"
    yield "by quality:"
    bands = Counter(map(_band, shown))
    for name in (*(name for _, name in _BANDS), "none"):
        yield f"  {bands[name]:6}  {name}"


def _band(article: Article) -> str:
    if article.quality is None:
        return "none"
    return next(name for least, name in _BANDS if least is None or article.quality >= least)
