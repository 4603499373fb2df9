"""Rocket.Chat: posts an attachment by an incoming integration.

Rocket.Chat reads its Markdown in texts and fields, but not in a title or an author. It has no escaping, so
markup characters are broken up or replaced by characters that look the same.
https://github.com/RocketChat/Rocket.Chat/blob/develop/packages/message-parser/src/grammar.pegjs
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, ClassVar

from bot.services.answers import Outcome, Response, Verdict, judge, rate_limited, retry_after, seconds
from bot.services.attachments import above, attachment, drawing_of, linked, plain_text
from bot.services.drawing import Drawing, TimeFormatter
from bot.services.mention import NO_ID, Ids
from bot.services.message import MentionKind, Message, test_text
from bot.services.rich import Markup
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
from bot.services.text import fit, from_look_alike, look_alike

MESSAGE_TEXT = 5000
"""Characters of a message by default, `Message_MaxAllowedSize`; a server may set another number.

https://docs.rocket.chat/docs/message
"""

LIST = 4000
"""Characters of the text about several articles: Newswire's own limit, which leaves room for the rest."""

DEAD = {
    "Invalid integration id or token provided.": "the integration does not exist",
    "invalid-channel": "the integration's channel does not exist",
    "error-invalid-channel": "the integration's channel does not exist",
    "error-invalid-room": "the integration's channel does not exist",
    "room_is_archived": "the channel is archived",
    "error-not-allowed": "the integration may not post to this channel",
    "overriding destination channel is disabled for this integration": "the integration has no channel",
}
"""Errors that are final, by the text of `error` in the answer.

https://github.com/RocketChat/Rocket.Chat/blob/develop/apps/meteor/app/integrations/server/api/api.ts
"""

_CALLING = re.compile(r"[@#:<!\\\]$](?=\S)")
_LINE_START = re.compile(r"^(?=[>#+-]|\d+\.)")
_WAIT = re.compile(rb"wait (\d{1,5}) seconds")
_CODE = re.compile(r"error-[a-z-]{1,60}")


def escape(text: str) -> str:
    """Return one line of `text` so that Rocket.Chat reads nothing in it as Markdown, mention or emoji."""
    return _LINE_START.sub("\u200b", _CALLING.sub("\\g<0>\u200b", look_alike(text)))


class RocketChat(Service):
    """Posts by incoming integration; the answer has no message id, so no message can be corrected."""

    KIND: ClassVar[str] = "rocketchat"
    NAME: ClassVar[str] = "Rocket.Chat"
    SECRET_SHAPES: ClassVar[tuple[SecretShape, ...]] = (
        (re.compile(r"(/hooks/)[\w-]{8,}(?:/[\w-]+)*"), r"\1***"),
    )
    # https://docs.rocket.chat/docs/rate-limiter: ten calls a minute of each endpoint, by default.
    RATE: ClassVar[tuple[Rate, ...]] = ((1, timedelta(seconds=1)), (10, timedelta(seconds=60)))
    ITEMS: ClassVar[int] = 15
    # https://docs.rocket.chat/docs/mentions
    MENTIONS: ClassVar[Ids] = MappingProxyType(
        {
            MentionKind.HERE: NO_ID,
            MentionKind.USER: re.compile(r"(?!(?:all|here)$)[A-Za-z0-9][\w.-]{0,63}", re.ASCII),
        }
    )

    def post(
        self,
        to: Destination,
        message: Message,
        detail: Detail = Detail.FULL,
        context: RequestContext = NO_CONTEXT,
    ) -> Request:
        """Return the request that posts `message`."""
        if detail == Detail.PLAIN:
            return _request(to, {"text": plain_text(message, MESSAGE_TEXT, _MARKUP)})
        attached = attachment(message, with_image=detail < Detail.NO_IMAGE, markup=_MARKUP, limit=LIST)
        del attached["fallback"]
        at = message.published_at.astimezone(UTC).isoformat().replace("+00:00", "Z")
        small = {} if message.text else {"ts": at}
        called = above(message, escape)
        text = {"text": called} if called else {}
        return _request(to, {**text, "attachments": [{**attached, **small}]})

    def test(self, to: Destination, site: str, context: RequestContext = NO_CONTEXT) -> Request:
        """Return a request for one message that is clearly a test."""
        return _request(to, {"text": fit(test_text(site), MESSAGE_TEXT, escape)})

    def classify(self, response: Response) -> Verdict:
        """Return what `response` means: only 200 with `{"success":true}` is a success."""
        answer = response.json_object()
        if response.status == 429:
            wait = _WAIT.search(response.body)
            return rate_limited(retry_after(response) or (seconds(wait[1].decode()) if wait else None))
        if response.status == 200 and answer.get("success") is True:
            return Verdict(outcome=Outcome.SENT, reason="posted")
        error = answer.get("error")
        error = error if isinstance(error, str) else ""
        if error in DEAD:
            return Verdict(outcome=Outcome.DISABLED, reason=f"HTTP {response.status}: {DEAD[error]}")
        if response.status == 503 and answer.get("success") is False:
            # The server answers this only for an integration that was switched off.
            reason = "HTTP 503: the integration is switched off"
            return Verdict(outcome=Outcome.DENIED, reason=reason)
        return judge(response, error if _CODE.fullmatch(error) else "")

    def draw(self, request: Request, times: TimeFormatter) -> Drawing:
        """Return the drawing of an attachment."""

        def below(attachment: Mapping[str, Any]) -> str:
            stamp = attachment.get("ts")
            return times.exact(datetime.fromisoformat(stamp)) if stamp else ""

        return drawing_of(request.json, readable=_readable, below=below)


def _label(text: str) -> str:
    """Return the words of a link without brackets, which would end them and cannot be escaped."""
    return escape(text.translate({ord("["): "\u27e6", ord("]"): "\u27e7"}))


_MARKUP = Markup(
    escape=escape,
    label=_label,
    link=linked,
    bold="*{}*".format,
    italic="_{}_".format,
    struck="~{}~".format,
)


def _readable(text: str) -> str:
    text = re.sub(r"[*~]|(?<!\w)_|_(?!\w)", "", text).translate({0x27E6: "[", 0x27E7: "]"})
    return from_look_alike(text.replace("\u200b", ""))


def _request(to: Destination, payload: dict[str, object]) -> Request:
    return Request(method="POST", url=to.address, json=payload)
