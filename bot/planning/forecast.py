"""Forecasts the results of `release` over time: which posts come when, and what becomes too old. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from bot.outbox.records import PostKind
from bot.planning.policy import Candidate, Policy, Spent
from bot.planning.release import (
    PlannedPost,
    digest_decided,
    is_urgent,
    next_change,
    release,
    room_in,
)
from bot.planning.similar import MAX_COMPARED, CoveringArticle, covered_on_arrival, covering_article

MAX_STEPS = 200_000
"""The most times that a forecast considers: a month has 43,200 minutes."""


class Hold(StrEnum):
    """The reason why a waiting article is not posted at once."""

    QUIET = "quiet hours"
    BUDGET = "budget"
    DIGEST = "digest"
    PACE = "pace"


@dataclass(frozen=True, slots=True, kw_only=True)
class TickLimit:
    """The limit `max_per_tick` of a channel's posts, and the time between two ticks."""

    per_tick: int
    every: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """An article that becomes eligible at the time `at`."""

    at: datetime
    candidate: Candidate


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """The posts to come, the articles that become too old and when, and those that wait at the end; in order.

    `repeats` are left out because articles with similar titles cover their stories.
    """

    posts: tuple[PlannedPost, ...]
    expired: tuple[tuple[datetime, Candidate], ...]
    waiting: tuple[Candidate, ...]
    repeats: tuple[Candidate, ...] = ()


def forecast(
    arrivals: Iterable[Arrival], policy: Policy, spent: Spent, pace: TickLimit, now: datetime, until: datetime
) -> Forecast:
    """Return what is posted from `now` to `until`, assuming that every post is sent when it is due.

    `arrivals` are in the order of their times; those before `now` wait already. `spent.allowance` is how many
    posts are left in the current tick.
    """
    course = _Simulation(policy, spent, pace, now)
    upcoming = iter(arrivals)
    following = next(upcoming, None)
    for _ in range(MAX_STEPS):
        while following is not None and following.at <= now:
            course.take(following.candidate)
            following = next(upcoming, None)
        course.step(now)
        times = [following.at if following else None, course.next_time(now)]
        later = min((time for time in times if time is not None), default=None)
        if later is None or later > until:
            break
        now = later
    return Forecast(
        posts=tuple(course.posts),
        expired=tuple(course.expired),
        waiting=tuple(course.waiting),
        repeats=course.repeats,
    )


def hold_of(
    candidate: Candidate, policy: Policy, spent: Spent, now: datetime, posted_at: datetime | None
) -> Hold:
    """Return why an article waits that `release` posts at `posted_at`, after `now`; None: never.

    During quiet hours the reason is the budget if that will have no room when the quiet hours end.
    """
    if candidate.delivery.forced or is_urgent(candidate, policy):
        return Hold.PACE
    if policy.digest:
        return Hold.DIGEST
    if policy.quiet and policy.quiet.covers(now):
        following = policy.budget.period(policy.quiet.ends_at(now))[1] if policy.budget else None
        is_later = following is not None and (posted_at is None or posted_at >= following)
        return Hold.BUDGET if is_later else Hold.QUIET
    room = room_in(policy.budget, spent, now)
    return Hold.PACE if room is None or room > spent.allowance else Hold.BUDGET


class _Simulation:
    """The state of a forecast: what waits, what was posted, and what has become too old so far."""

    def __init__(self, policy: Policy, spent: Spent, pace: TickLimit, now: datetime) -> None:
        self._policy, self._pace = policy, pace
        # Posts that are released but not sent yet are sent soon, and count from their time on.
        self._spent = replace(spent, posted_at=(*spent.posted_at, *[now] * spent.under_way), under_way=0)
        self._tick_ends = now + pace.every
        self.waiting: list[Candidate] = []
        self.posts: list[PlannedPost] = []
        self.expired: list[tuple[datetime, Candidate]] = []
        self._repeats: list[tuple[Candidate, CoveringArticle]] = []
        self._posted: list[CoveringArticle] = []

    @property
    def repeats(self) -> tuple[Candidate, ...]:
        """The articles that are left out because others cover their story."""
        return tuple(candidate for candidate, _ in self._repeats)

    def take(self, arrived: Candidate) -> None:
        """Add an article to those that wait, and leave out what then repeats a story: it or another one."""
        least = self._policy.similar
        covered = covered_on_arrival(arrived, self.waiting, self._posted, least) if least is not None else {}
        self.waiting.append(arrived)
        if not covered:
            return
        left_out = [candidate for candidate in self.waiting if candidate.delivery.id in covered]
        self._repeats += ((candidate, covered[candidate.delivery.id]) for candidate in left_out)
        self.waiting = [candidate for candidate in self.waiting if candidate.delivery.id not in covered]

    def step(self, now: datetime) -> None:
        """Post what is due at `now`."""
        if now >= self._tick_ends:
            self._spent = replace(self._spent, allowance=self._pace.per_tick)
            self._tick_ends = now + self._pace.every
        self._expire(now)
        released = release(self.waiting, self._policy, self._spent, now)
        decided = digest_decided(self._policy, self._spent, now) or self._spent.digest_at
        self._spent = replace(self._spent, digest_at=decided)
        if released:
            self._note(released, now)

    def next_time(self, now: datetime) -> datetime | None:
        """Return when something may be posted next if no further article arrives; None: never."""
        if not self.waiting:
            return None
        times = [next_change(self._policy, self._spent, now)]
        if self._spent.allowance <= 0:
            times.append(self._tick_ends)
        return min((time for time in times if time), default=None)

    def _expire(self, now: datetime) -> None:
        old = [
            candidate
            for candidate in self.waiting
            if candidate.expires_at is not None and candidate.expires_at < now
        ]
        if old:
            ids = {candidate.delivery.id for candidate in old}
            self.waiting = [candidate for candidate in self.waiting if candidate.delivery.id not in ids]
            self.expired += ((candidate.expires_at or now, candidate) for candidate in old)
            for candidate in old:
                self._replace(candidate)

    def _replace(self, expired: Candidate) -> None:
        """Let the first article wait again that was left out because the expired one covered its story."""
        for pair in self._repeats:
            if pair[1].article_id == expired.delivery.article_id:
                self._repeats.remove(pair)
                self.take(pair[0])
                break

    def _note(self, released: tuple[PlannedPost, ...], now: datetime) -> None:
        spent, budget = self._spent, self._policy.budget
        singles = sum(post.kind is not PostKind.DIGEST for post in released)
        since = budget.period(now)[0] if budget else now
        posted_at = [at for at in spent.posted_at if at >= since] + [now] * len(released) if budget else []
        self._spent = replace(spent, allowance=spent.allowance - singles, posted_at=tuple(posted_at))
        posted = {delivery.id for post in released for delivery in post.deliveries}
        if self._policy.similar is not None:
            covered = (
                covering_article(candidate) for candidate in self.waiting if candidate.delivery.id in posted
            )
            self._posted = [*self._posted, *covered][-MAX_COMPARED:]
        self.waiting = [candidate for candidate in self.waiting if candidate.delivery.id not in posted]
        self.posts += released
