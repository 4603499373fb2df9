"""The remarks in a message: an operator's comment above the article, and other publishers of its story.

This module knows no service: functions that escape, render and measure a text are parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from bot.services.message import Message
from bot.services.rich import Line, Run, cut
from bot.services.text import clean, fit, web_url
from bot.services.words import words_of
from text.phrases import Phrase, counted_phrase, phrase

_T = TypeVar("_T")

COMMENT = 800
"""UTF-16 units of an escaped comment."""

COVERAGE = 1500
"""UTF-16 units of the line that names other publishers, including markup and addresses."""

MAX_NAMED = 5
"""Other publishers of a story that are named; further ones are counted."""

_MAX_UNESCAPED_COMMENT = 400
_NAMES = "\x00"
"""The placeholder of the names in the sentence; no translation contains it."""

_NAME = 60
_LINKS = (500, 200, 0)
"""The longest address in the line, tried in order: if the line is too long, long addresses are left out."""


def comment_of(message: Message, escape: Callable[[str], str] = str, limit: int = COMMENT) -> str:
    """Return the operator's comment on one line, escaped, in at most `limit` UTF-16 units, or ""."""
    if not message.comment:
        return ""
    return fit(fit(clean(message.comment), _MAX_UNESCAPED_COMMENT), limit, escape)


def coverage_runs(message: Message, longest: int) -> Iterator[Run]:
    """Yield "Also covered by …" in the message's language, with the names of the other publishers.

    Each name has its link, unless that is longer than `longest` characters. Yields nothing if nobody else
    covers the story, or the article is withdrawn.
    """
    publishers = [
        (fit(clean(coverage.name), _NAME), coverage.link) for coverage in message.coverage[:MAX_NAMED]
    ]
    publishers = [(name, link) for name, link in publishers if name]
    if not publishers or message.retracted:
        return
    words = words_of(message)
    before, _, after = words.translate(_sentence(len(message.coverage) - MAX_NAMED)).partition(_NAMES)
    for number, (name, link) in enumerate(publishers):
        yield Run(text=words.gettext(", ") if number else before)
        yield Run(text=name, link=(web_url(link, longest) or "") if longest else "")
    if after:
        yield Run(text=after)


def _sentence(more: int) -> Phrase:
    """Return the sentence with the placeholder for the names, and the number of publishers not named."""
    if more <= 0:
        return phrase("Also covered by %(names)s", names=_NAMES)
    return counted_phrase(
        "Also covered by %(names)s and %(num)s more",
        "Also covered by %(names)s and %(num)s more",
        more,
        names=_NAMES,
    )


def coverage_line(message: Message) -> Line | None:
    """Return the line that names the story's other publishers, or None."""
    runs = tuple(coverage_runs(message, _LINKS[0]))
    return Line(runs=runs) if runs else None


def covered(
    message: Message,
    render: Callable[[Sequence[Line]], _T],
    size: Callable[[_T], int],
    limit: int = COVERAGE,
) -> _T | None:
    """Return `render` of that line, shortened until its `size` is within `limit`; None without a line."""
    line = coverage_line(message)
    if line is None:
        return None
    for longest in _LINKS:
        line = Line(runs=tuple(coverage_runs(message, longest)))
        rendered = render([line])
        if size(rendered) <= limit:
            return rendered
    rendered = cut([line], limit, render, size)
    return rendered if size(rendered) <= limit else None
