"""Why a delivery or a post is in its state: an enum that code compares, and its words for people."""

from __future__ import annotations

from enum import StrEnum


class Cause(StrEnum):
    """The reason of a state. The values are stored; the words for people come from `describe`."""

    NONE = ""
    # Decided about the article, when it was found or when its turn came.
    ARCHIVE = "archive"
    RULES_CHANGED = "rules_changed"
    SAME_STORY = "same_story"
    SIMILAR = "similar"
    DELETED = "deleted"
    UNPUBLISHED = "unpublished"
    FUTURE = "future"
    PAST_EXPIRY = "past_expiry"
    TOPIC = "topic"
    TYPE = "type"
    PROVIDER = "provider"
    AUTHOR = "author"
    LANGUAGE = "language"
    KEYWORD = "keyword"
    NO_QUALITY = "no_quality"
    BELOW_QUALITY = "below_quality"
    TOO_OLD = "too_old"
    # Ordered by an operator.
    REPLAYED = "replayed"
    SKIPPED_BY_OPERATOR = "skipped_by_operator"
    RESOLVED_POSTED = "resolved_posted"
    RESOLVED_NOT_POSTED = "resolved_not_posted"
    FORGOTTEN = "forgotten"
    # Before the first request.
    REVIEW = "review"
    # Became too old while the channel's policy held it back.
    QUIET_HOURS = "quiet_hours"
    BUDGET = "budget"
    DIGEST = "digest"
    # What came of a request.
    UNSENT = "unsent"
    RATE_LIMITED = "rate_limited"
    DENIED = "denied"
    REFUSED = "refused"
    ANSWER_LOST = "answer_lost"
    CHANNEL_DISABLED = "channel_disabled"
    CANNOT_COMPOSE = "cannot_compose"
    NOTHING_LEFT = "nothing_left"


COVERED = frozenset({Cause.SAME_STORY, Cause.SIMILAR})
"""Causes of a delivery that is not posted because another article covers the story, named by `told_by`."""

LOST = frozenset({Cause.ANSWER_LOST})
"""Causes that leave open whether people see the message: only the channel itself shows whether they do."""

_WORDS = {
    Cause.NONE: "",
    Cause.ARCHIVE: "baselined",
    Cause.RULES_CHANGED: "rules changed",
    Cause.SAME_STORY: "same story already posted",
    Cause.SIMILAR: "same story as",
    Cause.DELETED: "deleted",
    Cause.UNPUBLISHED: "unpublished",
    Cause.FUTURE: "future",
    Cause.PAST_EXPIRY: "past its expiry date",
    Cause.TOPIC: "topic not followed",
    Cause.TYPE: "type does not match",
    Cause.PROVIDER: "provider does not match",
    Cause.AUTHOR: "author does not match",
    Cause.LANGUAGE: "language does not match",
    Cause.KEYWORD: "keywords do not match",
    Cause.NO_QUALITY: "no quality",
    Cause.BELOW_QUALITY: "below quality",
    Cause.TOO_OLD: "too old",
    Cause.REPLAYED: "replayed by the operator",
    Cause.SKIPPED_BY_OPERATOR: "skipped by the operator",
    Cause.RESOLVED_POSTED: "resolved by the operator: posted",
    Cause.RESOLVED_NOT_POSTED: "resolved by the operator: not posted",
    Cause.FORGOTTEN: "the channel was forgotten by the operator",
    Cause.REVIEW: "waits for review",
    Cause.QUIET_HOURS: "too old when the quiet hours ended",
    Cause.BUDGET: "too old before the budget had room for it",
    Cause.DIGEST: "too old before there was a digest with it",
    Cause.UNSENT: "not sent",
    Cause.RATE_LIMITED: "rate limited",
    Cause.DENIED: "denied",
    Cause.REFUSED: "refused",
    Cause.ANSWER_LOST: "answer lost",
    Cause.CHANNEL_DISABLED: "channel disabled",
    Cause.CANNOT_COMPOSE: "no message could be composed from it",
    Cause.NOTHING_LEFT: "its articles are no longer to be posted",
}

_WITHOUT_NOTE = frozenset({Cause.CHANNEL_DISABLED, Cause.NONE})
_WITH_NOTE = frozenset({Cause.ANSWER_LOST, Cause.CANNOT_COMPOSE})
"""Causes whose note is added to the words; every other note, if there is one, replaces them."""


def describe(cause: Cause, note: str = "", told_by: str | None = None) -> str:
    """Return a cause in words for people; "" where there is nothing to say.

    `note` has the particulars: of a rule's decision as that rule states it, of a request what the service
    answered. `told_by` is the article that covered the same story.
    """
    words = _WORDS[cause]
    if told_by is not None:
        return f"{words} {told_by}" if cause is Cause.SIMILAR else f"{words}: {told_by}"
    if not note or cause in _WITHOUT_NOTE:
        return words or note
    return f"{words}: {note}" if cause in _WITH_NOTE else note
