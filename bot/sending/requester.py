"""Makes one request at a time for a channel, and derives from the answer what is to be recorded.

It writes nothing. It knows when the channel or its host may get no requests.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial

from sqlalchemy.exc import SQLAlchemyError

from bot.outbox.denials import denied_since
from bot.outbox.records import Attempt, Claim, FinishedAttempt, Pause, RequestKind
from bot.outbox.retry import Change, RetryState, after_correction, after_post
from bot.sending.answering import after_test, answer_to, posted_message, report
from bot.sending.prepare import PreparedRequest
from bot.sending.tools import Endpoint, Tools
from bot.services import Outcome, Verdict, after_denial

UNCHECKED_SECONDS = 1.0
"""Seconds since the beginning of a claim within which its request may begin without another check of it."""


class Requester:
    """Makes the requests of one lane."""

    def __init__(self, endpoint: Endpoint, tools: Tools) -> None:
        self._endpoint = endpoint
        self._tools = tools
        self._paused_until: float | None = None

    def wait(self) -> float:
        """Return the seconds to wait before the next request."""
        now = self._tools.monotonic()
        pauses = [self._paused_until, self._tools.host_pauses.get(self._endpoint.host)]
        return max([self._endpoint.pacer.wait(now), *(until - now for until in pauses if until is not None)])

    def perform(self, prepared: PreparedRequest, claim: Claim, claimed: float) -> FinishedAttempt:
        """Make the request of a post, claimed from `claimed` on, and return what is to be recorded."""
        endpoint, tools = self._endpoint, self._tools
        began = tools.monotonic()
        endpoint.pacer.sent(began)
        may_send = partial(self._may_send, claim, claimed)
        verdict, status = answer_to(tools.transport, endpoint.service, prepared.request, may_send)
        finished_at, seconds = tools.clock(), tools.monotonic() - began
        if verdict.outcome is Outcome.DENIED and prepared.kind is RequestKind.POST:
            since = denied_since(tools.outbox.database, endpoint.name, finished_at)
            verdict = after_denial(verdict, finished_at - (since or finished_at))
        if prepared.thread and verdict.outcome is Outcome.DISABLED:
            # The thread may no longer exist. The next attempt is outside it, and shows whether that was the
            # reason.
            verdict = replace(verdict, outcome=Outcome.REJECTED, degradable=True)
        if verdict.pace:
            endpoint.pacer.learn(verdict.pace, tools.monotonic())
        attempt = Attempt(
            # Not by the clock, which may have been set meanwhile.
            started_at=finished_at - timedelta(seconds=seconds),
            finished_at=finished_at,
            outcome=verdict.outcome,
            status=status,
            reason=verdict.reason,
        )
        done = self._conclude(prepared, claim, verdict, attempt)
        report(prepared, done, verdict, seconds)
        return done

    def _may_send(self, claim: Claim, claimed: float) -> str | None:
        """Return why the request must not be made any more, or None.

        A process may be frozen at any time, even between its claim and the first byte. So `claimed` is when
        it began to claim the post, by the clock of all waits.
        """
        if self._tools.monotonic() - claimed < UNCHECKED_SECONDS:
            return None
        try:
            is_claimed = self._tools.outbox.is_claimed(claim)
        except SQLAlchemyError:
            is_claimed = False
        return None if is_claimed else "too much time has passed since it was claimed"

    def _conclude(
        self, prepared: PreparedRequest, claim: Claim, verdict: Verdict, attempt: Attempt
    ) -> FinishedAttempt:
        failed = not verdict.outcome.is_success
        return FinishedAttempt(
            claim=claim,
            change=self._change(prepared, verdict, attempt),
            attempt=attempt,
            posted=None if failed else posted_message(prepared, verdict),
            pause=self._pause(prepared, verdict, attempt),
            disabled=verdict.reason if verdict.outcome is Outcome.DISABLED and prepared.message else None,
            error=verdict.reason if failed else None,
        )

    def _change(self, prepared: PreparedRequest, verdict: Verdict, attempt: Attempt) -> Change:
        message, spread, now = prepared.message, self._tools.spread(), attempt.finished_at
        retry_state = RetryState(failures=prepared.post.failures, form=prepared.post.form)
        if message is None:
            return after_test(verdict)
        has_image = message.image is not None or message.provider_icon is not None
        if prepared.kind is RequestKind.CORRECT:
            return after_correction(retry_state, verdict, now, spread=spread, has_image=has_image)
        is_harmless = self._endpoint.service.REPEAT_IS_HARMLESS
        policy = "retry" if is_harmless else self._endpoint.channel.on_unknown
        return after_post(retry_state, verdict, policy, now, spread=spread, has_image=has_image)

    def _pause(self, prepared: PreparedRequest, verdict: Verdict, attempt: Attempt) -> Pause | None:
        """Pause the channel or its host if the answer demands it, and return the pause, or None."""
        is_denied = verdict.outcome is Outcome.DENIED and prepared.kind is RequestKind.POST
        if verdict.outcome is not Outcome.RATE_LIMITED and not is_denied:
            return None
        wait = verdict.retry_after or timedelta(0)
        until = self._tools.monotonic() + wait.total_seconds()
        if verdict.scope == "host":
            host, pauses = self._endpoint.host, self._tools.host_pauses
            pauses[host] = max(until, pauses.get(host, until))
            return Pause(until=attempt.finished_at + wait, host=host)
        self._paused_until = max(until, self._paused_until or until)
        return Pause(until=attempt.finished_at + wait)
