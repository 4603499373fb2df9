"""Discord: one embed through a webhook, which can be corrected afterwards.

Titles, descriptions, fields and content are Markdown and escaped; author and footer are not Markdown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from bot.services.answers import Response, Verdict
from bot.services.discord_answers import classify
from bot.services.drawing import Drawing, Times
from bot.services.message import Message, test_text, title_of
from bot.services.secret import Secret
from bot.services.service import (
    NO_CONTEXT,
    Context,
    Destination,
    Detail,
    Rate,
    Request,
    SecretShape,
    Service,
)
from bot.services.text import clean, fit, units, web_url

# https://docs.discord.com/developers/resources/message#embed-object-embed-limits
TITLE = 256
DESCRIPTION = 4096
FIELD_VALUE = 1024
AUTHOR_NAME = 256
FOOTER_TEXT = 2048
ALL_EMBEDS = 6000

CONTENT = 2000
"""https://docs.discord.com/developers/resources/webhook#execute-webhook"""

USERNAME = 80
NOT_IN_USERNAME = ("clyde", "discord", "@", "#", ":", "```")
NO_USERNAME = frozenset({"everyone", "here"})
"""https://docs.discord.com/developers/resources/user#usernames-and-nicknames"""

URL = 2048
"""Undocumented; the API answers "Must be 2048 or fewer in length"."""

API_VERSION = 10
"""A webhook's address as Discord hands it out means version 6, whose rate limits speak of milliseconds.

https://docs.discord.com/developers/reference#api-versioning
"""

QUIET: Mapping[str, object] = {"allowed_mentions": {"parse": []}}
"""No mention notifies: https://docs.discord.com/developers/resources/message#allowed-mentions-object"""

COLOUR = 0x2563EB
COLOUR_RETRACTED = 0x6B7280

_MARKDOWN = re.compile(r"[\\*_~`|<>\[\]():]|^[#+-]|^\d+(?=\.)|@(?=everyone|here|[!&]?\d)", re.IGNORECASE)
_TIME = re.compile(r"<t:(\d+)(?::\w)?>")
_ESCAPED = re.compile(r"\\([^\w\s]|_)")
_WEBHOOK_PATH = re.compile(r"/api(?:/v\d+)?(?=/webhooks/)")


def escape(text: str) -> str:
    r"""Return one line of `text` with nothing in it that Discord reads as Markdown, link, mention or emoji.

    A backslash goes before markup (`:` too, which would make links and emoji); between `@` and a name that
    could be called comes a zero-width space, as a backslash does not hide `@everyone`.
    https://docs.discord.com/developers/reference#message-formatting
    """
    return _MARKDOWN.sub(_escaped, text)


def _escaped(found: re.Match[str]) -> str:
    mark = found[0]
    if mark == "@":
        return "@\u200b"
    return f"{mark}\\" if mark.isdigit() else f"\\{mark}"


class Discord(Service):
    """Posts by webhook with `?wait=true`, which answers with the message's id, and corrects by PATCH."""

    KIND: ClassVar[str] = "discord"
    NAME: ClassVar[str] = "Discord"
    HOSTS: ClassVar[frozenset[str]] = frozenset(
        {"discord.com", "canary.discord.com", "ptb.discord.com", "discordapp.com"}
    )
    SECRET_SHAPES: ClassVar[tuple[SecretShape, ...]] = ((re.compile(r"(/webhooks/\d+/)[\w.-]+"), r"\1***"),)
    # Undocumented ("should not be hard coded"): a safe start, until X-RateLimit-* headers say better.
    RATE: ClassVar[tuple[Rate, ...]] = ((5, timedelta(seconds=2)), (30, timedelta(seconds=60)))

    def post(
        self, to: Destination, message: Message, detail: Detail = Detail.FULL, context: Context = NO_CONTEXT
    ) -> Request:
        """Return the request that posts `message` under the site's name, where Discord allows that name."""
        payload = _payload(message, detail)
        name = _username(message.site)
        if name:
            payload["username"] = name
        return Request(method="POST", url=_address(to.address), json=payload)

    def correct(
        self,
        to: Destination,
        message_id: str,
        message: Message,
        detail: Detail = Detail.FULL,
        context: Context = NO_CONTEXT,
    ) -> Request | None:
        """Return the request that turns the earlier post into `message`, at whatever detail it was posted.

        A PATCH keeps the fields it does not name, and allows every mention unless `allowed_mentions` is sent.
        """
        payload: dict[str, object] = {"content": "", "embeds": []} | _payload(message, detail)
        return Request(method="PATCH", url=_address(to.address, message_id), json=payload)

    def test(self, to: Destination, site: str, context: Context = NO_CONTEXT) -> Request:
        """Return a request for one message that is clearly a test."""
        payload: dict[str, object] = {"content": fit(test_text(site), CONTENT, escape), **QUIET}
        return Request(method="POST", url=_address(to.address), json=payload)

    def classify(self, response: Response) -> Verdict:
        """Return what `response` means; a success carries the id of the message."""
        return classify(response)

    def draw(self, request: Request, times: Times) -> Drawing:
        """Return what Discord shows of a message with one embed."""
        sent: dict[str, Any] = request.json
        embed: dict[str, Any] = next(iter(sent.get("embeds", ())), {})
        stamp = embed.get("timestamp")
        footer = (embed.get("footer", {}).get("text"), stamp and times.exact(datetime.fromisoformat(stamp)))
        return Drawing(
            sender=sent.get("username", "Webhook"),
            above=embed.get("author", {}).get("name", ""),
            title=_shown(embed.get("title", ""), times),
            text=_shown(embed.get("description", ""), times),
            picture=urlsplit(embed.get("thumbnail", {}).get("url", "")).hostname or "",
            fields=tuple((part["name"], _shown(part["value"], times)) for part in embed.get("fields", ())),
            below=(" • ".join(filter(None, footer)),),
            link=embed.get("url", ""),
            is_card=True,
        )


