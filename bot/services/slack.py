"""Slack: posts blocks by an incoming webhook, or as an app with a token, which can correct its posts.

A webhook's answer has no message id, so such a post is not corrected, and nothing can be a reply to it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, model_validator

from bot.services.answers import Response, Verdict
from bot.services.drawing import Drawing, TimeFormatter
from bot.services.mention import NO_ID, Ids
from bot.services.message import MentionKind, Message, test_text
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
from bot.services.slack_answers import classify
from bot.services.slack_blocks import MESSAGE_TEXT, blocks_of, drawing_of, escape, fallback_text, notification
from bot.services.text import fit

API = "https://slack.com/api"
"""The address at which an app posts; for a GovSlack workspace it is https://slack-gov.com/api.

https://docs.slack.dev/govslack
"""

_WORKFLOW_PATHS = ("/triggers/", "/workflows/")
"""Paths of addresses that start a workflow: https://docs.slack.dev/workflows/triggers/webhook-triggers"""

_TOKEN = re.compile(r"xox[a-z](?:\.xox[a-z])?-[\w-]{10,}")
_STAMP = re.compile(r"\d{1,12}\.\d{1,12}")


def _channel_id(value: str) -> str:
    if not re.fullmatch(r"[CGD][A-Z0-9]{2,20}", value):
        raise ValueError("write the channel's id, such as C0123456789, which its details show")
    return value


def _api(value: str) -> str:
    if not re.fullmatch(r"https?://[^\s/?#@]+(?:/[^\s?#]*)?", value):
        raise ValueError("write an address such as https://slack.com/api")
    return value.rstrip("/")


class SlackOptions(ServiceOptions):
    """A webhook, or an app's token with the channel that it posts to."""

    webhook_env: VariableName | None = None
    token_env: VariableName | None = None
    channel: Annotated[str, AfterValidator(_channel_id)] | None = None
    api: Annotated[str, AfterValidator(_api)] | None = None

    @model_validator(mode="after")
    def _is_one_way(self) -> Self:
        if (self.webhook_env is None) == (self.token_env is None):
            raise ValueError("write webhook_env, or token_env with channel: one of the two")
        if (self.channel is None) is not (self.token_env is None):
            raise ValueError("token_env and channel belong together: a webhook has its channel already")
        return self


