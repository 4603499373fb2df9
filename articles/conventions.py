"""The conventions of the article files: those of the site generator they were written for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Generator = Literal["plain", "jekyll", "hugo", "zola", "pelican", "eleventy", "docusaurus", "astro"]

Guids = Literal["id", "permalink", "address"]
"""What identifies an entry in feeds: the article's id, or what its old feed identified it by.

`permalink` is the id that the generator's own feed gives: the address of the article on its site, and with
Jekyll and Pelican an id that is made of it. `address` is that address with every generator.
"""

TOPIC_KEYS = ("topics", "tags", "categories")
"""The keys that hold an article's topics unless `articles.topics_from` names others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conventions:
    """How a folder of articles is to be understood; the defaults are Newswire's own format.

    `base_url` is the address of the site that the articles belong to, without a slash at its end, and
    `permalink` the pattern of their addresses there. `topics_from` None means TOPIC_KEYS, of which `plain`
    takes the first that has values, and all generators merge them. `timezone` is the zone of dates that name
    none. `guid` says what identifies an entry in feeds.
    """

    generator: Generator = "plain"
    base_url: str | None = None
    permalink: str | None = None
    topics_from: tuple[str, ...] | None = None
    timezone: str = "UTC"
    guid: Guids = "id"

    @property
    def is_plain(self) -> bool:
        """Whether the files follow Newswire's own conventions instead of a generator's."""
        return self.generator == "plain"


PLAIN = Conventions()
"""Newswire's own format."""
