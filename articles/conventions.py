"""The conventions of the article files: those of the site generator for which they were written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Generator = Literal["plain", "jekyll", "hugo", "zola", "pelican", "eleventy", "docusaurus", "astro"]

Guids = Literal["id", "permalink", "address"]
"""The ids of entries in feeds: the article's id, or the id that its old feed gave it.

`permalink` is the id in the generator's own feed: the address of the article on its site, or with Jekyll and
Pelican an id derived from it. `address` is that address with every generator.
"""

TOPIC_KEYS = ("topics", "tags", "categories")
"""The keys with an article's topics, unless `articles.topics_from` has others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conventions:
    """The conventions of a folder of articles; the defaults are Newswire's own format.

    `base_url` is the address of the site that the articles belong to, without a slash at its end, and
    `permalink` the pattern of their addresses there. `topics_from` None means TOPIC_KEYS: `plain` uses the
    first key with values, and generators merge all of them. `timezone` is that of dates without one. `guid`
    selects the ids of entries in feeds.
    """

    generator: Generator = "plain"
    base_url: str | None = None
    permalink: str | None = None
    topics_from: tuple[str, ...] | None = None
    timezone: str = "UTC"
    guid: Guids = "id"

    @property
    def is_plain(self) -> bool:
        """Whether the files follow Newswire's own conventions, and not a generator's."""
        return self.generator == "plain"


PLAIN = Conventions()
"""Newswire's own format."""
