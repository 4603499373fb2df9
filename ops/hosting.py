"""Settings that depend on the host and are derived from its environment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from ops.environment import find_secret
from ops.errors import SettingError
from ops.variables import (
    ALLOW_EPHEMERAL_OUTBOX,
    HOST,
    PORT,
    WEB_CONCURRENCY,
    WEB_PORT,
    WEB_THREADS,
    Variable,
)
from text.hosts import is_loopback
from text.phrases import Phrase, joined, phrase

_EPHEMERAL = {
    "DYNO": "Heroku",
    "RENDER": "Render",
    "FLY_APP_NAME": "Fly.io",
    "RAILWAY_ENVIRONMENT": "Railway",
}
_MOST_THREADS = 64
_MOST_WORKERS = 256
_ANY_INTERFACE = frozenset({"0.0.0.0", "::"})  # noqa: S104 - read, not bound to


@dataclass(frozen=True, slots=True, kw_only=True)
class DerivedValue:
    """A value derived from the environment, and the variables that it is derived from."""

    value: str = field(repr=False)  # DATABASE_URL holds a password
    origin: str


def platform(environ: Mapping[str, str]) -> DerivedValue | None:
    """Return the name of the hosting platform on which this process runs; None on any other machine."""
    hosts = (DerivedValue(value=host, origin=name) for name, host in _EPHEMERAL.items() if environ.get(name))
    return next(hosts, None)


def own_address(environ: Mapping[str, str]) -> DerivedValue | None:
    """Return the address of the web server on this machine, from HOST and WEB_PORT or PORT.

    It is the one that the server listens on: instead of 127.0.0.1, `localhost` might mean a program on ::1.
    honcho gives each process a PORT of its own; WEB_PORT is then the web process's. Returns None on a hosting
    platform, where PORT is behind a router, and if HOST or PORT is invalid.
    """
    host, port = HOST.text(environ), WEB_PORT.text(environ) or PORT.text(environ)
    if platform(environ) or not (port.isascii() and port.isdecimal()):
        return None
    of_host = HOST if host not in _ANY_INTERFACE else None
    of_port = next((variable for variable in (WEB_PORT, PORT) if variable.is_set(environ)), None)
    used = [variable.name for variable in (of_host, of_port) if variable]
    host = host if of_host else "localhost"
    return DerivedValue(
        value=f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}",
        origin=_derived(used) if used else phrase("default"),
    )


def _derived(names: Iterable[str]) -> Phrase:
    return phrase("derived from %(names)s", names=joined(phrase(" and "), names))


def unset_address(environ: Mapping[str, str], site_url: str) -> str | None:
    """Return a warning if the site's public address is not set on a hosting platform, or None."""
    host = platform(environ)
    if host is None or not is_loopback(urlsplit(site_url).hostname or ""):
        return None
    return (
        f"SITE_URL is not set on {host.value}: every link in feeds, pages and chat leads to {site_url}. "
        "Set it to the site's public address"
    )


def outbox_url(environ: Mapping[str, str], state: Path) -> str:
    """Return the address of the bot's database, which may have a password: see `outbox`."""
    return outbox(environ, state).value


def outbox(environ: Mapping[str, str], state: Path) -> DerivedValue:
    """Return the address of the bot's database: DATABASE_URL, or else an SQLite file in `state`.

    Raises SettingError if DATABASE_URL or DATABASE_URL_FILE is set and cannot be used, and if neither is set
    on a host whose disk is erased at every deploy: without its outbox, the bot would not know what it has
    posted. ALLOW_EPHEMERAL_OUTBOX=1 allows this, for a persistent disk that the operator has attached.
    """
    secret = find_secret("DATABASE_URL", environ)
    if secret:
        return DerivedValue(value=secret.value, origin=secret.origin)
    host = platform(environ)
    if host and ALLOW_EPHEMERAL_OUTBOX.text(environ) != "1":
        raise SettingError(
            f"{host.value} erases this disk at every deploy, and with it the bot's record of what it has "
            "posted. Attach a PostgreSQL database, so that DATABASE_URL is set; or set "
            f"ALLOW_EPHEMERAL_OUTBOX=1, if {state} is on a persistent disk"
        )
    return DerivedValue(value=f"sqlite:///{(state / 'outbox.sqlite').resolve()}", origin=_derived(["state"]))


def web_threads(environ: Mapping[str, str]) -> int:
    """Return the number of a web worker's threads for pages: WEB_THREADS, or else 2.

    Raises SettingError for an invalid value.
    """
    return _number(WEB_THREADS, environ, _MOST_THREADS)


def web_workers(environ: Mapping[str, str]) -> int:
    """Return the number of web workers: WEB_CONCURRENCY, or else 2. Raises as `web_threads` does."""
    return _number(WEB_CONCURRENCY, environ, _MOST_WORKERS)


def _number(variable: Variable, environ: Mapping[str, str], most: int) -> int:
    text = variable.text(environ)
    if not (text.isdecimal() and text.isascii() and 0 < int(text[:9]) <= most):
        raise SettingError(f"{variable.name}: {text[:20]!r} is not a number from 1 to {most}")
    return int(text)
