"""Prepares the request for a due post, or ends the post without a request.

It decides again about each article of the post, as articles or rules may have changed while it waited. It
sends nothing.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from articles.article import Article
from bot.outbox.causes import Cause
from bot.outbox.queue import Outbox
from bot.outbox.records import SCHEDULED, Delivery, Post, PostKind, RequestKind, kind_of
from bot.outbox.states import DeliveryState
from bot.planning.candidates import coverage_of, decide_again
from bot.planning.catalog import Catalog
from bot.planning.composing import compose_message
from bot.planning.moved import is_uncertain
from bot.planning.presence import missing
from bot.planning.reasons import CAUSES, Reason
from bot.planning.rules import Channel, Decision, is_visible
from bot.sending.threading import NO_PLACE, ThreadPlace, place_of
from bot.services import Destination, Request, RequestContext, Service
from bot.services.layout import message_for
from bot.services.message import Message, compose_alert

RECHECK_AFTER = timedelta(minutes=1)
"""How long a post is postponed for an article that this catalog does not have yet, or that may have moved."""

log = logging.getLogger("bot.sending.prepare")


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedRequest:
    """A request that is ready to be made for a post; `message` is None for a test.

    `thread` is the id of the message that it replies to, None if it is not a reply.
    """

    post: Post
    kind: RequestKind
    message: Message | None
    request: Request
    thread: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Preparer:
    """Prepares the requests of one channel's posts; `site` and `site_url` are the site's name and address."""

    channel: Channel
    destination: Destination
    service: Service
    outbox: Outbox
    catalog: Catalog
    site: str
    site_url: str
    clock: Callable[[], datetime]

    def prepare(self, post: Post, articles: Mapping[str, Article]) -> PreparedRequest | None:
        """Return the request, or None after settling the post; `articles` are those that exist."""
        kind = kind_of(post)
        try:
            if kind is RequestKind.TEST:
                context = context_of(post, self.clock())
                request = self.service.test(self.destination, self.site, context)
                return PreparedRequest(post=post, kind=kind, message=None, request=request)
            return (
                self._post(post, articles) if kind is RequestKind.POST else self._correction(post, articles)
            )
        except (ValueError, TypeError, LookupError, AttributeError) as error:
            # A post that cannot be composed must not block the posts after it.
            log.exception("cannot compose post=%d channel=%s", post.id, post.channel)
            if kind is RequestKind.CORRECT:
                self.outbox.drop_correction(post)
            else:
                self.outbox.fail(post, Cause.CANNOT_COMPOSE, type(error).__name__, self.clock())
            return None

    def _post(self, post: Post, articles: Mapping[str, Article]) -> PreparedRequest | None:
        now = self.clock()
        if post.kind is PostKind.ALERT:
            text = post.body or ""
            alert = compose_alert(text, post.created_at, site=self.site, site_url=self.site_url)
            return self._request(post, alert, now)
        if until := self._quiet_until(post, now):
            self.outbox.postpone(post, until)
            return None
        removals: list[tuple[Delivery, DeliveryState, Cause, str]] = []
        present: list[Article] = []
        absent = [delivery for delivery in post.remaining if delivery.article_id not in articles]
        is_gone = missing(self.catalog, now) if absent else None
        for delivery in post.remaining:
            article = articles.get(delivery.article_id)
            if self._is_undecided(delivery, article, is_gone):
                self.outbox.postpone(post, now + RECHECK_AFTER)
                return None
            decision = decide_again(article, self.channel, delivery, now)
            if article is not None and decision.deliver:
                present.append(article)
            else:
                removals.append((delivery, *end_of(article, decision)))
        if removals and not self._give_up(post, removals, now):
            return None
        if not present:
            return None
        place = place_of(post, present, self.channel, self.outbox.database, self.catalog, now)
        return self._request(post, self._compose(post, present), now, place)

    def _is_undecided(
        self, delivery: Delivery, article: Article | None, is_gone: Callable[[Delivery], bool] | None
    ) -> bool:
        """Return whether it is not known yet which article the delivery is about, or whether there is one."""
        if article is None:
            return is_gone is not None and not is_gone(delivery)
        return not delivery.forced and is_uncertain(self.outbox.database, self.catalog, delivery, article)

    def _quiet_until(self, post: Post, now: datetime) -> datetime | None:
        """Return when quiet hours end that forbid an attempt now, or None.

        Posts that an operator has replayed or scheduled, and urgent ones, are sent in quiet hours too.
        """
        quiet = self.channel.policy.quiet
        if quiet is None or post.kind is PostKind.URGENT or post.verdict == SCHEDULED:
            return None
        ordered = all(delivery.forced for delivery in post.remaining)
        return quiet.ends_at(now) if quiet.covers(now) and not ordered else None

    def _request(
        self, post: Post, message: Message, now: datetime, place: ThreadPlace = NO_PLACE
    ) -> PreparedRequest:
        context = RequestContext(
            key=_key_of(post),
            at=now,
            parent=place.parent,
            thread_name=place.name,
            may_begin_thread=self.channel.thread != "none",
        )
        request = self.service.post(self.destination, self._laid_out(message), post.form, context)
        return PreparedRequest(
            post=post, kind=RequestKind.POST, message=message, request=request, thread=place.parent
        )

    def _give_up(
        self, post: Post, removals: list[tuple[Delivery, DeliveryState, Cause, str]], now: datetime
    ) -> bool:
        """End deliveries whose article is no longer to be posted; another about the story may replace it."""
        if not self.outbox.settle(post, removals, now):
            return False
        for delivery, state, _, note in removals:
            log.warning("%s channel=%s article=%s: %s", state, post.channel, delivery.article_id, note)
            revive_next(self.outbox, delivery, now)
        return True

    def _correction(self, post: Post, articles: Mapping[str, Article]) -> PreparedRequest | None:
        """Return the request that updates the message to the current articles; None if it is up to date."""
        now = self.clock()
        pairs = [(delivery, self._present(delivery, articles, now)) for delivery in post.remaining]
        absent = [each for each, article in pairs if article is None]
        is_gone = missing(self.catalog, now) if absent else None
        if is_gone is not None and not all(map(is_gone, absent)):
            self.outbox.postpone(post, now + RECHECK_AFTER)
            return None
        message = self._corrected(post, [article or _remembered(each) for each, article in pairs], now)
        request = None
        was_withdrawn = message.retracted and post.retracted
        if not was_withdrawn and post.message_id and message.fingerprint() != post.fingerprint:
            context = context_of(post, now, message)
            laid_out = self._laid_out(message)
            request = self.service.correct(self.destination, post.message_id, laid_out, post.form, context)
        if request is None:
            self.outbox.drop_correction(post)
            return None
        return PreparedRequest(post=post, kind=RequestKind.CORRECT, message=message, request=request)

    def _present(self, delivery: Delivery, articles: Mapping[str, Article], now: datetime) -> Article | None:
        """Return the delivery's article, or if it is not visible, another one that covers its story."""
        article = articles.get(delivery.article_id)
        if article is None or not article.has_appeared(now):
            return self._successor(delivery, now) or article
        return article

    def _corrected(self, post: Post, articles: Sequence[Article], now: datetime) -> Message:
        return self._compose(
            post, articles, {article.id for article in articles if not article.has_appeared(now)}
        )

    def _laid_out(self, message: Message) -> Message:
        return message_for(message, self.channel.layout, self.service)

    def _compose(self, post: Post, articles: Sequence[Article], retracted: Collection[str] = ()) -> Message:
        return compose_message(
            post,
            self.channel,
            articles,
            site=self.site,
            site_url=self.site_url,
            retracted=retracted,
            coverage=coverage_of(self.outbox.database, self.channel, self.catalog, articles),
        )

    def _successor(self, delivery: Delivery, now: datetime) -> Article | None:
        """Return the article that covers the story now, or None: a renamed file has another identity."""
        ids = [other.article_id for other in _same_story(self.outbox, delivery)]
        articles = self.catalog.get_many(ids) if ids else {}
        return next((article for article in articles.values() if is_visible(article, now)), None)


