"""The routes of the lists that can be filtered by a text: as pages, and as files with all rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime

from flask import Blueprint, Response, request
from werkzeug.wrappers import Response as AnyResponse

from pages.admin.filters import page_number, text_filter
from pages.admin.lists import OperatorLists
from pages.admin.tables import MAX_ROWS, Format, table

_FILE = ("path", "line", "reason")
_READERS = ("feed", "subscribers", "answers", "unchanged")
_SETTING = ("setting", "value", "from")

Show = Callable[[Callable[[str, str], str]], AnyResponse]
"""Returns the response with the page that a function renders from a form token and a notice."""


def add_lists(routes: Blueprint, lists: OperatorLists, show: Show, clock: Callable[[], datetime]) -> None:
    """Add the routes of the lists."""

    @routes.get("/files")
    def bad_files() -> AnyResponse:
        return show(lambda token, _: lists.files_page(clock(), token, text_filter(), page_number()))

    @routes.get("/readers")
    def readers() -> AnyResponse:
        return show(lambda token, _: lists.readers_page(clock(), token, text_filter(), page_number()))

    @routes.get("/settings")
    def settings() -> AnyResponse:
        return show(
            lambda token, _: lists.settings_page(
                clock(), token, text_filter(), page_number(), only_set=_only_set()
            )
        )

    _add_files(routes, lists)


def _add_files(routes: Blueprint, lists: OperatorLists) -> None:
    @routes.get("/files.<any(csv, json):form>")
    def exported_files(form: Format) -> Response:
        problems = lists.files(text_filter())[:MAX_ROWS]
        rows = [
            {"path": problem.path, "line": problem.line, "reason": problem.reason} for problem in problems
        ]
        return table("files", rows, _FILE, form)

    @routes.get("/readers.<any(csv, json):form>")
    def exported_readers(form: Format) -> Response:
        rows = [
            asdict(feed_readers) | {"readers": dict(feed_readers.readers)}
            for feed_readers in lists.feeds(text_filter())
        ]
        return table("readers", rows[:MAX_ROWS], _READERS, form)

    @routes.get("/settings.<any(csv, json):form>")
    def exported_settings(form: Format) -> Response:
        rows = [
            {
                "setting": setting.name,
                "value": setting.text if form == "csv" else setting.value,
                "from": setting.origin,
            }
            for setting in lists.settings(text_filter(), only_set=_only_set())[:MAX_ROWS]
        ]
        return table("settings", rows, _SETTING, form)


def _only_set() -> bool:
    """Return whether the current request asks for the settings without the defaults."""
    return request.args.get("set") == "1"
