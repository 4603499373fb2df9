"""The answers of chat services and their meaning: the parts that all services share.

This module knows no service by name and sends nothing.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Any, Literal

HOST_PAUSE = timedelta(seconds=10)
"""How long all requests to a host pause after a 429 without a wait."""

SHORTEST_PAUSE = timedelta(seconds=1)
"""The shortest pause after a 429, whatever wait it gives: such a request does not count as an attempt."""

LONGEST_PAUSE = timedelta(days=1)

DENIED_FOR = timedelta(days=1)
"""How long a channel gets only DENIED answers before it is disabled: edge networks recover within hours."""

FIRST_DENIED_PAUSE = timedelta(seconds=10)
LONGEST_DENIED_PAUSE = timedelta(hours=2)
"""A channel that is denied pauses for as long as it has been denied, within these bounds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """A service's answer to a request, with at most the first 64 KiB of its body.

    The repr has neither headers nor body: a server may repeat the address, which is a secret.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)

    def header(self, name: str) -> str | None:
        """Return the header `name`, compared without regard to case, or None."""
        return next((value for key, value in self.headers.items() if key.lower() == name.lower()), None)

    def json_object(self) -> dict[str, Any]:
        """Return the JSON object in the body; an empty one if the body is anything else."""
        try:
            value = json.loads(self.body)
        except (ValueError, RecursionError):
            return {}
        return value if isinstance(value, dict) else {}


class Outcome(StrEnum):
    """What an answer means for the delivery.

    SENT means that people see the message. ACCEPTED means that the service has accepted it and will show it
    later, which no later answer confirms: for example a 202 (RFC 9110 §15.3.3), or a mail server's 250.

    DENIED and DISABLED both mean that the service accepts nothing from this webhook. DISABLED is the
    service's own statement, and final. DENIED is a bare 401, 403, 404, 410 or 451, which a proxy or edge
    network may have sent; it is retried, and becomes final after DENIED_FOR without any other answer.
    """

    SENT = "sent"
    ACCEPTED = "accepted"
    UNSENT = "unsent"
    RATE_LIMITED = "rate_limited"
    UNKNOWN = "unknown"
    REJECTED = "rejected"
    DENIED = "denied"
    DISABLED = "disabled"

    @property
    def is_success(self) -> bool:
        """Whether the service has the message, so that it must not be sent again."""
        return self in (Outcome.SENT, Outcome.ACCEPTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """A service's rate limit at the moment: `remaining` requests until `reset_after` has passed."""

    remaining: int
    reset_after: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The meaning of one answer.

    `reason` is one line without secrets. `scope` is what `retry_after` applies to: this channel, or every
    channel of the host. `degradable` is False if the service would reject a plainer form too.
    """

    outcome: Outcome
    reason: str
    retry_after: timedelta | None = None
    scope: Literal["channel", "host"] = "channel"
    message_id: str | None = None
    pace: Pace | None = None
    degradable: bool = True


def judge(response: Response, code: str = "") -> Verdict:
    """Return what the status of a failed `response` means for any service.

    `code` is the service's own error code. A redirect is a failure: the webhook moved and nothing was posted,
    except for 303, which answers a request that was processed (RFC 9110 §15.4.4). After a server error the
    message may have been posted.
    """
    outcome = _meaning(response.status)
    meaning = f"HTTP {response.status}" + (f": {code}" if code else "")
    if 200 <= response.status < 300:
        meaning += ", but not in the service's format: it may have been posted"
    if 300 <= response.status < 400:
        meaning += " (redirects are not followed: is the webhook's address right?)"
    wait = retry_after(response) if response.status >= 500 else None
    return Verdict(outcome=outcome, reason=meaning, retry_after=wait)


def _meaning(status: int) -> Outcome:
    # 407 and 511 come from a proxy in between (RFC 9110 §15.5.8, RFC 6585 §6), 421 from a server that does
    # not serve this host (RFC 9110 §15.5.20): none of them has passed the message on.
    if status in {301, 302, 307, 308, 407, 408, 421, 425, 511}:
        return Outcome.UNSENT
    if status in {401, 403, 404, 410, 451}:
        return Outcome.DENIED
    return Outcome.REJECTED if 400 <= status < 500 else Outcome.UNKNOWN


def after_denial(verdict: Verdict, denied_for: timedelta) -> Verdict:
    """Return the verdict on a DENIED answer, when a channel has got no other answer for `denied_for`.

    The channel pauses, longer each time, and is disabled after DENIED_FOR.
    """
    if verdict.outcome is not Outcome.DENIED:
        return verdict
    if denied_for >= DENIED_FOR:
        hours = int(denied_for.total_seconds() // 3600)
        reason = f"{verdict.reason}, and no other answer for {hours} hours"
        return replace(verdict, outcome=Outcome.DISABLED, reason=reason)
    pause = min(max(denied_for, FIRST_DENIED_PAUSE), LONGEST_DENIED_PAUSE)
    return replace(verdict, retry_after=max(pause, verdict.retry_after or pause))


def rate_limited(wait: timedelta | None, *, host: bool = False, pace: Pace | None = None) -> Verdict:
    """Return the verdict on a 429 with a `wait`: nothing was posted, and it does not count as an attempt.

    Without a wait, or with `host`, all requests to the host pause.
    """
    whole = host or wait is None
    pause = max(wait or SHORTEST_PAUSE, HOST_PAUSE if whole else SHORTEST_PAUSE)
    subject = "the whole host" if whole else "this channel"
    return Verdict(
        outcome=Outcome.RATE_LIMITED,
        reason=f"HTTP 429: too many requests; {subject} pauses for {pause.total_seconds():g} s",
        retry_after=pause,
        scope="host" if whole else "channel",
        pace=pace,
    )


def pace_of(response: Response) -> Pace | None:
    """Return the pace in X-RateLimit-Remaining and X-RateLimit-Reset-After; None without these headers.

    https://docs.discord.com/developers/topics/rate-limits#header-format
    """
    remaining = response.header("X-RateLimit-Remaining") or ""
    reset_after = seconds(response.header("X-RateLimit-Reset-After"))
    if not re.fullmatch(r"[0-9]{1,9}", remaining) or reset_after is None:
        return None
    return Pace(remaining=int(remaining), reset_after=reset_after)


def retry_after(response: Response) -> timedelta | None:
    """Return the wait in Retry-After (RFC 9110 §10.2.3; also fractions, as Discord sends them), or None.

    A date is compared with the answer's Date header, so that the clocks need not agree.
    """
    value = response.header("Retry-After")
    if value is None:
        return None
    try:
        until, now = (parsedate_to_datetime(text or "") for text in (value, response.header("Date")))
        return min(max(until - now, timedelta(0)), LONGEST_PAUSE)
    except (ValueError, TypeError, OverflowError):
        return seconds(value)


def seconds(value: object) -> timedelta | None:
    """Return the seconds in a header or JSON field, at most a day; None if it is not a number of seconds."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    if not math.isfinite(number) or number < 0:
        return None
    return timedelta(seconds=min(number, LONGEST_PAUSE.total_seconds()))
