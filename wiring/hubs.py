"""Assembles the notifier of the WebSub hubs (`feeds.hubs`) from the configuration."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from urllib.parse import quote

import requests

from articles.topics import ALL
from feeds.formats import FORMATS
from feeds.websub import HubAnswer, HubNotifier
from wiring.site import Newswire

TIMEOUT = 10.0
"""Seconds to connect to a hub, and for its answer."""


def hub_notifier(newswire: Newswire, session: requests.Session | None = None) -> HubNotifier | None:
    """Return the notifier of the hubs, not yet started; None without hubs."""
    hubs = newswire.config.feeds.hubs
    if not hubs:
        return None
    return HubNotifier(
        newswire.catalog,
        newswire.config.state / "hubs.sqlite",
        hubs,
        lambda slug: _addresses(newswire, slug),
        _notify_with(session or requests.Session(), newswire.config.site.url),
        newswire.clock,
    )


def _addresses(newswire: Newswire, slug: str) -> Iterable[str]:
    if slug == ALL or newswire.publisher.topic(slug):
        for extension in FORMATS:
            yield f"{newswire.config.site.url}/feeds/{quote(slug)}.{extension}"


def _notify_with(session: requests.Session, site_url: str) -> Callable[[str, str], HubAnswer]:
    def notify(hub: str, url: str) -> HubAnswer:
        form = {"hub.mode": "publish", "hub.url": url, "hub.topic": url}
        try:
            answer = session.post(
                hub,
                data=form,
                headers={"User-Agent": f"Newswire (+{site_url})"},
                timeout=TIMEOUT,
                allow_redirects=False,
                stream=True,  # the body is not needed, and may be of any length
            )
        except requests.RequestException as error:
            return HubAnswer(0, reason=type(error).__name__)
        with answer:
            wait = answer.headers.get("Retry-After", "")
            seconds = int(wait) if wait.isascii() and wait.isdigit() and len(wait) < 7 else 0
            return HubAnswer(answer.status_code, timedelta(seconds=seconds) if seconds else None)

    return notify
