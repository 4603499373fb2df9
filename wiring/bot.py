"""Assembles the bot's parts from the configuration.

This is separate from app.py, as a process that only serves feeds imports none of it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path

import requests

from articles.topics import Topics
from bot.dead_mans_switch import DeadMansSwitch
from bot.liveness import Liveness
from bot.operator.parts import BotParts, ProposedChange
from bot.outbox.database import connect
from bot.sending.network import network_of
from bot.sending.tools import SiteLink
from bot.sending.transport import Transport
from config import Config
from ops.hosting import outbox_url
from wiring.channels import channel_of, channel_rules, monitor_of
from wiring.checks import warnings_of
from wiring.hubs import hub_notifier
from wiring.site import Newswire, index_of


def bot_parts(
    newswire: Newswire, environ: Mapping[str, str], session: requests.Session | None = None
) -> BotParts:
    """Return the parts that the bot and its commands need; opens no connection and starts nothing.

    Raises BotError or SettingError if the database's address cannot be used.
    """
    config, topics = newswire.config, newswire.catalog.topics
    channels = [channel_of(channel, topics, environ, config.site) for channel in config.bot.channels]
    transport = Transport(
        session or requests.Session(),
        user_agent=f"Newswire (+{config.site.url})",
        network=network_of(config.bot.proxy, config.bot.ca_file, environ),
    )
    monitor, _ = monitor_of(config.bot, environ)
    return BotParts(
        database=connect(outbox_url(environ, config.state)),
        catalog=newswire.catalog,
        channels=tuple(channel for channel, _ in channels),
        faults={channel.name: fault for channel, fault in channels if fault},
        transport=transport,
        site=SiteLink(name=config.site.title, url=config.site.url),
        clock=newswire.clock,
        every=config.bot.every,
        keep=config.bot.keep,
        alerts=config.bot.alerts,
        liveness=Liveness(config.state),
        leads=DeadMansSwitch(monitor, transport.send).call if monitor else lambda: None,
        refresh=newswire.refresh,
        watch=partial(_watch, newswire, session),
        taxonomy=_taxonomy(topics),
        warnings=lambda: [*filter(None, [newswire.settings.check()]), *warnings_of(newswire, environ)],
    )


@contextmanager
def _watch(
    newswire: Newswire, session: requests.Session | None, on_change: Callable[[], None]
) -> Iterator[None]:
    """Keep the catalog fresh within the context; call `on_change` at visible changes, and notify hubs."""
    hubs = hub_notifier(newswire, session)
    with newswire.watch(on_change):
        if hubs:
            hubs.start()
        try:
            yield
        finally:
            if hubs:
                hubs.stop()


@contextmanager
def proposed_change(newswire: Newswire, rules: Config, content: Path | None) -> Iterator[ProposedChange]:
    """Yield the proposed change for `bot plan`: the articles in `content`, or the site's own, under `rules`.

    `rules` are from `config.load_rules`, or this installation's own. The channels have no webhook, no
    secret is read for them, and nothing is written outside a temporary folder.
    """
    checkout = newswire.checkout if content is None else None
    with index_of(rules, content or rules.articles.path, checkout) as indexer:
        topics = indexer.catalog.topics
        yield ProposedChange(
            catalog=indexer.catalog,
            channels=tuple(channel_rules(channel, topics, rules.site) for channel in rules.bot.channels),
            taxonomy=_taxonomy(topics),
            refresh=indexer.refresh,
        )


def _taxonomy(topics: Topics) -> str:
    return json.dumps([asdict(topic) for topic in topics.listed], sort_keys=True)
