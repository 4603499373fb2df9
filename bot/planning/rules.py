"""Decides which article goes to which channel, and why. Pure.

This module does not know the outbox, the services or the clock; what happened before is a parameter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from articles.article import Article
from articles.topics import Topics, slugify
from bot.outbox.causes import BELOW, COVERED, Cause, describe
from bot.outbox.states import OnUnknown, State
from bot.planning.filters import LanguageFilter, TextFilter, WordFilter
from bot.planning.policy import Policy
from bot.planning.reasons import Reason
from bot.services import Destination
from bot.services.layout import Layout
from text.phrases import TimeText, explained, phrase


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """One configured destination.

    `topics` and `not_topics` are slugs; `topics` is None for all. `destination` is None while a secret is
    missing: such a channel is neither planned nor posted to. `max_per_tick` counts posts. `was` is an earlier
    name. With `review`, each post waits for an operator before it is sent. `policy` decides when and how
    articles are posted, `layout` what a message shows, `thread` which posts are replies, and `language` is
    that of the bot's own words. With a `taxonomy`, an article's topics are derived from it, and its own
    `slugs` are not used.
    """

    name: str
    kind: str
    backfill: int
    max_per_tick: int
    on_unknown: OnUnknown
    was: str | None = None
    destination: Destination | None = None
    topics: frozenset[str] | None = None
    not_topics: frozenset[str] = frozenset()
    min_quality: int | None = None
    types: WordFilter = field(default_factory=WordFilter)
    providers: WordFilter = field(default_factory=WordFilter)
    authors: WordFilter = field(default_factory=WordFilter)
    languages: LanguageFilter = field(default_factory=LanguageFilter)
    keywords: TextFilter = field(default_factory=TextFilter)
    max_age: timedelta | None = None
    review: bool = False
    policy: Policy = field(default_factory=Policy)
    layout: Layout = field(default_factory=Layout)
    thread: Literal["none", "topic", "story", "digest"] = "none"
    language: str = "en"
    taxonomy: Topics | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether to post, and the reason; `text` is the reason with its details, for people."""

    deliver: bool
    reason: Reason
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PastDelivery:
    """What the outbox has recorded about one article in one channel.

    `state`, `cause` and `note` are those of its delivery; without one, `state` is None. `covered_by` is the
    id of another article that has covered the same story there.
    """

    state: State | None = None
    cause: Cause = Cause.NONE
    note: str = ""
    covered_by: str | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """One rule's verdict in an explanation."""

    rule: str
    passed: bool
    text: str


_Rule = Callable[[Article, Channel, datetime], str | None]

NOTHING = PastDelivery()
_NONE = phrase("none")

_YES = Decision(True, Reason.ELIGIBLE, Reason.ELIGIBLE)


def decide(article: Article, channel: Channel, now: datetime, past: PastDelivery = NOTHING) -> Decision:
    """Return whether `article` is to be posted to `channel` at `now`, and the reason.

    There is a decision for every article and channel. The rules are checked in the order of Reason.
    """
    if past is not NOTHING and (remembered := _remembered(past)):
        return remembered
    for reason, rule in _RULES:
        text = rule(article, channel, now)
        if text is not None:
            return Decision(False, reason, text)
    return _YES


def explain(
    article: Article, channel: Channel, now: datetime, past: PastDelivery = NOTHING
) -> tuple[Check, ...]:
    """Return the verdict of every rule, in the order in which `decide` checks them."""
    remembered = _remembered(past)
    checks = [
        Check(
            phrase("history"),
            remembered is None,
            remembered.text if remembered else phrase("not in the outbox"),
        )
    ]
    for reason, rule in _RULES:
        text = rule(article, channel, now)
        checks.append(Check(_TITLES[reason], text is None, text or phrase("passed")))
    return tuple(checks)


def is_visible(article: Article, now: datetime) -> bool:
    """Return whether readers may see `article` at `now`."""
    return article.is_visible(now)


def _remembered(past: PastDelivery) -> Decision | None:
    text = describe(past.cause, past.note, past.covered_by)
    if past.state in (State.SENT, State.ACCEPTED):
        return Decision(False, Reason.DELIVERED, Reason.DELIVERED)
    if past.state is State.BASELINED:
        return Decision(False, Reason.BASELINED, text or Reason.BASELINED)
    if past.state in (State.DEAD, State.EXPIRED, State.DROPPED):
        return Decision(False, Reason.GIVEN_UP, explained(Reason.GIVEN_UP, past.state))
    if past.state is State.SKIPPED:
        covered = past.cause in COVERED
        return Decision(False, Reason.SAME_STORY, text) if covered else None
    if past.state is not None:
        return Decision(False, Reason.QUEUED, explained(Reason.QUEUED, past.state))
    if past.covered_by is not None:
        return Decision(False, Reason.SAME_STORY, describe(Cause.SAME_STORY, covered_by=past.covered_by))
    return None


