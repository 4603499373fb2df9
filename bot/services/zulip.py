"""Zulip: a bot posts a message in a channel, under the article's topic, and can correct it."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache
from types import MappingProxyType
from typing import Any, ClassVar
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit

from bot.services.answers import Outcome, Response, Verdict, judge, rate_limited, retry_after, seconds
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
from bot.services.text import clean, fit
from bot.services.zulip_text import SUMMARY, content_of, escape
from text.language import available, language_of

TOPIC = 60
"""Characters: https://zulip.com/api/send-message"""

DEAD = {
    "STREAM_DOES_NOT_EXIST": "there is no such channel",
    "STREAM_WITH_ID_DOES_NOT_EXIST": "there is no such channel",
    "UNAUTHORIZED": "the bot's e-mail or key is wrong",
    "INVALID_API_KEY": "the bot's key is wrong",
    "USER_DEACTIVATED": "the bot was deactivated",
    "REALM_DEACTIVATED": "the organisation was deactivated",
}
"""Errors that are final, by the answer's `code`: https://zulip.com/api/rest-error-handling"""

_CODE = re.compile(r"[A-Z_]{1,60}")
_REFERENCE = re.compile(r"&#(\d{1,4});")
_LINK = re.compile(r"\[([^\]]*)\]\(([^)]*)\)")
_MENTION = re.compile(r"@\*\*?\|?[^*|]+\*\*?")
_COMMENT = re.compile(r"\*[^* ][^*]*\*")
_STYLE = re.compile(r"\*\*|~~|\*")
_TIME = re.compile(r"<time:([^>]*)>")


class ZulipOptions(ServiceOptions):
    """The address with the bot's e-mail and key, and the channel, which Zulip formerly called a stream."""

    webhook_env: VariableName
    stream: str


