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
_ID = re.compile(r"""id="(?<=\sid=")([^"]*)\"""")  # a pattern that starts with a literal is found faster
_TAG = re.compile(r"<[^>]*>")
_REFERENCE = re.compile(r"&[^;\s]*;")
TAKEN = frozenset({"main", "q"})
"""Ids of elements that every page has."""


def anchor(heading: str) -> str:
    """Return the id that Markdown authors expect a heading to have."""
    return re.sub(r"\s+", "-", re.sub(r"[^\w\s-]", "", heading.casefold()).strip())


@dataclass(slots=True)
class HeadingIds:
    """Assigns each heading of one page a unique id; `explicit` are the ids in the text."""

    explicit: frozenset[str]
    used: set[str] = field(default_factory=lambda: set(TAKEN))
    _counts: Counter[str] = field(default_factory=Counter)

    def next(self, heading: str) -> str:
        """Return the id of the next heading, which has this text."""
        name = anchor(heading)
        found = name or "section"
        while found in self.used or found in self.explicit:
            self._counts[name] += 1
            found = f"{name or 'section'}-{self._counts[name] + 1}"
        self.used.add(found)
        return found


def explicit_ids(markup: str) -> frozenset[str]:
    """Return the ids in the text of a page."""
    return frozenset(_ID.findall(markup)) - TAKEN


@dataclass(frozen=True, slots=True)
class Anchors:
    """Finds the id that a link's fragment means, on the page with this sanitised HTML."""

    ids: frozenset[str]
    by_spelling: dict[str, str]

    @classmethod
    def of(cls, markup: str) -> Anchors:
        """Return the anchors of an HTML fragment that `text.markup.sanitise` returned."""
        explicit = explicit_ids(markup)
        given = HeadingIds(explicit)
        repeated = Counter[str]()
        by_spelling: dict[str, str] = {}
        for heading in _headings(markup):
            text = _REFERENCE.sub(" ", heading)
            found = given.next(text)
            for name in {anchor(text), anchor(unescape(heading)), _github(unescape(heading))}:
                # GitHub counts from 1, and only the repeated ones.
                by_spelling.setdefault(f"{name}-{repeated[name]}" if repeated[name] else name, found)
                repeated[name] += 1
        return cls(explicit | frozenset(by_spelling.values()), by_spelling)

    def meant(self, fragment: str) -> str:
        """Return the id that a decoded fragment means, even if the page has no such id."""
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
        found = _ID.search(heading["attributes"])
        if not found or found[1] in TAKEN:
            yield _TAG.sub("", heading["text"])


def relinked(markup: str, page_url: str) -> str:
    """Return the sanitised HTML of the page at `page_url`, with links within it to the ids that it has."""
    start = f'href="{escape(page_url)}#'
    if start not in markup:
        return markup
    anchors = Anchors.of(markup)
    links = re.compile(re.escape(start) + r'([^"]*)"')
    return links.sub(
        lambda link: f'{start}{quote(anchors.meant(unquote(unescape(link[1]))), errors="replace")}"', markup
    )


def _github(heading: str) -> str:
    """Return the id that GitHub gives a heading: each space becomes a hyphen."""
    return re.sub(r"\s", "-", re.sub(r"[^\w\s-]", "", heading.casefold()).strip())
