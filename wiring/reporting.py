"""Starts the logs and error reports of a process, without the secrets that the configuration names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TextIO

from config import Config
from ops import logs, sentry
from ops.environment import readable_secrets
from ops.errors import SettingError
from wiring.loading import exit_with
from wiring.private import feed_readers


def start_reporting(config: Config, environ: Mapping[str, str], stream: TextIO | None = None) -> None:
    """Start the logs, and error reports to Sentry if SENTRY_DSN is set; secrets are removed from both.

    Exits with status 2 if a variable has an invalid value.
    """
    names = [name for channel in config.bot.channels for name in channel.secret_variables().values()]
    names += [
        config.articles.token_env or "",
        config.bot.heartbeat_env or "",
        "METRICS_TOKEN",
        "GIT_HOOK_SECRET",
        "ADMIN_TOKEN",
        "DATABASE_URL",
        "FEEDS_SECRET",
    ]
    secrets = readable_secrets(filter(None, names), environ)
    try:
        secrets += [reader.token for reader in feed_readers(config, environ)]
        logs.configure(environ, secrets=secrets, stream=stream)
        sentry.start(environ, secrets=secrets)
    except SettingError as error:
        raise exit_with(error) from None
