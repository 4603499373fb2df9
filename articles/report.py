"""The report of `flask articles check` about a folder, besides its bad files."""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Iterator, Set
from datetime import datetime
from functools import cached_property

from articles import detection
from articles.article import Article, markup_of
from articles.catalog.indexer import Indexer
from articles.errors import ArticleError
from articles.files import unread
from articles.files.folder import decode
from articles.reading import frontmatter
from text.numbers import counted
from text.oversize import over_limits
from text.templates import expand

log = logging.getLogger(__name__)

_BANDS = ((80, "80 and more"), (60, "60 to 79"), (40, "40 to 59"), (None, "below 40"))
_MAX_ADDRESSES = 3
_MAX_SAME = 5
"""The most warnings with the same text that are listed one by one."""
_IN_LIST = re.compile(r"\[\d+\]")
_MAX_LISTED = 50
"""The most warnings, reasons and templates that are listed; further ones are counted."""


def log_start(indexer: Indexer, now: datetime) -> None:
    """Log what was read of the folder and what was not, at the start of a machine's processes.

    Files that were already bad at an earlier start are listed in one line.
    """
    states = indexer.catalog.states(now)
    log.info("articles: %d published, %d to appear later, %d not published",
             states["published"], states["scheduled"], states["unpublished"])  # fmt: skip
    if bad := sorted(problem.path for problem in indexer.catalog.problems()):
        log.warning("%s: %s; `flask articles check` says why", counted(len(bad), "bad file"), _listed(bad))
    counts = unread.unread(indexer.folder)
    files = indexer.catalog.files_count() + sum(counts.values())
    if files and not any(states.values()):
        log.warning("no article was found among %s", counted(files, "file"))
    for line in unread.lines(counts):
        log.info("%s", line)
    is_empty = not any(states.values())
    if advice := detection.advice(indexer.folder, indexer.catalog.conventions, is_empty=is_empty):
        log.warning("%s", advice)


