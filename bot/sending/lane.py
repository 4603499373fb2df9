"""Sends the posts of one channel: one request in flight, oldest post first, every claim before its request.

This module does not know other channels, the renewal of the lease, or when it is called.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Sequence
from datetime import datetime

from articles.article import Article
from bot.outbox.claims import ClaimResult
from bot.outbox.records import Post, PostKind, new_claim
from bot.sending.prepare import RECHECK_AFTER, PreparedRequest, Preparer
from bot.sending.recorder import Recorder
from bot.sending.releasing import Releaser
from bot.sending.requester import Requester
from bot.sending.tools import Endpoint, Tools

BATCH = 50
"""Posts that are read, but not claimed, at a time."""

FRESH = 2.0
"""Seconds after which posts and articles are read again."""

MAX_WAIT = 5.0
"""The longest wait, in seconds, within a run; for a longer one, the lane ends, and is started again later."""

SLICE = 2.0
"""Seconds after which a lane ends for another one that waits."""

MAX_REPORTED = 1_000
"""The most posts that could not be settled for which a process records that it has logged them."""

log = logging.getLogger("bot.sending.dispatcher")


class Lane:
    """One run of sending to one channel; `left` is how many posts may still be released.

    After the run, `released` is how many were released, and `was_cut_short` is whether it ended only for
    other lanes and has more to do. With `only_tests`, only test messages are sent.
    """

    def __init__(self, endpoint: Endpoint, tools: Tools, allowance: int, *, only_tests: bool = False) -> None:
        self.left = allowance
        self.was_cut_short = False
        self.released = 0
        self._channel = endpoint.channel
        self._tools = tools
        self._only_tests = only_tests
        self._preparer = Preparer(
            channel=endpoint.channel,
            destination=endpoint.destination,
            service=endpoint.service,
            outbox=tools.outbox,
            catalog=tools.catalog,
            site=tools.site.name,
            site_url=tools.site.url,
            clock=tools.clock,
        )
        self._releaser = Releaser(
            channel=endpoint.channel,
            outbox=tools.outbox,
            catalog=tools.catalog,
            release_state=tools.release_state,
        )
        self._requester = Requester(endpoint, tools)
        self._recorder = Recorder(tools.outbox, endpoint.name, tools.wait)
        self._batch: deque[Post] = deque()
        self._without_request: dict[int, Post] = {}
        self._articles: dict[str, Article] = {}
        self._read_at: float | None = None
        self._stale = 0
        self._ended = False

    @property
    def in_flight(self) -> frozenset[int]:
        """The ids of the posts for which a request may be in flight."""
        return self._recorder.in_flight

    def run(self) -> None:
        """Make the requests that are due, until none is left or the lane has to stop."""
        began = self._tools.monotonic()
        try:
            while not self._tools.stopping() and not self._ended:
                self._step()
                self._make_room(began)
        finally:
            self._recorder.flush()

    def _make_room(self, began: float) -> None:
        if not self._ended and self._tools.crowded() and self._tools.monotonic() - began >= SLICE:
            self._ended = self.was_cut_short = True

    def _step(self) -> None:
        if not self._has_fresh_batch():
            self._recorder.flush()
            self._read_due()
        elif wait := self._requester.wait():
            self._recorder.flush()
            self._wait(wait)
        elif prepared := self._prepare():
            self._attempt(prepared)

    def _prepare(self) -> PreparedRequest | None:
        """Return the next request; the last result, to which it may be a reply, is recorded before."""
        if self._preparer.channel.thread != "none":
            self._recorder.flush()
        post = self._batch.popleft()
        prepared = self._preparer.prepare(post, self._articles)
        if prepared is None:
            self._without_request[post.id] = post
        return prepared

    def _wait(self, wait: float) -> None:
        self._ended = wait > MAX_WAIT or self._tools.wait(wait)
        self._batch.clear()

    def _attempt(self, prepared: PreparedRequest) -> None:
        """Make the request if the post can be claimed, in the transaction that records the last result."""
        claim, began = new_claim(prepared.post, prepared.kind, self._tools.clock()), self._tools.monotonic()
        result = self._recorder.claim(claim)
        if result is ClaimResult.CLAIMED:
            self._stale = 0
            done = self._requester.perform(prepared, claim, began)
            self._recorder.note(done)
            self._ended = done.disabled is not None
            if done.error:
                self._batch.clear()
        elif result is ClaimResult.STALE:
            self._batch.clear()
            self._stale += 1
            self._ended = self._stale > 2
        else:
            log.info("stopped sending channel=%s: another bot has the lease", self._channel.name)
            self._ended = True

    def _has_fresh_batch(self) -> bool:
        if self._read_at is None or self._tools.monotonic() > self._read_at + FRESH:
            self._batch.clear()
        return bool(self._batch)

    def _read_due(self) -> None:
        """Read due posts, or release new ones if there are none, or else corrections; and their articles."""
        self._read_at, now = self._tools.monotonic(), self._tools.clock()
        name, outbox = self._channel.name, self._tools.outbox
        due = outbox.due(name, now, BATCH)
        if self._only_tests:
            due = [post for post in due if post.kind is PostKind.TEST]
        elif not due and self._release(now):
            due = outbox.due(name, now, BATCH)
        if not due and not self._only_tests:
            due = outbox.to_correct(name, now, BATCH)
        unsettled = [post for post in due if self._without_request.get(post.id) == post]
        self._without_request.clear()
        self._ended = not due or not self._postpone_all(unsettled, now)
        self._batch = deque(post for post in due if post not in unsettled)
        ids = [delivery.article_id for post in due for delivery in post.deliveries]
        self._articles = self._tools.catalog.get_many(ids) if ids else {}

    def _postpone_all(self, unsettled: Sequence[Post], now: datetime) -> bool:
        """Postpone the posts that got no request and are still due: they would be tried again and again.

        Returns whether the lane may continue; it may not if another bot has the lease.
        """
        for post in unsettled:
            if not self._tools.outbox.postpone(post, now + RECHECK_AFTER):
                log.info("stopped sending channel=%s: another bot has the lease", post.channel)
                return False
            self._report(post)
        return True

    def _report(self, post: Post) -> None:
        reported = self._tools.reported
        if post.id in reported:
            return
        if len(reported) >= MAX_REPORTED:
            reported.clear()
        reported.add(post.id)
        message = (
            "postponed channel=%s post=%d: it can be neither sent nor ended, and is tried again every %d s"
        )
        log.error(message, post.channel, post.id, RECHECK_AFTER.total_seconds())

    def _release(self, now: datetime) -> int:
        released = self._releaser.release(self.left, now)
        self.left -= released
        self.released += released
        return released
