"""The formats of feeds by extension; a new format is a module with the same three names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from feeds.formats import atom, jsonfeed, rss
from feeds.model import Feed


class Format(Protocol):
    """A module that renders a feed: always the same bytes for the same feed."""

    EXTENSION: str
    MIMETYPE: str

    def render(self, feed: Feed) -> bytes:
        """Return the document, encoded in UTF-8."""


FORMATS: Mapping[str, Format] = {module.EXTENSION: module for module in (rss, atom, jsonfeed)}
