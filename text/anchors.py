"""The ids of headings on a page, and the ids to which links refer.

Pages and feeds share this module, so that a link in a feed leads to an id that the page has.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape, unescape
from urllib.parse import quote, unquote

_HEADING = re.compile(r"<h[1-6](?P<attributes>[^>]*)>(?P<text>.*?)</h[1-6]>", re.DOTALL)
_ID = re.compile(r"""id="(?<=\sid=")([^"]*)\"""")  # starts with a literal, which is searched for faster
_TAG = re.compile(r"<[^>]*>")
_REFERENCE = re.compile(r"&[^;\s]*;")
PAGE_IDS = frozenset({"main", "q"})
"""Ids of elements that every page has."""


def anchor(heading: str) -> str:
    """Return the id that Markdown authors expect a heading to have."""
    return re.sub(r"\s+", "-", re.sub(r"[^\w\s-]", "", heading.casefold()).strip())


@dataclass(slots=True)
class HeadingIds:
    """Assigns each heading of one page a unique id; `explicit` are the ids in the text."""

    explicit: frozenset[str]
    used: set[str] = field(default_factory=lambda: set(PAGE_IDS))
    _counts: Counter[str] = field(default_factory=Counter)

    def next(self, heading: str) -> str:
        """Return the id of the next heading, which has this text."""
        name = anchor(heading)
        candidate = name or "section"
        while candidate in self.used or candidate in self.explicit:
            self._counts[name] += 1
            candidate = f"{name or 'section'}-{self._counts[name] + 1}"
        self.used.add(candidate)
        return candidate


def explicit_ids(markup: str) -> frozenset[str]:
    """Return the ids in the text of a page."""
    return frozenset(_ID.findall(markup)) - PAGE_IDS


@dataclass(frozen=True, slots=True)
class Anchors:
    """Finds the id to which a link's fragment refers, on one page."""

    ids: frozenset[str]
    by_spelling: dict[str, str]

    @classmethod
    def of(cls, markup: str) -> Anchors:
        """Return the anchors of an HTML fragment that `text.markup.sanitise` returned."""
        explicit = explicit_ids(markup)
        heading_ids = HeadingIds(explicit)
        repeated = Counter[str]()
        by_spelling: dict[str, str] = {}
        for heading in _headings(markup):
            text = _REFERENCE.sub(" ", heading)
            heading_id = heading_ids.next(text)
            for name in {anchor(text), anchor(unescape(heading)), _github(unescape(heading))}:
                # GitHub counts from 1, and only the repeated ones.
                by_spelling.setdefault(f"{name}-{repeated[name]}" if repeated[name] else name, heading_id)
                repeated[name] += 1
        return cls(explicit | frozenset(by_spelling.values()), by_spelling)

    def resolve(self, fragment: str) -> str:
        """Return the id to which a decoded fragment refers, even if the page has no such id."""
        if fragment in self.ids:
            return fragment
        return (
            self.by_spelling.get(fragment.casefold())
            or self.by_spelling.get(anchor(fragment))
            or anchor(fragment)
        )


def _headings(markup: str) -> Iterator[str]:
    """Yield the texts of the headings without an id, with their character references."""
    for heading in _HEADING.finditer(markup):
        explicit = _ID.search(heading["attributes"])
        if not explicit or explicit[1] in PAGE_IDS:
            yield _TAG.sub("", heading["text"])


def relinked(markup: str, page_url: str) -> str:
    """Return the sanitised HTML of the page at `page_url`, with links within it to ids that it has."""
    start = f'href="{escape(page_url)}#'
    if start not in markup:
        return markup
    anchors = Anchors.of(markup)
    links = re.compile(re.escape(start) + r'([^"]*)"')
    return links.sub(
        lambda link: f'{start}{quote(anchors.resolve(unquote(unescape(link[1]))), errors="replace")}"', markup
    )


def _github(heading: str) -> str:
    """Return the id that GitHub gives a heading: each space becomes a hyphen."""
    return re.sub(r"\s", "-", re.sub(r"[^\w\s-]", "", heading.casefold()).strip())
