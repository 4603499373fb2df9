"""The environment variables that are not secrets, each with its default."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """A variable of the environment; blank counts as not set."""

    name: str
    default: str = ""

    def text(self, environ: Mapping[str, str]) -> str:
        """Return the value in force, without white space around it."""
        return self._given(environ) or self.default

    def is_set(self, environ: Mapping[str, str]) -> bool:
        """Return whether the environment has a value; if not, the default is in force."""
        return bool(self._given(environ))

    def _given(self, environ: Mapping[str, str]) -> str:
        return environ.get(self.name, "").strip()


HOST = Variable(name="HOST", default="0.0.0.0")  # noqa: S104 - a container's port is for the outside
PORT = Variable(name="PORT", default="8000")
WEB_PORT = Variable(name="WEB_PORT")
WEB_CONCURRENCY = Variable(name="WEB_CONCURRENCY", default="2")
WEB_THREADS = Variable(name="WEB_THREADS", default="2")
TRUSTED_PROXIES = Variable(name="TRUSTED_PROXIES", default="0")
LOG_LEVEL = Variable(name="LOG_LEVEL", default="INFO")
LOG_FORMAT = Variable(name="LOG_FORMAT", default="text")
SENTRY_ENVIRONMENT = Variable(name="SENTRY_ENVIRONMENT")
ALLOW_EPHEMERAL_OUTBOX = Variable(name="ALLOW_EPHEMERAL_OUTBOX")

VARIABLES = (
    HOST, PORT, WEB_PORT, WEB_CONCURRENCY, WEB_THREADS, TRUSTED_PROXIES, LOG_LEVEL, LOG_FORMAT,
    SENTRY_ENVIRONMENT, ALLOW_EPHEMERAL_OUTBOX,
)  # fmt: skip
"""The variables that are settings by themselves; SITE_URL and STATE_DIR replace a setting in config.yaml."""
