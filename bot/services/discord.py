"""Discord: posts an embed by webhook, and corrects it; in a forum, each post is a thread."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Annotated, ClassVar
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from pydantic import AfterValidator, BeforeValidator

from bot.services.answers import Response, Verdict
from bot.services.discord_answers import classify
from bot.services.discord_embeds import (
    CONTENT,
    QUIET,
    above,
    allowed,
    content_of,
    drawing_of,
    embed_of,
    escape,
)
from bot.services.drawing import Drawing, TimeFormatter
from bot.services.mention import NO_ID, Ids
from bot.services.message import MentionKind, Message, test_text, title_of
from bot.services.options import ServiceOptions, VariableName
from bot.services.secret import Secret
from bot.services.service import (
    NO_CONTEXT,
    Destination,
    Detail,
    Rate,
    Request,
    RequestContext,
    SecretShape,
    Service,
)
from bot.services.text import clean, fit

USERNAME = 80
NOT_IN_USERNAME = ("clyde", "discord", "@", "#", ":", "```")
NO_USERNAME = frozenset({"everyone", "here"})
"""https://docs.discord.com/developers/resources/user#usernames-and-nicknames"""

THREAD_NAME = 100
"""https://docs.discord.com/developers/resources/channel#channel-object (the name of a thread)"""

APPLIED_TAGS = 5
"""https://docs.discord.com/developers/resources/channel#start-thread-in-forum-or-media-channel"""

API_VERSION = 10
"""The API version of requests: the address that Discord shows is for version 6, with times in milliseconds.

https://docs.discord.com/developers/reference#api-versioning
"""

_WEBHOOK_PATH = re.compile(r"/api(?:/v\d+)?(?=/webhooks/)")
_ID = re.compile(r"\d{1,20}")


def _tag_id(value: str) -> str:
    if not _ID.fullmatch(value):
        raise ValueError('write the tag\'s id in quotes, such as "1234567890123456789"')
    return value


