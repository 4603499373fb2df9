"""Reads the parameters of the operator's pages: the part of a list, and the state that an operator saw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from flask import request
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import BadRequest

from bot.operator import reviewing
from bot.operator.orders import SeenState
from bot.outbox.states import State
from text.phrases import phrase
from web.numbers import MAX_ID, whole_number

MAX_FILTER = 500
"""The most characters of the text by which lists are filtered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryFilter:
    """The deliveries to list: in these states, of this channel and article; empty means any."""

    states: frozenset[State] = frozenset()
    channel: str = ""
    article: str = ""

    @property
    def query(self) -> str:
        """The filter as the query of an address."""
        pairs = [("state", state) for state in sorted(self.states)]
        fields = (("channel", self.channel), ("article", self.article))
        return urlencode([*pairs, *((name, value) for name, value in fields if value)])


def delivery_filter(values: MultiDict[str, str]) -> DeliveryFilter:
    """Return the filter in the parameters of an address or a form."""
    return DeliveryFilter(
        states=frozenset(State(name) for name in values.getlist("state") if name in set(State)),
        channel=values.get("channel", "")[:MAX_FILTER],
        article=values.get("article", "").strip()[:MAX_FILTER],
    )


def text_filter() -> str:
    """Return the text in the current request by which a list is filtered."""
    return request.args.get("q", "").strip()[:MAX_FILTER]


def page_number() -> int:
    """Return the number of the requested page of a list; 1 if the request has none."""
    return whole_number(request.args.get("page", "1"), 1, MAX_ID) or 1


def seen_in(form: Mapping[str, str]) -> SeenState | None:
    """Return the delivery's state on the page that an order came from, or None."""
    state, attempts = form.get("state", ""), form.get("attempts", "")
    if state not in set(State) or not attempts.isdecimal():
        return None
    return SeenState(state=State(state), attempts=int(attempts[:9]))


def time_in(form: Mapping[str, str]) -> datetime | None:
    """Return the time for which a post is approved, None for now. Raises BadRequest for an invalid time."""
    text = form.get("at", "")
    time = reviewing.read_time(text) if text else None
    if text and time is None:
        raise BadRequest(phrase("That is not a time."))
    return time
