"""Settings that depend on the host, from its environment."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ops.environment import secret
from ops.errors import SettingError

_EPHEMERAL = {
    "DYNO": "Heroku",
    "RENDER": "Render",
    "FLY_APP_NAME": "Fly.io",
    "RAILWAY_ENVIRONMENT": "Railway",
}
_MOST_THREADS = 64


def outbox_url(environ: Mapping[str, str], state: Path) -> str:
    """Return the address of the bot's database: DATABASE_URL, or else an SQLite file in `state`.

    Raises SettingError when DATABASE_URL or DATABASE_URL_FILE is set and cannot be used, and where neither is
    set on a host whose disk is emptied at every deploy: with the outbox, the bot would forget what it has
    posted. ALLOW_EPHEMERAL_OUTBOX=1 allows that, for a disk that the operator has attached.
    """
    url = secret("DATABASE_URL", environ)
    if url:
        return url
    host = next((host for name, host in _EPHEMERAL.items() if environ.get(name)), None)
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
