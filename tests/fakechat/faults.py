"""Faults to inject: what goes wrong, for which payloads, and how often.

`FaultBook` decides which fault a request meets, and knows nothing of sockets.
"""

from __future__ import annotations

import random
import threading
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar, Literal

from pydantic import ConfigDict

# Of Slack's incoming webhooks, with the status each comes with:
# https://api.slack.com/changelog/2016-05-17-changes-to-errors-for-incoming-webhooks and
# https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks#handling_errors
SLACK_ERRORS = {
    "invalid_payload": 400,
    "user_not_found": 400,
    "no_text": 400,
    "too_many_attachments": 400,
    "invalid_token": 403,
    "action_prohibited": 403,
    "posting_to_general_channel_denied": 403,
    "team_disabled": 403,
    "channel_not_found": 404,
    "no_service": 404,
    "no_service_id": 404,
    "no_active_hooks": 404,
    "no_team": 404,
    "channel_is_archived": 410,
    "rollup_error": 500,
}

EVERYWHERE = "*"

Kind = Literal["status", "rate_limited", "reset_before_body", "reset_after_body", "hang", "slow"]
Matches = Literal["any", "image", "rich"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that goes wrong. `times` requests meet it (None: every one from now on).

    kind
        `status` answers with `status`, `headers` and `body` (None: what the vendor says with that status);
        `rate_limited` with a 429 in the vendor's form, `seconds` long; the resets cut the connection (RST)
        before or after reading the body; `hang` answers only when released; `slow` answers `seconds` late.
    only
        `image`: just requests whose payload has an image; `rich`: just those that are more than plain text.
        A request that does not match leaves the fault for the next.
    posts
        Whether people see the message although the answer is lost or wrong.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    kind: Kind = "status"
    status: int = 500
    headers: dict[str, str] = field(default_factory=dict)
    body: str | None = None
    seconds: float = 0.0
    only: Matches = "any"
    times: int | None = 1
    posts: bool = False


def dead(body: str | None = None, *, status: int | None = None) -> Fault:
    """A webhook that is gone for good: one of SLACK_ERRORS with its status, or the vendor's own 404.

    `status` overrides the status: `dead(status=401)` is Discord's answer to an invalid token.
    """
    return Fault(status=status or SLACK_ERRORS.get(body or "", 404), body=body, times=None)


def rate_limited(seconds: float, *, times: int | None = 1) -> Fault:
    """A 429 in the vendor's own form: `Retry-After`, and for Discord also the JSON body.

    Slack's header has whole seconds, rounded up. On Discord's unversioned path they are milliseconds: see
    discord.py.
    """
    return Fault(kind="rate_limited", status=429, seconds=seconds, times=times)


def html_429(*, times: int | None = 1) -> Fault:
    """A 429 of the edge network: an HTML page without Retry-After."""
    page = (
        "<!DOCTYPE html><html><head><title>Access denied</title></head><body>error code: 1015</body></html>"
    )
    return Fault(status=429, headers={"Content-Type": "text/html; charset=UTF-8"}, body=page, times=times)


def server_error(status: int = 503, *, times: int | None = 1, posts: bool = False) -> Fault:
    """A 5xx; with `posts`, one that comes although the message was posted."""
    return Fault(status=status, times=times, posts=posts)


def bad_gateway(*, times: int | None = 1) -> Fault:
    """A 502 with a proxy's HTML page."""
    page = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
    return Fault(status=502, headers={"Content-Type": "text/html"}, body=page, times=times)


def bad_image(*, times: int | None = None) -> Fault:
    """A 400 for every payload with an image, as when the vendor cannot fetch it."""
    return Fault(status=400, only="image", times=times)


def plain_text_only(*, times: int | None = None) -> Fault:
    """A 400 for every payload with blocks, attachments or embeds."""
    return Fault(status=400, only="rich", times=times)


def reset_before_body(*, times: int | None = 1) -> Fault:
    """A connection cut after the request's head, its body unread."""
    return Fault(kind="reset_before_body", times=times)


def reset_after_body(*, times: int | None = 1) -> Fault:
    """A connection cut after the whole request was read; nothing is posted."""
    return Fault(kind="reset_after_body", times=times)


def accept_then_reset(*, times: int | None = 1) -> Fault:
    """A message that people see, and whose answer is lost."""
    return Fault(kind="reset_after_body", posts=True, times=times)


def hang(*, times: int | None = 1, posts: bool = False) -> Fault:
    """A request that is read, and answered only when released.

    With `posts`, people see the message at once.
    """
    return Fault(kind="hang", posts=posts, times=times)


def slow(seconds: float, *, times: int | None = 1) -> Fault:
    """A request that is posted at once and answered `seconds` later."""
    return Fault(kind="slow", seconds=seconds, posts=True, times=times)


DEFAULT_CHAOS: tuple[Fault, ...] = (
    rate_limited(0.05),
    server_error(503),
    server_error(500, posts=True),
    reset_after_body(),
    accept_then_reset(),
)


class FaultBook:
    """The faults waiting for each webhook, and the chaos among all other requests. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: defaultdict[str, list[Fault]] = defaultdict(list)
        self._chaos: tuple[random.Random, float, Sequence[Fault]] | None = None

    def add(self, webhook: str, faults: Sequence[Fault]) -> None:
        """Queue `faults` for the webhook path (EVERYWHERE: whichever request comes), oldest first."""
        with self._lock:
            self._waiting[webhook] += faults

    def chaos(self, seed: int, rate: float, faults: Sequence[Fault] = DEFAULT_CHAOS) -> None:
        """Let one of `faults` befall each request whose body was read, with probability `rate`; 0 ends it."""
        with self._lock:
            self._chaos = (random.Random(seed), rate, tuple(faults)) if rate > 0 else None

    def clear(self) -> None:
        """Forget every fault and end the chaos."""
        with self._lock:
            self._waiting.clear()
            self._chaos = None

    def before_body(self, webhook: str) -> Fault | None:
        """The fault to meet before the body is read: the next one in line, if it is of that kind."""
        with self._lock:
            for key in (webhook, EVERYWHERE):
                line = self._waiting[key]
                if line and line[0].kind == "reset_before_body":
                    return self._spend(key, 0)
            return None

    def after_body(self, webhook: str, *, has_image: bool, is_rich: bool) -> Fault | None:
        """The fault for a request: the first in line that matches its payload, or else a random one."""
        with self._lock:
            for key in (webhook, EVERYWHERE):
                for index, fault in enumerate(self._waiting[key]):
                    if _matches(fault, has_image=has_image, is_rich=is_rich):
                        return self._spend(key, index)
            return self._by_chance(has_image=has_image, is_rich=is_rich)

    def _spend(self, key: str, index: int) -> Fault:
        fault = self._waiting[key][index]
        if fault.times is not None and fault.times <= 1:
            del self._waiting[key][index]
        elif fault.times is not None:
            self._waiting[key][index] = replace(fault, times=fault.times - 1)
        return fault

    def _by_chance(self, *, has_image: bool, is_rich: bool) -> Fault | None:
        if self._chaos is None:
            return None
        chance, rate, faults = self._chaos
        if chance.random() >= rate:
            return None
        fault = chance.choice(faults)
        return fault if _matches(fault, has_image=has_image, is_rich=is_rich) else None


def _matches(fault: Fault, *, has_image: bool, is_rich: bool) -> bool:
    if fault.only == "image":
        return has_image
    return fault.only == "any" or is_rich