def _digits(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


TagId = Annotated[str, BeforeValidator(_digits), AfterValidator(_tag_id)]


class DiscordOptions(ServiceOptions):
    """The webhook; with `forum`, each post is a thread, tagged as `forum_tags` has it for its topics."""

    webhook_env: VariableName
    forum: bool = False
    forum_tags: Mapping[str, TagId] = {}


class Discord(Service):
    """Posts by webhook with `?wait=true`, which answers with the message's id, and corrects by PATCH."""

    KIND: ClassVar[str] = "discord"
    NAME: ClassVar[str] = "Discord"
    HOSTS: ClassVar[frozenset[str]] = frozenset(
        {"discord.com", "canary.discord.com", "ptb.discord.com", "discordapp.com"}
    )
    SECRET_SHAPES: ClassVar[tuple[SecretShape, ...]] = ((re.compile(r"(/webhooks/\d+/)[\w.-]+"), r"\1***"),)
    # Undocumented ("should not be hard coded"): a safe start, until X-RateLimit-* headers give the limits.
    RATE: ClassVar[tuple[Rate, ...]] = ((5, timedelta(seconds=2)), (30, timedelta(seconds=60)))
    OPTIONS: ClassVar[type[ServiceOptions]] = DiscordOptions
    ITEMS: ClassVar[int] = 15
    MENTIONS: ClassVar[Ids] = MappingProxyType(
        {MentionKind.HERE: NO_ID, MentionKind.USER: _ID, MentionKind.ROLE: _ID}
    )

    def has_threads(self, settings: Collection[str]) -> bool:
        """Return whether the channel is a forum: only there can a webhook begin threads."""
        return "forum" in settings

    def post(
        self,
        to: Destination,
        message: Message,
        detail: Detail = Detail.FULL,
        context: RequestContext = NO_CONTEXT,
    ) -> Request:
        """Return the request that posts `message` under the site's name, where Discord allows that name.

        In a forum it begins a thread, or is part of the thread `context.parent`, if that is set.
        """
        payload = {**_payload(message, detail), **allowed(message.mention)}
        name = _username(message.site)
        if name:
            payload["username"] = name
        if _is_forum(to) and not context.parent:
            payload |= _in_forum(to, message, context.thread_name)
        thread = context.parent if _is_forum(to) else None
        return Request(method="POST", url=_address(to.address, thread=thread), json=payload)

    def correct(
        self,
        to: Destination,
        message_id: str,
        message: Message,
        detail: Detail = Detail.FULL,
        context: RequestContext = NO_CONTEXT,
    ) -> Request | None:
        """Return the request that replaces the earlier post by `message`, in whatever form it was posted.

        A PATCH keeps fields that it does not have, and allows every mention without `allowed_mentions`.
        The first message of a forum's thread has the thread's id.
        """
        payload: dict[str, object] = {"content": "", "embeds": [], **_payload(message, detail), **QUIET}
        thread = (context.parent or message_id) if _is_forum(to) else None
        return Request(method="PATCH", url=_address(to.address, message_id, thread), json=payload)

    def test(self, to: Destination, site: str, context: RequestContext = NO_CONTEXT) -> Request:
        """Return a request for one message that is clearly a test."""
        payload: dict[str, object] = {"content": fit(test_text(site), CONTENT, escape), **QUIET}
        return Request(method="POST", url=_address(to.address), json=payload)

    def classify(self, response: Response) -> Verdict:
        """Return what `response` means; a success carries the id of the message."""
        return classify(response)

    def draw(self, request: Request, times: TimeFormatter) -> Drawing:
        """Return the drawing of a message with one embed."""
        return drawing_of(request.json, times)


def _payload(message: Message, detail: Detail) -> dict[str, object]:
    if detail == Detail.PLAIN:
        return {"content": content_of(message)}
    content = above(message)
    embeds = {"embeds": [embed_of(message, with_image=detail < Detail.NO_IMAGE)]}
    return {"content": content, **embeds} if content else {**embeds}


def _is_forum(to: Destination) -> bool:
    return to.options.get("forum") is True


def _username(site: str) -> str | None:
    name = fit(clean(site), USERNAME)
    forbidden = any(word in name.lower() for word in NOT_IN_USERNAME) or name.lower() in NO_USERNAME
    return None if forbidden else name or None


def _in_forum(to: Destination, message: Message, name: str) -> dict[str, object]:
    """Return the fields with the name and tags of the thread that a post in a forum begins.

    https://docs.discord.com/developers/resources/webhook#execute-webhook
    """
    tags_text = to.options.get("forum_tags")
    tags = (
        {str(topic).casefold(): tag for topic, tag in tags_text.items()}
        if isinstance(tags_text, Mapping)
        else {}
    )
    tag_ids = dict.fromkeys(tags[topic.casefold()] for topic in message.labels if topic.casefold() in tags)
    thread: dict[str, object] = {"thread_name": fit(clean(name) or title_of(message), THREAD_NAME)}
    return {**thread, "applied_tags": list(tag_ids)[:APPLIED_TAGS]} if tag_ids else thread


def _address(webhook: Secret, message_id: str | None = None, thread: str | None = None) -> Secret:
    """Return the address for a POST, or for a PATCH of a message; a `thread_id` in the webhook's stays."""
    parts = urlsplit(webhook.reveal())
    path = _WEBHOOK_PATH.sub(f"/api/v{API_VERSION}", parts.path.rstrip("/"), count=1)
    query = [(name, value) for name, value in parse_qsl(parts.query) if name != "wait"]
    if thread and _ID.fullmatch(thread) and "thread_id" not in dict(query):
        query.append(("thread_id", thread))
    if message_id is None:
        query.append(("wait", "true"))
    else:
        path += f"/messages/{message_id}"
    return Secret(urlunsplit(parts._replace(path=path, query=urlencode(query), fragment="")))
