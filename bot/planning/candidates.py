"""Sorts a channel's waiting deliveries: those that may be posted, and those no longer to be posted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from articles.article import Article
from bot.outbox.backlog import read_recent, read_repeats
from bot.outbox.causes import Cause, describe
from bot.outbox.database import Database
from bot.outbox.records import Delivery
from bot.planning.catalog import Catalog
from bot.planning.policy import Candidate, candidate_of
from bot.planning.presence import missing
from bot.planning.reasons import Reason
from bot.planning.rules import Channel, Decision, decide, is_visible
from bot.planning.similar import (
    DEFAULT_LIKENESS,
    MAX_COMPARED,
    SPAN,
    CoveringArticle,
    already_covered,
    covering_article,
    likeness,
    words_of,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedDelivery:
    """A waiting delivery that is no longer to be posted, and why; `article` is None if it no longer exists.

    `covered_by` is the article that covers its story, if that is the reason.
    """

    delivery: Delivery
    article: Article | None
    decision: Decision
    covered_by: CoveringArticle | None = None


def sort_waiting(
    waiting: Sequence[Delivery],
    channel: Channel,
    catalog: Catalog,
    now: datetime,
    posted: Sequence[Delivery] = (),
) -> tuple[list[Candidate], list[EndedDelivery]]:
    """Return the deliveries that may be posted at `now`, and those that are no longer to be posted.

    A delivery whose article this catalog does not have yet is in neither. If the channel leaves similar
    articles out, the waiting deliveries are compared with each other and with those in `posted`.
    """
    articles = catalog.get_many([delivery.article_id for delivery in waiting])
    absent = any(delivery.article_id not in articles for delivery in waiting)
    is_gone = missing(catalog, now) if absent else None
    eligible, ended = [], []
    for each in waiting:
        article = articles.get(each.article_id)
        decision = decide_again(article, channel, each, now)
        if article is not None and decision.deliver:
            eligible.append(candidate_of(each, article, channel.max_age))
        elif article is not None or (is_gone and is_gone(each)):
            ended.append(EndedDelivery(delivery=each, article=article, decision=decision))
    repeats = _repeats(eligible, posted, channel, catalog)
    for candidate in eligible:
        if covering := repeats.get(candidate.delivery.id):
            delivery, text = candidate.delivery, describe(Cause.SIMILAR, covered_by=covering.article_id)
            article, decision = articles[delivery.article_id], Decision(False, Reason.SAME_STORY, text)
            ended.append(
                EndedDelivery(delivery=delivery, article=article, decision=decision, covered_by=covering)
            )
    return [candidate for candidate in eligible if candidate.delivery.id not in repeats], ended


def recently_posted(connection: Connection, channel: Channel, waiting: Sequence[Delivery]) -> list[Delivery]:
    """Return the deliveries whose stories `waiting` may repeat; none if the channel allows repeats."""
    if channel.policy.similar is None or not waiting:
        return []
    since = min(delivery.published_at for delivery in waiting) - SPAN
    return read_recent(connection, channel.name, since, MAX_COMPARED)


def _repeats(
    eligible: Sequence[Candidate], posted: Sequence[Delivery], channel: Channel, catalog: Catalog
) -> dict[int, CoveringArticle]:
    least = channel.policy.similar
    if least is None or not eligible:
        return {}
    articles = catalog.get_many([delivery.article_id for delivery in posted])
    covering = [
        covering_article(candidate_of(delivery, article, None))
        for delivery in posted
        if (article := articles.get(delivery.article_id)) is not None and article.is_published
    ]
    return already_covered(eligible, covering, least)


def covered_elsewhere(database: Database, channel: Channel, catalog: Catalog, article: Article) -> list[str]:
    """Return the ids of the channel's recent articles by other publishers about the same story.

    Titles, topics and dates decide that, as for `similar`. Articles of the same publisher do not count, as
    the titles of a series are similar too.
    """
    least, words = channel.policy.similar or DEFAULT_LIKENESS, words_of(article.title)
    with database.read() as connection:
        recent = read_recent(connection, channel.name, article.due_at - SPAN, MAX_COMPARED)
    alike = [delivery.article_id for delivery in recent if likeness(words, words_of(delivery.title), least)]
    articles = catalog.get_many(alike) if alike else {}
    return [id for id, other in articles.items() if _is_coverage(other, article)]


def _is_coverage(other: Article, article: Article) -> bool:
    """Return whether two articles with similar titles are two publishers' reports of the same days."""
    if not (other.provider and article.provider) or other.provider.name == article.provider.name:
        return False
    is_near = abs(other.due_at - article.due_at) <= SPAN
    return is_near and not set(other.slugs).isdisjoint(article.slugs)


def coverage_of(
    database: Database, channel: Channel, catalog: Catalog, articles: Sequence[Article]
) -> dict[str, list[Article]]:
    """Return, by article id, the articles that were left out because this one covers the same story."""
    if channel.policy.similar is None:
        return {}
    with database.read() as connection:
        deliveries = read_repeats(connection, channel.name, [article.id for article in articles])
    left_out = catalog.get_many([delivery.article_id for delivery in deliveries])
    coverage: dict[str, list[Article]] = {}
    for delivery in deliveries:
        if delivery.covered_by is not None and (other := left_out.get(delivery.article_id)):
            coverage.setdefault(delivery.covered_by, []).append(other)
    return coverage


def decide_again(article: Article | None, channel: Channel, delivery: Delivery, now: datetime) -> Decision:
    """Return the decision about a waiting delivery now: the article or the rules may have changed."""
    if article is None:
        return Decision(False, Reason.UNPUBLISHED, "deleted")
    if delivery.forced and is_visible(article, now):
        return Decision(True, Reason.ELIGIBLE, "replayed by the operator")
    return decide(article, channel, now)
