"""The routes of the operator's pages: login, views, and orders, which are forms of this site."""

from __future__ import annotations

import logging
import math
import sqlite3
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path

from flask import Blueprint, Response, g, request
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import Forbidden, NotFound
from werkzeug.wrappers import Response as AnyResponse

from articles.catalog.search_words import MAX_LENGTH
from bot.errors import BotError
from bot.outbox.database import first_line
from feeds.filters import MAX_QUALITY
from feeds.publisher import Publisher
from pages.admin.addressed import channel_named, delivery_numbered
from pages.admin.area import AdminArea
from pages.admin.authentication import SESSION, Authenticator, LoginThrottle
from pages.admin.filters import delivery_filter
from pages.admin.list_routes import add_lists
from pages.admin.lists import OperatorLists, Setting
from pages.admin.logins import LoginStore, LoginStoreError
from pages.admin.many import add_export, add_orders
from pages.admin.ordering import add_single_orders
from pages.admin.usage import Usage
from pages.admin.views import OperatorViews, Parts
from pages.assets import Assets
from pages.render import Renderer
from text.language import language_of
from text.phrases import Phrase, counted_phrase, phrase
from web.numbers import MAX_ID, whole_number

SESSION_COOKIE = "newswire_admin"
NOTICE_COOKIE = "newswire_notice"
MAX_TOKEN_LENGTH = 4096
_NOTICE_SECONDS = 60
_MAX_NOTICE = 500  # characters: browsers refuse cookies over 4,096 bytes

log = logging.getLogger(__name__)


def blueprint(
    token: str,
    parts: Parts,
    publisher: Publisher,
    state: Path,
    usage: Callable[[], Usage],
    settings: Callable[[], Sequence[Setting]],
) -> Blueprint:
    """Return the routes below /admin, protected by `token`; logins are recorded in the folder `state`.

    `usage` returns the counts of the feeds' readers, `settings` the settings in force.
    """
    routes = Blueprint("admin", __name__, url_prefix="/admin")
    store = LoginStore(state, publisher.now)
    try:
        store.created_at()  # at the start, as sessions older than the file count as ended
    except LoginStoreError as error:
        log.warning("the operator cannot log in: %s", error)
    auth = Authenticator(token, publisher.now, store)
    area = AdminArea(publisher.site.url)
    language = language_of(publisher.site.language)
    renderer = Renderer(publisher.site, Assets(), show_quality=True, language=language)
    _add_guards(routes, auth, area, renderer)
    _add_login(routes, auth, area, LoginThrottle(store), renderer)
    views = OperatorViews(parts, publisher, renderer)
    _add_views(routes, views, auth, area)
    lists = OperatorLists(publisher, renderer, usage, settings)
    add_lists(routes, lists, partial(_show, auth, area), publisher.now)
    _add_tools(routes, views, auth, area)
    _add_orders(routes, views, auth, area)
    return routes


def _add_guards(routes: Blueprint, auth: Authenticator, area: AdminArea, renderer: Renderer) -> None:
    @routes.before_request
    def require_login() -> AnyResponse | None:
        g.session = session = auth.session(area.cookie(SESSION_COOKIE))
        if request.method == "POST":
            area.check_origin()
            form_token = request.form.get("form_token", "")
            is_ours = session is not None and auth.is_form_token(form_token, session)
            if not is_ours and request.endpoint != "admin.log_in":
                raise Forbidden(phrase("This form has expired. Go back, reload the page, and try again."))
            return None
        if session is not None or request.endpoint == "admin.login":
            return None
        return area.redirect("/login")

    @routes.after_request
    def forbid_caching(response: Response) -> Response:
        response.headers["Cache-Control"] = "no-store"
        response.headers["Referrer-Policy"] = "same-origin"
        response.headers["X-Robots-Tag"] = "noindex"
        return response

    @routes.errorhandler(BotError)
    @routes.errorhandler(SQLAlchemyError)
    @routes.errorhandler(sqlite3.Error)
    def database_error(error: Exception) -> AnyResponse:
        title = phrase("The bot’s database cannot be used")
        reason = first_line(error) if isinstance(error, SQLAlchemyError) else error.args[0]
        text, detail = (reason, "") if isinstance(reason, Phrase) else ("", reason)
        html = renderer.html("error.html", status=503, title=title, text=text, detail=detail)
        return Response(html, 503, mimetype="text/html")

    @routes.errorhandler(LoginStoreError)
    def login_store_error(error: LoginStoreError) -> AnyResponse:
        log.error("the operator's pages are not available: %s", error)
        title, text = phrase("Logins cannot be checked"), phrase("See the log.")
        html = renderer.html("error.html", status=503, title=title, text=text)
        return Response(html, 503, mimetype="text/html")


