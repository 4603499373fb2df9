"""The meaning of Discord's answers: its codes, its rate limits, and the fields that it refused."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from bot.services.answers import (
    Outcome,
    Pace,
    Response,
    Verdict,
    judge,
    pace_of,
    rate_limited,
    retry_after,
    seconds,
)

# https://docs.discord.com/developers/topics/opcodes-and-status-codes#json
UNKNOWN_MESSAGE = 10008
DEAD = {
    10003: "the channel or the thread in its address does not exist",
    10015: "the webhook was deleted",
    50027: "the webhook's token is invalid",
}
MISCONFIGURED = {
    40067: "the forum demands a tag on every post: give it `forum_tags`",
    220001: "the channel is a forum: set `forum: true`",
    220002: "the channel is a forum, and its webhook's address names a thread: remove `forum` or the thread",
    220003: "the channel is not a forum: remove `forum`",
    220004: "the forum takes no posts by webhooks",
}
"""Errors that another setting of the channel corrects: nothing was posted, and the webhook still works."""

_SNOWFLAKE = re.compile(r"[0-9]{1,20}")
"""A number of 64 bits: https://docs.discord.com/developers/reference#snowflakes"""

_FIELD = re.compile(r"[a-z_]{1,40}|\d{1,3}")
_CODE = re.compile(r"[A-Z_]{1,60}")
_PHRASE = re.compile(r"[A-Za-z]{1,20}(?:[ ,.'-]{1,2}[A-Za-z]{1,20}){0,15}[.]?")


def classify(response: Response) -> Verdict:
    """Return what `response` means; a success carries the id of the message."""
    answer = response.json_object()
    pace = pace_of(response)
    if response.status == 429:
        return _rate_limited(response, answer, pace)
    if 200 <= response.status < 300:
        return _success(response, answer, pace)
    code = answer.get("code")
    if code == UNKNOWN_MESSAGE:
        reason = f"HTTP {response.status}: the message was deleted in Discord"
        return Verdict(outcome=Outcome.REJECTED, reason=reason, pace=pace, degradable=False)
    if isinstance(code, int) and code in DEAD:
        reason = f"HTTP {response.status}: {DEAD[code]} (Discord's error {code})"
        return Verdict(outcome=Outcome.DISABLED, reason=reason, pace=pace)
    if isinstance(code, int) and code in MISCONFIGURED:
        reason = f"HTTP {response.status}: {MISCONFIGURED[code]} (Discord's error {code})"
        return Verdict(outcome=Outcome.DENIED, reason=reason, pace=pace)
    return replace(judge(response, _complaint(answer)), pace=pace)


def _success(response: Response, answer: dict[str, Any], pace: Pace | None) -> Verdict:
    message_id = str(answer.get("id", ""))
    if _SNOWFLAKE.fullmatch(message_id):
        return Verdict(outcome=Outcome.SENT, reason="posted", message_id=message_id, pace=pace)
    if response.status == 204:
        return Verdict(outcome=Outcome.SENT, reason="posted, but Discord gave no message id", pace=pace)
    reason = f"HTTP {response.status}, but not in Discord's format: it may have been posted"
    return Verdict(outcome=Outcome.UNKNOWN, reason=reason, pace=pace)


def _rate_limited(response: Response, answer: dict[str, Any], pace: Pace | None) -> Verdict:
    """Return the verdict on a 429: https://docs.discord.com/developers/topics/rate-limits#exceeding-a-rate-limit

    An answer that is not JSON comes from the edge network, and concerns the sender's IP address.
    """
    waits = [wait for wait in (retry_after(response), seconds(answer.get("retry_after"))) if wait is not None]
    everywhere = (
        answer.get("global") is True or response.header("X-RateLimit-Scope") == "global" or not answer
    )
    return rate_limited(max(waits, default=None), host=everywhere, pace=pace)


def _complaint(answer: dict[str, Any]) -> str:
    """Return Discord's error message and code, and nothing else, as the answer could repeat the address."""
    message, code = answer.get("message"), answer.get("code")
    words = [message] if isinstance(message, str) and _PHRASE.fullmatch(message) else []
    if isinstance(code, int) and 0 < code < 10**7:
        words.append(f"(Discord's error {code})")
    faults = list(_faults(answer.get("errors"), depth=6))
    return " ".join(words) + (f"; {', '.join(faults[:3])}" if faults else "")


def _faults(errors: object, *, depth: int, path: str = "") -> Iterator[str]:
    """Yield each refused field with its error: https://docs.discord.com/developers/reference#error-messages"""
    for name, inside in errors.items() if isinstance(errors, dict) and depth else ():
        if name == "_errors" and isinstance(inside, list):
            codes = (str(error.get("code")) for error in inside if isinstance(error, dict))
            yield from (f"{path or 'body'}: {code}" for code in codes if _CODE.fullmatch(code))
        elif _FIELD.fullmatch(name):
            yield from _faults(inside, depth=depth - 1, path=f"{path}.{name}" if path else name)