class Slack(Service):
    """Posts by incoming webhook, or with a token by `chat.postMessage`, and corrects by `chat.update`.

    https://docs.slack.dev/reference/methods/chat.postMessage
    """

    KIND: ClassVar[str] = "slack"
    NAME: ClassVar[str] = "Slack"
    OPTIONS: ClassVar[type[ServiceOptions]] = SlackOptions
    HOSTS: ClassVar[frozenset[str]] = frozenset(
        {"hooks.slack.com", "hooks.slack-gov.com", "slack.com", "slack-gov.com"}
    )
    SECRET_SHAPES: ClassVar[tuple[SecretShape, ...]] = (
        (re.compile(r"(/services/T\w+/B\w+/)[\w-]+"), r"\1***"),
        (re.compile(r"(/(?:triggers|workflows)/T\w+/)[\w/-]+"), r"\1***"),
        (re.compile(r"\b(xox[a-z](?:\.xox[a-z])?-)[\w-]{10,}"), r"\1***"),
    )
    # https://docs.slack.dev/apis/web-api/rate-limits: one message a second for each webhook or channel, with
    # short bursts above that.
    RATE: ClassVar[tuple[Rate, ...]] = ((1, timedelta(seconds=1)),)
    ITEMS: ClassVar[int] = 20
    MENTIONS: ClassVar[Ids] = MappingProxyType(
        {
            MentionKind.HERE: NO_ID,
            MentionKind.USER: re.compile(r"[UW][A-Z0-9]{2,20}"),
            MentionKind.GROUP: re.compile(r"S[A-Z0-9]{2,20}"),
        }
    )

    def destination(self, secrets: Mapping[str, Secret], options: Mapping[str, object]) -> Destination:
        """Return the destination of a channel: its webhook, or the Web API with its token."""
        if "token" not in secrets:
            return Destination(address=secrets["webhook"], options=options)
        address = Secret(str(options.get("api") or API))
        return Destination(address=address, secrets={"token": secrets["token"]}, options=options)

    def has_threads(self, settings: Collection[str]) -> bool:
        """Return whether the channel is that of an app: a webhook's post has no id to reply to."""
        return "token_env" in settings

    def post(
        self,
        to: Destination,
        message: Message,
        detail: Detail = Detail.FULL,
        context: RequestContext = NO_CONTEXT,
    ) -> Request:
        """Return the request that posts `message`, without a preview of its link, as the message is like one.

        With a token, it is a reply to `context.parent` if that is set.
        """
        payload = _payload(message, detail)
        if context.parent and _STAMP.fullmatch(context.parent) and "token" in to.secrets:
            payload["thread_ts"] = context.parent
        return _request(to, "chat.postMessage", payload)

    def correct(
        self,
        to: Destination,
        message_id: str,
        message: Message,
        detail: Detail = Detail.FULL,
        context: RequestContext = NO_CONTEXT,
    ) -> Request | None:
        """Return the request that replaces the earlier post by `message`; None for a webhook's post.

        An update without blocks keeps the old ones, and an update notifies nobody:
        https://docs.slack.dev/reference/methods/chat.update
        """
        if "token" not in to.secrets or not _STAMP.fullmatch(message_id):
            return None
        payload = {"blocks": [], **_payload(message, detail), "ts": message_id}
        return _request(to, "chat.update", payload)

    def test(self, to: Destination, site: str, context: RequestContext = NO_CONTEXT) -> Request:
        """Return a request for one message that is clearly a test."""
        return _request(to, "chat.postMessage", _text(fit(test_text(site), MESSAGE_TEXT, escape)))

    def classify(self, response: Response) -> Verdict:
        """Return what `response` means; a success of the Web API carries the id of the message."""
        return classify(response)

    def refusal(self, to: Destination) -> str | None:
        """Return why a workflow's address or a malformed token is refused, or None.

        A workflow takes only flat variables, answers `{"ok":true}`, and posts no blocks.
        """
        if token := to.secrets.get("token"):
            is_one = _TOKEN.fullmatch(token.reveal())
            return None if is_one else "write the app's bot token, which begins with xoxb-"
        if not urlsplit(to.address.reveal()).path.startswith(_WORKFLOW_PATHS):
            return None
        return (
            "this address starts a Slack workflow, which cannot show articles; create an incoming webhook, "
            "whose address begins with https://hooks.slack.com/services/"
        )

    def draw(self, request: Request, times: TimeFormatter) -> Drawing:
        """Return the drawing of a message that consists of blocks."""
        blocks: Any = request.json.get("blocks", ())
        return drawing_of(blocks, times)


def _payload(message: Message, detail: Detail) -> dict[str, object]:
    if detail == Detail.PLAIN:
        return _text(fallback_text(message))
    blocks = blocks_of(message, with_image=detail < Detail.NO_IMAGE)
    return {**_text(notification(message)), "blocks": blocks}


def _text(text: str) -> dict[str, object]:
    return {"text": text, "mrkdwn": False, "unfurl_links": False, "unfurl_media": False}


def _request(to: Destination, method: str, payload: dict[str, object]) -> Request:
    token = to.secrets.get("token")
    if token is None:
        return Request(method="POST", url=to.address, json=payload)
    return Request(
        method="POST",
        url=Secret(f"{to.address.reveal()}/{method}"),
        json={"channel": to.options["channel"], **payload},
        headers={
            "Authorization": f"Bearer {token.reveal()}",
            "Content-Type": "application/json; charset=utf-8",
        },
    )
