"""Simulates what a channel would have posted in a period of the past, by the articles' own dates. Pure.

Articles are taken in their current versions, as earlier ones are not stored. Every request counts as
successful.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from articles.article import Article
from bot.outbox.records import PostKind
from bot.planning.facts import stories_of
from bot.planning.forecast import Arrival, TickLimit, forecast
from bot.planning.policy import Policy, Spent, candidate_of
from bot.planning.release import PlannedPost
from bot.planning.rules import Channel, decide
from bot.planning.timeline import unplanned
from text.zones import zone


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedDay:
    """The counts of one day; `came`, `posted` and `expired` count articles that the rules admit.

    `posts` counts messages; `digests` and `urgent` count some of these.
    """

    day: date
    came: int
    posted: int
    posts: int
    digests: int
    urgent: int
    expired: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """The result of a simulation: the days, the posts, and how many articles waited at the end.

    `same_story` counts the articles that were left out because another had covered their story.
    """

    channel: Channel
    days: tuple[SimulatedDay, ...]
    posts: tuple[PlannedPost, ...]
    same_story: int
    waiting: int


def simulate(
    channel: Channel, articles: Iterable[Article], start: datetime, end: datetime, every: timedelta
) -> Simulation:
    """Return what the channel would have posted from `start` to before `end`; runs are `every` apart.

    Articles published before `start` are the baseline: they are not posted, and an article with the same
    address as one of them counts as covered. Days are those of the policy's time zone, or of UTC.
    """
    arrivals, same_story = _arrivals(channel, articles, start, end)
    policy = channel.policy
    spent = Spent(
        allowance=channel.max_per_tick, digest_at=policy.digest.last(start) if policy.digest else None
    )
    pace = TickLimit(per_tick=channel.max_per_tick, every=every)
    outcome = forecast(arrivals, policy, spent, pace, start, end - timedelta(microseconds=1))
    place = zone_of(policy)
    last = end - timedelta(microseconds=1)
    days = _days(
        Counter(arrival.at.astimezone(place).date() for arrival in arrivals),
        outcome.posts,
        Counter(at.astimezone(place).date() for at, _ in outcome.expired),
        (start.astimezone(place).date(), last.astimezone(place).date()),
        place,
    )
    posted = sum(len(post.deliveries) for post in outcome.posts)
    return Simulation(
        channel=channel,
        days=tuple(days),
        posts=outcome.posts,
        same_story=same_story + len(outcome.repeats),
        waiting=len(arrivals) - posted - len(outcome.expired) - len(outcome.repeats),
    )


def zone_of(policy: Policy) -> ZoneInfo:
    """Return the time zone of the policy; UTC if it has none."""
    parts = (policy.digest, policy.budget, policy.quiet)
    return next((part.zone for part in parts if part), zone("UTC"))


def _arrivals(
    channel: Channel, articles: Iterable[Article], start: datetime, end: datetime
) -> tuple[list[Arrival], int]:
    """Return the articles that the rules admit in the period, oldest first, and how many repeat a story."""
    covered = set[str]()
    arrivals: list[Arrival] = []
    same_story = 0
    earlier = replace(channel, max_age=None)
    for article in sorted(articles, key=lambda article: (article.due_at, article.id)):
        at = article.due_at
        if at >= end or not decide(article, channel if at >= start else earlier, at).deliver:
            continue
        stories = stories_of(article)
        if at >= start and covered.isdisjoint(stories):
            delivery = unplanned(article, channel.name, len(arrivals) + 1)
            arrivals.append(Arrival(at=at, candidate=candidate_of(delivery, article, channel.max_age)))
        else:
            same_story += at >= start
        covered.update(stories)
    return arrivals, same_story


def _days(
    came: Counter[date],
    posts: Iterable[PlannedPost],
    expired: Counter[date],
    span: tuple[date, date],
    place: ZoneInfo,
) -> Iterator[SimulatedDay]:
    first, last = span
    by_day: dict[date, list[PlannedPost]] = {}
    for post in posts:
        by_day.setdefault(post.due_at.astimezone(place).date(), []).append(post)
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        that_day = by_day.get(day, [])
        yield SimulatedDay(
            day=day,
            came=came[day],
            posted=sum(len(post.deliveries) for post in that_day),
            posts=len(that_day),
            digests=sum(post.kind is PostKind.DIGEST for post in that_day),
            urgent=sum(post.kind is PostKind.URGENT for post in that_day),
            expired=expired[day],
        )
