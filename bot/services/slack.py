"""Slack: Block Kit through an incoming webhook.

Everything an article brings is `plain_text`, which knows no formatting, so that a title reads exactly as it
was written; only the date is `mrkdwn`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import urlsplit

from bot.services.answers import Outcome, Response, Verdict, judge, rate_limited, retry_after
from bot.services.drawing import Drawing, Times
from bot.services.message import Message, test_text, title_of
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

HEADER_TEXT = 150
"""https://docs.slack.dev/reference/block-kit/blocks/header-block"""

SECTION_TEXT = 3000
"""https://docs.slack.dev/reference/block-kit/blocks/section-block"""

IMAGE_URL = 3000
"""https://docs.slack.dev/reference/block-kit/block-elements/image-element"""

ALT_TEXT = 2000
"""https://docs.slack.dev/reference/block-kit/blocks/image-block"""

BUTTON_TEXT = 75
BUTTON_URL = 3000
"""https://docs.slack.dev/reference/block-kit/block-elements/button-element"""

MESSAGE_TEXT = 4000
"""https://docs.slack.dev/reference/methods/chat.postMessage (longer texts are cut by Slack, anywhere)"""

CONTEXT_TEXT = 200
"""Not Slack's limit: a context line is small print, and should stay one line."""

DEAD = frozenset(
    {
        "action_prohibited",
        "channel_is_archived",
        "channel_not_found",
        "invalid_token",
        "no_active_hooks",
        "no_service",
        "no_service_id",
        "no_team",
        "posting_to_general_channel_denied",
        "team_disabled",
    }
)
"""Bodies that say the webhook is dead, whatever the status.

https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks#handling_errors
"""

MAYBE_POSTED = frozenset({"fatal_error", "internal_error", "rollup_error"})
"""Bodies that say the message may have been posted, whatever the status.

"It's possible some aspect of the operation succeeded before the error was raised."
https://docs.slack.dev/reference/methods/chat.postMessage#errors
"""

_WORKFLOW_PATHS = ("/triggers/", "/workflows/")
"""Addresses that start a workflow: https://docs.slack.dev/workflows/triggers/webhook-triggers"""

_WORD = re.compile(r"[a-z_]{2,60}")
_DATE = re.compile(r"<!date\^(\d+)\^[^>]*>")


def escape(text: str) -> str:
    """Return `text` with the three characters that Slack gives a meaning replaced; it decodes no others.

    https://docs.slack.dev/messaging/formatting-message-text#escaping
    """
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


class Slack(Service):
    """Posts by incoming webhook; Slack gives such a post no id, so it cannot be corrected later."""

    KIND: ClassVar[str] = "slack"
    NAME: ClassVar[str] = "Slack"
    HOSTS: ClassVar[frozenset[str]] = frozenset({"hooks.slack.com", "hooks.slack-gov.com"})
    SECRET_SHAPES: ClassVar[tuple[SecretShape, ...]] = (
        (re.compile(r"(/services/T\w+/B\w+/)[\w-]+"), r"\1***"),
        (re.compile(r"(/(?:triggers|workflows)/T\w+/)[\w/-]+"), r"\1***"),
    )
    # https://docs.slack.dev/apis/web-api/rate-limits: one message a second and webhook, short bursts aside.
    RATE: ClassVar[tuple[Rate, ...]] = ((1, timedelta(seconds=1)),)

    def post(
        self, to: Destination, message: Message, detail: Detail = Detail.FULL, context: Context = NO_CONTEXT
    ) -> Request:
        """Return the request that posts `message`; without a preview of its link: the message is one."""
        text = _notification(message) if detail < Detail.PLAIN else _everything(message)
        payload = _payload(text)
        if detail < Detail.PLAIN:
            payload["blocks"] = list(_blocks(message, with_image=detail < Detail.NO_IMAGE))
        return Request(method="POST", url=to.address, json=payload)

    def test(self, to: Destination, site: str, context: Context = NO_CONTEXT) -> Request:
        """Return a request for one message that is clearly a test."""
        return Request(
            method="POST", url=to.address, json=_payload(fit(test_text(site), MESSAGE_TEXT, escape))
        )

    def classify(self, response: Response) -> Verdict:
        """Return what `response` means: only 200 with the body `ok` is success."""
        said = response.body[:200].decode("utf-8", "replace").strip()
        if response.status == 429:
            return rate_limited(retry_after(response))
        if said in DEAD:
            return Verdict(outcome=Outcome.DISABLED, reason=f"HTTP {response.status}: {said}")
        if said in MAYBE_POSTED:
            reason = f"HTTP {response.status}: {said}: it may have been posted"
            return Verdict(outcome=Outcome.UNKNOWN, reason=reason)
        if response.status == 200 and said == "ok":
            return Verdict(outcome=Outcome.SENT, reason="posted")
        return judge(response, said if _WORD.fullmatch(said) else "")

    def refusal(self, to: Destination) -> str | None:
        """Refuse a workflow's address: it takes flat variables, answers `{"ok":true}` and posts no blocks."""
        if not urlsplit(to.address.reveal()).path.startswith(_WORKFLOW_PATHS):
            return None
        return (
            "this address starts a Slack workflow, which cannot show articles; create an incoming webhook, "
            "whose address begins with https://hooks.slack.com/services/"
        )

    def draw(self, request: Request, times: Times) -> Drawing:
        """Return what Slack shows of a message made of blocks."""
        sent: Any = request.json.get("blocks", ())
        blocks: dict[str, Any] = {block["type"]: block for block in sent}
        section = blocks.get("section", {})
        button: Mapping[str, Any] = next(iter(blocks.get("actions", {}).get("elements", ())), {})
        small = (_shown(element, times) for element in blocks.get("context", {}).get("elements", ()))
        return Drawing(
            title=_shown(blocks.get("header", {}).get("text"), times),
            text=_shown(section.get("text"), times),
            picture=urlsplit(section.get("accessory", {}).get("image_url", "")).hostname or "",
            below=tuple(filter(None, small)),
            button=_shown(button.get("text"), times),
            link=button.get("url", ""),
        )


