"""The exceptions of articles.

ArticlesError
├── ArticleError     one file is bad: it is left out and reported, and no other article is affected
├── HeadError        a text's front matter cannot be read; with a path, it becomes an ArticleError
├── SourceError      the folder or repository of the articles cannot be read
└── DeadlineError    a query about the articles took too long
"""

from __future__ import annotations

from text.phrases import Phrase, counted_phrase


class ArticlesError(Exception):
    """The root of this package's errors."""


class ArticleError(ArticlesError):
    """One article file cannot be used; `line` counts from 1."""

    def __init__(self, path: str, line: int, reason: str) -> None:
        super().__init__(path, line, reason)
        self.path = path
        self.line = line
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.reason}"


class HeadError(ArticlesError):
    """A front matter cannot be read; `line` counts from 1 in the file, and the reason quotes nothing."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(line, reason)
        self.line = line
        self.reason = reason


class DeadlineError(ArticlesError):
    """A query of the catalog took longer than its limit of `seconds`."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds

    @property
    def reason(self) -> Phrase:
        """The reason, for people."""
        return counted_phrase(
            "it took longer than %(seconds)s second",
            "it took longer than %(seconds)s seconds",
            1 if self.seconds == 1 else 2,
            seconds=f"{self.seconds:g}",
        )

    def __str__(self) -> str:
        return str(self.reason)


class SourceError(ArticlesError):
    """The source of the articles cannot be read at all."""
