"""Headers for shared caches."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from web.caching import cache_headers, slugs_in


def test_readers_wait_and_shared_caches_ask() -> None:
    """Readers cache a feed for its ttl, shared caches for a minute, or a day while the site is down."""
    headers = dict(cache_headers(30, ["ai"]))
    assert headers["Cache-Control"] == "public, max-age=1800, s-maxage=60"
    assert headers["CDN-Cache-Control"] == (
        "public, max-age=60, stale-while-revalidate=600, stale-if-error=86400"
    )


def test_every_topic_is_a_key() -> None:
    """A feed of several topics is dropped when any of them is purged."""
    headers = dict(cache_headers(30, slugs_in("ai+日本語")))
    assert headers["Surrogate-Key"] == "feeds topic-ai topic-%E6%97%A5%E6%9C%AC%E8%AA%9E"
    assert headers["Cache-Tag"] == "feeds,topic-ai,topic-%E6%97%A5%E6%9C%AC%E8%AA%9E"


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), max_size=5))
def test_keys_are_single_words(slugs: list[str]) -> None:
    """No topic's address can add a key, a header or a byte that HTTP forbids."""
    headers = dict(cache_headers(30, slugs))
    assert len(headers["Surrogate-Key"].split(" ")) == len(slugs) + 1
    assert len(headers["Cache-Tag"].split(",")) == len(slugs) + 1
    assert all(value.isascii() and value.isprintable() for value in headers.values())
