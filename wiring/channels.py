"""Creates the bot's channels from their settings and secrets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from articles.topics import Topics
from bot.planning.filters import LanguageFilter, TextFilter, WordFilter
from bot.planning.rules import Channel
from bot.sending.transport import fault_of
from bot.services import SERVICES, Destination
from bot.services.layout import BadTemplateError
from bot.services.secret import Secret
from config import BotConfig, ChannelConfig, SiteConfig
from ops.environment import secret
from ops.errors import SettingError
from text.phrases import joined, phrase
from wiring.layouts import layout_of, template_of
from wiring.policies import policy_of
from wiring.values import value_of


def channel_of(
    channel: ChannelConfig, topics: Topics, environ: Mapping[str, str], site: SiteConfig
) -> tuple[Channel, str]:
    """Return a configured channel, and why it cannot post, or ""; such a channel has no destination.

    `site` has the default time zone and language.
    """
    destination, fault = _destination(channel, environ)
    faults = [fault] if fault else []
    rules = channel_rules(channel, topics, site)
    try:
        rules = replace(rules, layout=replace(rules.layout, template=template_of(channel)))
    except BadTemplateError as wrong:
        destination = None
        faults.append(str(wrong))
    reason = (
        phrase("channel %(name)s posts nothing: %(why)s", name=channel.name, why=joined("; ", faults))
        if faults
        else ""
    )
    return replace(rules, destination=destination), reason


def monitor_of(bot: BotConfig, environ: Mapping[str, str]) -> tuple[Secret | None, str]:
    """Return the address of the dead man's switch, or None; and what is wrong with a configured one."""
    name = bot.heartbeat_env
    if name is None:
        return None, ""
    try:
        value = secret(name, environ)
    except SettingError as error:
        return None, str(error)
    if not value:
        return None, f"{name} is not set in the environment: no monitor is notified that the bot works"
    fault = fault_of(Secret(value))
    return (None, f"{name}: {fault.replace('the webhook', 'the monitor')}") if fault else (Secret(value), "")


def channel_rules(channel: ChannelConfig, topics: Topics, site: SiteConfig) -> Channel:
    """Return a configured channel with its rules, but without its destination."""
    slugs = None if channel.topics is None else frozenset(topics.of(name).slug for name in channel.topics)
    return value_of(
        channel,
        Channel,
        topics=slugs,
        not_topics=frozenset(topics.of(name).slug for name in channel.not_topics),
        policy=policy_of(channel, topics, site.timezone),
        layout=layout_of(channel),
        language=channel.language or site.language,
        types=value_of(channel.types, WordFilter),
        providers=value_of(channel.providers, WordFilter),
        authors=value_of(channel.authors, WordFilter),
        languages=_languages(channel, site),
        keywords=value_of(channel.keywords, TextFilter),
    )


def _languages(channel: ChannelConfig, site: SiteConfig) -> LanguageFilter:
    return LanguageFilter(tags=frozenset(map(str.lower, channel.languages)), own=site.language.lower())


def _destination(channel: ChannelConfig, environ: Mapping[str, str]) -> tuple[Destination | None, str]:
    """Return the destination of a channel, or None, and what is wrong with its secrets, or ""."""
    service, variables = SERVICES[channel.kind], channel.secret_variables()
    secrets = {}
    for purpose, name in variables.items():
        if not environ.get(name, "").strip() and f"{name}_FILE" not in environ:
            return None, phrase("%(name)s is not set in the environment", name=name)
        try:
            secrets[purpose] = Secret(secret(name, environ) or "")
        except SettingError as error:
            return None, str(error)
    destination = service.destination(secrets, channel.options())
    fault = fault_of(destination.address, service.SCHEMES) or service.refusal(destination)
    return (None, f"{', '.join(variables.values())}: {fault}") if fault else (destination, "")
