"""Assembles the operator's side of a web process: health, metrics, the hook for pushes, operator's pages.

The bot's modules are imported within functions, as a process that only serves feeds does not need them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache, cached_property
from typing import TYPE_CHECKING

from flask import Blueprint
from prometheus_client.registry import Collector

from ops.environment import secret
from ops.errors import SettingError
from ops.health import Health, health_of
from ops.hosting import outbox_url
from ops.metrics import ArticlesCollector, UsageCollector
from ops.routes import blueprint
from wiring.site import Newswire

if TYPE_CHECKING:
    import requests
    from prometheus_client.core import Metric

    from bot.outbox.database import Database


def ops_routes(newswire: Newswire, environ: Mapping[str, str]) -> Blueprint:
    """Return the routes of health, metrics and the hook for pushes.

    Raises SettingError for a secret that cannot be used.
    """
    checkout = newswire.checkout
    collectors: list[Collector] = [
        UsageCollector(newswire.counts),
        ArticlesCollector(newswire.catalog, newswire.clock, checkout),
    ]
    bot_health = None
    if newswire.config.bot.channels:
        outbox = _Outbox(newswire, environ)
        collectors.append(outbox)
        bot_health = Health(checks={"bot-not-posting": outbox.idle})
    return blueprint(
        health_of(newswire.indexer, checkout),
        collectors,
        counts=lambda: _counts(newswire),
        bot_health=bot_health,
        metrics_token=secret("METRICS_TOKEN", environ),
        hook_secret=secret("GIT_HOOK_SECRET", environ),
        on_push=checkout.request_pull if checkout else None,
    )


def admin_token(environ: Mapping[str, str]) -> str | None:
    """Return ADMIN_TOKEN, or None. Raises SettingError if it cannot be used, or is too short."""
    token = secret("ADMIN_TOKEN", environ)
    if token is None:
        return None
    from pages.admin.authentication import MIN_TOKEN_LENGTH

    if len(token) < MIN_TOKEN_LENGTH:
        raise SettingError(f"ADMIN_TOKEN must have at least {MIN_TOKEN_LENGTH} characters")
    return token


def admin_routes(
    newswire: Newswire, environ: Mapping[str, str], session: requests.Session | None, token: str
) -> Blueprint:
    """Return the routes of the operator's pages, which import the bot's modules; `token` opens them."""
    from bot.errors import BotError
    from bot.operator.parts import BotParts
    from pages.admin.lists import Setting
    from pages.admin.routes import blueprint as admin_blueprint
    from pages.admin.usage import Usage
    from wiring.bot import bot_parts
    from wiring.in_force import in_force

    @cache
    def parts() -> BotParts:
        try:
            return bot_parts(newswire, environ, session)
        except SettingError as error:
            raise BotError(str(error)) from None

    def usage() -> Usage:
        counts = newswire.counts.read()
        return Usage(requests=counts.requests, agents=counts.agents, subscribers=counts.subscribers)

    def settings() -> list[Setting]:
        settings_in_force = in_force(newswire.config, environ)
        return [
            Setting(name=setting.name, value=setting.value, origin=setting.origin)
            for setting in settings_in_force
        ]

    return admin_blueprint(token, parts, newswire.publisher, newswire.config.state, usage, settings)


class _Outbox(Collector):
    """Metrics and readiness of the outbox; the bot's modules are imported at the first use."""

    def __init__(self, newswire: Newswire, environ: Mapping[str, str]) -> None:
        self._newswire = newswire
        self._environ = environ

    def collect(self) -> Iterable[Metric]:
        """Return the metrics; none while the database's address cannot be used."""
        from bot.errors import BotError
        from bot.operator.metrics import outbox_metrics

        try:
            return outbox_metrics(self._database, self._newswire.clock())
        except (BotError, SettingError):
            return ()

    def idle(self) -> str | None:
        """Return why nothing would be posted now, or None."""
        from bot.errors import BotError
        from bot.operator.metrics import idle_bot

        try:
            return idle_bot(self._database, self._newswire.clock)
        except (BotError, SettingError) as error:
            return str(error)

    @cached_property
    def _database(self) -> Database:
        from bot.outbox.database import connect

        return connect(outbox_url(self._environ, self._newswire.config.state))


def _counts(newswire: Newswire) -> Mapping[str, int]:
    states = newswire.catalog.states(newswire.clock())
    return {"articles": states["published"], "bad_files": states["bad"]}