def revive_next(outbox: Outbox, delivery: Delivery, now: datetime) -> None:
    """Set the first delivery to waiting that was left out because this delivery covered the same story."""
    for other in _same_story(outbox, delivery):
        if outbox.revive(other, now):
            break


def _same_story(outbox: Outbox, delivery: Delivery) -> list[Delivery]:
    return outbox.same_story(delivery)


def context_of(post: Post, now: datetime, correction: Message | None = None) -> RequestContext:
    """Return the context of a request for a post, or with `correction` for its correction.

    A correction has a key of its own, derived from the new message and the time of the last change: it is the
    same in all attempts, and differs for each correction, even for one that reverts the last.
    """
    key = _key_of(post)
    if correction is not None:
        last = post.corrected_at.isoformat() if post.corrected_at else ""
        identity = f"{key} {last} {correction.fingerprint()}"
        key = hashlib.blake2b(identity.encode(), digest_size=12).hexdigest()
    return RequestContext(key=key, at=now, parent=post.thread)


def _key_of(post: Post) -> str:
    return post.key or f"post-{post.id}"


def end_of(article: Article | None, decision: Decision) -> tuple[DeliveryState, Cause, str]:
    """Return the final state of a delivery that is no longer to be posted, with its cause and note."""
    state = DeliveryState.EXPIRED if decision.reason is Reason.TOO_OLD else DeliveryState.SKIPPED
    cause = Cause.DELETED if article is None else CAUSES[decision.reason]
    return state, cause, decision.text


def _remembered(delivery: Delivery) -> Article:
    """Return a deleted article from what the outbox has recorded about it; it is not published."""
    return Article(
        id=delivery.article_id,
        path="",
        title=delivery.title,
        published_at=delivery.published_at,
        updated_at=delivery.published_at,
        is_published=False,
    )
