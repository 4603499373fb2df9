"""Webhook: sends signed JSON events to an operator's own program, by the Standard Webhooks specification.

There is no markup: the program gets an article's data, and answers only whether it accepted them.
https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Any, ClassVar
from urllib.parse import urlsplit

from bot.services.answers import Outcome, Response, Verdict, judge, rate_limited, retry_after
from bot.services.drawing import Drawing, TimeFormatter
from bot.services.message import Message, test_text, title_of
from bot.services.options import ServiceOptions, VariableName
from bot.services.remarks import MAX_NAMED, comment_of
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
from bot.services.text import clean, fit, web_url

BODY = 20_000
"""Bytes of an event (§ Payload size: under 20 kB); the limits below keep every event under it."""

SECRET_BYTES = range(24, 65)
"""A symmetric secret has "between 24 bytes (192 bits) and 64 bytes (512 bits)" (§ Signature scheme)."""

SECRETS = 2
"""The most secrets at a time: the old and the new one, while receivers change from one to the other."""

# Characters of each field; a character may take three bytes.
ID = 1000
TITLE = 600
SUMMARY = 600
COMMENT = 300
NAME = 200
TOPICS = 20
TOPIC = 60
URL = 1500
OTHER_NAME = 60
OTHER_URL = 200

_PREFIX = "whsec_"


class ProgramOptions(ServiceOptions):
    """The address, one or two secrets that sign events, and whether the address may be a private one."""

    webhook_env: VariableName
    secret_env: VariableName
    allow_private: bool = False


class Webhook(Service):
    """Sends `article.published`, `article.updated` and `article.withdrawn`, described in docs/schemas.

    The id of an event is the same in every attempt, so that a receiver can ignore an event that it has seen.
    """

    KIND: ClassVar[str] = "webhook"
    NAME: ClassVar[str] = "Webhook"
    OPTIONS: ClassVar[type[ServiceOptions]] = ProgramOptions
    # The specification has no rate: this one does not overload a small server, and catches up within minutes.
    RATE: ClassVar[tuple[Rate, ...]] = ((5, timedelta(seconds=1)),)
    SECRET_SHAPES: ClassVar[tuple[SecretShape, ...]] = ((re.compile(r"\bwhsec_[\w+/=-]+"), "whsec_***"),)
    REPEAT_IS_HARMLESS: ClassVar[bool] = True
    LAID_OUT: ClassVar[bool] = False

    def refusal(self, to: Destination) -> str | None:
        """Return why malformed secrets, or a private address that is not allowed, are refused, or None."""
        secrets = to.secrets["secret"].reveal().split()
        if not 1 <= len(secrets) <= SECRETS:
            return f"write one secret, or {SECRETS} separated by a space"
        if not all(map(_is_usable, secrets)):
            return f"a secret is {_PREFIX} and 24 to 64 random bytes in base64"
        if not _may_be_private(to) and _is_clearly_private(to.address):
            return "the address is not one of the public internet: set `allow_private: true` to allow it"
        return None

    def example(self) -> Destination:
        """Return a destination with a secret that is used only for previews."""
        secrets = {"secret": Secret(_PREFIX + base64.b64encode(bytes(24)).decode())}
        return Destination(address=Secret("https://webhook.invalid/"), secrets=secrets)

    def post(
        self,
        to: Destination,
        message: Message,
        detail: Detail = Detail.FULL,
        context: RequestContext = NO_CONTEXT,
    ) -> Request:
        """Return the signed event for a published article, or for an alert."""
        message = _one(message)
        kind = "article.published" if message.article_id else "channel.alert"
        request = _event(to, kind, message.published_at, _data(message), context, message.site)
        return replace(request, message_id=request.headers["webhook-id"])

    def correct(
        self,
        to: Destination,
        message_id: str,
        message: Message,
        detail: Detail = Detail.FULL,
        context: RequestContext = NO_CONTEXT,
    ) -> Request | None:
        """Return the signed event for an article that was changed or withdrawn after it was posted."""
        message = _one(message)
        data = {**_data(message), "published_event": message_id}
        if message.retracted:
            return _event(to, "article.withdrawn", context.at, data, context, message.site)
        return _event(to, "article.updated", message.updated_at, data, context, message.site)

    def test(self, to: Destination, site: str, context: RequestContext = NO_CONTEXT) -> Request:
        """Return a signed event that is clearly a test."""
        data = {"site": fit(clean(site), NAME), "text": fit(test_text(site), SUMMARY)}
        return _event(to, "channel.test", context.at, data, context, site)

    def classify(self, response: Response) -> Verdict:
        """Return what `response` means: 2xx is a success, 410 disables the channel, all else is retried.

        The specification demands a retry after every other answer (§ Delivery): a program that refuses an
        event may accept it later, and a plainer form would not help.
        """
        if 200 <= response.status < 300:
            return Verdict(outcome=Outcome.SENT, reason="delivered")
        if response.status == 410:
            reason = "HTTP 410: the receiver no longer accepts events at this address"
            return Verdict(outcome=Outcome.DISABLED, reason=reason)
        if response.status == 429:
            return rate_limited(retry_after(response))
        verdict = judge(response)
        rejected = verdict.outcome is Outcome.REJECTED
        return replace(verdict, outcome=Outcome.UNSENT) if rejected else verdict

    def draw(self, request: Request, times: TimeFormatter) -> Drawing:
        """Return a drawing of the event's data, as what the program shows is not known."""
        event: dict[str, Any] = json.loads(request.content())
        data: dict[str, Any] = event["data"]
        fields = (
            ("Topics", ", ".join(data.get("topics", ()))),
            ("Quality", str(data.get("quality") or "")),
            ("Also covered by", ", ".join(other["name"] for other in data.get("also_covered_by", ()))),
            ("Published", times.exact(datetime.fromisoformat(data["published_at"]))),
        )
        return Drawing(
            badge="",
            above=event["type"],
            title=data.get("title", ""),
            comment=data.get("comment") or "",
            text=data.get("summary", ""),
            picture=urlsplit(data.get("image") or "").hostname or "",
            fields=tuple((name, value) for name, value in fields if value),
            below=tuple(filter(None, (data["provider"] and data["provider"]["name"], "signed"))),
            link=data.get("url", ""),
            is_card=True,
        )


