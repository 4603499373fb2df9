"""The ids of headings: what a page gives them, and which of them a link means.

Pages and feeds share it, so that a link in a feed leads to a place that the page has.
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
"""Ids that every page has for itself."""


def anchor(heading: str) -> str:
    """Return the name by which Markdown's writers expect to link to a heading."""
    return re.sub(r"\s+", "-", re.sub(r"[^\w\s-]", "", heading.casefold()).strip())


@dataclass(slots=True)
class HeadingIds:
    """Gives each heading of one page an id that nothing else on it has; `explicit` are those in the text."""

    explicit: frozenset[str]
    used: set[str] = field(default_factory=lambda: set(TAKEN))
    _counts: Counter[str] = field(default_factory=Counter)

    def next(self, heading: str) -> str:
        """Return the id of the next heading, whose text this is."""
        name = anchor(heading)
        found = name or "section"
        while found in self.used or found in self.explicit:
            self._counts[name] += 1
            found = f"{name or 'section'}-{self._counts[name] + 1}"
        self.used.add(found)
        return found


def explicit_ids(markup: str) -> frozenset[str]:
    """Return the ids that the text of a page brings with it."""
    return frozenset(_ID.findall(markup)) - TAKEN


@dataclass(frozen=True, slots=True)
class Anchors:
    """Which id of a page a link's fragment means, for the page with this sanitised HTML."""

    ids: frozenset[str]
    by_spelling: dict[str, str]

    @classmethod
    def of(cls, markup: str) -> Anchors:
        """Return the anchors of a fragment of HTML as `text.markup.sanitise` leaves it."""
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
        """Return the id that a decoded fragment means, whether or not the page has such a place."""
        if fragment in self.ids:
            return fragment
        return (
            self.by_spelling.get(fragment.casefold())
            or self.by_spelling.get(anchor(fragment))
            or anchor(fragment)
        )


def _headings(markup: str) -> Iterator[str]:
    """Yield the texts of the headings without an id of their own, with their references."""
    for heading in _HEADING.finditer(markup):
        found = _ID.search(heading["attributes"])
        if not found or found[1] in TAKEN:
            yield _TAG.sub("", heading["text"])


def relinked(markup: str, page_url: str) -> str:
    """Return the sanitised HTML of the page at `page_url` with links within it that lead to its real ids."""
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
