"""Finds the channel or delivery in an address of the operator's pages."""

from __future__ import annotations

from werkzeug.exceptions import NotFound

from bot.operator import queries
from bot.outbox.records import Delivery
from bot.planning.rules import Channel
from pages.admin.views import OperatorViews
from text.phrases import phrase
from web.numbers import MAX_ID, whole_number


def channel_named(views: OperatorViews, name: str) -> Channel:
    """Return the channel with this name. Raises NotFound if there is none."""
    channel = views.channel(name)
    if channel is None:
        raise NotFound(phrase("The channel does not exist."))
    return channel


def delivery_numbered(views: OperatorViews, number: str) -> Delivery:
    """Return the delivery with this number. Raises NotFound if there is none."""
    id = whole_number(number, 1, MAX_ID)
    delivery = queries.delivery_by_id(views.parts.database, id) if id is not None else None
    if delivery is None:
        raise NotFound(phrase("The delivery does not exist."))
    return delivery