def _one(message: Message) -> Message:
    return replace(message.items[0], comment=message.comment) if message.items else message


def _data(message: Message) -> dict[str, object]:
    """Return an article as receivers get it: every key is always present, and null without a value.

    Each article is an event of its own (ITEMS is 1), even if the channel has a digest.
    """
    provider = fit(clean(message.provider or ""), NAME)
    topics = (fit(clean(topic), TOPIC) for topic in message.topics[:TOPICS])
    updated = message.updated_at
    return {
        "id": fit(clean(message.article_id), ID),
        "url": web_url(message.link, URL),
        "title": fit(title_of(message), TITLE),
        "summary": fit(clean(message.summary), SUMMARY),
        "published_at": _time(message.published_at),
        "updated_at": _time(updated) if updated else None,
        "topics": list(dict.fromkeys(filter(None, topics))),
        "quality": message.quality,
        "image": web_url(message.image or "", URL),
        "provider": {"name": provider, "icon": web_url(message.provider_icon or "", URL)}
        if provider
        else None,
        "comment": comment_of(message, limit=COMMENT) or None,
        "also_covered_by": list(_coverage(message)),
        "site": fit(clean(message.site), NAME),
    }


def _coverage(message: Message) -> Iterator[dict[str, object]]:
    for coverage in message.coverage[:MAX_NAMED]:
        if name := fit(clean(coverage.name), OTHER_NAME):
            yield {"name": name, "url": web_url(coverage.link, OTHER_URL)}


def _event(
    to: Destination,
    kind: str,
    at: datetime | None,
    data: Mapping[str, object],
    context: RequestContext,
    site: str,
) -> Request:
    """Return a signed event; `at` is when it happened, while the signature has the time of the attempt."""
    now = context.at or at or datetime.fromtimestamp(0, UTC)
    body = json.dumps({"type": kind, "timestamp": _time(at or now), "data": data}, ensure_ascii=False)
    content = body.encode()
    id = _event_id(kind, data, context, site)
    stamp = str(int(now.timestamp()))
    signed = b".".join((id.encode(), stamp.encode(), content))
    keys = (_key(secret) for secret in to.secrets["secret"].reveal().split())
    signatures = (base64.b64encode(hmac.digest(key, signed, "sha256")).decode() for key in keys)
    headers = {
        "webhook-id": id,
        "webhook-timestamp": stamp,
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
        "Content-Type": "application/json",
    }
    public_only = not _may_be_private(to)
    return Request(method="POST", url=to.address, body=content, headers=headers, public_only=public_only)


def _event_id(kind: str, data: Mapping[str, object], context: RequestContext, site: str) -> str:
    """Return the id of an event: the post's key, and a digest that distinguishes sites with one receiver."""
    digest = hashlib.blake2b(json.dumps([site, data.get("id"), kind]).encode(), digest_size=8).hexdigest()
    return f"msg_{context.key}_{digest}".replace(".", "_")


def _time(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _key(secret: str) -> bytes:
    return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)


def _is_usable(secret: str) -> bool:
    try:
        return secret.startswith(_PREFIX) and len(_key(secret)) in SECRET_BYTES
    except (binascii.Error, ValueError):
        return False


def _may_be_private(to: Destination) -> bool:
    return to.options.get("allow_private") is True


def _is_clearly_private(address: Secret) -> bool:
    """Return whether the host is a private IP address; names are checked when the transport resolves them."""
    parts = urlsplit(address.reveal())
    host = parts.hostname or ""
    try:
        return not ip_address(host).is_global
    except ValueError:
        return parts.scheme == "http" or host == "localhost" or host.endswith((".localhost", ".internal"))
