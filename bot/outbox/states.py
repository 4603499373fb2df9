"""The states of a delivery, and which of them still lead to a post.

    (no row) ──plan──> planned ──claim──> claimed ──2xx──────────────────> sent ──> corrected in place
       │                  ▲                  ├──not sent, 429, degraded──> retry ───┐
       │                  │                  ├──answer lost──────────────> unknown ─┤ claim, when due
       │                  └──────────────────┼──────────────────────────────────────┘
       │                                     ├──answer lost, on_unknown: hold────> held
       │                                     ├──answer lost, on_unknown: skip────> dead
       │                                     ├──channel disabled─────────────────> held ──resume──> planned
       │                                     └──schedule spent, plain text refused─> dead
       │               planned, retry, unknown ──older than max_age──────────────> expired
       │               planned, retry, unknown ──no longer eligible──────────────> skipped ──again───> planned
       ├──another article told this story──> skipped
       └──was there before the channel or its new rules──> baselined

An operator's `replay` leads from any state without a post in flight to planned, `resolve` from unknown, held
or dead to sent or planned, and `skip` from what waits or is held to baselined. Every change is a
compare-and-set on what its author last saw.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

OnUnknown = Literal["retry", "hold", "skip"]
"""What follows when the answer to a request was lost."""


class State(StrEnum):
    """Where a delivery stands."""

    PLANNED = "planned"
    CLAIMED = "claimed"
    SENT = "sent"
    RETRY = "retry"
    UNKNOWN = "unknown"
    HELD = "held"
    DEAD = "dead"
    EXPIRED = "expired"
    SKIPPED = "skipped"
    BASELINED = "baselined"


WAITING = frozenset({State.PLANNED, State.RETRY, State.UNKNOWN})
"""States that a sender may claim once `due_at` has come; in every other state `due_at` is null."""

RESOLVABLE = frozenset({State.UNKNOWN, State.HELD, State.DEAD})
"""States in which only a person can know whether the post was shown."""

STORY_TOLD = frozenset(
    {
        State.PLANNED,
        State.CLAIMED,
        State.SENT,
        State.RETRY,
        State.UNKNOWN,
        State.HELD,
        State.BASELINED,
    }
)
"""States whose story another article does not tell again in that channel.

Baselined ones count: renaming the files of an archive gives every article a new identity and the same URL.
"""

CHANNEL_DISABLED = "channel disabled"
"""The reason of deliveries that are held until their channel is resumed."""

RULES_CHANGED = "rules changed"
"""The reason of deliveries baselined because only a change of the channel's rules made them eligible."""
