"""The exceptions of feeds.

FeedsError
├── UnknownTopicError   there is no such topic: 404, with topics that have a similar name
├── GoneTopicError      the operator ended the topic: 410
├── BadFilterError      the address of a filtered feed is not valid: 400, with the reason
├── ExportError         a folder of static files could not be written
└── UnreadableFeedError the feed to compare with cannot be fetched or understood
"""

from __future__ import annotations

from articles.topics import Topic
from text.phrases import Phrase


class FeedsError(Exception):
    """The root of this package's errors."""


class UnknownTopicError(FeedsError):
    """There is no topic at this address; `near` are those with a similar name."""

    def __init__(self, slug: str, near: tuple[Topic, ...]) -> None:
        super().__init__(slug)
        self.slug = slug
        self.near = near


class GoneTopicError(FeedsError):
    """The topic at this address was ended."""

    def __init__(self, slug: str) -> None:
        super().__init__(slug)
        self.slug = slug


class BadFilterError(FeedsError):
    """The address of a filtered feed is not valid; `reason` says why, for people."""

    def __init__(self, reason: Phrase) -> None:
        super().__init__(reason)
        self.reason = reason


class ExportError(FeedsError):
    """The static files could not be written."""


class UnreadableFeedError(FeedsError):
    """Another program's feed could not be fetched or understood; the text says why."""
