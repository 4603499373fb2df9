"""The bot's parts, put together from the configuration.

Apart from app.py because a process that only serves feeds never loads any of this.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING

import requests

from articles.topics import Topics
from bot.commands import BotParts
from bot.database import connect
from bot.rules import Channel, Filter
from bot.scheduler import Site
from bot.secret import Secret
from bot.transport import Transport, fault_of
from config import ChannelConfig, Config, FilterConfig, secret
from ops.hosting import outbox_url

if TYPE_CHECKING:
    from app import Newswire

log = logging.getLogger("bot")


def bot_parts(
    newswire: Newswire, environ: Mapping[str, str], session: requests.Session | None = None
) -> BotParts:
    """Return what the bot and its commands need; opens no connection and starts nothing.

    Raises BotError or SettingError when the database's address cannot be used.
    """
    config, topics = newswire.config, newswire.catalog.topics
    return BotParts(
        database=connect(outbox_url(environ, config.state)),
        catalog=newswire.catalog,
        channels=tuple(channels_of(config, topics, environ)),
        transport=Transport(session or requests.Session(), user_agent=f"Newswire (+{config.site.url})"),
        site=Site(name=config.site.title, url=config.site.url),
        clock=newswire.clock,
        every=config.bot.every,
        refresh=newswire.refresh,
        watch=newswire.watch,
        taxonomy=json.dumps([asdict(topic) for topic in topics.listed], sort_keys=True),
    )


def channels_of(config: Config, topics: Topics, environ: Mapping[str, str]) -> Iterator[Channel]:
    """Yield the configured channels; one whose webhook is missing or useless has none, and is warned of."""
    for channel in config.bot.channels:
        yield Channel(
            name=channel.name,
            kind=channel.kind,
            webhook=_webhook(channel, environ),
            topics=None
            if channel.topics is None
            else frozenset(topics.of(name).slug for name in channel.topics),
            min_quality=channel.min_quality,
            types=_filter(channel.types),
            providers=_filter(channel.providers),
            keywords=_filter(channel.keywords),
            max_age=channel.max_age,
            backfill=channel.backfill,
            max_per_tick=channel.max_per_tick,
            on_unknown=channel.on_unknown,
        )


def _webhook(channel: ChannelConfig, environ: Mapping[str, str]) -> Secret | None:
    address = secret(channel.webhook_env, environ)
    if address is None:
        log.warning(
            "channel %s posts nothing: %s is not set in the environment", channel.name, channel.webhook_env
        )
        return None
    fault = fault_of(Secret(address))
    if fault:
        log.warning("channel %s posts nothing: %s: %s", channel.name, channel.webhook_env, fault)
        return None
    return Secret(address)


def _filter(words: FilterConfig) -> Filter:
    return Filter(include=frozenset(words.include), exclude=frozenset(words.exclude))