class Zulip(Service):
    """Posts by the API, as a bot of the type "Incoming webhook" or "Generic"."""

    KIND: ClassVar[str] = "zulip"
    NAME: ClassVar[str] = "Zulip"
    OPTIONS: ClassVar[type[ServiceOptions]] = ZulipOptions
    SECRET_SHAPES: ClassVar[tuple[SecretShape, ...]] = (
        (re.compile(r"(https?://[^\s/\"']+:)[^\s/\"']+@"), r"\1***@"),
    )
    # https://zulip.readthedocs.io/en/latest/production/security-model.html#rate-limiting: 200 a minute and
    # user. One a second keeps a channel readable.
    RATE: ClassVar[tuple[Rate, ...]] = ((1, timedelta(seconds=1)),)
    ITEMS: ClassVar[int] = 20
    # https://zulip.com/help/mention-a-user-or-group; `here` is everybody in the channel, as Zulip knows no
    # narrower word.
    MENTIONS: ClassVar[Ids] = MappingProxyType(
        {
            MentionKind.HERE: NO_ID,
            MentionKind.USER: re.compile(r"\d{1,15}"),
            MentionKind.GROUP: re.compile(r"[^\s*|@][^*|\n]{0,99}"),
        }
    )

    def refusal(self, to: Destination) -> str | None:
        """Return why an address without the bot's e-mail and key is refused, or None."""
        parts = urlsplit(to.address.reveal())
        if parts.username and parts.password:
            return None
        return "write the address as https://BOT-EMAIL:API-KEY@your.zulip.example"

    def example(self) -> Destination:
        """Return a destination to render a preview with."""
        address = Secret("https://bot%40webhook.invalid:preview@webhook.invalid")
        return Destination(address=address, options={"stream": "news"})

    def post(
        self,
        to: Destination,
        message: Message,
        detail: Detail = Detail.FULL,
        context: RequestContext = NO_CONTEXT,
    ) -> Request:
        """Return the request that posts `message` under the article's first topic."""
        topics = () if message.items else (*message.topics, *message.labels)
        topic = next(filter(None, map(clean, topics)), "") or clean(message.site) or "News"
        return _message(to, fit(topic, TOPIC), content_of(message, detail))

    def correct(
        self,
        to: Destination,
        message_id: str,
        message: Message,
        detail: Detail = Detail.FULL,
        context: RequestContext = NO_CONTEXT,
    ) -> Request | None:
        """Return the request that changes the message's text: https://zulip.com/api/update-message"""
        if not message_id.isdecimal():
            return None
        return _request(to, "PATCH", f"/{message_id}", {"content": content_of(message, detail)})

    def test(self, to: Destination, site: str, context: RequestContext = NO_CONTEXT) -> Request:
        """Return a request for one message that is clearly a test."""
        return _message(to, "Test", fit(test_text(site), SUMMARY, escape))

    def classify(self, response: Response) -> Verdict:
        """Return what `response` means; a success carries the id of the message."""
        answer = response.json_object()
        if response.status == 429:
            return rate_limited(seconds(answer.get("retry-after")) or retry_after(response))
        if response.status == 200 and answer.get("result") == "success":
            number = answer.get("id")
            message_id = str(number) if type(number) is int and 0 < number < 2**63 else None
            return Verdict(outcome=Outcome.SENT, reason="posted", message_id=message_id)
        code = str(answer.get("code", ""))
        if code in DEAD:
            return Verdict(outcome=Outcome.DISABLED, reason=f"HTTP {response.status}: {DEAD[code]} ({code})")
        if "time limit for editing" in str(answer.get("msg", "")):
            reason = f"HTTP {response.status}: Zulip no longer lets this message be edited"
            return Verdict(outcome=Outcome.REJECTED, reason=reason, degradable=False)
        return judge(response, code if _CODE.fullmatch(code) else "")

    def draw(self, request: Request, times: TimeFormatter) -> Drawing:
        """Return the drawing of a message."""
        fields = dict(parse_qsl(request.content().decode()))
        lines = fields["content"].split("\n")
        called = lines.pop(0) if len(lines) > 1 and _MENTION.fullmatch(lines[0]) else ""
        quoted = lines.pop(0) if len(lines) > 1 and _COMMENT.fullmatch(lines[0]) else ""
        head, link = _LINK.search(lines[0]), ""
        if head:
            link, lines[0] = head[2], head[1]
        match = next(filter(None, map(_picture_in, lines)), None)
        picture = match[0] if match else ""
        small = next((line for line in lines if "<time:" in line), "")
        texts = [line for line in lines[1:] if line not in (picture, small)]
        return Drawing(
            sender="Bot",
            badge="BOT",
            mention=re.sub(r"[*|]", "", called),
            comment=_readable(quoted, times),
            above=f"# {fields['to']} > {fields['topic']}",
            title=_readable(lines[0], times),
            text=_readable(_LINK.sub(r"\1", "\n".join(texts)), times),
            picture=urlsplit(match[2]).hostname or "" if match else "",
            below=tuple(filter(None, (_readable(small, times),))),
            link=link,
        )


def _picture_in(line: str) -> re.Match[str] | None:
    """Return the match of a line that is a link to a picture, with its words and address, or None."""
    match = _LINK.fullmatch(line)
    return match if match and (match[1] == "Picture" or match[1] in _words_for_pictures()) else None


@cache
def _words_for_pictures() -> frozenset[str]:
    return frozenset(escape(language_of(tag).gettext("Picture")) for tag in available())


def _message(to: Destination, topic: str, content: str) -> Request:
    form = {"type": "stream", "to": str(to.options["stream"]), "topic": topic, "content": content}
    return _request(to, "POST", "", form)


def _request(to: Destination, method: Any, path: str, form: Mapping[str, str]) -> Request:
    """Return a request with the bot's e-mail and key in a header: https://zulip.com/api/http-headers"""
    parts = urlsplit(to.address.reveal())
    login = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
    address = parts._replace(
        netloc=parts.netloc.rpartition("@")[2], path=f"{parts.path.rstrip('/')}/api/v1/messages{path}"
    )
    headers = {
        "Authorization": f"Basic {base64.b64encode(login.encode()).decode()}",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    return Request(
        method=method, url=Secret(urlunsplit(address)), body=urlencode(form).encode(), headers=headers
    )


def _readable(text: str, times: TimeFormatter) -> str:
    text = _TIME.sub(lambda match: times.exact(datetime.fromisoformat(match[1])), text)
    text = _STYLE.sub("", re.sub(r"^\* ", "• ", text, flags=re.MULTILINE))
    return _REFERENCE.sub(lambda match: chr(int(match[1])), text)
