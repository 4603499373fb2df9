"""Which deliveries and files a list of the operator's pages shows: as an address or a form says it."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from flask import request
from werkzeug.datastructures import MultiDict

from bot.outbox.states import State

MAX_FILTER = 500
"""Characters of what lists are filtered by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryFilter:
    """Which deliveries are listed: in these states, of this channel and article; empty means any."""

    states: frozenset[State] = frozenset()
    channel: str = ""
    article: str = ""

    @property
    def query(self) -> str:
        """It as the query of an address."""
        pairs = [("state", state) for state in sorted(self.states)]
        named = (("channel", self.channel), ("article", self.article))
        return urlencode([*pairs, *((name, value) for name, value in named if value)])


def delivery_filter(values: MultiDict[str, str]) -> DeliveryFilter:
    """Return the filter in the parameters of an address or a form."""
    return DeliveryFilter(
        states=frozenset(State(name) for name in values.getlist("state") if name in set(State)),
        channel=values.get("channel", "")[:MAX_FILTER],
        article=values.get("article", "").strip()[:MAX_FILTER],
    )


def file_filter() -> str:
    """Return the text that bad files are filtered by in the current request."""
    return request.args.get("q", "").strip()[:MAX_FILTER]
