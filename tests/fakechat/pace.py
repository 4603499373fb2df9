"""The vendors' rate limits for each webhook, on a given clock. The services word the answers."""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from dataclasses import dataclass
from typing import Literal

# Observed in practice, https://github.com/discord/discord-api-docs/issues/6753 ; the documentation says to
# read the headers instead: https://docs.discord.com/developers/topics/rate-limits
DISCORD_PER_WEBHOOK = (5, 2.0)
# The hidden limit of a channel, https://github.com/discord/discord-api-docs/issues/1454
DISCORD_PER_CHANNEL = (30, 60.0)
# https://docs.slack.dev/apis/web-api/rate-limits : one message a second, short bursts allowed
SLACK_PER_SECOND = 1.0
SLACK_BURST = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """The state of a webhook's rate limit after a request.

    `wait` is 0, or the seconds until the next is allowed.
    """

    limit: int
    remaining: int
    resets_in: float
    wait: float = 0.0
    scope: Literal["user", "shared"] = "user"


class Paces:
    """The request counters of every webhook. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._windows: dict[str, tuple[float, int]] = {}
        self._minutes: defaultdict[str, deque[float]] = defaultdict(deque)
        self._tokens: dict[str, tuple[float, float]] = {}

    def clear(self) -> None:
        """Reset every counter."""
        with self._lock:
            self._windows.clear()
            self._minutes.clear()
            self._tokens.clear()

    def discord(self, webhook: str, now: float) -> Pace:
        """Count a request at `now` (seconds) against 5 per 2 s, and against 30 per 60 s of its channel."""
        limit, length = DISCORD_PER_WEBHOOK
        with self._lock:
            start, used = self._windows.get(webhook, (now, 0))
            if now >= start + length:
                start, used = now, 0
            self._windows[webhook] = (start, min(used + 1, limit))
            left, resets_in = max(limit - used - 1, 0), start + length - now
            if used >= limit:
                return Pace(limit=limit, remaining=0, resets_in=resets_in, wait=resets_in)
            shared = self._channel_wait(webhook, now)
            return Pace(
                limit=limit,
                remaining=left,
                resets_in=resets_in,
                wait=shared,
                scope="shared" if shared else "user",
            )

    def slack(self, webhook: str, now: float) -> Pace:
        """Count a request at `now` (seconds) against one a second, after a burst."""
        with self._lock:
            tokens, since = self._tokens.get(webhook, (float(SLACK_BURST), now))
            tokens = min(float(SLACK_BURST), tokens + (now - since) * SLACK_PER_SECOND)
            allowed = tokens >= 1
            self._tokens[webhook] = (tokens - 1 if allowed else tokens, now)
            missing = 0.0 if allowed else (1 - tokens) / SLACK_PER_SECOND
            return Pace(limit=SLACK_BURST, remaining=int(tokens), resets_in=missing, wait=missing)

    def window(self, webhook: str, now: float, limit: int, length: float) -> Pace:
        """Count a request at `now` (seconds) against `limit` in any span of `length` seconds."""
        with self._lock:
            times = self._minutes[webhook]
            while times and times[0] <= now - length:
                times.popleft()
            if len(times) >= limit:
                wait = times[0] + length - now
                return Pace(limit=limit, remaining=0, resets_in=wait, wait=wait)
            times.append(now)
            return Pace(limit=limit, remaining=limit - len(times), resets_in=0.0)

    def _channel_wait(self, webhook: str, now: float) -> float:
        limit, length = DISCORD_PER_CHANNEL
        times = self._minutes[webhook]
        while times and times[0] <= now - length:
            times.popleft()
        if len(times) >= limit:
            return times[0] + length - now
        times.append(now)
        return 0.0
