"""Orders for many deliveries at once, and the download of the list of deliveries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime

from flask import Blueprint, Response, request
from werkzeug.exceptions import BadRequest, NotFound
from werkzeug.wrappers import Response as AnyResponse

from bot.operator import orders
from bot.operator.orders import SeenState
from bot.operator.values import delivery_values
from bot.outbox.database import Database
from pages.admin.filters import delivery_filter
from pages.admin.tables import MAX_ROWS, Format, table
from pages.admin.views import PER_PAGE, OperatorViews
from text.phrases import joined, phrase
from web.numbers import MAX_ID, whole_number

_DELIVERY = ("id", "state", "channel", "article", "title", "reason", "attempts", "created_at", "updated_at",
             "due_at", "posted_at")  # fmt: skip
_ORDERS = {"replay": orders.replay, "skip": orders.skip}


def add_export(routes: Blueprint, views: OperatorViews) -> None:
    """Add the route of the list of deliveries as a file, with the rows of all its pages."""

    @routes.get("/deliveries.<any(csv, json):form>")
    def exported_deliveries(form: Format) -> Response:
        deliveries = views.matching(delivery_filter(request.args), limit=MAX_ROWS)
        return table("deliveries", [delivery_values(delivery) for delivery in deliveries], _DELIVERY, form)


def add_orders(
    routes: Blueprint, views: OperatorViews, redirect_with: Callable[[str, str], AnyResponse]
) -> None:
    """Add the routes of orders for the deliveries that were chosen in a list."""

    @routes.post("/deliveries/chosen/<order>")
    def order_chosen(order: str) -> AnyResponse:
        if order not in _ORDERS:
            raise NotFound
        choices = [_choice(text) for text in request.form.getlist("delivery")]
        if len(choices) > PER_PAGE:
            raise BadRequest(phrase("At most %(most)s deliveries can be chosen at once.", most=PER_PAGE))
        results = _carry_out(order, choices, views.parts.database, views.parts.clock())
        return redirect_with(results, f"/deliveries?{delivery_filter(request.form).query}")


def _choice(text: str) -> tuple[int, SeenState]:
    """Return the number of a chosen delivery and its state in the list. Raises BadRequest for other texts."""
    number, _, seen = text.partition(":")
    delivery_id = whole_number(number, 1, MAX_ID)
    try:
        if delivery_id is not None:
            return delivery_id, SeenState.read(seen)
    except ValueError:
        pass
    raise BadRequest(phrase("That is not a delivery."))


def _carry_out(order: str, choices: list[tuple[int, SeenState]], database: Database, now: datetime) -> str:
    """Carry out an order on each delivery, and return the text of the results, the most frequent first."""
    if not choices:
        return phrase("No delivery was chosen.")
    results = Counter(_ORDERS[order](database, number, now, seen).text for number, seen in choices)
    return joined(
        " ",
        (
            phrase("%(count)s of %(all)s: %(result)s.", count=count, all=len(choices), result=each)
            for each, count in results.most_common(5)
        ),
    )
