"""Decides which waiting deliveries become posts now, and in which form. Pure.

What has been posted, and the time, are parameters. This module knows neither the outbox's tables nor
services.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.outbox.records import Delivery, PostKind
from bot.planning.budget import Budget
from bot.planning.digest import DigestSchedule
from bot.planning.policy import Candidate, Policy, Spent
from bot.services.message import Mention


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedPost:
    """One message to post: its deliveries in the order in which people see them, and when it is due."""

    deliveries: tuple[Delivery, ...]
    due_at: datetime
    kind: PostKind = PostKind.NEWS
    mention: Mention | None = None


def release(
    candidates: Sequence[Candidate], policy: Policy, spent: Spent, now: datetime
) -> tuple[PlannedPost, ...]:
    """Return the posts to create from `candidates` at `now`, in the order in which they are sent.

    First come the posts that an operator ordered and those of urgent articles, which do not wait for quiet
    hours, budget or digest. Then, outside quiet hours, comes the digest that is due, or single posts, as far
    as the budget allows. `spent.allowance` limits all posts except digests.
    """
    allowed = max(0, spent.allowance)
    first = [
        candidate for candidate in candidates if candidate.delivery.forced or is_urgent(candidate, policy)
    ][:allowed]
    posts = [_single(candidate, policy, now) for candidate in first]
    if not spent.is_current or (policy.quiet and policy.quiet.covers(now)):
        return tuple(posts)
    rest = [
        candidate
        for candidate in candidates
        if not (candidate.delivery.forced or is_urgent(candidate, policy))
    ]
    room = room_in(policy.budget, spent, now)
    room = None if room is None else max(0, room - len(posts))
    if policy.digest:
        return (*posts, *_digest(rest, policy, policy.digest, spent, room, now))
    remaining = spent.allowance - len(posts)
    best = _chosen(rest, policy.budget, remaining if room is None else min(remaining, room))
    return (*posts, *(_single(candidate, policy, now) for candidate in best))


def is_urgent(candidate: Candidate, policy: Policy) -> bool:
    """Return whether the policy makes the article urgent, so that it is posted at once."""
    urgent, quality = policy.urgent, candidate.quality
    return urgent is not None and quality is not None and quality >= urgent.min_quality


def room_in(budget: Budget | None, spent: Spent, now: datetime) -> int | None:
    """Return how many posts the budget still allows in the period of `now`; None without a budget.

    Times of later periods do not count: a clock that was ahead recorded them.
    """
    if budget is None:
        return None
    began, ends = budget.period(now)
    return max(0, budget.at_most - spent.under_way - sum(began <= at < ends for at in spent.posted_at))


def digest_due(policy: Policy, spent: Spent, now: datetime) -> datetime | None:
    """Return the time of the digest that `release` decides about at `now`, or None.

    A digest that fell into quiet hours, or for which the budget had no room, is decided afterwards. A channel
    that has had no digest time yet has none due: its articles wait for the next one.
    """
    decided = _digest_decided_last(policy, spent, now)
    if policy.digest is None or decided is None or not spent.is_current:
        return None
    last = policy.digest.last(now)
    is_delayed = (policy.quiet and policy.quiet.covers(now)) or room_in(policy.budget, spent, now) == 0
    return last if last > decided and not is_delayed else None


def digest_decided(policy: Policy, spent: Spent, now: datetime) -> datetime | None:
    """Return the time of the digest that a call of `release` at `now` decides, or None."""
    if policy.digest is not None and spent.is_current and not _digest_decided_last(policy, spent, now):
        return policy.digest.last(now)
    return digest_due(policy, spent, now)


def _digest_decided_last(policy: Policy, spent: Spent, now: datetime) -> datetime | None:
    """Return the time of the digest that was decided last; None before the first.

    A time after the next digest was recorded by a clock that was ahead, and counts as none.
    """
    if policy.digest is None or spent.digest_at is None:
        return None
    return spent.digest_at if spent.digest_at <= policy.digest.next(now) else None


def next_change(policy: Policy, spent: Spent, now: datetime) -> datetime | None:
    """Return when `release` may next have another result for the same candidates; None: never."""
    quiet, times = policy.quiet, []
    if quiet and quiet.covers(now):
        times.append(quiet.ends_at(now))
    if policy.digest:
        times.append(policy.digest.next(now))
    if policy.budget and room_in(policy.budget, spent, now) == 0:
        times.append(policy.budget.period(now)[1])
    return min(times, default=None)


def _digest(
    candidates: Sequence[Candidate],
    policy: Policy,
    digest: DigestSchedule,
    spent: Spent,
    room: int | None,
    now: datetime,
) -> Iterable[PlannedPost]:
    if digest_due(policy, spent, now) is None or not candidates:
        return ()
    if len(candidates) < digest.at_least and not _would_expire(candidates, policy, digest, now):
        return ()
    ordered = sorted(candidates, key=_ORDERS[digest.order])[: digest.at_most]
    size = policy.capacity
    parts = [ordered[start : start + size] for start in range(0, len(ordered), size)]
    return [
        PlannedPost(
            deliveries=tuple(candidate.delivery for candidate in part),
            due_at=now,
            kind=PostKind.DIGEST,
            mention=policy.mention_of(part),
        )
        for part in (parts if room is None else parts[:room])
    ]


def _would_expire(
    candidates: Iterable[Candidate], policy: Policy, digest: DigestSchedule, now: datetime
) -> bool:
    """Return whether one of the articles would be too old for the digest after the one that is due."""
    following = digest.next(now)
    if policy.quiet:
        following = policy.quiet.ends_at(following)
    return any(
        candidate.expires_at is not None and candidate.expires_at < following for candidate in candidates
    )


def _chosen(candidates: Sequence[Candidate], budget: Budget | None, count: int) -> list[Candidate]:
    """Return the `count` candidates that are posted now, the oldest first."""
    if count <= 0:
        return []
    if budget is None:
        return list(candidates[:count])
    ordered = sorted(candidates, key=_ORDERS["quality" if budget.keep == "best" else "newest"])
    return sorted(ordered[:count], key=_ORDERS["oldest"])


def _single(candidate: Candidate, policy: Policy, now: datetime) -> PlannedPost:
    urgent = is_urgent(candidate, policy)
    return PlannedPost(
        deliveries=(candidate.delivery,),
        due_at=now,
        kind=PostKind.URGENT if urgent else PostKind.NEWS,
        mention=policy.mention_of([candidate], urgent=urgent),
    )


def _age(candidate: Candidate) -> float:
    return candidate.published_at.timestamp()


def _by_quality(candidate: Candidate) -> tuple[Any, ...]:
    quality = candidate.quality
    return (quality is None, -(quality or 0), -_age(candidate), candidate.delivery.id)


def _by_newest(candidate: Candidate) -> tuple[Any, ...]:
    return (-_age(candidate), candidate.delivery.id)


def _by_oldest(candidate: Candidate) -> tuple[Any, ...]:
    return (_age(candidate), candidate.delivery.id)


_ORDERS = {"quality": _by_quality, "newest": _by_newest, "oldest": _by_oldest}
