"""The addresses of the operator's pages: login, views, and orders; every order is a form of this site."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from urllib.parse import quote, unquote, urlsplit

from flask import Blueprint, Response, g, redirect, request
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import Forbidden, NotFound
from werkzeug.wrappers import Response as AnyResponse

from bot.errors import BotError
from bot.operator import orders as operations
from bot.outbox import channelstate
from bot.outbox.database import first_line
from bot.outbox.records import Delivery
from bot.outbox.states import State
from bot.planning.rules import Channel
from feeds.publisher import Publisher
from pages.admin.desk import Desk, Parts
from pages.admin.gate import SESSION, Gate, Patience
from pages.assets import Assets
from pages.render import Renderer

COOKIE = "newswire_admin"
_SAID = "newswire_said"
_LONGEST_TOKEN = 4096


def blueprint(token: str, parts: Parts, publisher: Publisher) -> Blueprint:
    """Return the routes below /admin, open to whoever knows `token`."""
    routes = Blueprint("admin", __name__, url_prefix="/admin")
    gate = Gate(token, publisher.now)
    renderer = Renderer(publisher.site, Assets(), show_quality=True)
    _add_guards(routes, gate, renderer)
    _add_login(routes, gate, Patience(publisher.now), renderer)
    desk = Desk(parts, publisher, renderer)
    _add_views(routes, desk, gate)
    _add_orders(routes, desk, gate)
    return routes


def _add_guards(routes: Blueprint, gate: Gate, renderer: Renderer) -> None:
    @routes.before_request
    def let_in() -> AnyResponse | None:
        g.session = request.cookies.get(COOKIE, "")
        is_open = gate.is_session(g.session)
        if request.method == "POST":
            _check_origin()
            ours = is_open and gate.is_form_token(request.form.get("form_token", ""), g.session)
            if not ours and request.endpoint != "admin.log_in":
                raise Forbidden("This form has expired. Go back, reload the page, and try again.")
            return None
        if is_open or request.endpoint == "admin.login":
            return None
        return redirect("/admin/login", code=303)

    @routes.after_request
    def keep_private(response: Response) -> Response:
        response.headers["Cache-Control"] = "no-store"
        response.headers["Referrer-Policy"] = "same-origin"
        response.headers["X-Robots-Tag"] = "noindex"
        return response

    @routes.errorhandler(BotError)
    @routes.errorhandler(SQLAlchemyError)
    @routes.errorhandler(sqlite3.Error)
    def trouble(error: Exception) -> AnyResponse:
        reason = f"The database: {first_line(error)}" if isinstance(error, SQLAlchemyError) else str(error)
        html = renderer.html(
            "error.html", status=503, title="The bot's database cannot be used", text=reason, near=()
        )
        return Response(html, 503, mimetype="text/html")


def _check_origin() -> None:
    """Refuse a form that a page of another site sent (https://www.rfc-editor.org/rfc/rfc6454#section-7)."""
    origin = request.headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc != request.host:
        raise Forbidden("This form came from another site.")
    if request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
        raise Forbidden("This form came from another site.")


def _add_login(routes: Blueprint, gate: Gate, patience: Patience, renderer: Renderer) -> None:
    @routes.get("/login")
    def login() -> AnyResponse:
        return Response(renderer.html("admin/login.html", problem=""), mimetype="text/html")

    @routes.post("/login")
    def log_in() -> AnyResponse:
        address = request.remote_addr or ""
        wait = patience.wait_for(address)
        if wait:
            problem = f"Too many attempts. Try again in {wait.total_seconds():.0f} seconds."
            refused = Response(renderer.html("admin/login.html", problem=problem), 429, mimetype="text/html")
            refused.headers["Retry-After"] = f"{wait.total_seconds():.0f}"
            return refused
        if not gate.admits(request.form.get("token", "")[:_LONGEST_TOKEN]):
            patience.failed(address)
            page = renderer.html("admin/login.html", problem="That is not the token.")
            return Response(page, 403, mimetype="text/html")
        answer = redirect("/admin", code=303)
        _set_cookie(answer, COOKIE, gate.open_session(), int(SESSION.total_seconds()))
        return answer

    @routes.post("/logout")
    def log_out() -> AnyResponse:
        answer = redirect("/admin/login", code=303)
        answer.delete_cookie(COOKIE, path="/admin")
        return answer


def _add_views(routes: Blueprint, desk: Desk, gate: Gate) -> None:
    def form_token() -> str:
        return gate.form_token(g.session)

    def shown(make: Callable[[str], str]) -> AnyResponse:
        """Answer with a page that is told what came of the last order; it is told once."""
        cookie = request.cookies.get(_SAID, "")
        said = gate.unsigned("said", _decoded(cookie)) if cookie else None
        response = Response(make(said or ""), mimetype="text/html")
        if cookie:
            response.delete_cookie(_SAID, path="/admin")
        return response

    @routes.get("")
    def overview() -> AnyResponse:
        return shown(lambda said: desk.overview(_now(desk), form_token(), said))

    @routes.get("/deliveries")
    def deliveries() -> AnyResponse:
        states = [State(name) for name in request.args.getlist("state") if name in set(State)]
        return shown(
            lambda said: desk.deliveries(
                _now(desk),
                form_token(),
                said,
                states=states,
                channel=request.args.get("channel", ""),
                article=request.args.get("article", "").strip(),
                before=request.args.get("before", type=int),
            )
        )

    @routes.get("/deliveries/<int:number>")
    def delivery(number: int) -> AnyResponse:
        found = _delivery(desk, number)
        return shown(lambda said: desk.delivery(found, _now(desk), form_token(), said))

    @routes.get("/threshold")
    def threshold() -> AnyResponse:
        channels = desk.parts.channels
        name = request.args.get("channel", "")
        channel = _channel(desk, name) if name else next(iter(channels), None)
        own = channel.min_quality if channel else None
        wanted = request.args.get("min_quality", own, type=int)
        return shown(lambda said: desk.threshold(_now(desk), form_token(), channel, wanted))

    @routes.get("/preview")
    def preview() -> AnyResponse:
        id = request.args.get("article", "")
        article = desk.parts.catalog.get(id) if id else None
        if id and article is None:
            raise NotFound("There is no such article.")
        question = request.args.get("q", "").strip()[:200]
        return shown(lambda said: desk.preview(_now(desk), form_token(), question, article))

    @routes.get("/files")
    def bad_files() -> AnyResponse:
        return shown(lambda said: desk.files(_now(desk), form_token()))


def _add_orders(routes: Blueprint, desk: Desk, gate: Gate) -> None:
    def back(address: str, said: str) -> AnyResponse:
        answer = redirect(address, code=303)
        _set_cookie(answer, _SAID, _encoded(gate.signed("said", said)), 60)
        return answer

    @routes.post("/deliveries/<int:number>/<order>")
    def order_delivery(number: int, order: str) -> AnyResponse:
        found = _delivery(desk, number)
        database, now = desk.parts.database, _now(desk)
        orders: Mapping[str, Callable[[], object]] = {
            "replay": lambda: operations.replay(database, [found.id], now),
            "skip": lambda: operations.skip(database, found.id, now),
            "posted": lambda: operations.resolve(database, found.id, posted=True, now=now),
            "not-posted": lambda: operations.resolve(database, found.id, posted=False, now=now),
        }
        if order not in orders:
            raise NotFound
        said = _DONE[order] if orders[order]() else "It has changed meanwhile: look again, and decide anew."
        return back(f"/admin/deliveries/{number}", said)

    @routes.post("/channels/<name>/<order>")
    def order_channel(name: str, order: str) -> AnyResponse:
        channel = _channel(desk, name)
        database, now = desk.parts.database, _now(desk)
        if order == "test":
            return back("/admin", _tested(desk, channel))
        orders = {"pause": channelstate.pause, "resume": channelstate.resume}
        if order not in orders:
            raise NotFound
        done = orders[order](database, name, now)
        return back("/admin", f"{name} is {order}d." if done else f"{name} has not started yet.")


_DONE = {
    "replay": "It will be posted at the bot's next look.",
    "skip": "It is skipped: nothing will be posted.",
    "posted": "Noted: it was posted.",
    "not-posted": "Noted: it was not posted, and will be at the bot's next look.",
}


def _tested(desk: Desk, channel: Channel) -> str:
    if channel.destination is None:
        return desk.parts.faults[channel.name]
    # The faults of the others are not the question here, and would be logged.
    verdict = replace(desk.parts, faults={}).bot().sender.test(channel.name, desk.parts.site.name)
    return f"Test message to {channel.name}: {verdict.outcome}. {verdict.reason}".rstrip()


def _channel(desk: Desk, name: str) -> Channel:
    channel = desk.channel(name)
    if channel is None:
        raise NotFound("There is no such channel.")
    return channel


def _delivery(desk: Desk, number: int) -> Delivery:
    found = operations.one(desk.parts.database, number)
    if found is None:
        raise NotFound("There is no such delivery.")
    return found


def _now(desk: Desk) -> datetime:
    return desk.parts.clock()


def _set_cookie(answer: AnyResponse, name: str, value: str, max_age: int) -> None:
    answer.set_cookie(
        name,
        value,
        max_age=max_age,
        path="/admin",
        secure=request.is_secure,
        httponly=True,
        samesite="Strict",
    )


def _encoded(text: str) -> str:
    """Return text as a cookie can hold it."""
    return quote(text, safe="")


def _decoded(cookie: str) -> str:
    return unquote(cookie)
