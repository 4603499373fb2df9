"""Renders the operator's lists that a text filters: files with errors, readers of feeds, settings."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from articles.errors import ArticleError
from feeds.publisher import Publisher
from pages.admin.usage import FeedReaders, Usage, by_feed
from pages.render import Renderer

ROWS_PER_PAGE = 100
SETTINGS_PER_PAGE = 500
_AGENTS = 20
DEFAULT, NOT_SET = "default", "not set"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A setting in force, as JSON has it, and what it comes from; of a secret only whether it is set."""

    name: str
    value: object
    origin: str

    @property
    def is_set(self) -> bool:
        """Whether somebody set it, or tried to: a secret that cannot be used is set too."""
        return self.origin != DEFAULT and self.value != NOT_SET

    @property
    def text(self) -> str:
        """The value as people read it."""
        if self.value is None:
            return ""
        return self.value if isinstance(self.value, str) else json.dumps(self.value, ensure_ascii=False)


class OperatorLists:
    """Renders lists of one site, each filtered by a text and divided into pages."""

    def __init__(
        self,
        publisher: Publisher,
        renderer: Renderer,
        usage: Callable[[], Usage],
        settings: Callable[[], Sequence[Setting]],
    ) -> None:
        self._publisher = publisher
        self._renderer = renderer
        self._usage = usage
        self._settings = settings

    def files_page(self, now: datetime, form_token: str, query: str, number: int) -> str:
        """Return a page of the article files with errors, each with line and reason."""
        return self._page("files", now, form_token, query, _part(self.files(query), number))

    def readers_page(self, now: datetime, form_token: str, query: str, number: int) -> str:
        """Return a page of the feeds, each with its readers and their subscribers."""
        agents = sorted(self._usage().agents.items(), key=lambda item: (-item[1], item[0]))[:_AGENTS]
        part = _part(self.feeds(query), number) | {"agents": agents}
        return self._page("readers", now, form_token, query, part)

    def settings_page(
        self, now: datetime, form_token: str, query: str, number: int, *, only_set: bool
    ) -> str:
        """Return a page of the settings in force, each with what it comes from."""
        part = _part(self.settings(query, only_set=only_set), number, SETTINGS_PER_PAGE)
        return self._page("settings", now, form_token, query, part | {"only_set": only_set})

    def files(self, query: str) -> list[ArticleError]:
        """Return the article files with errors, those whose path or reason has the text `query`."""
        found = self._publisher.catalog.problems()
        return [each for each in found if _has(query, each.path, each.reason)]

    def feeds(self, query: str) -> list[FeedReaders]:
        """Return the feeds that were asked for, those with the text `query` in their names."""
        return by_feed(self._usage(), query)

    def settings(self, query: str, *, only_set: bool) -> list[Setting]:
        """Return the settings in force with the text `query` in name, value or origin.

        With `only_set` without the defaults, and without secrets that are not set.
        """
        found = (each for each in self._settings() if each.is_set or not only_set)
        return [each for each in found if _has(query, each.name, each.text, each.origin)]

    def _page(self, name: str, now: datetime, form_token: str, query: str, values: dict[str, object]) -> str:
        return self._renderer.html(
            f"admin/{name}.html",
            now=now,
            form_token=form_token,
            notice="",
            view=name,
            query=query,
            **values,
        )


def _has(query: str, *texts: object) -> bool:
    """Whether a text contains `query`, in letters of any case."""
    return query.casefold() in " ".join(map(str, texts)).casefold()


def _part(rows: Sequence[object], number: int, per_page: int = ROWS_PER_PAGE) -> dict[str, object]:
    """Return a page of a list, the last one where there are fewer, as the templates know it."""
    last = max(1, -(-len(rows) // per_page))
    number = min(number, last)
    shown = rows[(number - 1) * per_page : number * per_page]
    return {"total": len(rows), "number": number, "last": last, "rows": shown}
