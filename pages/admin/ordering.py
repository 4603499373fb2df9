"""The routes of an operator's orders for one delivery, one post under review, and one channel."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from flask import Blueprint, request
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response as AnyResponse

from bot.operator import orders, reports, reviewing
from bot.operator.orders import OrderResult
from bot.operator.testing import send_test
from bot.outbox import channelstate
from bot.planning.rules import Channel
from pages.admin.addressed import channel_named, delivery_numbered
from pages.admin.filters import seen_in, time_in
from pages.admin.views import OperatorViews
from text.phrases import joined, phrase

RedirectWith = Callable[[str, str], AnyResponse]
"""Returns a redirect to a path below /admin, where a notice is shown: called with notice and path."""


def add_single_orders(routes: Blueprint, views: OperatorViews, redirect_with: RedirectWith) -> None:
    """Add the routes of orders for one delivery, one post under review, and one channel."""
    _add_delivery_orders(routes, views, redirect_with)
    _add_review_orders(routes, views, redirect_with)
    _add_channel_orders(routes, views, redirect_with)


def _add_delivery_orders(routes: Blueprint, views: OperatorViews, redirect_with: RedirectWith) -> None:
    @routes.post("/deliveries/<number>/<order>")
    def order_delivery(number: str, order: str) -> AnyResponse:
        delivery = delivery_numbered(views, number)
        database, now = views.parts.database, views.parts.clock()
        seen = seen_in(request.form)
        orders_by_name: Mapping[str, Callable[[], OrderResult]] = {
            "replay": lambda: orders.replay(database, delivery.id, now, seen),
            "skip": lambda: orders.skip(database, delivery.id, now, seen),
            "posted": lambda: orders.resolve(database, delivery.id, posted=True, now=now, seen=seen),
            "not-posted": lambda: orders.resolve(database, delivery.id, posted=False, now=now, seen=seen),
        }
        if order not in orders_by_name:
            raise NotFound
        return redirect_with(views.sentence(orders_by_name[order]().text), f"/deliveries/{delivery.id}")


def _add_review_orders(routes: Blueprint, views: OperatorViews, redirect_with: RedirectWith) -> None:
    @routes.post("/review/<number>/<order>")
    def order_review(number: str, order: str) -> AnyResponse:
        delivery, seen = delivery_numbered(views, number), seen_in(request.form)
        database, now = views.parts.database, views.parts.clock()
        orders_by_name: Mapping[str, Callable[[], OrderResult]] = {
            "approve": lambda: reviewing.approve(database, delivery.id, now, seen, time_in(request.form)),
            "comment": lambda: reviewing.comment(
                database, delivery.id, request.form.get("comment", ""), now, seen
            ),
            "drop": lambda: reviewing.drop(database, delivery.id, now, seen),
        }
        if order not in orders_by_name:
            raise NotFound
        return redirect_with(views.sentence(orders_by_name[order]().text), "/review")


def _add_channel_orders(routes: Blueprint, views: OperatorViews, redirect_with: RedirectWith) -> None:
    @routes.post("/channels/<name>/<order>")
    def order_channel(name: str, order: str) -> AnyResponse:
        channel = channel_named(views, name)
        database, now = views.parts.database, views.parts.clock()
        if order == "test":
            return redirect_with(_tested(views, channel), "")
        changes = {"pause": channelstate.pause, "resume": channelstate.resume}
        if order not in changes:
            raise NotFound
        done = changes[order](database, name, now)
        text = reports.channel_ordered(name, order) if done else reports.not_started(name)
        return redirect_with(phrase("%(sentence)s.", sentence=text), "")


def _tested(views: OperatorViews, channel: Channel) -> str:
    if channel.destination is None:
        return views.parts.faults[channel.name]
    result = send_test(views.parts, channel.name)
    notice = phrase("Test message to %(name)s: %(outcome)s.", name=channel.name, outcome=result.outcome)
    return joined(" ", filter(None, [notice, result.reason]))
