"""Renders the operator's pages: what the bot does and why, and what it would do with other settings.

This module knows the bot's parts and the templates, but neither HTTP requests nor logins.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from articles.article import Article
from articles.topics import ALL
from bot.operator import outlook, queries, reports
from bot.operator.attention import Need, attention_items
from bot.operator.explaining import Explanation, explanations
from bot.operator.orders import SeenState
from bot.operator.parts import BotParts
from bot.operator.reviewing import unreviewed
from bot.operator.simulations import totals_of
from bot.outbox import channelstate, lease, upgrading, wording
from bot.outbox.records import Delivery
from bot.outbox.states import State
from bot.outbox.tallies import deliveries_by_state
from bot.planning.rules import Channel
from bot.planning.simulation import simulate
from bot.planning.threshold import WEEK, WEEKS, Bar, candidates, threshold
from bot.planning.timeline import timeline
from bot.services import SERVICES, Outcome
from feeds.publisher import Publisher
from pages.admin.channel_view import ChannelView, Outlook
from pages.admin.charts import DayCounts, columns, days, hours, top
from pages.admin.filters import DeliveryFilter
from pages.admin.preview import preview_of, previews
from pages.render import Renderer
from text.phrases import Phrase, counted_phrase, phrase

PER_PAGE = 50
_DAYS = 30
_RECENT = 20
_WAITS = 20
"""Waiting articles of a channel that the first page lists."""

_PLACES = {
    Need.NO_BOT: "#channels-title",
    Need.DISABLED: "#channels-title",
    Need.ANSWER_LOST: "/deliveries?state=unknown&state=held&state=dead",
    Need.REVIEW: "/review",
    Need.GIVEN_UP: "/deliveries?state=dead",
}
"""The page on which the operator does what is needed."""

Parts = Callable[[], BotParts]


class OperatorViews:
    """Renders the operator's pages of one site."""

    def __init__(self, parts: Parts, publisher: Publisher, renderer: Renderer) -> None:
        self._parts = parts
        self._publisher = publisher
        self._renderer = renderer
        self.language = renderer.language
        self._search = publisher.search

    def sentence(self, text: str) -> str:
        """Return the result of an order as a sentence."""
        return self.language.translate(phrase("%(sentence)s.", sentence=self.language.sentence(text)))

    @property
    def parts(self) -> BotParts:
        """The bot's parts. Raises BotError if the database's address is invalid."""
        return self._parts()

    def channel(self, name: str) -> Channel | None:
        """Return the configured channel of this name."""
        return next((channel for channel in self.parts.channels if channel.name == name), None)

    def _known_names(self) -> set[str]:
        """Return the names of the channels, and their former names."""
        return {name for channel in self.parts.channels for name in (channel.name, channel.was) if name}

    def overview(self, now: datetime, form_token: str, notice: str, *, charted: str = "") -> str:
        """Return the overview: channels, counts, bad files, and a chart of posts and failures by day.

        The chart is that of the channel `charted`, or of all channels.
        """
        database = self.parts.database
        upgrading.check(database)
        counts = deliveries_by_state(database)
        since = now - timedelta(days=_DAYS)
        by_day = days(queries.attempts_by_day(database, since, channel=charted or None), now, _DAYS)
        problems = self._publisher.catalog.problems()
        return self._page(
            "overview",
            now,
            form_token,
            notice,
            bot=wording.posting(lease.holder(database), now),
            channel_views=[self._channel_view(channel, counts, now) for channel in self.parts.channels],
            orphans=list(reports.orphan_lines(channelstate.orphaned(database, self._known_names()))),
            forgotten=list(reports.forgotten_lines(self.parts.channels, counts)),
            totals=_by_state(queries.totals(database)),
            charted=charted,
            days=by_day,
            top=top(day.posted + day.failed for day in by_day),
            columns=columns([(day.posted, day.failed, _of_day(day)) for day in by_day]),
            problems=problems,
            needs=[(_PLACES[item.need], item.text) for item in attention_items(database, now)],
            warnings=list(self.parts.warnings()),
        )

    def deliveries(
        self, now: datetime, form_token: str, notice: str, delivery_filter: DeliveryFilter, before: int | None
    ) -> str:
        """Return the newest deliveries that match; without states, all but the baselined ones."""
        rows = self.matching(delivery_filter, before=before, limit=PER_PAGE + 1)
        database = self.parts.database
        return self._page(
            "deliveries",
            now,
            form_token,
            notice,
            totals=_by_state(queries.totals(database)),
            chosen=delivery_filter,
            channels=sorted({name for name, _ in deliveries_by_state(database)}),
            deliveries=[(delivery, SeenState.of(delivery)) for delivery in rows[:PER_PAGE]],
            older=rows[PER_PAGE - 1].id if len(rows) > PER_PAGE else None,
        )

    def matching(
        self, delivery_filter: DeliveryFilter, *, before: int | None = None, limit: int
    ) -> list[Delivery]:
        """Return the newest deliveries that match; without states, all but the baselined ones."""
        upgrading.check(self.parts.database)
        return queries.deliveries_matching(
            self.parts.database,
            states=delivery_filter.states or frozenset(State) - {State.BASELINED},
            channel=delivery_filter.channel or None,
            article_id=delivery_filter.article or None,
            before=before,
            limit=limit,
        )

    def delivery(self, delivery: Delivery, now: datetime, form_token: str, notice: str) -> str:
        """Return one delivery with its attempts and the orders that its state allows."""
        return self._page(
            "delivery",
            now,
            form_token,
            notice,
            delivery=delivery,
            attempts=queries.attempts_of(self.parts.database, [delivery.id]),
            outcomes={str(outcome): outcome for outcome in Outcome},
            article=self._publisher.catalog.get(delivery.article_id),
            since=reports.state_since(delivery),
        )

    def threshold(
        self, now: datetime, form_token: str, channel: Channel | None, min_quality: int | None
    ) -> str:
        """Return the histogram of a channel's articles, and what a threshold would have posted."""
        values: dict[str, object] = {}
        if channel:
            admitted = candidates(channel, self._publisher.catalog.shown(ALL, now), now)
            result = threshold(admitted, min_quality, now)
            # Only with a policy, as each article is a post without one.
            by_policy = None if channel.policy.is_plain else self._simulated(channel, min_quality, now)
            bars = admitted.bars()
            values = {
                "found": admitted,
                "result": result,
                "by_policy": by_policy,
                "bars": bars,
                "bar_top": top(bar.articles for bar in bars),
                "bar_columns": columns([(bar.articles, 0, _of_bar(bar)) for bar in bars]),
                "week_top": top(result.weeks),
                "week_columns": columns([(n, 0, _of_week(WEEKS - i, n)) for i, n in enumerate(result.weeks)]),
            }
        return self._page(
            "threshold", now, form_token, "", channel=channel, channels=self.parts.channels, **values
        )

    def _simulated(self, channel: Channel, min_quality: int | None, now: datetime) -> Mapping[str, int]:
        """Return the total counts of what the channel's policy would have posted in these weeks."""
        articles = self._publisher.catalog.shown(ALL, now)
        changed = replace(channel, min_quality=min_quality)
        return totals_of(simulate(changed, articles, now - WEEKS * WEEK, now, self.parts.every))

    def preview(self, now: datetime, form_token: str, query: str, article: Article | None) -> str:
        """Return the previews of an article and why it is posted or not; without one, a list of articles."""
        choices: Iterable[Article] = ()
        timed_out = False
        if article is None and query:
            results = self._search.find(query, now, limit=_RECENT)
            choices, timed_out = results.articles, results.timed_out
        elif article is None:
            choices = self._publisher.catalog.newest(ALL, now, limit=_RECENT)
        kinds = {channel.kind for channel in self.parts.channels}
        return self._page(
            "preview",
            now,
            form_token,
            "",
            query=query,
            article=article,
            choices=choices,
            timed_out=timed_out,
            previews=previews(article, self.parts.site, now, self._renderer.language, kinds)
            if article
            else [],
            explanations=[
                (explanation, reports.explanation_summary(explanation))
                for explanation in self._explanations(article, now)
            ],
        )

    def review(self, now: datetime, form_token: str, notice: str) -> str:
        """Return the posts that wait for review, each with its preview."""
        upgrading.check(self.parts.database)
        waiting = [
            (each, each.message and preview_of(each.channel.kind, each.message, now, self.language))
            for each in unreviewed(self.parts)
        ]
        return self._page("review", now, form_token, notice, waiting=waiting)

    def _explanations(self, article: Article | None, now: datetime) -> list[Explanation]:
        if article is None:
            return []
        return explanations(
            self.parts.database, self.parts.catalog, self.parts.channels, article, now, self.parts.every
        )

    def _channel_view(
        self, channel: Channel, counts: dict[tuple[str, State], int], now: datetime
    ) -> ChannelView:
        state = channelstate.states(self.parts.database).get(channel.name)
        return ChannelView(
            channel=channel,
            status=reports.channel_status(channel, state, now),
            state=state,
            counts=tuple((s, n) for s in State if (n := counts.get((channel.name, s), 0))),
            pace=reports.pace_text(channel, SERVICES[channel.kind].RATE),
            fault=self.parts.faults.get(channel.name, ""),
            outlook=self._outlook(channel, now) if state and not channel.policy.is_plain else None,
        )

    def _outlook(self, channel: Channel, now: datetime) -> Outlook | None:
        """Return the posts to come and the waiting articles of a channel, or None if there are none."""
        parts = self.parts
        with parts.database.read() as connection:
            expected = timeline(connection, parts.catalog, channel, now, parts.every)
        if not outlook.is_worth_showing([expected]):
            return None
        later = [wait for wait in expected.waits if wait.posted_at is None]
        by_hour = hours(expected)
        return Outlook(
            columns=columns(by_hour),
            top=top(policy + urgent for policy, urgent, _ in by_hour),
            posts=tuple((post, outlook.title_of(post)) for post in expected.posts),
            waits=tuple((wait, outlook.why(wait, channel)) for wait in later[:_WAITS]),
            more=max(0, len(later) - _WAITS),
        )

    def _page(self, name: str, now: datetime, form_token: str, notice: str, **values: object) -> str:
        return self._renderer.html(
            f"admin/{name}.html", now=now, form_token=form_token, notice=notice, view=name, **values
        )


def _of_day(day: DayCounts) -> Phrase:
    return phrase(
        "%(day)s: %(posted)s posted, %(failed)s failed", day=day.day, posted=day.posted, failed=day.failed
    )


def _of_bar(bar: Bar) -> Phrase:
    return phrase("%(low)s to %(high)s: %(count)s", low=bar.low, high=bar.high, count=bar.articles)


def _of_week(ago: int, count: int) -> Phrase:
    return counted_phrase("%(num)s week ago: %(count)s", "%(num)s weeks ago: %(count)s", ago, count=count)


def _by_state(totals: Counter[State]) -> list[tuple[State, int]]:
    return [(state, totals[state]) for state in State]
