"""Releases waiting deliveries as posts: reads what the policy needs, and writes its decisions.

It also ends deliveries that are no longer to be posted, so that they take no place in a budget or digest.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from bot.outbox import channelstate
from bot.outbox.backlog import BacklogState, backlog_state
from bot.outbox.causes import Cause, describe
from bot.outbox.queue import Outbox
from bot.outbox.records import Delivery
from bot.outbox.states import DeliveryState
from bot.planning.candidates import EndedDelivery, recently_posted, sort_waiting
from bot.planning.catalog import Catalog
from bot.planning.policy import Candidate, Spent, candidate_of
from bot.planning.reasons import Reason
from bot.planning.release import digest_decided, next_change, release
from bot.planning.rules import Channel
from bot.planning.spending import spent_of
from bot.sending.prepare import end_of, revive_next

BATCH = 50
"""Deliveries that are released at a time if no policy has to choose among them."""

MAX_WAITING = 5_000
"""The most deliveries that a policy chooses among; later ones are considered when there are fewer."""

MAX_ENDED = 500
"""The most deliveries that one run ends: further ones are not posted either, and end in the next runs."""

log = logging.getLogger("bot.sending.releasing")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Idle:
    """Nothing is released from `since` to `until` (None: ever) unless something changes."""

    since: datetime
    until: datetime | None
    backlog: BacklogState
    revision: int


@dataclass(slots=True, kw_only=True)
class ReleaseState:
    """The state of releasing in one process.

    `planned_at` is when the last successful planning run began: a digest, and a new period of a budget, wait
    for such a run after their time, so that they choose among all earlier articles.
    """

    planned_at: datetime | None = None
    _idle: dict[str, _Idle] = field(default_factory=dict)
    _decided: dict[str, datetime] = field(default_factory=dict)

    def awaits_digest(self, channel: Channel, now: datetime) -> bool:
        """Return whether a digest of the channel may be due for a decision."""
        digest, decided = channel.policy.digest, self._decided.get(channel.name)
        if digest is None or self.planned_at is None:
            return False
        if decided is None or decided > digest.next(now):  # by a clock that was ahead
            return True
        return digest.next(decided) <= min(now, self.planned_at)

    def note_decided(self, name: str, at: datetime) -> None:
        """Record that the channel's digest of that time is decided."""
        self._decided[name] = at

    def is_idle(self, name: str, backlog: BacklogState, revision: int, now: datetime) -> bool:
        """Return whether nothing that could change a decision to release nothing has changed since.

        A clock that was set back since is such a change.
        """
        idle = self._idle.get(name)
        if idle is None or (idle.backlog, idle.revision) != (backlog, revision):
            return False
        return idle.since <= now and (idle.until is None or now < idle.until)

    def note_idle(
        self, name: str, backlog: BacklogState, revision: int, now: datetime, until: datetime | None
    ) -> None:
        """Record that nothing is released from `now` to `until`."""
        self._idle[name] = _Idle(since=now, until=until, backlog=backlog, revision=revision)


