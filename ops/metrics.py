"""The metrics in Prometheus' format: counts, and the state of the catalog.

The metrics of the bot's database are another Collector.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from math import inf

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from articles.catalog.catalog import Catalog
from articles.files.checkout import Checkout
from ops.counts import BUCKETS, OTHER, Counts, EventCounts


def exposition(collectors: Iterable[Collector]) -> bytes:
    """Return the metrics in Prometheus' text format."""
    registry = CollectorRegistry(auto_describe=False)
    for collector in collectors:
        registry.register(collector)
    return generate_latest(registry)


class UsageCollector(Collector):
    """The metrics of counted events: requests, readers, refreshes."""

    def __init__(self, counts: Counts) -> None:
        self._counts = counts

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics."""
        counts = self._counts.read()
        yield from _requests(counts)
        agents = GaugeMetricFamily(
            "newswire_reader_agents", "Distinct User-Agents of the last day, by product.", labels=["reader"]
        )
        for product, count in sorted(counts.agents.items()):
            agents.add_metric([product], count)
        yield agents
        subscribers = GaugeMetricFamily(
            "newswire_subscribers",
            "Subscribers that a hosted reader reported at its latest visit within a week.",
            labels=["reader", "feed"],
        )
        for (product, feed), count in sorted(counts.subscribers.items()):
            subscribers.add_metric([product, feed], count)
        yield subscribers
        yield _refreshes(counts)


class ArticlesCollector(Collector):
    """The metrics of the articles in the catalog, and of pulls."""

    def __init__(
        self, catalog: Catalog, clock: Callable[[], datetime], checkout: Checkout | None = None
    ) -> None:
        self._catalog = catalog
        self._clock = clock
        self._checkout = checkout

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics."""
        articles = GaugeMetricFamily("newswire_articles", "Articles by state.", labels=["state"])
        for state, count in self._catalog.states(self._clock()).items():
            articles.add_metric([state], count)
        yield articles
        yield GaugeMetricFamily(
            "newswire_catalog_complete",
            "1 when every article file has been read.",
            value=int(self._catalog.is_complete()),
        )
        if self._checkout:
            yield from _pulls(self._checkout)


def _requests(counts: EventCounts) -> Iterator[Metric]:
    requests = CounterMetricFamily(
        "newswire_requests", "Answers by feed and status.", labels=["feed", "status"]
    )
    by_status = Counter[int]()
    for (feed, status), count in sorted(counts.requests.items()):
        requests.add_metric([feed, str(status)], count)
        by_status[status] += count if feed != OTHER else 0
    yield requests
    polls = by_status[200] + by_status[304]
    yield GaugeMetricFamily(
        "newswire_not_modified_ratio",
        "Share of 304 in all answers with a feed or 304.",
        value=by_status[304] / polls if polls else 0.0,
    )


def _refreshes(counts: EventCounts) -> Metric:
    total, buckets = 0, []
    for bound in (*BUCKETS, inf):
        total += counts.refreshes.get(bound, 0)
        buckets.append(("+Inf" if bound == inf else str(bound), float(total)))
    return HistogramMetricFamily(
        "newswire_refresh_seconds",
        "Time of a refresh of the catalog that found changes.",
        buckets=buckets,
        sum_value=counts.refresh_seconds,
    )


def _pulls(checkout: Checkout) -> Iterator[Metric]:
    status = checkout.status()
    yield GaugeMetricFamily(
        "newswire_git_failing", "1 while the articles' repository cannot be pulled.",
        value=int(status.failing_since is not None),
    )  # fmt: skip
    reached = status.reached_at.timestamp() if status.reached_at else 0
    yield GaugeMetricFamily(
        "newswire_git_reached_timestamp_seconds",
        "When the articles' repository last answered.",
        value=reached,
    )
