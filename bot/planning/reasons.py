"""The reasons why an article is posted to a channel or is not, with the texts of the outbox's causes."""

from __future__ import annotations

from enum import StrEnum

from bot.outbox.causes import Cause, describe


class Reason(StrEnum):
    """Why an article is posted to a channel or is not: the first of these, in this order, that applies.

    The values are the texts of the causes that the outbox stores.
    """

    DELIVERED = "already delivered"
    QUEUED = "already in the outbox"
    GIVEN_UP = "given up"
    BASELINED = describe(Cause.ARCHIVE)
    SAME_STORY = describe(Cause.SAME_STORY)
    UNPUBLISHED = describe(Cause.UNPUBLISHED)
    FUTURE = describe(Cause.FUTURE)
    PAST_EXPIRY = describe(Cause.PAST_EXPIRY)
    TOPIC = describe(Cause.TOPIC)
    TYPE = describe(Cause.TYPE)
    PROVIDER = describe(Cause.PROVIDER)
    AUTHOR = describe(Cause.AUTHOR)
    LANGUAGE = describe(Cause.LANGUAGE)
    KEYWORD = describe(Cause.KEYWORD)
    NO_QUALITY = describe(Cause.NO_QUALITY)
    BELOW_QUALITY = describe(Cause.BELOW_QUALITY)
    TOO_OLD = describe(Cause.TOO_OLD)
    ELIGIBLE = "eligible"


CAUSES = {
    Reason.SAME_STORY: Cause.SAME_STORY,
    Reason.UNPUBLISHED: Cause.UNPUBLISHED,
    Reason.FUTURE: Cause.FUTURE,
    Reason.PAST_EXPIRY: Cause.PAST_EXPIRY,
    Reason.TOPIC: Cause.TOPIC,
    Reason.TYPE: Cause.TYPE,
    Reason.PROVIDER: Cause.PROVIDER,
    Reason.AUTHOR: Cause.AUTHOR,
    Reason.LANGUAGE: Cause.LANGUAGE,
    Reason.KEYWORD: Cause.KEYWORD,
    Reason.NO_QUALITY: Cause.NO_QUALITY,
    Reason.BELOW_QUALITY: Cause.BELOW_QUALITY,
    Reason.TOO_OLD: Cause.TOO_OLD,
}
"""The cause that the outbox stores for each reason not to post."""
