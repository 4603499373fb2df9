"""The values of a channel's policy: when and how it gets posts, what waits, and what it has already got."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from articles.article import Article
from bot.outbox.records import Delivery
from bot.planning.budget import Budget
from bot.planning.digest import DigestSchedule
from bot.planning.windows import QuietHours
from bot.services.message import Mention


@dataclass(frozen=True, slots=True, kw_only=True)
class UrgentRule:
    """Articles of this quality or more are posted at once, each in a message of its own.

    These posts notify `mention`, nobody if it is None.
    """

    min_quality: int
    mention: Mention | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MentionRule:
    """Posts notify `mention` when one of their articles has one of `topics` (slugs) and this quality.

    None for either means any.
    """

    mention: Mention
    topics: frozenset[str] | None = None
    min_quality: int | None = None

    def fits(self, candidate: Candidate) -> bool:
        """Return whether the rule applies to the article."""
        if self.min_quality is not None and (candidate.quality or 0) < self.min_quality:
            return False
        return self.topics is None or not self.topics.isdisjoint(candidate.slugs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How a channel gets its posts; by default each article is posted at once, oldest first.

    Articles whose titles have a likeness of `similar` or more cover the same story, and only the best of them
    is posted. `capacity` is how many articles one message of the service can hold. Of `mentions`, the first
    that applies to a post is used.
    """

    quiet: QuietHours | None = None
    budget: Budget | None = None
    digest: DigestSchedule | None = None
    urgent: UrgentRule | None = None
    mentions: tuple[MentionRule, ...] = ()
    similar: float | None = None
    capacity: int = 1

    @property
    def is_plain(self) -> bool:
        """Whether each article is posted at once, whatever it is and whatever the time."""
        chooses = self.quiet or self.budget or self.digest or self.urgent or self.mentions
        return not chooses and self.similar is None

    def mention_of(self, candidates: Sequence[Candidate], *, urgent: bool = False) -> Mention | None:
        """Return whom a post about these articles notifies; None: nobody."""
        if urgent and self.urgent and self.urgent.mention:
            return self.urgent.mention
        fitting = (rule.mention for rule in self.mentions if any(map(rule.fits, candidates)))
        return next(fitting, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A delivery that waits for its post, with the properties of its article that a policy depends on.

    `expires_at` is when the article becomes too old to be posted, None if it never does.
    """

    delivery: Delivery
    quality: int | None = None
    published_at: datetime
    slugs: frozenset[str] = frozenset()
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What a channel has already got, as its policy counts it.

    `allowance` is how many posts may be released until the next tick. `posted_at` are the times of the posts
    that people have seen, or may have seen, in the budget's period; `under_way` counts the released posts
    that nobody can have seen yet. `digest_at` is the time of the digest that was decided last, None before
    the first. If `is_current` is False, there may be new articles that are not planned yet, and the policy
    does not choose among articles.
    """

    allowance: int
    posted_at: tuple[datetime, ...] = ()
    under_way: int = 0
    digest_at: datetime | None = None
    is_current: bool = True


def candidate_of(delivery: Delivery, article: Article | None, max_age: timedelta | None) -> Candidate:
    """Return the candidate for a waiting delivery; without an article, from what the outbox has recorded."""
    if article is None:
        return Candidate(delivery=delivery, quality=delivery.quality, published_at=delivery.published_at)
    ends = [article.due_at + max_age if max_age is not None else None, article.expires_at]
    return Candidate(
        delivery=delivery,
        quality=article.quality,
        published_at=article.due_at,
        slugs=frozenset(article.slugs),
        expires_at=None if delivery.forced else min((time for time in ends if time), default=None),
    )
