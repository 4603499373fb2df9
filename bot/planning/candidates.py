"""What waits in a channel → what its policy may choose among, and what is no longer to be posted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from articles.article import Article
from bot.outbox.records import Delivery
from bot.planning.catalog import Catalog
from bot.planning.policy import Candidate, candidate_of
from bot.planning.presence import missing
from bot.planning.rules import Channel, Decision, Reason, decide, is_visible


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A waiting delivery that is no longer to be posted, and why; `article` is None where it is gone."""

    delivery: Delivery
    article: Article | None
    decision: Decision


def sorted_out(
    waiting: Sequence[Delivery], channel: Channel, catalog: Catalog, now: datetime
) -> tuple[list[Candidate], list[Ended]]:
    """Return which deliveries may be posted at `now`, and which no longer.

    Those whose article this catalog does not have yet are neither.
    """
    articles = catalog.get_many([each.article_id for each in waiting])
    absent = any(each.article_id not in articles for each in waiting)
    is_gone = missing(catalog, now) if absent else None
    found, ended = [], []
    for each in waiting:
        article = articles.get(each.article_id)
        decision = still(article, channel, each, now)
        if article is not None and decision.deliver:
            found.append(candidate_of(each, article, channel.max_age))
        elif article is not None or (is_gone and is_gone(each)):
            ended.append(Ended(delivery=each, article=article, decision=decision))
    return found, ended


def still(article: Article | None, channel: Channel, delivery: Delivery, now: datetime) -> Decision:
    """Decide again, as the article or the rules may have changed while the delivery waited."""
    if article is None:
        return Decision(False, Reason.UNPUBLISHED, "deleted")
    if delivery.forced and is_visible(article, now):
        return Decision(True, Reason.ELIGIBLE, "replayed by the operator")
    return decide(article, channel, now)