@dataclass(frozen=True, slots=True, kw_only=True)
class Releaser:
    """Releases the posts of one channel."""

    channel: Channel
    outbox: Outbox
    catalog: Catalog
    release_state: ReleaseState

    def release(self, allowance: int, now: datetime) -> int:
        """Create the posts that are due, at most `allowance`, but all those of a digest; return how many."""
        # A digest in several messages may have used more than was allowed.
        allowance = max(0, allowance)
        if not self.channel.policy.is_plain:
            return self._by_policy(allowance, now)
        allowance = min(allowance, BATCH)
        waiting = self.outbox.backlog.waiting(self.channel.name, allowance)
        candidates = [candidate_of(delivery, None, None) for delivery in waiting]
        planned = release(candidates, self.channel.policy, Spent(allowance=allowance), now)
        return self.outbox.backlog.release(self.channel.name, planned, now, review=self.channel.review) or 0

    def _by_policy(self, allowance: int, now: datetime) -> int:
        name, policy = self.channel.name, self.channel.policy
        revision = self.catalog.revision()
        with self.outbox.database.read() as connection:
            backlog = backlog_state(connection, name)
            state = channelstate.states_in(connection, [name]).get(name)
        if state is None or self.release_state.is_idle(name, backlog, revision, now):
            return 0
        candidates = self._candidates(now)
        is_current = self._is_current(now)
        with self.outbox.database.read() as connection:
            spent = replace(spent_of(connection, policy, state, allowance, now), is_current=is_current)
        planned = release(candidates, policy, spent, now)
        decided = digest_decided(policy, spent, now)
        released = self.outbox.backlog.release(
            name, planned, now, review=self.channel.review, digest_at=decided
        )
        if released is None:
            return 0
        if is_current and (last := decided or spent.digest_at):
            self.release_state.note_decided(name, last)
        # A post under way may fail, and then leaves its place in the budget to another.
        if not planned and allowance > 0 and is_current and spent.under_way == 0:
            ends = [candidate.expires_at for candidate in candidates]
            times = [time for time in (next_change(policy, spent, now), *ends) if time]
            self.release_state.note_idle(name, backlog, revision, now, min(times, default=None))
        return released

    def _is_current(self, now: datetime) -> bool:
        """Return whether this process has planned since the digest was due, or the budget's period began."""
        policy, planned_at = self.channel.policy, self.release_state.planned_at
        times = [policy.digest.last(now)] if policy.digest else []
        times += [policy.budget.period(now)[0]] if policy.budget else []
        latest = now + channelstate.MAX_AHEAD  # a later one is by a clock that was ahead
        return not times or (planned_at is not None and max(times) <= planned_at <= latest)

    def _candidates(self, now: datetime) -> list[Candidate]:
        """Return the waiting deliveries that may be posted, and end those that may not."""
        candidates, ended = self._sort(now)
        withdrawn = [each for each in ended if each.covered_by is None]
        self._leave_out([each for each in ended if each.covered_by is not None][:MAX_ENDED], now)
        if self._end([(each.delivery, *self._end_of(each)) for each in withdrawn[:MAX_ENDED]], now):
            candidates, _ = self._sort(now)  # including articles that replace the ended ones
        return candidates

    def _sort(self, now: datetime) -> tuple[list[Candidate], list[EndedDelivery]]:
        waiting = self.outbox.backlog.waiting(self.channel.name, MAX_WAITING)
        with self.outbox.database.read() as connection:
            posted = recently_posted(connection, self.channel, waiting)
        return sort_waiting(waiting, self.channel, self.catalog, now, posted)

    def _leave_out(self, ended: Sequence[EndedDelivery], now: datetime) -> None:
        if not ended:
            return
        repeats = [
            (each.delivery, each.covered_by.article_id, each.covered_by.post_id)
            for each in ended
            if each.covered_by
        ]
        self.outbox.backlog.leave_out(self.channel.name, repeats, now)
        for each in ended:
            delivery, reason = each.delivery, each.decision.text
            log.info("skipped channel=%s article=%s: %s", delivery.channel, delivery.article_id, reason)

    def _end_of(self, ended: EndedDelivery) -> tuple[DeliveryState, Cause, str]:
        held_by = self._held_by()
        if ended.decision.reason is Reason.TOO_OLD and held_by is not None:
            return DeliveryState.EXPIRED, held_by, ""
        return end_of(ended.article, ended.decision)

    def _held_by(self) -> Cause | None:
        """Return the most likely cause why an article that is too old now was not posted before, or None."""
        policy = self.channel.policy
        causes = (
            (policy.digest, Cause.DIGEST),
            (policy.budget, Cause.BUDGET),
            (policy.quiet, Cause.QUIET_HOURS),
        )
        return next((cause for part, cause in causes if part), None)

    def _end(self, ends: Sequence[tuple[Delivery, DeliveryState, Cause, str]], now: datetime) -> bool:
        """End deliveries, and return whether any of them ended."""
        if not ends or not self.outbox.backlog.end(self.channel.name, ends, now):
            return False
        for delivery, state, cause, note in ends:
            reason = describe(cause, note)
            log.warning("%s channel=%s article=%s: %s", state, delivery.channel, delivery.article_id, reason)
            revive_next(self.outbox, delivery, now)
        return True
