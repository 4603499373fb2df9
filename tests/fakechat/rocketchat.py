"""Rocket.Chat's incoming integrations: answers, errors, and whom a message pings. No sockets here.

https://docs.rocket.chat/docs/integrations
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import ClassVar

from tests.fakechat.attachments import ATTACHMENT, markdown_of
from tests.fakechat.base import Fake, refused
from tests.fakechat.exchange import Answer, Call, json_answer
from tests.fakechat.ledger import Ledger
from tests.fakechat.schema import Violation, array, record, string

LONGEST = 5000
_MESSAGE = record(
    {}, {"text": string(LONGEST), "attachments": array(ATTACHMENT, maximum=1, minimum=1)}, closed=True
)
_MENTION = re.compile(r"(?:^|\s|>)@[\w.-]+")


def problems(payload: object) -> Iterator[Violation]:
    """Return what is wrong with a payload.

    Attachments have no limit of their own, so that of texts applies.
    """
    yield from _MESSAGE(payload, "")
    if sum(map(len, markdown_of(payload))) > LONGEST:
        yield Violation(pointer="", code="size", message="error-message-size-exceeded")


class FakeRocketChat(Fake):
    """Rocket.Chat: it shows the attachments that are sent to it."""

    KIND: ClassVar[str] = "rocketchat"
    PATH: ClassVar[re.Pattern[str]] = re.compile(r"(/hooks/[^/]+/[^/]+)")
    # https://docs.rocket.chat/docs/rate-limiter : calls of an endpoint, by default
    LIMIT: ClassVar[tuple[int, float] | None] = (10, 60.0)
    DEAD: ClassVar[tuple[int, object]] = (
        404,
        {"success": False, "error": "Invalid integration id or token provided."},
    )
    ANSWERS: ClassVar[Mapping[int, object]] = {
        400: {"success": False, "error": "error-message-size-exceeded"},
        503: {"success": False, "error": "Service Unavailable"},
    }

    def path(self, token: str) -> str:
        """The path of the integration with that token."""
        return f"/hooks/65d0c0ffee/{token}"

    def answer(self, call: Call, ledger: Ledger) -> Answer:
        """Post the message, or refuse it with the reason."""
        found = list(problems(call.payload))
        if call.method != "POST" or found:
            return refused(json_answer(400, self.ANSWERS[400]), found)
        pings = (ping.strip() for text in markdown_of(call.payload) for ping in _MENTION.findall(text))
        return self.show(call, ledger, json_answer(200, {"success": True}), pings)
