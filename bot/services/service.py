"""What a chat service is: its settings, how it is sent a message, what its answers mean, what it shows.

A new service is one file that defines a class of this kind, and one line in the registry. Nothing here knows
a service by name, and nothing is sent.
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
from bot.services.drawing import Drawing, Times
from bot.services.mention import Ids
from bot.services.message import Message
from bot.services.options import Options, WebhookOptions
from bot.services.secret import Secret

Rate = tuple[int, timedelta]
"""At most so many requests in any such span."""

SecretShape = tuple[re.Pattern[str], str]
"""What a secret of a service looks like in a text, and what to put in its place."""

_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


class Detail(IntEnum):
    """How much of a message is sent: each step leaves out what a service may have refused."""

    FULL = 0
    NO_IMAGE = 1
    PLAIN = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """Where one channel posts.

    `address` is what requests are made to, and a secret. `secrets` and `options` are what the channel's
    settings hold besides, by the names in the service's `OPTIONS` (`token_env` → `secrets["token"]`).
    """

    address: Secret
    secrets: Mapping[str, Secret] = field(default_factory=dict)
    options: Mapping[str, object] = field(default_factory=dict)

    @property
    def host(self) -> str:
        """The host and port of the address: the scope of a pause of the whole host, and no secret."""
        return host_of(self.address)


NOWHERE = Destination(address=Secret("https://webhook.invalid/api/webhooks/0/preview"))
"""A placeholder for messages that are rendered and not sent; no such host exists (RFC 6761 §6.4)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a request depends on besides its destination and message.

    `key` is the same in all attempts to send one post, or one correction of it, and in those of nothing
    else, also of no other outbox; a post that an operator replays has a new one. It has no dot in it. `at` is
    the time of this attempt, for signatures. `parent` is the id of the message or thread to reply to,
    and `thread_name` what a thread is called that the post begins, "" for its title. With `may_begin_thread`
    later posts may be replies to this one.
    """

    key: str = ""
    at: datetime | None = None
    parent: str | None = None
    thread_name: str = ""
    may_begin_thread: bool = False


NO_CONTEXT = Context()


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """From whom and to whom a mail goes: two addresses without names."""

    sender: str
    recipient: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is to be sent: `body` if there is one, or else `json`, encoded.

    `headers` are added to the transport's own and replace those of the same name; they may hold secrets, and
    do not show in a repr. With `public_only` the transport connects to no private or loopback address.
    `message_id` is the id of the message where the sender chooses it; otherwise the answer has it. A request
    with an `envelope` is a mail: `body` is the whole message, `url` its server, and `method` means nothing.
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
        """Return the body as it goes over the wire."""
        return _JSON.encode(self.json).encode() if self.body is None else self.body

    def text(self) -> str:
        """Return the body as people read it: JSON over several lines, and a form with one field per line."""
        if self.body is None:
            return json.dumps(self.json, indent=2, ensure_ascii=False)
        kind, written = self.headers.get("Content-Type", ""), self.body.decode("utf-8", "replace")
        if kind.startswith("application/json"):
            return json.dumps(json.loads(written), indent=2, ensure_ascii=False)
        if kind.startswith("application/x-www-form-urlencoded"):
            return "\n".join(f"{name}: {value}" for name, value in parse_qsl(written))
        return written


class Service(Protocol):
    """One chat service. Services are stateless: everything they need is passed in.

    `NAME` is what people call it, `OPTIONS` its settings in a channel beside the common ones, `HOSTS` the
    hosts of its addresses (empty: any), of which one with a leading dot includes all below it, `SCHEMES`
    what they begin with. `ITEMS` is how many articles one message can hold, `MENTIONS` whom it can notify,
    and `LAID_OUT` says that people read it, so that a channel may choose what it shows.
    With `REPEAT_IS_HARMLESS` a post that is sent twice under one `Context.key` is shown once, so that a lost
    answer needs no decision.
    """

    KIND: ClassVar[str]
    NAME: ClassVar[str]
    RATE: ClassVar[tuple[Rate, ...]]
    OPTIONS: ClassVar[type[Options]] = WebhookOptions
    HOSTS: ClassVar[frozenset[str]] = frozenset()
    SCHEMES: ClassVar[frozenset[str]] = frozenset({"https", "http"})
    SECRET_SHAPES: ClassVar[tuple[SecretShape, ...]] = ()
    ITEMS: ClassVar[int] = 1
    MENTIONS: ClassVar[Ids] = MappingProxyType({})
    LAID_OUT: ClassVar[bool] = True
    REPEAT_IS_HARMLESS: ClassVar[bool] = False

    def destination(self, secrets: Mapping[str, Secret], options: Mapping[str, object]) -> Destination:
        """Return where a channel with these settings posts; its `webhook` is the address unless overridden.

        `secrets` holds those that were found, and at least the one that is the address.
        """
        others = {name: secret for name, secret in secrets.items() if name != "webhook"}
        return Destination(address=secrets["webhook"], secrets=others, options=options)

    def refusal(self, to: Destination) -> str | None:
        """Return why nothing can ever be posted there, in words that do not repeat the address, or None."""
        return None

    def is_own_address(self, address: Secret) -> bool:
        """Return whether an address is clearly one of this service: it is on one of its HOSTS."""
        host = urlsplit(address.reveal()).hostname or ""
        return any(f".{host}".endswith(own) if own.startswith(".") else host == own for own in self.HOSTS)

    def has_threads(self, settings: Collection[str]) -> bool:
        """Return whether a channel with these settings of its own can post replies.

        `settings` has the names of those that are set, as config.yaml has them.
        """
        return False

    def example(self) -> Destination:
        """Return a destination to render a preview with, where no channel is meant."""
        return NOWHERE

    def post(
        self, to: Destination, message: Message, detail: Detail = Detail.FULL, context: Context = NO_CONTEXT
    ) -> Request:
        """Return the request that posts `message`."""

    def correct(
        self,
        to: Destination,
        message_id: str,
        message: Message,
        detail: Detail = Detail.FULL,
        context: Context = NO_CONTEXT,
    ) -> Request | None:
        """Return the request that turns an earlier post into `message`; None where that is impossible."""
        return None

    def test(self, to: Destination, site: str, context: Context = NO_CONTEXT) -> Request:
        """Return a request for a message that says it is only a test of `site`'s channel."""

    def classify(self, response: Response) -> Verdict:
        """Return what `response` means; total, whatever the server answered."""

    def draw(self, request: Request, times: Times) -> Drawing:
        """Return what people would see of a request that `post` made, drawn from what is sent."""


def host_of(webhook: Secret) -> str:
    """Return the host and port that an address is on, without anything that is secret."""
    parts = urlsplit(webhook.reveal())
    return f"{parts.hostname}:{parts.port}" if parts.port else parts.hostname or ""
