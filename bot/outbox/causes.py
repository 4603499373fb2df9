"""The causes of the states of deliveries and posts: an enum for code, and texts for people."""

from __future__ import annotations

import re
from enum import StrEnum

from text.phrases import explained, phrase


class Cause(StrEnum):
    """The cause of a state. The values are stored; `describe` returns the text for people."""

    NONE = ""
    # Decisions about the article, when it was found or when its message was to be sent.
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
    # Orders by an operator.
    REPLAYED = "replayed"
    SKIPPED_BY_OPERATOR = "skipped_by_operator"
    RESOLVED_POSTED = "resolved_posted"
    RESOLVED_NOT_POSTED = "resolved_not_posted"
    FORGOTTEN = "forgotten"
    # Before the first request.
    REVIEW = "review"
    # The article became too old while the channel's policy made it wait.
    QUIET_HOURS = "quiet_hours"
    BUDGET = "budget"
    DIGEST = "digest"
    # Results of a request.
    UNSENT = "unsent"
    RATE_LIMITED = "rate_limited"
    DENIED = "denied"
    REFUSED = "refused"
    ANSWER_LOST = "answer_lost"
    CHANNEL_DISABLED = "channel_disabled"
    CANNOT_COMPOSE = "cannot_compose"
    NOTHING_LEFT = "nothing_left"


COVERED = frozenset({Cause.SAME_STORY, Cause.SIMILAR})
"""Causes of a delivery that is not posted because another article, its `covered_by`, covers the story."""

LOST = frozenset({Cause.ANSWER_LOST})
"""Causes for which only the channel itself shows whether people see the message."""

_WORDS = {
    Cause.NONE: "",
    Cause.ARCHIVE: phrase("baselined"),
    Cause.RULES_CHANGED: phrase("rules changed"),
    Cause.SAME_STORY: phrase("same story already posted"),
    Cause.SIMILAR: phrase("same story as"),
    Cause.DELETED: phrase("deleted"),
    Cause.UNPUBLISHED: phrase("unpublished"),
    Cause.FUTURE: phrase("future"),
    Cause.PAST_EXPIRY: phrase("past its expiry date"),
    Cause.TOPIC: phrase("topic not followed"),
    Cause.TYPE: phrase("type does not match"),
    Cause.PROVIDER: phrase("provider does not match"),
    Cause.AUTHOR: phrase("author does not match"),
    Cause.LANGUAGE: phrase("language does not match"),
    Cause.KEYWORD: phrase("keywords do not match"),
    Cause.NO_QUALITY: phrase("no quality"),
    Cause.BELOW_QUALITY: phrase("below quality"),
    Cause.TOO_OLD: phrase("too old"),
    Cause.REPLAYED: phrase("replayed by the operator"),
    Cause.SKIPPED_BY_OPERATOR: phrase("skipped by the operator"),
    Cause.RESOLVED_POSTED: phrase("resolved by the operator: posted"),
    Cause.RESOLVED_NOT_POSTED: phrase("resolved by the operator: not posted"),
    Cause.FORGOTTEN: phrase("the channel was forgotten by the operator"),
    Cause.REVIEW: phrase("waits for review"),
    Cause.QUIET_HOURS: phrase("too old when the quiet hours ended"),
    Cause.BUDGET: phrase("too old before the budget had room for it"),
    Cause.DIGEST: phrase("too old before there was a digest with it"),
    Cause.UNSENT: phrase("not sent"),
    Cause.RATE_LIMITED: phrase("rate limited"),
    Cause.DENIED: phrase("denied"),
    Cause.REFUSED: phrase("refused"),
    Cause.ANSWER_LOST: phrase("answer lost"),
    Cause.CHANNEL_DISABLED: phrase("channel disabled"),
    Cause.CANNOT_COMPOSE: phrase("no message could be composed from it"),
    Cause.NOTHING_LEFT: phrase("its articles are no longer to be posted"),
}

BELOW = phrase("below quality %(least)s: %(quality)s")
_BELOW = re.compile(r"below quality (-?\d+): (-?\d+)")

_WITHOUT_NOTE = frozenset({Cause.CHANNEL_DISABLED, Cause.NONE})
_WITH_NOTE = frozenset({Cause.ANSWER_LOST, Cause.CANNOT_COMPOSE})
"""Causes whose note is appended to the text; any other cause's note replaces the text."""


def describe(cause: Cause, note: str = "", covered_by: str | None = None) -> str:
    """Return the text of a cause for people; "" for a cause without one.

    `note` has the details: the text of a rule's decision, or a service's answer to a request. `covered_by` is
    the id of the article that covered the same story.
    """
    words = _WORDS[cause]
    if covered_by is not None:
        is_similar = cause is Cause.SIMILAR
        return phrase("same story as %(id)s", id=covered_by) if is_similar else explained(words, covered_by)
    if not note or cause in _WITHOUT_NOTE:
        return words or note
    if cause in _WITH_NOTE:
        return explained(words, note)
    # The text of a rule's decision is the text of the cause, with details after it.
    if cause is Cause.BELOW_QUALITY and (match := _BELOW.fullmatch(note)):
        return phrase(BELOW, least=match[1], quality=match[2])
    detail = note.removeprefix(f"{words}: ")
    return explained(words, detail) if detail != note else note