class Report:
    """The articles of a catalog as it is now, and what was not read.

    The files in `refused` are read, and `--strict` refuses them: they are not counted among the good ones.
    """

    def __init__(self, indexer: Indexer, now: datetime, *, refused: Set[str] = frozenset()) -> None:
        self._indexer = indexer
        self._now = now
        self._refused = refused
        self._articles = [article for article in indexer.catalog.scan() if article.path not in refused]
        self._shown = [article for article in self._articles if article.is_visible(now)]
        self._unread = unread.unread(indexer.folder)
        self._files = indexer.catalog.files_count() + sum(self._unread.values())

    @property
    def is_empty(self) -> bool:
        """Whether there are files, but no article."""
        return not self._articles and self._files > 0

    def lines(self) -> Iterator[str]:
        """Yield the lines of the whole report."""
        yield from self._warnings()
        yield f"{counted(len(self._articles), 'good article')}, {len(self._shown)} of them published"
        if self.is_empty:
            yield f"no article was found among {counted(self._files, 'file')}"
        yield from self._hidden()
        yield from self._no_articles()
        yield from unread.lines(self._unread)
        conventions = self._indexer.catalog.conventions
        if advice := detection.advice(self._indexer.folder, conventions, is_empty=self.is_empty):
            yield advice
        yield from self._bodies()
        yield from self._addresses()
        yield from self._shared()
        if summaries := list(self._indexer.catalog.summaries(self._now)):
            yield "by topic:"
        for summary in summaries:
            yield f"  {summary.articles:6}  {summary.topic.name}"
        bands = Counter(map(_band, self._shown))
        if bands.keys() - {"none"}:
            yield "by quality:"
            for name in (*(name for _, name in _BANDS), "none"):
                yield f"  {bands[name]:6}  {name}"

    def _warnings(self) -> Iterator[str]:
        seen: Counter[str] = Counter()
        others: Counter[str] = Counter()
        for warning in self._indexer.catalog.warnings():
            if warning.path in self._refused:
                continue
            reason = _IN_LIST.sub("[…]", warning.reason)
            seen[reason] += 1
            if seen[reason] > _MAX_SAME or seen.total() - others.total() > _MAX_LISTED:
                others[reason] += 1
            else:
                yield f"{warning.path}:{warning.line}: warning: {warning.reason}"
        for reason, count in others.most_common(_MAX_LISTED):
            yield f"{counted(count, 'more warning')}: {reason}"

    def _no_articles(self) -> Iterator[str]:
        """Yield how many files were read and are not articles, with the reasons."""
        catalog = self._indexer.catalog
        recognised = {article.path for article in self._articles} | set(map(_path, catalog.problems()))
        recognised |= self._refused
        count = catalog.files_count() - len(recognised)
        if count > 0:
            without = "no front matter" if catalog.conventions.is_plain else "no front matter or no date"
            yield f"{counted(count, 'file')} with {without}: no {'article' if count == 1 else 'articles'}"

    def _hidden(self) -> Iterator[str]:
        """Yield why articles are not published, with the number of each reason."""
        reasons = Counter(
            self._reason(article) for article in self._articles if not article.is_visible(self._now)
        )
        for reason, count in reasons.most_common(_MAX_LISTED):
            yield f"  {count:6}  not published: {reason}"

    def _reason(self, article: Article) -> str:
        if article.is_published:
            return "appears later" if article.due_at > self._now else "past its expiry date"
        try:
            text = decode(self._indexer.folder.read(article.path), article.path)
            parsed = frontmatter.parse(text, article.path, self._indexer.context)
        except ArticleError:
            parsed = None
        return str(parsed.hidden) if parsed and parsed.hidden else "as its last good version said"

    def _bodies(self) -> Iterator[str]:
        """Yield the bodies that exceed a limit, and the unknown templates."""
        generator = self._indexer.catalog.conventions.generator
        files: Counter[str] = Counter()
        for path, body in self._indexer.catalog.bodies():
            expanded = expand(body, generator=generator, markup=markup_of(path))
            files.update(expanded.unknown)
            for reason in over_limits(expanded.text, markup_of(path)):
                yield f"{path}: warning: {reason}"
        for name, count in files.most_common(_MAX_LISTED):
            yield f"unknown template {name} in {counted(count, 'file')}: left out, with the text in it shown"

    def _addresses(self) -> Iterator[str]:
        """Yield the addresses of the newest articles, which show whether the pattern is right."""
        if self._indexer.catalog.conventions.base_url is None:
            return
        newest = sorted(self._shown, key=lambda article: article.published_at, reverse=True)[:_MAX_ADDRESSES]
        if newest:
            yield "first addresses:"
        for article in newest:
            yield f"  {article.link or 'this site'}  {article.path}"
        addresses = Counter(article.link for article in self._shown if article.link and article.story)
        for address, count in addresses.most_common(_MAX_ADDRESSES):
            if count > 1:
                yield f"{address} is the address of {count} articles: set articles.permalink"

    @property
    def has_shared_ids(self) -> bool:
        """Whether feed readers would treat several articles as one."""
        return bool(self._shared_ids)

    @cached_property
    def _shared_ids(self) -> list[tuple[str, list[str]]]:
        """The ids in feeds that several articles have, with the paths of these articles."""
        by_guid: dict[str, list[str]] = {}
        for article in self._shown:
            by_guid.setdefault(article.guid or article.id, []).append(article.path)
        return sorted((guid, sorted(paths)) for guid, paths in by_guid.items() if len(paths) > 1)

    def _shared(self) -> Iterator[str]:
        for guid, paths in self._shared_ids[:_MAX_LISTED]:
            yield f"{guid} is the id of {_listed(paths)} in feeds: give all but one a `guid` of their own"
        if len(self._shared_ids) > _MAX_LISTED:
            yield f"{counted(len(self._shared_ids) - _MAX_LISTED, 'more id')} of several articles in feeds"


def _path(problem: ArticleError) -> str:
    return problem.path


def _band(article: Article) -> str:
    if article.quality is None:
        return "none"
    return next(name for least, name in _BANDS if least is None or article.quality >= least)


def _listed(paths: list[str]) -> str:
    first = paths[:_MAX_ADDRESSES]
    more = len(paths) - len(first)
    return f"{', '.join(first)} and {counted(more, 'other')}" if more else ", ".join(first)
