"""What a service is sent → what it shows, as far as that can be known.

Drawn from the exact JSON, not from the article, so that what is seen is what would be posted. Pictures are
named in place of being shown: a page makes no request to another host.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from articles.article import Article
from bot.run import Site
from bot.services import SERVICES
from bot.services.message import compose
from bot.services.secret import Secret
from pages.when import ago, exact

_NOWHERE = Secret("https://webhook.invalid/api/webhooks/0/preview")
_SLACK_DATE = re.compile(r"<!date\^(\d+)\^[^>]*>")
_DISCORD_TIME = re.compile(r"<t:(\d+)(?::\w)?>")
_DISCORD_ESCAPE = re.compile(r"\\([^\w\s])")


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackPost:
    """A Slack message as it is drawn; pictures are the names of their hosts."""

    header: str = ""
    text: str = ""
    picture: str = ""
    context: tuple[str, ...] = ()
    button: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscordPost:
    """A Discord message as it is drawn."""

    username: str = ""
    author: str = ""
    title: str = ""
    link: str = ""
    text: str = ""
    fields: tuple[tuple[str, str], ...] = ()
    footer: str = ""
    picture: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """One article in one service: what is sent, and what that looks like."""

    kind: str
    json: str
    post: SlackPost | DiscordPost


def previews(article: Article, site: Site, now: datetime) -> list[Preview]:
    """Return the article as every service would be sent it, and would show it."""
    message = compose(article, site=site.name, site_url=site.url)
    found = []
    for kind, service in sorted(SERVICES.items(), reverse=True):
        sent: dict[str, Any] = service.post(_NOWHERE, message).json
        drawn = slack_post(sent) if kind == "slack" else discord_post(sent, now)
        found.append(Preview(kind=kind, json=json.dumps(sent, indent=2, ensure_ascii=False), post=drawn))
    return found


def slack_post(sent: Mapping[str, Any]) -> SlackPost:
    """Return what Slack shows of a message made of blocks."""
    blocks = {block["type"]: block for block in sent.get("blocks", ())}
    section = blocks.get("section", {})
    buttons = blocks.get("actions", {}).get("elements", ())
    return SlackPost(
        header=_slack_text(blocks.get("header", {}).get("text")),
        text=_slack_text(section.get("text")),
        picture=_host(section.get("accessory", {}).get("image_url")),
        context=tuple(filter(None, map(_slack_text, blocks.get("context", {}).get("elements", ())))),
        button=_slack_text(buttons[0]["text"]) if buttons else "",
        link=buttons[0].get("url", "") if buttons else "",
    )


def discord_post(sent: Mapping[str, Any], now: datetime) -> DiscordPost:
    """Return what Discord shows of a message with one embed."""
    embed: Mapping[str, Any] = next(iter(sent.get("embeds", ())), {})
    fields: Iterable[Mapping[str, str]] = embed.get("fields", ())
    return DiscordPost(
        username=sent.get("username", "Webhook"),
        author=embed.get("author", {}).get("name", ""),
        title=_discord_text(embed.get("title", ""), now),
        link=embed.get("url", ""),
        text=_discord_text(embed.get("description", ""), now),
        fields=tuple((field["name"], _discord_text(field["value"], now)) for field in fields),
        footer=" • ".join(filter(None, [embed.get("footer", {}).get("text"), _date(embed.get("timestamp"))])),
        picture=_host(embed.get("thumbnail", {}).get("url")),
    )


def _slack_text(element: Mapping[str, Any] | None) -> str:
    text = str((element or {}).get("text") or "")
    text = _SLACK_DATE.sub(lambda found: exact(_moment(found[1])), text)
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _discord_text(text: str, now: datetime) -> str:
    shown = _DISCORD_TIME.sub(lambda found: ago(_moment(found[1]), now), text)
    return _DISCORD_ESCAPE.sub(r"\1", re.sub(r"(?<=\d)\\(?=\.)", "", shown))


def _moment(seconds: str) -> datetime:
    return datetime.fromtimestamp(int(seconds), UTC)


def _date(timestamp: str | None) -> str:
    return exact(datetime.fromisoformat(timestamp)) if timestamp else ""


def _host(url: str | None) -> str:
    return urlsplit(url).hostname or "" if url else ""
