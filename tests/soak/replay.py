"""A stretch of the recorded article stream as git commits, and what a channel may and must post of it.

Expectations come from the files of every commit, read one by one; no catalog, planner or outbox has a part.
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
    """What one channel wants, by article id: from before the stretch, at any time in it, and at its end."""

    before: set[str] = field(default_factory=set)
    ever: set[str] = field(default_factory=set)
    at_end: set[str] = field(default_factory=set)


class Replay:
    """The stream, its commits up to `start` at once and each of the others as a commit of its own."""

    def __init__(self, corpus: ModuleType, origin: Origin, *, start: int, end: int) -> None:
        self.origin = origin
        self._corpus = corpus
        commits = [commit for commit in corpus.commits() if commit.number <= end]
        self._base = commits[:start]
        self.rest = commits[start:]

    def begin(self) -> None:
        """Commit what was there before."""
        for commit in self._base:
            self._corpus.apply(commit, self.folder)
        self.origin.commit("Import")

    def commits(self) -> Iterator[int]:
        """Make one commit after the other; yield how many there are now, the first one counting as 1."""
        for number, commit in enumerate(self.rest, start=1):
            self._corpus.apply(commit, self.folder)
            self.origin.commit(f"Commit {commit.number}")
            yield number

    @property
    def folder(self) -> Path:
        """Where the article files are."""
        return self.origin.folder / FOLDER

    def first_expected(self, min_quality: int) -> int:
        """Return the number, as `commits` counts, of the first commit with something new to post."""
        known = self.expected(min_quality).before
        for number, commit in enumerate(self.rest, start=1):
            if any(_is_expected(a, min_quality) and a.id not in known for a in _articles(commit)):
                return number
        raise LookupError("nothing new in this stretch of the stream")

    def expected(self, min_quality: int) -> Expected:
        """Return what a channel with this threshold, for all topics and any age, has to do with."""
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
        """Return which articles ever had each link."""
        found: dict[str, set[str]] = {}
        for commit in (*self._base, *self.rest):
            for article in _articles(commit):
                found.setdefault(article.link or "", set()).add(article.id)
        return found


def posted(chat: FakeChat, channel: str) -> Counter[str]:
    """Return how often people saw a message with each link, corrections not counted."""
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
