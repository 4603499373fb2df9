"""Mattermost: posts an attachment by an incoming webhook.

Mattermost reads Markdown in texts and fields, but not in a title with a link, an author or a footer.
"""

from __future__ import annotations

import re
from datetime import timedelta
from types import MappingProxyType
from typing import ClassVar

from bot.services.answers import Outcome, Response, Verdict, judge, rate_limited, retry_after
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
from bot.services.text import fit
from bot.services.words import written_time

MESSAGE_TEXT = 16_383
"""Characters of a post; a longer one is split into several without an error.

https://docs.mattermost.com/developers/integrate/webhooks/incoming#tips-and-best-practices
"""

LIST = 12_000
"""Characters of the text about several articles: Newswire's own limit, which leaves room for the rest."""

DEAD = {
    "web.incoming_webhook.invalid.app_error": "the webhook does not exist",
    "web.incoming_webhook.disabled.app_error": "the server accepts no incoming webhooks",
    "web.incoming_webhook.channel.app_error": "the channel does not exist",
    "web.incoming_webhook.channel_locked.app_error": "the webhook may not post to this channel",
    "web.incoming_webhook.permissions.app_error": "the webhook's creator may not post to this channel",
    "web.incoming_webhook.user.app_error": "the webhook's creator no longer has an account",
    "api.post.create_post.can_not_post_to_deleted.error": "the channel is archived",
    "api.post.create_post.town_square_read_only": "the channel is read-only",
}
"""Errors that are final, by the `id` in the answer's JSON; with status 500 they may be temporary.

https://github.com/mattermost/mattermost/blob/master/server/channels/app/webhook.go
"""

_MARKDOWN = re.compile(r"[\\`*_{}\[\]()#+.!>~|$<-]")
_CALLING = re.compile(r"([@#:~])(?=\S)")
_ESCAPED = re.compile(r"\\([^\w\s]|_)")
_STYLE = re.compile(r"(?<!\\)(?:\*\*|~~|\*)")
_ID = re.compile(r"[a-z_.]{1,100}")


def escape(text: str) -> str:
    r"""Return one line of `text` so that Mattermost reads nothing in it as Markdown, mention or emoji.

    Markup gets a backslash before it. `@`, `#`, `~` and `:` get a zero-width space after them, as a backslash
    does not hide mentions, hashtags, links to channels and emoji.
    https://docs.mattermost.com/end-user-guide/collaborate/format-messages.html
    """
    return _MARKDOWN.sub(r"\\\g<0>", _CALLING.sub("\\1\u200b", text))


class Mattermost(Service):
    """Posts by incoming webhook; Mattermost returns no id for such a post, so it cannot be corrected."""

    KIND: ClassVar[str] = "mattermost"
    NAME: ClassVar[str] = "Mattermost"
    SECRET_SHAPES: ClassVar[tuple[SecretShape, ...]] = (
        (re.compile(r"(/hooks/)[\w-]{8,}(?:/[\w-]+)*"), r"\1***"),
    )
    # https://docs.mattermost.com/administration-guide/configure/rate-limiting-configuration-settings.html:
    # ten a second where the server limits at all. One keeps a channel readable.
    RATE: ClassVar[tuple[Rate, ...]] = ((1, timedelta(seconds=1)),)
    ITEMS: ClassVar[int] = 20
    # https://docs.mattermost.com/end-user-guide/collaborate/mention-people.html
    MENTIONS: ClassVar[Ids] = MappingProxyType(
        {
            MentionKind.HERE: NO_ID,
            MentionKind.USER: re.compile(r"(?!(?:all|channel|here)$)[a-z0-9][a-z0-9._-]{1,63}"),
            MentionKind.GROUP: re.compile(r"(?!(?:all|channel|here)$)[a-z0-9][a-z0-9._-]{1,63}"),
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
        small = {} if message.text else {"footer": written_time(message)}
        called = above(message, escape)
        text = {"text": called} if called else {}
        return _request(to, {**text, "attachments": [{**attached, **small}]})

    def test(self, to: Destination, site: str, context: RequestContext = NO_CONTEXT) -> Request:
        """Return a request for one message that is clearly a test."""
        return _request(to, {"text": fit(test_text(site), MESSAGE_TEXT, escape)})

    def classify(self, response: Response) -> Verdict:
        """Return what `response` means: only 200 with the body `ok` is a success."""
        if response.status == 429:
            return rate_limited(retry_after(response))
        if response.status == 200 and response.body[:10].strip() == b"ok":
            return Verdict(outcome=Outcome.SENT, reason="posted")
        error_id = str(response.json_object().get("id", ""))
        if error_id in DEAD and response.status != 500:
            return Verdict(outcome=Outcome.DISABLED, reason=f"HTTP {response.status}: {DEAD[error_id]}")
        return judge(response, error_id if _ID.fullmatch(error_id) else "")

    def draw(self, request: Request, times: TimeFormatter) -> Drawing:
        """Return the drawing of an attachment."""
        return drawing_of(
            request.json, readable=_readable, below=lambda attachment: str(attachment.get("footer", ""))
        )


_MARKUP = Markup(
    escape=escape,
    link=linked,
    bold="**{}**".format,
    italic="*{}*".format,
    struck="~~{}~~".format,
    bullet="* ",
    below="\n  ",
)


def _readable(text: str) -> str:
    text = _STYLE.sub("", re.sub(r"^\* ", "• ", text, flags=re.MULTILINE))
    return _ESCAPED.sub(r"\1", text.replace("\u200b", ""))


def _request(to: Destination, payload: dict[str, object]) -> Request:
    return Request(method="POST", url=to.address, json=payload)
