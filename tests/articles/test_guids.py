"""What identifies an entry in feeds that replace a generator's own.

The expected ids are those that the generators themselves put into their feeds: Jekyll 4.3 with jekyll-feed
0.17, Hugo 0.111, Pelican 4.12 and Eleventy 3.1 with its feed plugin 2.0, run on these files.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from articles.conventions import Conventions, Generator, Guids
from articles.reading import frontmatter
from articles.reading.context import ReadingContext, Surroundings
from articles.reading.guids import generators_guid
from articles.reading.limits import MAX_GUID
from text.urls import http_url, is_uri

NO_KEYS: Mapping[str, Any] = MappingProxyType({})


def guid(
    path: str,
    generator: Generator = "plain",
    keys: Mapping[str, Any] = NO_KEYS,
    *,
    base_url: str | None = "https://blog.example/sub",
    mode: Guids = "permalink",
    configured: str = "",
    timezone: str = "UTC",
) -> str | None:
    """Return the guid of an article; `configured` is the pattern in the generator's settings."""
    values = {"title": "A Title", "date": "2026-01-02"} | dict(keys)
    conventions = Conventions(generator=generator, base_url=base_url, guid=mode, timezone=timezone)
    surroundings = Surroundings(permalinks={"": configured} if configured else {})
    parsed = frontmatter.parse(
        f"---\n{yaml.safe_dump(values)}---\n", path, ReadingContext(conventions, surroundings)
    )
    assert parsed is not None
    return parsed.article.guid


@pytest.mark.parametrize(
    ("path", "keys", "expected"),
    [
        ("2026-01-02-one-post.md", {"categories": ["Tips", "go"]}, "/tips/go/2026/01/02/one-post"),
        ("2026-01-03-Two_Mixed.md", {"permalink": "/custom/two/"}, "/custom/Two_Mixed"),
        ("2026-01-04-three.md", {"slug": "other-slug"}, "/2026/01/04/other-slug"),
        ("2026-01-05-v1.2-four.md", {"canonical_url": "https://x.example/"}, "/2026/01/05/v1.2-four"),
        ("2026-01-06-été five.md", {"permalink": "/five.html"}, "/%C3%A9t%C3%A9%20five"),
    ],
)
def test_ids_of_jekyll_feed(path: str, keys: Mapping[str, Any], expected: str) -> None:
    """The id is the folder of a post's address and its name, which may differ from the address's end."""
    found = guid(path, "jekyll", {"date": path[:10], **keys}, configured="pretty")
    assert found == f"https://blog.example/sub{expected}"


@pytest.mark.parametrize(
    ("path", "generator", "keys", "expected"),
    [
        ("posts/one.md", "hugo", {"title": "One Fine Day"}, "/posts/one/"),
        ("posts/two.md", "hugo", {"url": "/custom/Two/"}, "/custom/Two/"),
        ("posts/three.md", "hugo", {"slug": "日本"}, "/posts/%E6%97%A5%E6%9C%AC/"),
        ("posts/four.md", "hugo", {"canonical_url": "https://elsewhere.example/"}, "/posts/four/"),
        ("posts/one.md", "zola", {}, "/posts/one/"),
        ("posts/one.md", "eleventy", {}, "/posts/one/"),
        ("posts/two.md", "eleventy", {"permalink": "/custom/two.html"}, "/custom/two.html"),
        ("2026-01-02-one.md", "docusaurus", {}, "/2026/01/02/one"),
        ("one.md", "astro", {}, "/one/"),
    ],
)
def test_generators_whose_ids_are_addresses(
    path: str, generator: Generator, keys: Mapping[str, Any], expected: str
) -> None:
    """The id is the address on the generator's own site, even where a post names another original."""
    assert guid(path, generator, keys) == f"https://blog.example/sub{expected}"


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({"title": "One", "date": "2026-01-02 00:30"}, "2026-01-02:/sub/2026/one/"),
        ({"title": "Two Words", "date": "2026-01-03 23:30", "slug": "zwei"}, "2026-01-03:/sub/2026/zwei/"),
        ({"title": "Three", "date": "2026-01-04T01:00:00+00:00"}, "2026-01-04:/sub/2026/three/"),
    ],
)
def test_ids_of_pelican(keys: Mapping[str, Any], expected: str) -> None:
    """Pelican's ids are tag URIs with the date in the site's time zone."""
    found = guid("a.md", "pelican", keys, configured="{date:%Y}/{slug}/", timezone="Asia/Tokyo")
    assert found == f"tag:blog.example,{expected}"


def test_the_front_matter_comes_first() -> None:
    """The `guid` of an old feed is used unchanged, and so is an `id` that is a URI."""
    wordpress = "https://blog.example/?p=12"
    assert guid("a.md", "jekyll", {"guid": wordpress}) == wordpress
    assert guid("a.md", "hugo", {"params": {"guid": wordpress}}) == wordpress
    assert guid("a.md", keys={"guid": "5f3a 7", "id": "tag:x.example,2026:a"}) == "5f3a 7"
    assert guid("a.md", keys={"guid": 17}) == "17"
    assert (
        guid("a.md", keys={"id": "tag:x.example,2026:a"}) is None
    )  # the `guid` is also the article's own id
    assert guid("a.md", keys={"id": "seventeen"}) == "https://blog.example/sub/a"


@pytest.mark.parametrize("value", ["a\nb", "a\x1bb", "x" * (MAX_GUID + 1), [1]])
def test_an_invalid_guid_is_replaced(value: object) -> None:
    """The address replaces an invalid `guid`, and a warning names it."""
    assert guid("a.md", keys={"guid": value}) == "https://blog.example/sub/a"


def test_the_default_is_the_articles_id() -> None:
    """By default the article's id identifies an entry, also one with a page on this site only."""
    assert guid("a.md", "plain", {"guid": "x"}, mode="id") is None
    assert guid("a.md", "jekyll", {"guid": "x"}, mode="id") is None
    assert guid("a.md", base_url=None) is None
    assert guid("a.md", base_url=None, keys={"webUrl": "https://w.example/a"}) == "https://w.example/a"


def test_the_address_as_it_is() -> None:
    """With `address`, an entry's id is its link for every generator, as in a site's own feed template."""
    assert guid("2026-01-02-a.md", "jekyll", mode="address") == "https://blog.example/sub/2026/01/02/a.html"
    assert guid("a.md", "pelican", mode="address") == "https://blog.example/sub/a-title.html"
    elsewhere = {"canonical_url": "https://elsewhere.example/"}
    assert guid("a.md", "hugo", elsewhere, mode="address") == "https://elsewhere.example/"


ADDRESSES = st.from_regex(r"https://[a-z]{1,9}\.example(/[a-zA-Z0-9%é ._-]{0,9}){0,4}/?", fullmatch=True)


@settings(max_examples=60)
@given(
    address=ADDRESSES.map(lambda text: http_url(text) or "https://a.example/"),
    generator=st.sampled_from(("jekyll", "hugo", "pelican", "astro")),
    name=st.text(min_size=1, max_size=20),
    day=st.dates(min_value=date(1900, 1, 1)),
)
def test_every_id_is_a_uri_on_its_host(address: str, generator: Generator, name: str, day: date) -> None:
    """For any address and name, the id is a URI that a reader leaves unchanged and that names the host."""
    found = generators_guid(generator, address, name, day)
    assert is_uri(found)
    assert (urlsplit(address).hostname or "-") in found
    assert found == generators_guid(generator, address, name, day)