def _shown(element: Mapping[str, Any] | None, times: Times) -> str:
    """Return a text object as Slack shows it."""
    text = str((element or {}).get("text") or "")
    text = _DATE.sub(lambda found: times.exact(datetime.fromtimestamp(int(found[1]), UTC)), text)
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _payload(text: str) -> dict[str, object]:
    return {"text": text, "mrkdwn": False, "unfurl_links": False, "unfurl_media": False}


def _blocks(message: Message, *, with_image: bool) -> Iterator[dict[str, object]]:
    title = title_of(message)
    yield {"type": "header", "text": _plain_text(title, HEADER_TEXT)}
    image = _image(message.image, title) if with_image else None
    summary = clean(message.summary)
    if summary or image:
        section: dict[str, object] = {"type": "section", "text": _plain_text(summary or title, SECTION_TEXT)}
        yield {**section, "accessory": image} if image else section
    elements = [*_source(message, with_icon=with_image), *_small_print(message)]
    yield {"type": "context", "elements": elements}
    link = web_url(message.link, BUTTON_URL)
    if link:
        button = {"type": "button", "text": _plain_text("Read article", BUTTON_TEXT), "url": link}
        yield {"type": "actions", "elements": [button]}


def _source(message: Message, *, with_icon: bool) -> Iterator[dict[str, object]]:
    provider = clean(message.provider or "")
    if provider:
        icon = _image(message.provider_icon, provider) if with_icon else None
        yield from [icon] if icon else []
        yield _plain_text(provider, CONTEXT_TEXT)


def _small_print(message: Message) -> Iterator[dict[str, object]]:
    topics = ", ".join(filter(None, map(clean, message.topics)))
    if topics:
        yield _plain_text(topics, CONTEXT_TEXT)
    if message.quality is not None:
        yield _plain_text(f"Quality {message.quality}", CONTEXT_TEXT)
    yield {"type": "mrkdwn", "text": _local_time(message.published_at)}


def _image(url: str | None, alt: str) -> dict[str, object] | None:
    address = web_url(url or "", IMAGE_URL)
    if not address:
        return None
    return {"type": "image", "image_url": address, "alt_text": fit(alt, ALT_TEXT, escape)}


def _plain_text(text: str, limit: int) -> dict[str, object]:
    return {"type": "plain_text", "text": fit(text, limit, escape), "emoji": False}


def _local_time(at: datetime) -> str:
    """Return a date that each reader's client shows in its own zone, and in UTC where it cannot.

    https://docs.slack.dev/messaging/formatting-message-text#date-formatting
    """
    fallback = at.astimezone(UTC).isoformat(" ", "minutes").removesuffix("+00:00")
    return f"<!date^{int(at.timestamp())}^{{date_short_pretty}}, {{time}}|{fallback} UTC>"


def _notification(message: Message) -> str:
    """Return what a notification or a screen reader says in place of the blocks."""
    provider = clean(message.provider or "")
    return fit(title_of(message) + (f" ({provider})" if provider else ""), MESSAGE_TEXT, escape)


def _everything(message: Message) -> str:
    """Return the whole message as text: for a service that refused its blocks."""
    title = fit(title_of(message), HEADER_TEXT, escape)
    address = escape(web_url(message.link, BUTTON_URL) or "")
    link = f"\n<{address}>" if address else ""
    summary = fit(clean(message.summary), MESSAGE_TEXT - units(title + link) - 1, escape)
    return title + (f"\n{summary}" if summary else "") + link
