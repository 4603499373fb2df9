"""Warnings about valid settings that are probably not intended, such as two channels with one address.

`config` reports errors. These warnings, each with its line, are logged at a start, and printed by `config
check`.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import urlsplit

from articles.reading import placeholders
from articles.topics import ALL
from bot.errors import BotError
from bot.outbox.database import connect
from bot.planning.rules import Channel
from bot.sending.network import network_of
from bot.services import SERVICES
from bot.services.layout import BadTemplateError
from bot.services.secret import Secret
from config import Location
from ops.errors import SettingError
from ops.hosting import outbox_url, unset_address
from text.hosts import is_loopback
from text.phrases import phrase
from wiring.channels import channel_of, monitor_of
from wiring.layouts import template_of, trial
from wiring.policy_checks import policy_warnings
from wiring.site import Newswire
from wiring.startup import check_environment

OWN_PATHS = frozenset(
    {
        "admin", "articles", "build", "digests", "feed", "feeds", "healthz", "hooks", "metrics", "private",
        "readyz", "rss", "search", "static", "topics",
    }
)  # fmt: skip
"""The beginnings of this site's paths, which the path in the site's address must not have."""

MAX_TRIED = 200
"""The newest articles with which each template is tried."""

LocatedWarnings = Iterator[tuple[Location, str]]


def warnings_of(newswire: Newswire, environ: Mapping[str, str], *, missing: bool = False) -> list[str]:
    """Return the warnings about the settings and the environment, one line each, in the order of the file.

    With `missing`, they include channels that post nothing, with the reason. A topic that no article has is
    reported only if all articles have been read.
    """
    config = newswire.config
    warnings = [*_of_addresses(newswire, environ, missing), *_of_topics(newswire), *_of_templates(newswire)]
    warnings += _of_permalink(config.articles.permalink or "", config.articles.generator)
    for number, channel in enumerate(config.bot.channels):
        where: Location = ("bot", "channels", number)
        warnings += policy_warnings(channel, where, newswire.catalog.topics, config.site, newswire.clock())
    if fault := monitor_of(config.bot, environ)[1]:
        warnings.append((("bot", "heartbeat_env"), fault))
    if config.bot.channels and is_loopback(urlsplit(config.site.url).hostname or ""):
        warnings.append(
            (("site", "url"), phrase("chat would link to this machine: write the public address"))
        )
    if (first := urlsplit(config.site.url).path.split("/")[1:2]) and first[0] in OWN_PATHS:
        warnings.append(
            (
                ("site", "url"),
                f"/{first[0]} is a page of this site too: the proxy must not remove it from paths",
            )
        )
    unset = unset_address(environ, config.site.url)
    return [*([unset] if unset else []), *config.located(warnings)]


def unusable_of(newswire: Newswire, environ: Mapping[str, str]) -> list[str]:
    """Return why the site or the bot cannot start: invalid variables, database, proxy, certificates."""
    config = newswire.config
    problems: list[str] = []
    try:
        check_environment(config, environ)
    except SettingError as error:
        problems.append(str(error))
    if not config.bot.channels:
        return problems
    try:
        connect(outbox_url(environ, config.state)).close()
    except (BotError, SettingError) as error:
        problems.append(str(error))
    try:
        network_of(config.bot.proxy, config.bot.ca_file, environ)
    except BotError as error:
        problems.append(str(error))
    return problems


def _of_addresses(newswire: Newswire, environ: Mapping[str, str], missing: bool) -> LocatedWarnings:
    topics = newswire.catalog.topics
    first: dict[tuple[Secret, str], str] = {}
    for number, settings in enumerate(newswire.config.bot.channels):
        channel, fault = channel_of(settings, topics, environ, newswire.config.site)
        if channel.destination is None:
            if missing:
                yield ("bot", "channels", number), fault
            continue
        where: Location = ("bot", "channels", number, _address_setting(settings.secret_variables()))
        address = channel.destination.address
        # A bot with one address may post to several chats, which the channel's other settings distinguish.
        place = (address, repr(sorted(channel.destination.options.items())))
        if place in first:
            yield (
                where,
                f"posts to the same address as {first[place]}: every article would be posted there twice",
            )
        first.setdefault(place, channel.name)
        if doubt := _doubt(channel, address):
            yield where, doubt


def _address_setting(variables: Iterable[str]) -> str:
    return f"{next(iter(variables), 'webhook')}_env"


def _doubt(channel: Channel, address: Secret) -> str | None:
    """Return why an address is probably not one of the channel's service."""
    service, host = SERVICES[channel.kind], urlsplit(address.reveal()).hostname or ""
    if service.is_own_address(address) or not service.HOSTS or is_loopback(host):
        return None
    other = next((service for service in SERVICES.values() if service.is_own_address(address)), None)
    if other is not None:
        return f"has an address of {other.NAME}: write `kind: {other.KIND}`, or the address of another"
    hosts = ", ".join(sorted(service.HOSTS))
    return f"has an address on {host}, which is not a host of {service.NAME} ({hosts})"


def _of_permalink(permalink: str, generator: str) -> LocatedWarnings:
    for placeholder in placeholders.unknown(permalink, generator):
        yield ("articles", "permalink"), f"{placeholder} is no known placeholder: it stays in addresses"


def _of_templates(newswire: Newswire) -> LocatedWarnings:
    """Yield the templates that fail for one of the newest articles; other errors in them are not warnings."""
    site, tried = newswire.config.site, set[str]()
    for number, channel in enumerate(newswire.config.bot.channels):
        try:
            template = template_of(channel)
        except BadTemplateError:
            continue
        if template is None or template.source in tried:
            continue
        tried.add(template.source)
        newest = newswire.catalog.newest(ALL, newswire.clock(), limit=MAX_TRIED)
        if fault := trial(template, newest, site=site.title, site_url=site.url):
            yield ("bot", "channels", number, "layout", "template"), fault


def _of_topics(newswire: Newswire) -> LocatedWarnings:
    catalog = newswire.catalog
    if not catalog.is_complete():
        return
    with_articles = {
        summary.topic.slug: summary.topic.name
        for summary in catalog.summaries(newswire.clock())
        if summary.articles
    }
    all_topics = with_articles | {topic.slug: topic.name for topic in catalog.topics.listed}
    for number, channel in enumerate(newswire.config.bot.channels):
        references = [("topics", *numbered) for numbered in enumerate(channel.topics or ())]
        references += [("not_topics", *numbered) for numbered in enumerate(channel.not_topics)]
        for setting, position, name in references:
            topic = catalog.topics.of(name)
            if topic.slug not in all_topics:
                where: Location = ("bot", "channels", number, setting, position)
                close = difflib.get_close_matches(topic.slug, all_topics, n=1)
                hint = f"did you mean {all_topics[close[0]]}?" if close else "is it spelt as in the articles?"
                yield where, f"no article has the topic {name}; {hint}"