def _shown(text: str, times: Times) -> str:
    """Return Markdown that `escape` made as Discord shows it."""
    text = _TIME.sub(lambda found: times.ago(datetime.fromtimestamp(int(found[1]), UTC)), text)
    return _ESCAPED.sub(r"\1", re.sub(r"(?<=\d)\\(?=\.)", "", text))


def _payload(message: Message, detail: Detail) -> dict[str, object]:
    if detail == Detail.PLAIN:
        return {"content": _content(message), **QUIET}
    return {"embeds": [_embed(message, with_image=detail < Detail.NO_IMAGE)], **QUIET}


def _content(message: Message) -> str:
    """Return the whole message as text: for a service that refused its embed."""
    title = _title(message)
    address = web_url(message.link, CONTENT - units(title) - 3)
    # Within <> a link has no preview of its own.
    link = f"\n<{address}>" if address and not message.retracted else ""
    text = fit(_description(message), CONTENT - units(title + link) - 1, escape)
    return title + (f"\n{text}" if text else "") + link


def _embed(message: Message, *, with_image: bool) -> dict[str, object]:
    embed: dict[str, Any] = {
        "title": _title(message),
        "color": COLOUR_RETRACTED if message.retracted else COLOUR,
        "timestamp": message.published_at.astimezone(UTC).isoformat(),
        "url": None if message.retracted else _url(message.link),
        "author": _author(message, with_icon=with_image),
        "fields": [] if message.retracted else list(_fields(message)),
        "footer": _named("text", fit(clean(message.site), FOOTER_TEXT)),
    }
    image = _url(message.image) if with_image and not message.retracted else None
    embed["thumbnail"] = {"url": image} if image else None
    room = min(DESCRIPTION, ALL_EMBEDS - _size(embed))
    embed["description"] = fit(_description(message), room, escape)
    return {name: value for name, value in embed.items() if value or name == "color"}


def _title(message: Message) -> str:
    if not message.retracted:
        return fit(title_of(message), TITLE, escape)
    return f"~~{fit(title_of(message), TITLE - 4, escape)}~~"


def _description(message: Message) -> str:
    return "This article is no longer published." if message.retracted else clean(message.summary)


def _author(message: Message, *, with_icon: bool) -> dict[str, str] | None:
    author = _named("name", fit(clean(message.provider or ""), AUTHOR_NAME))
    icon = _url(message.provider_icon) if with_icon else None
    return author | {"icon_url": icon} if author and icon else author


def _named(key: str, text: str) -> dict[str, str] | None:
    return {key: text} if text else None


def _fields(message: Message) -> Iterator[dict[str, object]]:
    topics = fit(", ".join(filter(None, map(clean, message.topics))), FIELD_VALUE, escape)
    if topics:
        yield {"name": "Topics", "value": topics, "inline": True}
    if message.quality is not None:
        yield {"name": "Quality", "value": str(message.quality), "inline": True}
    yield {"name": "Published", "value": f"<t:{int(message.published_at.timestamp())}:R>", "inline": True}


def _size(embed: dict[str, Any]) -> int:
    """Return how much of ALL_EMBEDS the embed has used before its description."""
    texts = [embed["title"], *(embed["author"] or {}).values(), *(embed["footer"] or {}).values()]
    values = (str(value) for field in embed["fields"] for value in field.values())
    return sum(map(units, [*texts, *values]))


def _url(url: str | None) -> str | None:
    """Return an address that Discord's form accepts: it takes no host without a dot, such as localhost."""
    address = web_url(url or "", URL)
    return address if address and "." in (urlsplit(address).hostname or "") else None


def _username(site: str) -> str | None:
    name = fit(clean(site), USERNAME)
    forbidden = any(word in name.lower() for word in NOT_IN_USERNAME) or name.lower() in NO_USERNAME
    return None if forbidden else name or None


def _address(webhook: Secret, message_id: str | None = None) -> Secret:
    """Return where to POST, or to PATCH that message; a `thread_id` in the webhook's address stays."""
    parts = urlsplit(webhook.reveal())
    path = _WEBHOOK_PATH.sub(f"/api/v{API_VERSION}", parts.path.rstrip("/"), count=1)
    query = [(name, value) for name, value in parse_qsl(parts.query) if name != "wait"]
    if message_id is None:
        query.append(("wait", "true"))
    else:
        path += f"/messages/{message_id}"
    return Secret(urlunsplit(parts._replace(path=path, query=urlencode(query), fragment="")))
