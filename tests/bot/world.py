"""The environment of the bot's tests: articles in memory, a clock, bots with real databases and sockets."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from articles.article import Article
from articles.errors import ArticleError
from bot.operator import queries
from bot.outbox.channelstate import ChannelState, states
from bot.outbox.database import Database
from bot.outbox.lease import Lease
from bot.outbox.records import Delivery, Post
from bot.outbox.states import State
from bot.planning.rules import Channel
from bot.run import Bot, Parts
from bot.sending.tools import SiteLink, Timing
from bot.sending.transport import Transport
from bot.services import Destination
from bot.services.secret import Secret
from tests.fakechat import FakeChat
from tests.waiting import WAIT_SECONDS

START = datetime(2026, 9, 1, 12, 0, tzinfo=UTC)


mainly_sqlite = pytest.mark.parametrize(
    "database_url", ["sqlite", pytest.param("postgres", marks=pytest.mark.soak)], indirect=True
)
"""For tests of what hardly depends on the database: on PostgreSQL they run only with the long ones."""


class Clock:
    """A clock that the test sets."""

    def __init__(self, now: datetime = START) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **span: float) -> None:
        """Let time pass."""
        self.now += timedelta(**span)


def article(name: str, **changes: Any) -> Article:
    """Return an article `name`, published an hour before START, with quality 80 and the topic AI."""
    values: dict[str, Any] = {
        "id": name,
        "path": f"{name}.md",
        "title": f"Title of {name}",
        "published_at": START - timedelta(hours=1),
        "updated_at": START - timedelta(hours=1),
        "link": f"https://example.com/{name}",
        "topics": ("AI",),
        "slugs": ("ai",),
        "quality": 80,
    }
    return Article(**values | changes)


class FakeCatalog:
    """Articles in memory, with revisions, in the form that the bot reads."""

    def __init__(self) -> None:
        self.identity = "first"
        self.complete = True
        self.bad: list[ArticleError] = []
        self._articles: dict[str, tuple[int, Article]] = {}
        self._revision = 0

    def put(self, *articles: Article) -> None:
        """Add or change articles, in one revision."""
        self._revision += 1
        self._articles |= {each.id: (self._revision, each) for each in articles}

    def delete(self, *ids: str) -> None:
        """Remove articles."""
        self._revision += 1
        for name in ids:
            del self._articles[name]

    def rebuild(self) -> None:
        """Become another catalog of the same articles, whose revisions start again."""
        self.identity += "+"
        self._revision = 1
        self._articles = {name: (1, each) for name, (_, each) in self._articles.items()}

    def revision(self) -> int:
        """Return the number of changes so far."""
        return self._revision

    def is_complete(self) -> bool:
        """Return the value that the test has set."""
        return self.complete

    def problems(self) -> list[ArticleError]:
        """Return the value that the test has set."""
        return self.bad

    def get(self, article_id: str, *, related: int = 0) -> Article | None:
        """Return one article in full."""
        return self.get_many([article_id]).get(article_id)

    def get_many(self, ids: Iterable[str]) -> dict[str, Article]:
        """Return the articles that exist."""
        return {name: self._articles[name][1] for name in ids if name in self._articles}

    def scan(
        self, *, changed_since: int = 0, due: tuple[datetime, datetime] | None = None
    ) -> Iterator[Article]:
        """Yield the articles that changed or came due, oldest first."""
        after, until = due or (START, START)
        found = [
            each
            for revision, each in self._articles.values()
            if revision > changed_since or after < each.published_at <= until
        ]
        yield from sorted(found, key=lambda each: (each.published_at, each.id))


def any_channel(name: str = "c", kind: str = "slack", **changes: Any) -> Channel:
    """Return a channel for all articles, at any pace, which repeats what may be lost."""
    values: dict[str, Any] = {"backfill": 0, "max_per_tick": 1000, "on_unknown": "retry"}
    return Channel(name=name, kind=kind, **values | changes)


@dataclass
class World:
    """Bots, and what they share."""

    open_database: Callable[[], Database]
    chat: FakeChat
    clock: Clock
    catalog: FakeCatalog = field(default_factory=FakeCatalog)
    bots: list[Bot] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.database = self.open_database()
        self.session = requests.Session()
        self.transport = Transport(self.session, user_agent="Newswire tests", timeouts=(60.0, 60.0))
        self.channel = self.slack()

    def slack(self, name: str = "ai-team", **changes: Any) -> Channel:
        """Return a Slack channel for all articles, at any pace."""
        return any_channel(name, "slack", **{"destination": to(self.chat.slack_url(name))} | changes)

    def discord(self, name: str = "readers", **changes: Any) -> Channel:
        """Return a Discord channel for all articles, at any pace."""
        return any_channel(name, "discord", **{"destination": to(self.chat.discord_url(name))} | changes)

    def bot(self, *channels: Channel, database: Database | None = None, **options: Any) -> Bot:
        """Return a bot for `channels` (the one Slack channel), as a process of its own would have it."""
        database = database or self.open_database()
        timing: dict[str, Any] = {
            "clock": self.clock,
            "wait": self._wait,
            "monotonic": lambda: self.clock().timestamp(),
            "spread": lambda: 0.0,
            "paced": False,
        }
        names = {field.name for field in fields(Timing)}
        timing |= {name: options.pop(name) for name in names & options.keys()}
        values: dict[str, Any] = {
            "catalog": self.catalog,
            "every": timedelta(seconds=60),
            "keep": timedelta(days=180),
            "channels": channels or (self.channel,),
            "lease": lease_by(database, self.clock),
            "site": SiteLink(name="The Site", url="https://example.com"),
            "transport": self.transport,
        }
        bot = Bot(Parts(database=database, timing=Timing(**timing), **values | options))
        self.bots.append(bot)
        return bot

    def started(self, *channels: Channel, **options: Any) -> Bot:
        """Return a bot that has recorded its baseline of the existing articles."""
        bot = self.bot(*channels, **options)
        self.tick(bot)
        return bot

    def tick(self, bot: Bot) -> None:
        """Run the bot once, and wait until it has sent what it could."""
        bot.tick()
        assert bot.sender.join(WAIT_SECONDS)

    def deliveries(self, *states: State, **filters: Any) -> list[Delivery]:
        """Return the deliveries, oldest first."""
        found = queries.deliveries_matching(self.database, states=states, limit=10_000, **filters)
        return found[::-1]

    def only(self) -> Delivery:
        """Return the only delivery that is not baselined."""
        (found,) = [each for each in self.deliveries() if each.state is not State.BASELINED]
        return found

    def post(self, index: int = 0) -> Post:
        """Return the post of one of the deliveries."""
        post = self.deliveries()[index].post
        assert post is not None
        return post

    def outcomes(self, delivery: Delivery) -> list[str]:
        """Return the outcomes of the delivery's attempts, oldest first."""
        return [each.outcome for each in queries.attempts_of(self.database, [delivery.id])]

    def state_of(self, channel: str = "ai-team") -> ChannelState:
        """Return the outbox's state of the channel."""
        return states(self.database)[channel]

    def close(self) -> None:
        """Stop everything that the bots have started."""
        self.chat.release()
        for bot in self.bots:
            bot.stop()
        self.session.close()

    def _wait(self, seconds: float) -> bool:
        self.clock.advance(seconds=seconds)
        return False


def lease_by(database: Database, clock: Clock) -> Lease:
    """Return a lease by this clock, on a server too. Passing time does not count as setting the clock."""
    return Lease(database, clock, server_time=False, elapsed=lambda: clock().timestamp())


def to(address: str) -> Destination:
    """Return the destination at an address."""
    return Destination(address=Secret(address))


def shuffled(count: int, seed: int = 1) -> list[int]:
    """Return the numbers below `count` in a fixed, irregular order."""
    numbers = list(range(count))
    random.Random(seed).shuffle(numbers)
    return numbers
