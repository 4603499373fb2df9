"""Renders the operator's lists with a filter: files with errors, readers of feeds, settings."""

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
    """A setting in force with its JSON value and its origin; of a secret, the value is whether it is set."""

    name: str
    value: object
    origin: str

    @property
    def is_set(self) -> bool:
        """Whether the value was set, even if it is a secret that cannot be used."""
        return self.origin != DEFAULT and self.value != NOT_SET

    @property
    def text(self) -> str:
        """The value for people."""
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
        """Return a page of the settings in force, each with its origin."""
        part = _part(self.settings(query, only_set=only_set), number, SETTINGS_PER_PAGE)
        return self._page("settings", now, form_token, query, part | {"only_set": only_set})

    def files(self, query: str) -> list[ArticleError]:
        """Return the article files with errors whose path or reason contains `query`."""
        problems = self._publisher.catalog.problems()
        return [problem for problem in problems if _has(query, problem.path, problem.reason)]

    def feeds(self, query: str) -> list[FeedReaders]:
        """Return the requested feeds whose names contain `query`."""
        return by_feed(self._usage(), query)

    def settings(self, query: str, *, only_set: bool) -> list[Setting]:
        """Return the settings in force whose name, value or origin contains `query`.

        With `only_set`, defaults and secrets that are not set are left out.
        """
        listed = (setting for setting in self._settings() if setting.is_set or not only_set)
        return [setting for setting in listed if _has(query, setting.name, setting.text, setting.origin)]

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
    """Return whether a text contains `query`, in upper or lower case."""
    return query.casefold() in " ".join(map(str, texts)).casefold()


def _part(rows: Sequence[object], number: int, per_page: int = ROWS_PER_PAGE) -> dict[str, object]:
    """Return the values of a list's page for its template; the last page if there are fewer."""
    last = max(1, -(-len(rows) // per_page))
    number = min(number, last)
    on_page = rows[(number - 1) * per_page : number * per_page]
    return {"total": len(rows), "number": number, "last": last, "rows": on_page}
