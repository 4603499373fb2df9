"""A part of the recorded article stream as git commits, and what a channel may and must post of it.

The expectations come from the files of every commit, read one by one, without a catalog, planner or outbox.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from articles.article import Article
from articles.reading.frontmatter import parse
from tests.articles.gitserver import Origin
from tests.fakechat import FakeChat

FOLDER = "content"


@dataclass(slots=True)
class Expected:
    """The articles that one channel's rules admit, by id: before the replay, during it, and at its end."""

    before: set[str] = field(default_factory=set)
    ever: set[str] = field(default_factory=set)
    at_end: set[str] = field(default_factory=set)


class Replay:
    """The recorded stream: the commits up to `start` as one commit, and each later one as its own commit."""

    def __init__(self, corpus: ModuleType, origin: Origin, *, start: int, end: int) -> None:
        self.origin = origin
        self._corpus = corpus
        commits = [commit for commit in corpus.commits() if commit.number <= end]
        self._base = commits[:start]
        self.rest = commits[start:]

    def begin(self) -> None:
        """Commit the files as they were before the first commit of the replay."""
        for commit in self._base:
            self._corpus.apply(commit, self.folder)
        self.origin.commit("Import")

    def commits(self) -> Iterator[int]:
        """Make one commit after the other, and yield the number of commits made so far, from 1."""
        for number, commit in enumerate(self.rest, start=1):
            self._corpus.apply(commit, self.folder)
            self.origin.commit(f"Commit {commit.number}")
            yield number

    @property
    def folder(self) -> Path:
        """The folder of the article files."""
        return self.origin.folder / FOLDER

    def first_expected(self, min_quality: int) -> int:
        """Return the number, as `commits` counts, of the first commit with something new to post."""
        known = self.expected(min_quality).before
        for number, commit in enumerate(self.rest, start=1):
            if any(_is_expected(a, min_quality) and a.id not in known for a in _articles(commit)):
                return number
        raise LookupError("nothing new in this stretch of the stream")

    def expected(self, min_quality: int) -> Expected:
        """Return the articles for a channel with this threshold, for all topics and any age."""
        expected = Expected()
        for commit in self._base:
            for article in _articles(commit):
                _note(article, min_quality, expected.before)
        expected.at_end = set(expected.before)
        for commit in self.rest:
            for article in _articles(commit):
                _note(article, min_quality, expected.at_end)
            expected.ever |= expected.at_end
        return expected

    def ids_by_link(self) -> dict[str, set[str]]:
        """Return the ids of all articles that ever had each link."""
        found: dict[str, set[str]] = {}
        for commit in (*self._base, *self.rest):
            for article in _articles(commit):
                found.setdefault(article.link or "", set()).add(article.id)
        return found


def posted(chat: FakeChat, channel: str) -> Counter[str]:
    """Return how often people saw a message with each link, without corrections."""
    return Counter(
        _link(request.payload)
        for request in chat.requests_to(channel)
        if request.posted and request.method == "POST"
    )


def _link(payload: Any) -> str:
    links = [embed["url"] for embed in payload.get("embeds", ())]
    for block in payload.get("blocks", ()):
        links += [element["url"] for element in _elements(block) if "url" in element]
    (link,) = links
    return str(link)


def _elements(block: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    elements: Iterable[Mapping[str, Any]] = block.get("elements", ())
    return elements


def _articles(commit: Any) -> Iterator[Article]:
    for path, text in commit.writes:
        parsed = parse(text, path)
        if parsed:
            yield parsed.article


def _note(article: Article, min_quality: int, expected: set[str]) -> None:
    (expected.add if _is_expected(article, min_quality) else expected.discard)(article.id)


def _is_expected(article: Article, min_quality: int) -> bool:
    return article.is_published and article.quality is not None and article.quality >= min_quality
