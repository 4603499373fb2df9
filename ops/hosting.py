"""Settings that depend on the host, from its environment."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from ops.environment import secret
from ops.errors import SettingError
from text.hosts import is_loopback

_EPHEMERAL = {
    "DYNO": "Heroku",
    "RENDER": "Render",
    "FLY_APP_NAME": "Fly.io",
    "RAILWAY_ENVIRONMENT": "Railway",
}
_MOST_THREADS = 64
_ANY_INTERFACE = frozenset({"", "0.0.0.0", "::", "127.0.0.1", "::1"})  # noqa: S104 - read, not bound to


def provider(environ: Mapping[str, str]) -> str | None:
    """Return the name of the hosting platform that this process runs on; None on other machines."""
    return next((host for name, host in _EPHEMERAL.items() if environ.get(name)), None)


def own_address(environ: Mapping[str, str]) -> str | None:
    """Return where the web server is reached on this machine, by HOST and WEB_PORT or PORT.

    honcho gives each process a PORT of its own; WEB_PORT is then the web process's for all of them. None on
    a hosting platform, whose PORT is one behind its router, and where HOST or PORT is no such thing.
    """
    host = environ.get("HOST") or ""
    port = environ.get("WEB_PORT") or environ.get("PORT") or "8000"
    if provider(environ) or not (port.isascii() and port.isdecimal()):
        return None
    if host in _ANY_INTERFACE:
        host = "localhost"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def unset_address(environ: Mapping[str, str], site_url: str) -> str | None:
    """Return a warning if the site's public address is not set on a hosting platform, or None."""
    host = provider(environ)
    if host is None or not is_loopback(urlsplit(site_url).hostname or ""):
        return None
    return (
        f"SITE_URL is not set on {host}: every link in feeds, pages and chat leads to {site_url}. "
        "Set it to the site's public address"
    )


def outbox_url(environ: Mapping[str, str], state: Path) -> str:
    """Return the address of the bot's database: DATABASE_URL, or else an SQLite file in `state`.

    Raises SettingError when DATABASE_URL or DATABASE_URL_FILE is set and cannot be used, and where neither is
    set on a host whose disk is emptied at every deploy: with the outbox, the bot would forget what it has
    posted. ALLOW_EPHEMERAL_OUTBOX=1 allows that, for a disk that the operator has attached.
    """
    url = secret("DATABASE_URL", environ)
    if url:
        return url
    host = provider(environ)
    if host and environ.get("ALLOW_EPHEMERAL_OUTBOX", "").strip() != "1":
        raise SettingError(
            f"{host} empties this disk at every deploy, and with it the bot's memory of what it has posted. "
            "Attach a PostgreSQL database, so that DATABASE_URL is set; or set ALLOW_EPHEMERAL_OUTBOX=1, "
            f"if {state} is on a disk that lasts"
        )
    return f"sqlite:///{(state / 'outbox.sqlite').resolve()}"


def web_threads(environ: Mapping[str, str]) -> int:
    """Return how many threads of a web worker make pages: WEB_THREADS, or else 2.

    Raises SettingError for a value that is no such number.
    """
    text = environ.get("WEB_THREADS", "").strip() or "2"
    if not (text.isdecimal() and text.isascii() and 0 < int(text[:9]) <= _MOST_THREADS):
        raise SettingError(f"WEB_THREADS: {text!r} is not a number from 1 to {_MOST_THREADS}")
    return int(text)
