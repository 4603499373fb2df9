"""The timeline of a channel: which posts come, when and with which articles; what waits, and why.

This module reads the outbox and the catalog, and applies the policy over time. It changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, and_, or_, select

from articles.article import Article
from bot.outbox import channelstate
from bot.outbox.backlog import read_waiting
from bot.outbox.causes import Cause
from bot.outbox.channelstate import ChannelState, ChannelStatus
from bot.outbox.records import Delivery, Post, PostKind
from bot.outbox.rows import post_columns, read_posts
from bot.outbox.schema import IS_EXCEPTIONAL, IS_SCHEDULED, posts
from bot.outbox.states import DeliveryState, PostState
from bot.planning.candidates import recently_posted, sort_waiting
from bot.planning.catalog import Catalog
from bot.planning.forecast import Arrival, Forecast, Hold, TickLimit, forecast, hold_of
from bot.planning.policy import Candidate, Spent, candidate_of
from bot.planning.release import PlannedPost
from bot.planning.rules import Channel, decide
from bot.planning.spending import spent_of
from bot.services.message import Mention

DAY = timedelta(days=1)
MAX_WAITING = 1_000
"""The most deliveries of a channel that a timeline considers, and the most posts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """An article in a post to come."""

    article_id: str
    title: str
    quality: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ComingPost:
    """A post to come; `at` is None while it waits for a review. With `is_retry`, an attempt has failed."""

    at: datetime | None
    kind: PostKind
    mention: Mention | None
    items: tuple[Item, ...]
    is_retry: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingArticle:
    """An article that is not posted at once: why it waits, and until when.

    `posted_at` is when it will be posted, None if that is not within the timeline; `expires_at` is when it
    becomes too old.
    """

    item: Item
    hold: Hold
    posted_at: datetime | None
    expires_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """What a channel will get from `start` to `end` if no further article arrives; `posts` are in order.

    `is_open` is whether the channel is posted to at all: one that is paused or disabled has no posts.
    """

    channel: Channel
    start: datetime
    end: datetime
    is_open: bool
    posts: tuple[ComingPost, ...]
    waits: tuple[WaitingArticle, ...]


def timeline(
    connection: Connection,
    catalog: Catalog,
    channel: Channel,
    now: datetime,
    every: timedelta,
    span: timedelta = DAY,
    *,
    coming: Sequence[Article] | None = None,
) -> Timeline:
    """Return what the channel will get in `span` from `now` on; the bot's runs are `every` apart.

    `coming` can be the result of `coming_in` for that span, so that it is read once for many channels.
    """
    state = channelstate.states_in(connection, [channel.name]).get(channel.name)
    end = now + span
    if state is None or state.baselined_at is None:
        return Timeline(channel=channel, start=now, end=end, is_open=False, posts=(), waits=())
    unreleased = read_waiting(connection, channel.name, MAX_WAITING)
    posted = recently_posted(connection, channel, unreleased)
    waiting, _ = sort_waiting(unreleased, channel, catalog, now, posted)
    spent = _spent(connection, channel, state, now)
    arrivals = [Arrival(at=now, candidate=each) for each in waiting]
    arrivals += _coming(coming_in(catalog, now, span) if coming is None else coming, channel)
    pace = TickLimit(per_tick=channel.max_per_tick, every=every)
    is_open = state.state is ChannelStatus.ENABLED
    outcome = forecast(arrivals, channel.policy, spent, pace, now, end) if is_open else _NOTHING
    candidates = {each.candidate.delivery.id: each.candidate for each in arrivals}
    planned = [*_released(connection, channel, is_open)]
    planned += [_planned(each, candidates, review=channel.review) for each in outcome.posts]
    return Timeline(
        channel=channel,
        start=now,
        end=end,
        is_open=is_open,
        posts=tuple(sorted(planned, key=lambda each: each.at or end)),
        waits=tuple(_waits(waiting, channel, spent, outcome.posts, now)),
    )