def _add_login(
    routes: Blueprint, auth: Authenticator, area: AdminArea, throttle: LoginThrottle, renderer: Renderer
) -> None:
    @routes.get("/login")
    def login() -> AnyResponse:
        return Response(renderer.html("admin/login.html", problem=""), mimetype="text/html")

    @routes.post("/login")
    def log_in() -> AnyResponse:
        if auth.admits(request.form.get("token", "")[:MAX_TOKEN_LENGTH]):
            answer = area.redirect()
            area.set_cookie(answer, SESSION_COOKIE, auth.open_session(), int(SESSION.total_seconds()))
            return answer
        # The correct token is accepted beyond the limit too, so that nobody can lock the operator out.
        wait = math.ceil(throttle.record_failure().total_seconds())
        problem = phrase("That is not the token.")
        if wait:
            problem = counted_phrase(
                "That is not the token. There were too many wrong ones: try again in %(num)s second, or with"
                " the right one.",
                "That is not the token. There were too many wrong ones: try again in %(num)s seconds, or with"
                " the right one.",
                wait,
            )
        page = renderer.html("admin/login.html", problem=problem)
        refused = Response(page, 429 if wait else 403, mimetype="text/html")
        if wait:
            refused.headers["Retry-After"] = str(wait)
        return refused

    @routes.post("/logout")
    def log_out() -> AnyResponse:
        auth.end_session(g.session)
        answer = area.redirect("/login")
        area.delete_cookie(answer, SESSION_COOKIE)
        return answer


def _show(auth: Authenticator, area: AdminArea, render: Callable[[str, str], str]) -> AnyResponse:
    """Return the response with a page; `render` gets the form token, and once the last order's result."""
    cookie = area.cookie(NOTICE_COOKIE)
    response = Response(render(auth.form_token(g.session), auth.notice(cookie) or ""), mimetype="text/html")
    if cookie:
        area.delete_cookie(response, NOTICE_COOKIE)
    return response


def _add_views(routes: Blueprint, views: OperatorViews, auth: Authenticator, area: AdminArea) -> None:
    @routes.get("")
    def overview() -> AnyResponse:
        name = request.args.get("channel", "")
        charted = channel_named(views, name).name if name else ""
        return _show(
            auth, area, lambda token, notice: views.overview(_now(views), token, notice, charted=charted)
        )

    @routes.get("/deliveries")
    def deliveries() -> AnyResponse:
        delivery_choice = delivery_filter(request.args)
        before = whole_number(request.args.get("before", ""), 1, MAX_ID)
        return _show(
            auth,
            area,
            lambda token, notice: views.deliveries(_now(views), token, notice, delivery_choice, before),
        )

    @routes.get("/deliveries/<number>")
    def delivery(number: str) -> AnyResponse:
        requested = delivery_numbered(views, number)
        return _show(auth, area, lambda token, notice: views.delivery(requested, _now(views), token, notice))

    @routes.get("/review")
    def review() -> AnyResponse:
        return _show(auth, area, lambda token, notice: views.review(_now(views), token, notice))

    add_export(routes, views)


def _add_tools(routes: Blueprint, views: OperatorViews, auth: Authenticator, area: AdminArea) -> None:
    @routes.get("/threshold")
    def threshold() -> AnyResponse:
        name = request.args.get("channel", "")
        channel = channel_named(views, name) if name else next(iter(views.parts.channels), None)
        min_quality = whole_number(request.args.get("min_quality", ""), -MAX_QUALITY, MAX_QUALITY)
        if min_quality is None and channel:
            min_quality = channel.min_quality
        return _show(auth, area, lambda token, _: views.threshold(_now(views), token, channel, min_quality))

    @routes.get("/preview")
    def preview() -> AnyResponse:
        id = request.args.get("article", "")
        article = views.parts.catalog.get(id) if id else None
        if id and article is None:
            raise NotFound(phrase("The article does not exist."))
        query = request.args.get("q", "").strip()[:MAX_LENGTH]
        return _show(auth, area, lambda token, _: views.preview(_now(views), token, query, article))


def _add_orders(routes: Blueprint, views: OperatorViews, auth: Authenticator, area: AdminArea) -> None:
    def redirect_with(notice: str, path: str) -> AnyResponse:
        answer, text = area.redirect(path), views.language.translate(notice)
        area.set_cookie(answer, NOTICE_COOKIE, auth.signed_notice(text[:_MAX_NOTICE]), _NOTICE_SECONDS)
        return answer

    add_orders(routes, views, redirect_with)
    add_single_orders(routes, views, redirect_with)


def _now(views: OperatorViews) -> datetime:
    return views.parts.clock()
