"""The interface of a chat service: its settings, its requests, the meaning of its answers, its previews.

A new service is one file with a class that implements `Service`, and one line in the registry. This module
knows no service by name, and sends nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum
from types import MappingProxyType
from typing import ClassVar, Literal, Protocol
from urllib.parse import parse_qsl, urlsplit

from bot.services.answers import Response, Verdict
from bot.services.drawing import Drawing, TimeFormatter
from bot.services.mention import Ids
from bot.services.message import Message
from bot.services.options import ServiceOptions, WebhookOptions
from bot.services.secret import Secret

Rate = tuple[int, timedelta]
"""The most requests in any time span of this length."""

SecretShape = tuple[re.Pattern[str], str]
"""The pattern of a service's secret in a text, and what replaces it."""

_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


class Detail(IntEnum):
    """The form in which a message is sent: each step leaves out something that a service may have refused."""

    FULL = 0
    NO_IMAGE = 1
    PLAIN = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """The destination of a channel's posts.

    `address` is the address of requests, and a secret. `secrets` and `options` are the channel's other
    settings, by the names in the service's `OPTIONS` (`token_env` → `secrets["token"]`).
    """

    address: Secret
    secrets: Mapping[str, Secret] = field(default_factory=dict)
    options: Mapping[str, object] = field(default_factory=dict)

    @property
    def host(self) -> str:
        """The host and port of the address, which is not secret: a pause may apply to the whole host."""
        return host_of(self.address)


NOWHERE = Destination(address=Secret("https://webhook.invalid/api/webhooks/0/preview"))
"""A placeholder for messages that are only rendered; no such host exists (RFC 6761 §6.4)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestContext:
    """The values that a request depends on besides its destination and message.

    `key` is the same in all attempts to send one post, or one correction of it, and unique among all
    outboxes; a post that an operator replays gets a new one. It contains no dot. `at` is the time of this
    attempt, for signatures. `parent` is the id of the message or thread to reply to, and `thread_name` the
    name of a thread that the post begins, "" for its title. With `may_begin_thread`, later posts may be
    replies to this one.
    """

    key: str = ""
    at: datetime | None = None
    parent: str | None = None
    thread_name: str = ""
    may_begin_thread: bool = False


NO_CONTEXT = RequestContext()


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """The sender and the recipient of a mail, as addresses without names."""

    sender: str
    recipient: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request to a service; its content is `body` if that is set, or else `json`, encoded.

    `headers` are added to the transport's own and replace those of the same name; they may have secrets, and
    are not in the repr. With `public_only`, the transport connects to no private or loopback address.
    `message_id` is the id of the message if the sender chooses it; otherwise the answer has it. A request
    with an `envelope` is a mail: `body` is the whole message, `url` the address of its server, and `method`
    is not used.
    """

    method: Literal["GET", "POST", "PATCH", "PUT", "DELETE"]
    url: Secret
    json: dict[str, object] = field(default_factory=dict)
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    public_only: bool = False
    message_id: str | None = None
    envelope: Envelope | None = None

    def content(self) -> bytes:
        """Return the body as bytes, as it is sent."""
        return _JSON.encode(self.json).encode() if self.body is None else self.body

    def text(self) -> str:
        """Return the body for people: JSON over several lines, and a form with one field per line."""
        if self.body is None:
            return json.dumps(self.json, indent=2, ensure_ascii=False)
        kind, content = self.headers.get("Content-Type", ""), self.body.decode("utf-8", "replace")
        if kind.startswith("application/json"):
            return json.dumps(json.loads(content), indent=2, ensure_ascii=False)
        if kind.startswith("application/x-www-form-urlencoded"):
            return "\n".join(f"{name}: {value}" for name, value in parse_qsl(content))
        return content


class Service(Protocol):
    """One chat service. Services have no state: everything they need is a parameter.

    `KIND` is its name in the settings, `NAME` its name for people, `RATE` the request rates to begin with,
    and `OPTIONS` has its settings besides the common ones. `HOSTS` are the hosts of its addresses (empty:
    any), where a leading dot includes all subdomains, and `SCHEMES` the schemes. `ITEMS` is how many articles
    one message can hold, and `MENTIONS` whom it can notify. `LAID_OUT` is whether people read its messages,
    so that a channel may have a layout. With `REPEAT_IS_HARMLESS`, a post that is sent twice with the same
    `RequestContext.key` is shown once, so that a lost answer needs no decision.
    """

    KIND: ClassVar[str]
    NAME: ClassVar[str]
    RATE: ClassVar[tuple[Rate, ...]]
    OPTIONS: ClassVar[type[ServiceOptions]] = WebhookOptions
    HOSTS: ClassVar[frozenset[str]] = frozenset()
    SCHEMES: ClassVar[frozenset[str]] = frozenset({"https", "http"})
    SECRET_SHAPES: ClassVar[tuple[SecretShape, ...]] = ()
    ITEMS: ClassVar[int] = 1
    MENTIONS: ClassVar[Ids] = MappingProxyType({})
    LAID_OUT: ClassVar[bool] = True
    REPEAT_IS_HARMLESS: ClassVar[bool] = False

    def destination(self, secrets: Mapping[str, Secret], options: Mapping[str, object]) -> Destination:
        """Return the destination of a channel with these settings; by default, its `webhook` is the address.

        `secrets` has the secrets that are set, and at least the one with the address.
        """
        others = {name: secret for name, secret in secrets.items() if name != "webhook"}
        return Destination(address=secrets["webhook"], secrets=others, options=options)

    def refusal(self, to: Destination) -> str | None:
        """Return why nothing can be posted to a destination, without repeating its address, or None."""
        return None

    def is_own_address(self, address: Secret) -> bool:
        """Return whether an address is certainly one of this service's, as it is on one of its HOSTS."""
        host = urlsplit(address.reveal()).hostname or ""
        return any(f".{host}".endswith(own) if own.startswith(".") else host == own for own in self.HOSTS)

    def has_threads(self, settings: Collection[str]) -> bool:
        """Return whether a channel with these settings can post replies.

        `settings` has the names, in config.yaml, of the service's settings that are set.
        """
        return False

    def example(self) -> Destination:
        """Return a destination with which a preview without a channel is rendered."""
        return NOWHERE

    def post(
        self,
        to: Destination,
        message: Message,
        detail: Detail = Detail.FULL,
        context: RequestContext = NO_CONTEXT,
    ) -> Request:
        """Return the request that posts `message`."""

    def correct(
        self,
        to: Destination,
        message_id: str,
        message: Message,
        detail: Detail = Detail.FULL,
        context: RequestContext = NO_CONTEXT,
    ) -> Request | None:
        """Return the request that replaces an earlier post by `message`; None if that is impossible."""
        return None

    def test(self, to: Destination, site: str, context: RequestContext = NO_CONTEXT) -> Request:
        """Return a request for a message that is clearly a test of `site`'s channel."""

    def classify(self, response: Response) -> Verdict:
        """Return what `response` means, for any answer of any server."""

    def draw(self, request: Request, times: TimeFormatter) -> Drawing:
        """Return the drawing of a request that `post` returned."""


def host_of(webhook: Secret) -> str:
    """Return the host and port of an address, which are not secret."""
    parts = urlsplit(webhook.reveal())
    return f"{parts.hostname}:{parts.port}" if parts.port else parts.hostname or ""