def _time(time: datetime) -> TimeText:
    return TimeText.of(time, f"{time:%Y-%m-%d %H:%M} UTC")


def _published(article: Article, channel: Channel, now: datetime) -> str | None:
    return None if article.is_published else Reason.UNPUBLISHED


def _present(article: Article, channel: Channel, now: datetime) -> str | None:
    if article.due_at > now:
        return explained(Reason.FUTURE, _time(article.due_at))
    if article.expires_at is not None and article.expires_at <= now:
        return explained(Reason.PAST_EXPIRY, _time(article.expires_at))
    return None


def _topic(article: Article, channel: Channel, now: datetime) -> str | None:
    if channel.topics is None and not channel.not_topics:
        return None
    slugs = frozenset(_slugs(article, channel))
    if not slugs.isdisjoint(channel.not_topics):
        return explained(
            Reason.TOPIC,
            phrase("%(topics)s is left out", topics=", ".join(sorted(slugs & channel.not_topics))),
        )
    if channel.topics is None or not channel.topics.isdisjoint(slugs):
        return None
    return explained(Reason.TOPIC, ", ".join(article.topics) or _NONE)


def _slugs(article: Article, channel: Channel) -> Iterable[str]:
    if channel.taxonomy is None:
        return article.slugs
    topics = channel.taxonomy
    return {topic.slug for name in article.topics for topic in topics.lineage(topics.of(name))}


def first_topic(article: Article, channel: Channel) -> str:
    """Return the first topic of an article that the channel follows, or else its first topic; "" for none."""
    followed = (name for name in article.topics if channel.topics and slugify(name) in channel.topics)
    return next(followed, article.topics[0] if article.topics else "")


def _type(article: Article, channel: Channel, now: datetime) -> str | None:
    if not channel.types or channel.types.admits((article.type,)):
        return None
    return explained(Reason.TYPE, article.type or _NONE)


def _provider(article: Article, channel: Channel, now: datetime) -> str | None:
    if not channel.providers:
        return None
    names = (article.provider.name, article.provider.domain) if article.provider else ()
    return (
        None
        if channel.providers.admits(names)
        else explained(Reason.PROVIDER, next(iter(names), None) or _NONE)
    )


def _author(article: Article, channel: Channel, now: datetime) -> str | None:
    if not channel.authors or channel.authors.admits(article.authors):
        return None
    return explained(Reason.AUTHOR, ", ".join(article.authors) or _NONE)


def _language(article: Article, channel: Channel, now: datetime) -> str | None:
    if not channel.languages or channel.languages.admits(article.language):
        return None
    return explained(Reason.LANGUAGE, article.language or channel.languages.own)


def _keyword(article: Article, channel: Channel, now: datetime) -> str | None:
    if not channel.keywords:
        return None
    refusal = channel.keywords.refusal(f"{article.title}\n{article.summary}")
    return explained(Reason.KEYWORD, refusal) if refusal else None


def _quality(article: Article, channel: Channel, now: datetime) -> str | None:
    return Reason.NO_QUALITY if channel.min_quality is not None and article.quality is None else None


def _good_enough(article: Article, channel: Channel, now: datetime) -> str | None:
    if channel.min_quality is None or article.quality is None or article.quality >= channel.min_quality:
        return None
    return phrase(BELOW, least=channel.min_quality, quality=article.quality)


def _fresh(article: Article, channel: Channel, now: datetime) -> str | None:
    if channel.max_age is None or now - article.due_at <= channel.max_age:
        return None
    return explained(Reason.TOO_OLD, phrase("published %(time)s", time=_time(article.due_at)))


_RULES: tuple[tuple[Reason, _Rule], ...] = (
    (Reason.UNPUBLISHED, _published),
    (Reason.FUTURE, _present),
    (Reason.TOPIC, _topic),
    (Reason.TYPE, _type),
    (Reason.PROVIDER, _provider),
    (Reason.AUTHOR, _author),
    (Reason.LANGUAGE, _language),
    (Reason.KEYWORD, _keyword),
    (Reason.NO_QUALITY, _quality),
    (Reason.BELOW_QUALITY, _good_enough),
    (Reason.TOO_OLD, _fresh),
)
_TITLES = {
    Reason.UNPUBLISHED: phrase("published"),
    Reason.FUTURE: phrase("publication date"),
    Reason.TOPIC: phrase("topics"),
    Reason.TYPE: phrase("types"),
    Reason.PROVIDER: phrase("providers"),
    Reason.AUTHOR: phrase("authors"),
    Reason.LANGUAGE: phrase("languages"),
    Reason.KEYWORD: phrase("keywords"),
    Reason.NO_QUALITY: phrase("quality"),
    Reason.BELOW_QUALITY: "min_quality",
    Reason.TOO_OLD: "max_age",
}
