"""Summarises the readers of each feed from the counts of the web processes. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """The counts: answers by feed and status, requests by program, and subscribers by program and feed."""

    requests: Mapping[tuple[str, int], int]
    agents: Mapping[str, int]
    subscribers: Mapping[tuple[str, str], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedReaders:
    """One feed: its answers, the 304s among them, and the subscribers that hosted readers report."""

    feed: str
    answers: int
    unchanged: int
    subscribers: int
    readers: tuple[tuple[str, int], ...]


def by_feed(usage: Usage, query: str = "") -> list[FeedReaders]:
    """Return the requested feeds whose names contain `query`, the most read first.

    A feed's name is the last part of its address, such as `go.rss`.
    """
    subscribers: dict[str, dict[str, int]] = {}
    for (product, feed), count in usage.subscribers.items():
        subscribers.setdefault(feed, {})[product] = count
    names = {feed for feed, _ in usage.requests} | subscribers.keys()
    matching = (name for name in names if query.casefold() in name.casefold())
    feeds = [_feed(name, usage.requests, subscribers.get(name, {})) for name in matching]
    return sorted(feeds, key=lambda feed: (-feed.subscribers, -feed.answers, feed.feed))


def _feed(name: str, requests: Mapping[tuple[str, int], int], readers: Mapping[str, int]) -> FeedReaders:
    unchanged = requests.get((name, HTTPStatus.NOT_MODIFIED), 0)
    return FeedReaders(
        feed=name,
        answers=unchanged + requests.get((name, HTTPStatus.OK), 0),
        unchanged=unchanged,
        subscribers=sum(readers.values()),
        readers=tuple(sorted(readers.items(), key=lambda item: (-item[1], item[0]))),
    )
