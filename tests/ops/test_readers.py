"""The feed reader that a User-Agent header names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.readers import BROWSER, MAX_SUBSCRIBERS, UNKNOWN, Reader, reader, without_count

FEEDLY = "Feedly/1.0 (+http://www.feedly.com/fetcher.html; 42 subscribers; like FeedFetcher-Google)"


@pytest.mark.parametrize(
    ("user_agent", "product", "subscribers"),
    [
        (FEEDLY, "Feedly", 42),
        ("Mozilla/5.0 (compatible; inoreader.com; 7 subscribers)", "inoreader.com", 7),
        ("Mozilla/5.0 (compatible; Miniflux/2.2.1; +https://miniflux.app)", "Miniflux", None),
        (
            "NewsBlur Feed Fetcher - 1 subscriber - http://www.newsblur.com/site/1/ "
            '(Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15) AppleWebKit/605.1.15 "Safari")',
            "NewsBlur Feed Fetcher",
            1,
        ),
        ("NetNewsWire (RSS Reader; https://netnewswire.com/)", "NetNewsWire", None),
        ("FreshRSS/1.24.3 (Linux; https://freshrss.org)", "FreshRSS", None),
        ("feedparser/6.0.11 +https://github.com/kurtmckee/feedparser/", "feedparser", None),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0", BROWSER, None),
        (
            "Mozilla/5.0 (X11) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Safari/537.36",
            BROWSER,
            None,
        ),
        ("Mozilla/5.0 (Macintosh) AppleWebKit/605 (KHTML) Reeder/5.4 Safari/605", "Reeder", None),
        ("curl/8.0", "curl", None),
        ("", UNKNOWN, None),
        ("  ", UNKNOWN, None),
        ("99999999999 subscribers", UNKNOWN, None),
        ("Big/1 (999999999 subscribers)", "Big", MAX_SUBSCRIBERS),
    ],
)
def test_products(user_agent: str, product: str, subscribers: int | None) -> None:
    """The result is the product's name without its version, and the number of subscribers that it reports."""
    assert reader(user_agent) == Reader(product, subscribers)


def test_one_more_subscriber_is_the_same_reader() -> None:
    """Another number of subscribers does not make another reader."""
    assert without_count(FEEDLY) == without_count(FEEDLY.replace("42", "43"))
    assert without_count(FEEDLY) != without_count("Feedly/2.0")


@given(st.text(max_size=2000))
def test_names_are_bounded(user_agent: str) -> None:
    """Any header gives a short name that is valid as a label."""
    who = reader(user_agent)
    assert len(who.product) <= 40
    assert who.product in (BROWSER, UNKNOWN) or all(
        c.isascii() and (c.isalnum() or c in " ._-") for c in who.product
    )
    assert who.subscribers is None or 0 <= who.subscribers <= MAX_SUBSCRIBERS
