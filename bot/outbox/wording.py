"""The texts about the state of channels and of the bot, for commands, pages, logs and alerts.

The texts of the causes of deliveries and posts are in `bot.outbox.causes`. Pure.
"""

from __future__ import annotations

from datetime import datetime

from bot.outbox.channelstate import ChannelState, ChannelStatus
from bot.outbox.lease import TERM, LeaseHolder
from text.phrases import TimeText, counted_phrase, phrase

ENABLED = phrase("enabled")
NO_BOT = phrase("no bot is running")


def channel_status(state: ChannelState | None, now: datetime, *, is_set_up: bool = True) -> str:
    """Return whether a channel may be posted to, and if not, why.

    A channel that is not set up lacks a secret, or has a secret or template that cannot be used.
    """
    if not is_set_up:
        return phrase("not set up to post")
    if state is None or state.baselined_at is None:
        return phrase("not started yet")
    if state.state is not ChannelStatus.ENABLED:
        return phrase(
            "%(state)s since %(time)s: %(reason)s",
            state=state.state,
            time=time_text(state.changed_at),
            reason=state.reason,
        )
    if state.paused_until and state.paused_until > now:
        return phrase("backing off until %(time)s", time=time_text(state.paused_until))
    return ENABLED


def posting(holder: LeaseHolder, now: datetime) -> str:
    """Return which process posts."""
    if holder.name is None or holder.expires_at is None:
        return NO_BOT
    if holder.expires_at <= now:
        return phrase(
            "no bot is running: the last one has not been heard of since %(time)s",
            time=time_text(holder.expires_at - TERM),
        )
    return phrase(
        "the bot that posts: %(name)s, until %(time)s", name=holder.name, time=time_text(holder.expires_at)
    )


def disabled(name: str, reason: str, waiting: int | None = None) -> str:
    """Return that a channel is disabled, why, and how many deliveries wait for it."""
    waiting_text = "" if waiting is None else f", and {waits(waiting)} for it"
    return f"{name} is disabled{waiting_text}: {reason}"


def orphaned(name: str, waiting: int) -> str:
    """Return that a channel is no longer in the settings, and what can be done about its deliveries."""
    return phrase(
        "%(name)s is no longer in the settings, and %(deliveries)s for it: `was: %(name)s` in the settings of"
        " its new name carries them over, `flask bot forget %(name)s` ends them",
        name=name,
        deliveries=waits(waiting),
    )


def waits(count: int) -> str:
    """Return how many deliveries wait."""
    return counted_phrase("%(num)s delivery waits", "%(num)s deliveries wait", count)


def attempts(count: int) -> str:
    """Return how many attempts there were."""
    return counted_phrase("%(num)s attempt", "%(num)s attempts", count)


def time_text(value: datetime) -> TimeText:
    """Return a time in UTC for people, such as "2026-11-20 13:15:00Z"."""
    return TimeText.of(value, f"{value:%Y-%m-%d %H:%M:%S}Z")
