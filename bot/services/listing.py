"""A digest as formatted text: its articles as a list, under the names of their groups.

This module knows no service. If a list is too long for a service, all its articles are shortened in the same
steps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TypeVar

from bot.services.message import OTHER, Message, title_of
from bot.services.remarks import coverage_runs
from bot.services.rich import BREAK, Line, Run, Text, cut
from bot.services.text import clean, fit, web_url
from bot.services.words import words_of

_T = TypeVar("_T")

NAME = 60
"""Characters of a provider or a group in a list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """The most characters of an article in a list: of title, summary line, address and provider.

    `covered` is the length of the longest address in the names of the story's other publishers; with None
    they are left out.
    """

    title: int
    line: int
    link: int
    name: int = NAME
    covered: int | None = None


STEPS = (
    Step(title=150, line=160, link=2000, covered=500),
    Step(title=150, line=160, link=500, covered=200),
    Step(title=150, line=80, link=500, covered=0),
    Step(title=100, line=0, link=500),
    Step(title=80, line=0, link=200),
    Step(title=50, line=0, link=0, name=0),
)
"""The steps from the longest form to the shortest; an address is complete or left out."""


def fitted(
    message: Message,
    limit: int,
    render: Callable[[Sequence[Line]], _T],
    size: Callable[[_T], int],
) -> _T:
    """Return `render` of the message's articles at the first step at which its `size` is within `limit`.

    If even the last step is too long, as with more articles than the service's ITEMS, the end is left out.
    """
    items = tuple(map(_shortened, message.items))
    for step in STEPS:
        rendered = render(_listed(items, step))
        if size(rendered) <= limit:
            return rendered
    return cut(_listed(items, STEPS[-1]), limit, render, size)


def _shortened(item: Message) -> Message:
    """Return an article shortened to the first step, so that long texts are cleaned only once."""
    step = STEPS[0]
    return replace(
        item,
        title=fit(title_of(item), step.title),
        provider=fit(clean(item.provider or ""), step.name),
        summary=fit(clean(item.summary), step.line),
        group=item.group and (_group(item, item.group) or _group(item, OTHER)),
        link=web_url(item.link, step.link) or "",
    )


def _group(item: Message, name: str) -> str:
    return fit(clean(words_of(item).translate(name)), NAME)


def _listed(items: Sequence[Message], step: Step) -> Text:
    """Return shortened articles as lines: each title with its link, the provider, and one summary line."""
    return tuple(_lines(items, step))


def _lines(items: Sequence[Message], step: Step) -> Iterator[Line]:
    for group, some in groupby(items, key=lambda item: item.group):
        if group:
            yield Line(runs=(Run(text=group, bold=True),))
        for item in some:
            yield Line(runs=tuple(_item(item, step)), bullet=True)


def _item(item: Message, step: Step) -> Iterator[Run]:
    title = fit(item.title, step.title)
    if item.retracted:
        yield Run(text=title, struck=True)
        return
    yield Run(text=title, link=item.link if len(item.link) <= step.link else "", bold=True)
    if provider := fit(item.provider or "", step.name) if step.name else "":
        yield Run(text=f" · {provider}")
    if summary := fit(item.summary, step.line) if step.line else "":
        yield BREAK
        yield Run(text=summary)
    if step.covered is not None and (covered := tuple(coverage_runs(item, step.covered))):
        yield BREAK
        yield from covered
