"""All settings in force with their origins: those of config.yaml, those of the environment, and secrets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bot.sending.network import proxy_variable
from config import DEFAULT, Config, EffectiveSetting, effective_settings
from ops.environment import find_secret
from ops.errors import SettingError
from ops.hosting import outbox, platform
from ops.variables import VARIABLES
from text.phrases import explained, phrase
from wiring.loading import config_path

SECRETS = ("ADMIN_TOKEN", "METRICS_TOKEN", "GIT_HOOK_SECRET", "FEEDS_SECRET", "DATABASE_URL", "SENTRY_DSN")
"""The secrets of every installation; the settings name further ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InForce:
    """The settings in force, by where they are set. The value of a secret is only whether it is set."""

    settings: tuple[EffectiveSetting, ...]
    environment: tuple[EffectiveSetting, ...]
    secrets: tuple[EffectiveSetting, ...]

    def __iter__(self) -> Iterator[EffectiveSetting]:
        yield from (*self.settings, *self.environment, *self.secrets)


def in_force(config: Config, environ: Mapping[str, str]) -> InForce:
    """Return the settings in force. They contain no secret, and no part of one."""
    return InForce(
        settings=tuple(effective_settings(config)),
        environment=tuple(_environment(config, environ)),
        secrets=tuple(_secret(name, environ) for name in _secret_names(config)),
    )


def _environment(config: Config, environ: Mapping[str, str]) -> Iterator[EffectiveSetting]:
    """Yield the settings that are only in the environment, and those derived from it."""
    if host := platform(environ):
        yield EffectiveSetting(name="platform", value=host.value, origin=host.origin)
    origin_of_path = "NEWSWIRE_CONFIG" if environ.get("NEWSWIRE_CONFIG") else DEFAULT
    yield EffectiveSetting(name="NEWSWIRE_CONFIG", value=str(config_path(environ)), origin=origin_of_path)
    for each in VARIABLES:
        origin = each.name if each.is_set(environ) else DEFAULT
        yield EffectiveSetting(name=each.name, value=each.text(environ), origin=origin)
    if config.bot.proxy is None and (variable := proxy_variable(environ)):
        yield EffectiveSetting(
            name="proxy", value=phrase("set"), origin=variable
        )  # its address may have a password
    yield _outbox(config, environ)


def _outbox(config: Config, environ: Mapping[str, str]) -> EffectiveSetting:
    try:
        address = outbox(environ, config.state)
    except SettingError as error:
        return EffectiveSetting(name="outbox", value=explained(phrase("unusable"), str(error)), origin="")
    # Only the scheme of DATABASE_URL, as the address has the password.
    kind = "SQLite" if address.value.startswith("sqlite:") else "PostgreSQL"
    return EffectiveSetting(name="outbox", value=kind, origin=address.origin)


def _secret_names(config: Config) -> list[str]:
    names = [*SECRETS, config.articles.token_env, config.bot.heartbeat_env]
    for channel in config.bot.channels:
        names += channel.secret_variables().values()
    return list(dict.fromkeys(filter(None, names)))


def _secret(name: str, environ: Mapping[str, str]) -> EffectiveSetting:
    try:
        secret = find_secret(name, environ)
    except SettingError as error:
        return EffectiveSetting(name=name, value=explained(phrase("unusable"), str(error)), origin="")
    return EffectiveSetting(
        name=name,
        value=phrase("set") if secret else phrase("not set"),
        origin=secret.origin if secret else "",
    )
