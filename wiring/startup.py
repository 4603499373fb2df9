"""What `python serve.py` checks before it starts workers, each of which would end with the same error."""

from __future__ import annotations

from collections.abc import Mapping

from config import Config
from ops import logs, sentry
from ops.environment import secret
from ops.errors import SettingError
from ops.hosting import web_threads, web_workers
from ops.proxies import trusted_proxies
from wiring.loading import exit_with, load_or_exit, make_state_folder
from wiring.operations import admin_token
from wiring.private import feed_readers


def usable_or_exit(environ: Mapping[str, str]) -> None:
    """End the process with status 2 where no web worker could start, after printing why on standard error."""
    config = load_or_exit(environ)
    try:
        make_state_folder(config)
        check_environment(config, environ)
    except SettingError as error:
        raise exit_with(error) from None


def check_environment(config: Config, environ: Mapping[str, str]) -> None:
    """Check the variables that every web worker reads. Raises SettingError if one has an invalid value."""
    web_workers(environ)
    web_threads(environ)
    trusted_proxies(environ)
    logs.level(environ)
    logs.formatter(environ)
    sentry.dsn(environ)
    admin_token(environ)
    for name in ("METRICS_TOKEN", "GIT_HOOK_SECRET", config.articles.token_env):
        if name:
            secret(name, environ)
    feed_readers(config, environ)