_NOTHING = Forecast(posts=(), expired=(), waiting=())


def _spent(connection: Connection, channel: Channel, state: ChannelState, now: datetime) -> Spent:
    spent = spent_of(connection, channel.policy, state, channel.max_per_tick, now)
    digest = channel.policy.digest
    return replace(spent, digest_at=digest.last(now)) if digest and spent.digest_at is None else spent


def coming_in(catalog: Catalog, now: datetime, span: timedelta = DAY) -> list[Article]:
    """Return the articles whose publication time is in that span, in its order."""
    articles = catalog.scan(changed_since=catalog.revision(), due=(now, now + span))
    return sorted(articles, key=lambda each: each.due_at)


def _coming(coming: Sequence[Article], channel: Channel) -> Iterator[Arrival]:
    """Yield the articles that the channel will admit at their publication time."""
    # They have no deliveries yet: numbers that no delivery has distinguish them.
    for number, article in enumerate(coming, 1):
        if decide(article, channel, article.due_at).deliver:
            delivery = unplanned(article, channel.name, -number)
            candidate = candidate_of(delivery, article, channel.max_age)
            yield Arrival(at=article.due_at, candidate=candidate)


def unplanned(article: Article, channel: str, number: int) -> Delivery:
    """Return the delivery that an article would have, with the id `number`, for a forecast."""
    return Delivery(
        id=number,
        article_id=article.id,
        channel=channel,
        story=None,
        title=article.title,
        published_at=article.published_at,
        quality=article.quality,
        decided=DeliveryState.WAITING,
        cause=Cause.NONE,
        note="",
        covered_by=None,
        forced=False,
        post_id=None,
        path=None,
        content=None,
        catalog=None,
        revision=None,
        created_at=article.due_at,
        updated_at=article.due_at,
    )


def _released(connection: Connection, channel: Channel, is_open: bool) -> Iterator[ComingPost]:
    """Yield the posts in the outbox that are not sent yet: due later, or waiting for a retry or review."""
    in_review = and_(IS_EXCEPTIONAL, posts.c.state == PostState.HELD, posts.c.cause == Cause.REVIEW)
    query = select(*post_columns).where(posts.c.channel == channel.name, or_(IS_SCHEDULED, in_review))
    for post in read_posts(connection, query.order_by(posts.c.id).limit(MAX_WAITING)):
        if post.deliveries and (is_open or post.due_at is None):
            yield _released_post(post)


def _released_post(post: Post) -> ComingPost:
    items = (
        Item(article_id=each.article_id, title=each.title, quality=each.quality) for each in post.deliveries
    )
    return ComingPost(
        at=post.due_at,
        kind=post.kind,
        mention=post.mention,
        items=tuple(items),
        is_retry=post.state in (PostState.RETRY, PostState.UNKNOWN),
    )


def _planned(post: PlannedPost, candidates: dict[int, Candidate], *, review: bool) -> ComingPost:
    return ComingPost(
        at=None if review and not all(each.forced for each in post.deliveries) else post.due_at,
        kind=post.kind,
        mention=post.mention,
        items=tuple(_item(candidates[each.id]) for each in post.deliveries),
    )


def _item(candidate: Candidate) -> Item:
    delivery = candidate.delivery
    return Item(article_id=delivery.article_id, title=delivery.title, quality=candidate.quality)


def _waits(
    waiting: Sequence[Candidate],
    channel: Channel,
    spent: Spent,
    planned: Sequence[PlannedPost],
    now: datetime,
) -> Iterator[WaitingArticle]:
    posted_at = {delivery.id: post.due_at for post in planned for delivery in post.deliveries}
    for each in waiting:
        at = posted_at.get(each.delivery.id)
        if at is None or at > now:
            hold = hold_of(each, channel.policy, spent, now, at)
            yield WaitingArticle(item=_item(each), hold=hold, posted_at=at, expires_at=each.expires_at)
